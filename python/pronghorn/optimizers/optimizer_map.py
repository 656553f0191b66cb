"""Which optimizer updates which variable, by patterns of paths."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

from pronghorn.optimizers.optimizer import Optimizer
from pronghorn.saving import deserialization, serialization
from pronghorn.variable import Variable


class OptimizerMap(MutableMapping[str, Optimizer]):
    """Dict of patterns of variable paths to optimizers, for `MultiOptimizer`.

    Args:
        default_optimizer: The optimizer of variables that no pattern matches.
        optimizer_map: Dict of regular expressions, searched in paths, to optimizers.

    Raises:
        TypeError: If `default_optimizer` is not an optimizer.
        ValueError: If a value is not an optimizer or one that wraps others.

    Example:

    >>> import pronghorn as keras
    >>> chosen = keras.optimizers.OptimizerMap(keras.optimizers.SGD())
    >>> chosen["embedding"] = keras.optimizers.Adagrad()
    >>> type(chosen(keras.Variable([1.0], name="kernel"))).__name__
    'SGD'
    """

    def __init__(
        self, default_optimizer: Optimizer, optimizer_map: Mapping[str, Optimizer] | None = None
    ) -> None:
        if not isinstance(default_optimizer, Optimizer):
            raise TypeError(
                "default_optimizer must be a Keras Optimizer instance. "
                f"Received: {default_optimizer}"
            )
        self._default_optimizer = default_optimizer
        self._optimizer_map: dict[str, Optimizer] = {}
        for pattern, optimizer in (optimizer_map or {}).items():
            self[pattern] = optimizer

    @property
    def default_optimizer(self) -> Optimizer:
        """The optimizer of variables that no pattern matches."""
        return self._default_optimizer

    def __call__(self, variable: Variable) -> Optimizer:
        """Returns the optimizer of a variable.

        Raises:
            ValueError: If patterns of several entries match its path.
        """
        matching = [p for p in self._optimizer_map if re.search(p, variable.path)]
        if len(matching) > 1:
            raise ValueError(
                f"OptimizerMap: path '{variable.path}' matches several patterns: {matching}. "
                "Make them exclude each other."
            )
        return self._optimizer_map[matching[0]] if matching else self._default_optimizer

    def __getitem__(self, pattern: str) -> Optimizer:
        return self._optimizer_map[pattern]

    def __setitem__(self, pattern: str, optimizer: Optimizer) -> None:
        if not isinstance(optimizer, Optimizer):
            raise ValueError(f"optimizer must be a Keras Optimizer instance. Received: {optimizer}")
        name = type(optimizer).__name__
        if name in ("LossScaleOptimizer", "MultiOptimizer"):
            raise ValueError(f"optimizer cannot be {name}. Received: {optimizer}")
        try:
            re.compile(pattern)
        except (re.error, TypeError) as error:
            raise ValueError(
                "OptimizerMap: patterns must be regular expressions. "
                f"Received: {pattern!r} ({error})."
            ) from error
        self._optimizer_map[pattern] = optimizer

    def __delitem__(self, pattern: str) -> None:
        del self._optimizer_map[pattern]

    def __len__(self) -> int:
        return len(self._optimizer_map)

    def __iter__(self) -> Iterator[str]:
        return iter(self._optimizer_map)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor as a dict."""
        serialize = serialization.serialize_keras_object
        return {
            "default_optimizer": serialize(self._default_optimizer),
            "optimizer_map": {p: serialize(o) for p, o in self._optimizer_map.items()},
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> OptimizerMap:
        """Returns a map made with the arguments in `config`."""
        deserialize = deserialization.deserialize_keras_object
        entries = (config.get("optimizer_map") or {}).items()
        return cls(
            deserialize(config["default_optimizer"]), {p: deserialize(o) for p, o in entries}
        )
