"""Sum, Mean and MeanMetricWrapper: weighted sums and means over batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pronghorn import losses, ops
from pronghorn.metrics.metric import Metric
from pronghorn.tensor import Tensor


def weigh(
    values: Any, sample_weight: Any, dtype: str, reduce: Callable[..., Any] = ops.mean
) -> tuple[Tensor, Tensor | None]:
    """Values times weights, and the weights brought to the values' shape.

    Values that have more axes than the weights are first reduced over the axes that are left.
    """
    mask = getattr(values, "_keras_mask", None)
    values = ops.cast(ops.convert_to_tensor(values), dtype)
    if sample_weight is None:
        return values, None
    if mask is not None:  # of what a loss leaves out, such as `ignore_class`
        sample_weight = _masked(sample_weight, mask, dtype)
    weight = ops.cast(ops.convert_to_tensor(sample_weight), dtype)
    if weight.ndim > 0:
        values, weight = losses.squeeze_or_expand_to_same_rank(values, weight)
    if values.ndim > weight.ndim > 0:
        values = reduce(values, axis=tuple(range(weight.ndim, values.ndim)))
    try:
        weight = ops.broadcast_to(weight, _broadcast(values.shape, weight.shape))
    except ValueError:
        raise ValueError(
            "metric: sample_weight must broadcast to the values. "
            f"Received: sample_weight.shape={tuple(weight.shape)}, values of shape "
            f"{tuple(values.shape)}."
        ) from None
    return ops.multiply(values, weight), weight


def _broadcast(shape: Any, other: Any) -> tuple[int, ...]:
    import numpy as np

    return tuple(np.broadcast_shapes(tuple(shape), tuple(other)))


def _masked(sample_weight: Any, mask: Any, dtype: str) -> Any:
    mask = ops.cast(mask, dtype)
    if sample_weight is None:
        return mask
    weight = ops.cast(ops.convert_to_tensor(sample_weight), dtype)
    weight, mask = losses.squeeze_or_expand_to_same_rank(weight, mask)
    return ops.multiply(weight, mask)


class Sum(Metric):
    """The weighted sum of values.

    Args:
        name: name in the logs.
        dtype: dtype of the computation.

    Example:
        >>> import pronghorn as keras
        >>> m = keras.metrics.Sum()
        >>> m.update_state([1, 3, 5, 7])
        >>> float(m.result())
        16.0
    """

    def __init__(self, name: str = "sum", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), "zeros", name="total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Adds values `(...)`, times `sample_weight`."""
        values, _ = weigh(values, sample_weight, self.dtype, ops.sum)
        self.total.assign_add(ops.sum(values))

    def result(self) -> Any:
        """The sum."""
        return ops.cast(self.total.value, self.dtype)


class Mean(Metric):
    """The weighted mean of values.

    Args:
        name: name in the logs.
        dtype: dtype of the computation.

    Example:
        >>> import pronghorn as keras
        >>> m = keras.metrics.Mean()
        >>> m.update_state([1, 3, 5, 7])
        >>> float(m.result())
        4.0
    """

    def __init__(self, name: str = "mean", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), "zeros", name="total")
        self.count = self.add_variable((), "zeros", name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Takes values `(...)` into account, with `sample_weight`."""
        values, weight = weigh(values, sample_weight, self.dtype)
        self.total.assign_add(ops.sum(values))
        if weight is None:
            self.count.assign_add(float(values.size))
        else:
            self.count.assign_add(ops.sum(weight))

    def result(self) -> Any:
        """The mean, 0 before there are values."""
        return ops.cast(ops.divide_no_nan(self.total.value, self.count.value), self.dtype)


class MeanMetricWrapper(Mean):
    """The mean of a function of targets and outputs.

    Args:
        fn: `fn(y_true, y_pred, **kwargs)`, one value a sample.
        name: name in the logs.
        dtype: dtype of the computation.
        **kwargs: handed to `fn`.

    Example:
        >>> import pronghorn as keras
        >>> m = keras.metrics.MeanMetricWrapper(keras.losses.mean_squared_error, name="mse")
        >>> m.update_state([[0.0], [1.0]], [[2.0], [1.0]])
        >>> float(m.result())
        2.0
    """

    def __init__(
        self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(name=name or str(getattr(fn, "__name__", "mean")), dtype=dtype)
        self._fn = fn
        self._fn_kwargs = kwargs
        if fn in _FALLING:
            self._direction = "down"

    def update_state(  # type: ignore[override]
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        """Takes a batch into account.

        Args:
            y_true: targets.
            y_pred: outputs.
            sample_weight: weights that broadcast to the function's values.
        """
        mask = getattr(y_pred, "_keras_mask", None)
        values = self._fn(y_true, y_pred, **self._fn_kwargs)
        if mask is not None:
            sample_weight = _masked(sample_weight, mask, self.dtype)
        super().update_state(values, sample_weight=sample_weight)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        config = super().get_config()
        if type(self) is not MeanMetricWrapper:
            return config
        from pronghorn.saving import serialize_keras_object

        settings = {k: serialize_keras_object(v) for k, v in self._fn_kwargs.items()}
        return {**config, "fn": serialize_keras_object(self._fn), **settings}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Metric:
        """A metric with the arguments in `config`."""
        if "fn" in config:
            from pronghorn.saving import deserialize_keras_object

            config = deserialize_keras_object(config)
        return cls(**config)


_FALLING = {
    losses.mean_squared_error,
    losses.mean_absolute_error,
    losses.mean_absolute_percentage_error,
    losses.mean_squared_logarithmic_error,
    losses.log_cosh,
    losses.hinge,
    losses.squared_hinge,
    losses.categorical_hinge,
    losses.kl_divergence,
    losses.poisson,
    losses.binary_crossentropy,
    losses.categorical_crossentropy,
    losses.sparse_categorical_crossentropy,
    losses.huber,
}
