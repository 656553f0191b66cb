"""Loss classes of regression."""

from __future__ import annotations

from typing import Any

from pronghorn.losses.function_loss import LossFunctionWrapper
from pronghorn.losses.regression import (
    cosine_similarity,
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)


class MeanSquaredError(LossFunctionWrapper):
    """Mean of `(y_true - y_pred) ** 2`.

    Args:
        reduction: As for `keras.losses.Loss`.
        name: Name of the loss.
        dtype: As for `keras.losses.Loss`.

    Example:

    >>> import pronghorn as keras
    >>> float(keras.losses.MeanSquaredError()([[0.0, 1.0]], [[0.0, 0.0]]))
    0.5
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_squared_error, reduction=reduction, name=name, dtype=dtype)


class MeanAbsoluteError(LossFunctionWrapper):
    """Mean of `abs(y_true - y_pred)`.

    Args:
        reduction: As for `keras.losses.Loss`.
        name: Name of the loss.
        dtype: As for `keras.losses.Loss`.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_absolute_error, reduction=reduction, name=name, dtype=dtype)


class MeanAbsolutePercentageError(LossFunctionWrapper):
    """Mean of `100 * abs((y_true - y_pred) / y_true)`.

    Args:
        reduction: As for `keras.losses.Loss`.
        name: Name of the loss.
        dtype: As for `keras.losses.Loss`.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_percentage_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            mean_absolute_percentage_error, reduction=reduction, name=name, dtype=dtype
        )


class MeanSquaredLogarithmicError(LossFunctionWrapper):
    """Mean of `(log(y_true + 1) - log(y_pred + 1)) ** 2`.

    Args:
        reduction: As for `keras.losses.Loss`.
        name: Name of the loss.
        dtype: As for `keras.losses.Loss`.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_logarithmic_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            mean_squared_logarithmic_error, reduction=reduction, name=name, dtype=dtype
        )


class CosineSimilarity(LossFunctionWrapper):
    """Minus the cosine between targets and predictions.

    Args:
        axis: Axis of the vectors.
        reduction: As for `keras.losses.Loss`.
        name: Name of the loss.
        dtype: As for `keras.losses.Loss`.
    """

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "cosine_similarity",
        dtype: Any = None,
    ) -> None:
        super().__init__(cosine_similarity, reduction=reduction, name=name, dtype=dtype, axis=axis)

    def get_config(self) -> dict[str, Any]:
        # Keras's config of this loss lacks the argument; it is written where it matters.
        config = super().get_config()
        if config["axis"] == -1:
            del config["axis"]
        return config


class Huber(LossFunctionWrapper):
    """Half the squared error, linear beyond `delta`.

    Args:
        delta: Error at which the loss becomes linear.
        reduction: As for `keras.losses.Loss`.
        name: Name of the loss.
        dtype: As for `keras.losses.Loss`.
    """

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "huber_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(huber, reduction=reduction, name=name, dtype=dtype, delta=delta)

    def get_config(self) -> dict[str, Any]:
        # Keras's config of this loss lacks the argument; it is written where it matters.
        config = super().get_config()
        if config["delta"] == 1.0:
            del config["delta"]
        return config


class LogCosh(LossFunctionWrapper):
    """Mean of `log(cosh(y_pred - y_true))`.

    Args:
        reduction: As for `keras.losses.Loss`.
        name: Name of the loss.
        dtype: As for `keras.losses.Loss`.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "log_cosh",
        dtype: Any = None,
    ) -> None:
        super().__init__(log_cosh, reduction=reduction, name=name, dtype=dtype)
