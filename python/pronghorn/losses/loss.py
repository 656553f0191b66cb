"""The base class of losses: dtype, masks, sample weights and reduction around `call`."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from pronghorn import config, ops, tree
from pronghorn.naming import auto_name, name_scope

_NUMBERS = (bool, int, float, np.number, np.bool_)
_REDUCTIONS = ("sum_over_batch_size", "none", "sum", "mean", "mean_with_sample_weight", None)


class Loss:
    """Base class of losses.

    Subclasses override `call(y_true, y_pred)`, which returns one loss per sample (or per sample
    and time step, ...). Calling the object weights and reduces those.

    Args:
        name: Name of the loss.
        reduction: `"sum_over_batch_size"` (or `"mean"`): sum over the number of losses;
            `"mean_with_sample_weight"`: sum over the sum of the sample weights; `"sum"`; `"none"`
            or `None`: one loss per sample.
        dtype: Dtype or dtype policy of the computation, `keras.config.floatx()` by default.

    Raises:
        ValueError: If `reduction` is unknown.

    Example:

    >>> import pronghorn as keras
    >>> class Squared(keras.losses.Loss):
    ...     def call(self, y_true, y_pred):
    ...         return keras.ops.mean(keras.ops.square(y_true - y_pred), axis=-1)
    >>> float(Squared()([[0.0, 1.0]], [[0.0, 0.0]]))
    0.5
    """

    def __init__(
        self,
        name: str | None = None,
        reduction: str | None = "sum_over_batch_size",
        dtype: Any = None,
    ) -> None:
        self.name = name or auto_name(type(self).__name__)
        if reduction not in _REDUCTIONS:
            raise ValueError(
                "Invalid value for argument `reduction`. Expected one of "
                f"{', '.join(map(repr, _REDUCTIONS))}. Received: reduction={reduction}"
            )
        self.reduction = reduction
        self._dtype = _compute_dtype(dtype)

    @property
    def dtype(self) -> str:
        """Dtype of the computation."""
        return self._dtype

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Returns the loss of predictions.

        Args:
            y_true: Targets, usually of the shape of `y_pred`; a structure of tensors is allowed.
            y_pred: Predictions `(batch, ...)`. A mask they carry leaves masked losses out.
            sample_weight: Weights that broadcast to the losses, such as `(batch,)`.

        Returns:
            A scalar tensor, or the losses for reduction `None`.

        Raises:
            ValueError: If shapes do not go together.
        """
        with name_scope(self.name.replace("/", "_")):
            in_mask = get_mask(y_pred)
            y_pred = map_arrays(lambda x: to_dtype(x, self._dtype), y_pred)
            y_true = map_arrays(self._target, y_true)
            losses = self.call(y_true, y_pred)
            out_mask = get_mask(losses)
            mask = in_mask if out_mask is None else out_mask
            if in_mask is not None and out_mask is not None:
                mask = ops.logical_and(*squeeze_or_expand_to_same_rank(in_mask, out_mask))
            return reduce_weighted_values(
                losses, sample_weight, mask, self.reduction, self._dtype, self.name
            )

    def _target(self, y_true: Any) -> Any:
        return to_dtype(y_true, self._dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Returns one loss per sample. To be overridden.

        Args:
            y_true: Targets.
            y_pred: Predictions.
        """
        raise NotImplementedError(f"{type(self).__name__}: a Loss must implement `call()`.")

    def check_targets(self, y_true: np.ndarray, output_shape: tuple[int | None, ...]) -> None:
        """Raises ValueError if targets cannot go with an output of that shape; called by `fit`.

        Args:
            y_true: All targets of one output, an array.
            output_shape: Shape of the output; the first dimension is not compared.
        """

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor as a dict."""
        return {"name": self.name, "reduction": self.reduction}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Loss:
        """Returns a loss made with the arguments in `config`."""
        return cls(**config)


def _compute_dtype(dtype: Any) -> str:
    if dtype is None:
        return config.floatx()
    from pronghorn import dtype_policies

    return str(dtype_policies.get(dtype).compute_dtype)


def to_dtype(x: Any, dtype: str) -> Any:
    """Returns `x` as a tensor of that dtype."""
    x = ops.convert_to_tensor(x)
    return x if x.dtype == dtype else ops.cast(x, dtype)


def map_arrays(convert: Callable[[Any], Any], x: Any) -> Any:
    """Returns `x` with each array converted; nested lists of numbers are one array."""
    if not tree.is_nested(x):
        return convert(x)
    if isinstance(x, (list, tuple)) and all(isinstance(e, _NUMBERS) for e in tree.flatten(x)):
        return convert(np.asarray(x))
    return tree.map_structure(convert, x)


def get_mask(x: Any) -> Any:
    """Returns the mask that a tensor carries, or `None`."""
    return getattr(x, "_keras_mask", None)


def set_mask(x: Any, mask: Any) -> None:
    """Makes a tensor carry a mask."""
    with contextlib.suppress(AttributeError):
        x._keras_mask = mask


def squeeze_or_expand_to_same_rank(x1: Any, x2: Any, expand_rank_1: bool = True) -> tuple[Any, Any]:
    """Returns both tensors with equal rank where they differ by a last axis of length 1.

    Args:
        x1: A tensor.
        x2: A tensor.
        expand_rank_1: Whether a vector gets a last axis in place of the other losing it.

    Returns:
        Tuple of two tensors.
    """
    rank1, rank2 = len(x1.shape), len(x2.shape)
    if rank1 == rank2 + 1 and x1.shape[-1] == 1:
        if rank2 == 1 and expand_rank_1:
            return x1, ops.expand_dims(x2, axis=-1)
        return ops.squeeze(x1, axis=-1), x2
    if rank2 == rank1 + 1 and x2.shape[-1] == 1:
        if rank1 == 1 and expand_rank_1:
            return ops.expand_dims(x1, axis=-1), x2
        return x1, ops.squeeze(x2, axis=-1)
    return x1, x2


def apply_mask(sample_weight: Any, mask: Any, dtype: str, reduction: str | None) -> Any:
    """Returns sample weights with those of masked losses set to zero.

    For means, the rest is scaled up so that the divisor counts the unmasked losses only.
    """
    mask = ops.convert_to_tensor(mask)
    mask = ops.cast(mask, dtype)
    if reduction in ("mean", "sum_over_batch_size"):
        total = float(math.prod(mask.shape))
        mask = mask * (total / (ops.sum(mask) + config.epsilon()))
    if sample_weight is None:
        return mask
    mask, sample_weight = squeeze_or_expand_to_same_rank(mask, to_dtype(sample_weight, dtype))
    return sample_weight * mask


def reduce_weighted_values(
    values: Any,
    sample_weight: Any = None,
    mask: Any = None,
    reduction: str | None = "sum_over_batch_size",
    dtype: str | None = None,
    name: str = "loss",
) -> Any:
    """Returns losses weighted and reduced.

    Args:
        values: Losses.
        sample_weight: Weights that broadcast to `values`.
        mask: Bools, false for losses that do not count.
        reduction: As for `Loss`.
        dtype: Dtype of the result.
        name: Name of the loss, for errors.

    Returns:
        A tensor.
    """
    dtype = dtype or config.floatx()
    values = to_dtype(values, dtype)
    if sample_weight is not None:
        sample_weight = to_dtype(sample_weight, dtype)
    if mask is not None:
        sample_weight = apply_mask(sample_weight, mask, dtype, reduction)
    if sample_weight is not None:
        values, sample_weight = squeeze_or_expand_to_same_rank(values, sample_weight)
        _check_weights(values, sample_weight, name)
        values = values * sample_weight
    if reduction in ("none", None):
        return values
    total = ops.sum(values) if len(values.shape) else values
    if reduction == "sum":
        return total
    if reduction == "mean_with_sample_weight" and sample_weight is not None:
        weights = ops.sum(ops.broadcast_to(sample_weight, values.shape))
        return ops.divide_no_nan(total, weights)
    count = math.prod(values.shape)
    return total if count == 1 else total / float(max(count, 1))


def _check_weights(values: Any, sample_weight: Any, name: str) -> None:
    try:
        np.broadcast_shapes(tuple(values.shape), tuple(sample_weight.shape))
    except ValueError:
        raise ValueError(
            f"Loss '{name}': sample_weight must broadcast to the losses. Received: "
            f"sample_weight.shape={tuple(sample_weight.shape)}, losses of shape "
            f"{tuple(values.shape)}."
        ) from None
