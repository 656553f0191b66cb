"""Metrics that are the mean of a loss function: regression errors, hinges, cross-entropies."""

from __future__ import annotations

from typing import Any

from pronghorn import losses, ops
from pronghorn.metrics.reduction_metrics import Mean, MeanMetricWrapper


class LossMetric(MeanMetricWrapper):
    """A metric whose config holds its arguments, not its function."""

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {"name": self.name, "dtype": self._dtype_config(), **self._fn_kwargs}


class MeanSquaredError(LossMetric):
    """The mean of `(y_true - y_pred) ** 2`.

    Args:
        name: name in the logs.
        dtype: dtype of the computation.
    """

    def __init__(self, name: str = "mean_squared_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_squared_error, name, dtype)


class MeanAbsoluteError(LossMetric):
    """The mean of `|y_true - y_pred|`.

    Args:
        name: name in the logs.
        dtype: dtype of the computation.
    """

    def __init__(self, name: str = "mean_absolute_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_absolute_error, name, dtype)


class MeanAbsolutePercentageError(LossMetric):
    """The mean of `100 * |(y_true - y_pred) / y_true|`.

    Args:
        name: name in the logs.
        dtype: dtype of the computation.
    """

    def __init__(self, name: str = "mean_absolute_percentage_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_absolute_percentage_error, name, dtype)


class MeanSquaredLogarithmicError(LossMetric):
    """The mean of `(log(y_true + 1) - log(y_pred + 1)) ** 2`.

    Args:
        name: name in the logs.
        dtype: dtype of the computation.
    """

    def __init__(self, name: str = "mean_squared_logarithmic_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_squared_logarithmic_error, name, dtype)


class RootMeanSquaredError(Mean):
    """The square root of the mean of `(y_true - y_pred) ** 2`.

    Args:
        name: name in the logs.
        dtype: dtype of the computation.

    Example:
        >>> import pronghorn as keras
        >>> m = keras.metrics.RootMeanSquaredError()
        >>> m.update_state([[0.0], [0.0]], [[2.0], [2.0]])
        >>> float(m.result())
        2.0
    """

    def __init__(self, name: str = "root_mean_squared_error", dtype: Any = None) -> None:
        super().__init__(name, dtype=dtype)
        self._direction = "down"

    def update_state(  # type: ignore[override]
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        """Takes a batch into account.

        Args:
            y_true: targets.
            y_pred: outputs.
            sample_weight: weights of the samples.
        """
        y_true, y_pred = self._tensors(y_true, y_pred)
        y_true, y_pred = losses.squeeze_or_expand_to_same_rank(y_true, y_pred)
        super().update_state(ops.square(ops.subtract(y_pred, y_true)), sample_weight)

    def result(self) -> Any:
        """The root of the mean."""
        return ops.sqrt(super().result())


class CosineSimilarity(LossMetric):
    """The mean cosine of the angle between targets and outputs; 1 is the same direction.

    Args:
        name: name in the logs.
        dtype: dtype of the computation.
        axis: axis of the vectors.
    """

    def __init__(self, name: str = "cosine_similarity", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(cosine_similarity, name, dtype, axis=axis)
        self._direction = "up"


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """The cosine of the angle between vectors, larger for more alike ones (the loss has the "
    "other sign)."""
    return ops.negative(losses.cosine_similarity(y_true, y_pred, axis=axis))


class LogCoshError(LossMetric):
    """The mean of `log(cosh(y_pred - y_true))`.

    Args:
        name: name in the logs.
        dtype: dtype of the computation.
    """

    def __init__(self, name: str = "logcosh", dtype: Any = None) -> None:
        super().__init__(losses.log_cosh, name, dtype)


class Hinge(LossMetric):
    """The mean of `max(1 - y_true * y_pred, 0)`, with targets -1 and 1.

    Args:
        name: name in the logs.
        dtype: dtype of the computation.
    """

    def __init__(self, name: str = "hinge", dtype: Any = None) -> None:
        super().__init__(losses.hinge, name, dtype)


class SquaredHinge(LossMetric):
    """The mean of `max(1 - y_true * y_pred, 0) ** 2`, with targets -1 and 1.

    Args:
        name: name in the logs.
        dtype: dtype of the computation.
    """

    def __init__(self, name: str = "squared_hinge", dtype: Any = None) -> None:
        super().__init__(losses.squared_hinge, name, dtype)


class CategoricalHinge(LossMetric):
    """The mean categorical hinge, with one-hot targets.

    Args:
        name: name in the logs.
        dtype: dtype of the computation.
    """

    def __init__(self, name: str = "categorical_hinge", dtype: Any = None) -> None:
        super().__init__(losses.categorical_hinge, name, dtype)


class KLDivergence(LossMetric):
    """The mean Kullback-Leibler divergence of outputs from targets.

    Args:
        name: name in the logs.
        dtype: dtype of the computation.
    """

    def __init__(self, name: str = "kl_divergence", dtype: Any = None) -> None:
        super().__init__(losses.kl_divergence, name, dtype)


class Poisson(LossMetric):
    """The mean of `y_pred - y_true * log(y_pred)`.

    Args:
        name: name in the logs.
        dtype: dtype of the computation.
    """

    def __init__(self, name: str = "poisson", dtype: Any = None) -> None:
        super().__init__(losses.poisson, name, dtype)


class BinaryCrossentropy(LossMetric):
    """The mean cross-entropy of yes/no outputs.

    Args:
        name: name in the logs.
        dtype: dtype of the computation.
        from_logits: whether outputs are logits, not probabilities.
        label_smoothing: how far targets are drawn towards 0.5.
    """

    def __init__(
        self,
        name: str = "binary_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ) -> None:
        super().__init__(
            losses.binary_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
        )
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing


class CategoricalCrossentropy(LossMetric):
    """The mean cross-entropy with one-hot targets.

    Args:
        name: name in the logs.
        dtype: dtype of the computation.
        from_logits: whether outputs are logits, not probabilities.
        label_smoothing: how far targets are drawn towards the uniform distribution.
        axis: axis of the classes.
    """

    def __init__(
        self,
        name: str = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ) -> None:
        super().__init__(
            losses.categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis


class SparseCategoricalCrossentropy(LossMetric):
    """The mean cross-entropy with class numbers as targets.

    Args:
        name: name in the logs.
        dtype: dtype of the computation.
        from_logits: whether outputs are logits, not probabilities.
        ignore_class: class number that is left out.
        axis: axis of the classes.
    """

    def __init__(
        self,
        name: str = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None:
        super().__init__(
            losses.sparse_categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )
        self.from_logits = from_logits
        self.ignore_class = ignore_class
        self.axis = axis
