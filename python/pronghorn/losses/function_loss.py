"""A loss made of a function of `(y_true, y_pred)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pronghorn import tree
from pronghorn.losses.loss import Loss, squeeze_or_expand_to_same_rank, to_dtype
from pronghorn.losses.targets import Check
from pronghorn.saving import deserialization, serialization

# What the targets of the built-in functions must be, and which take integer labels as they are.
TARGET_CHECKS: dict[Callable[..., Any], Check] = {}
LABEL_FUNCTIONS: set[Callable[..., Any]] = set()


def checks_targets(check: Check, labels: bool = False) -> Callable[[Any], Any]:
    """Returns a decorator that tells which check the targets of a loss function need.

    Args:
        check: Function of `targets.py`.
        labels: Whether the targets are integer labels, which are not cast to float.
    """

    def decorate(function: Any) -> Any:
        TARGET_CHECKS[function] = check
        if labels:
            LABEL_FUNCTIONS.add(function)
        return function

    return decorate


class LossFunctionWrapper(Loss):
    """Makes a `Loss` of a function.

    Args:
        fn: Function of `(y_true, y_pred, **kwargs)` that returns one loss per sample.
        reduction: As for `Loss`.
        name: Name of the loss.
        dtype: As for `Loss`.
        **kwargs: More arguments for `fn`.

    Example:

    >>> import pronghorn as keras
    >>> loss = LossFunctionWrapper(keras.losses.mean_squared_error)
    >>> float(loss([[0.0, 1.0]], [[0.0, 0.0]]))
    0.5
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.fn = fn
        self._fn_kwargs = kwargs

    def _target(self, y_true: Any) -> Any:
        if self.fn in LABEL_FUNCTIONS and "int" in str(getattr(y_true, "dtype", "")):
            return to_dtype(y_true, "int32") if isinstance(y_true, np.ndarray) else y_true
        return super()._target(y_true)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        if tree.is_nested(y_pred) or tree.is_nested(y_true):
            if not tree.is_nested(y_true) or not tree.is_nested(y_pred):
                return self.fn(y_true, y_pred, **self._fn_kwargs)
            pairs = [
                squeeze_or_expand_to_same_rank(t, p)
                for t, p in zip(tree.flatten(y_true), tree.flatten(y_pred))
            ]
            y_true = tree.pack_sequence_as(y_true, [t for t, _ in pairs])
            y_pred = tree.pack_sequence_as(y_pred, [p for _, p in pairs])
        else:
            y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
        return self.fn(y_true, y_pred, **self._fn_kwargs)

    def check_targets(self, y_true: np.ndarray, output_shape: tuple[int | None, ...]) -> None:
        check = TARGET_CHECKS.get(self.fn)
        if check is not None:
            check(self.name, y_true, tuple(output_shape), **self._fn_kwargs)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        if type(self) is LossFunctionWrapper:
            config["fn"] = serialization.serialize_keras_object(self.fn)
        config.update(serialization.serialize_dict(self._fn_kwargs))
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Loss:
        config = dict(config)
        if "fn" in config:
            config["fn"] = deserialization.deserialize_keras_object(config["fn"])
        return cls(**config)

    def __repr__(self) -> str:
        return f"<LossFunctionWrapper({self.fn}, kwargs={self._fn_kwargs})>"
