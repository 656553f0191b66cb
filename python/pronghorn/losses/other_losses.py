"""Loss classes of margins, distributions, masks and embeddings."""

from __future__ import annotations

from typing import Any

from pronghorn.losses.circle import circle
from pronghorn.losses.function_loss import LossFunctionWrapper
from pronghorn.losses.hinge import categorical_hinge, hinge, squared_hinge
from pronghorn.losses.overlap import dice, tversky
from pronghorn.losses.probabilistic import kl_divergence, poisson


class Hinge(LossFunctionWrapper):
    """Mean of `max(1 - y_true * y_pred, 0)`, targets -1 or 1 (or 0 or 1).

    Args:
        reduction: As for `keras.losses.Loss`.
        name: Name of the loss.
        dtype: As for `keras.losses.Loss`.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(hinge, reduction=reduction, name=name, dtype=dtype)


class SquaredHinge(LossFunctionWrapper):
    """Mean of `max(1 - y_true * y_pred, 0) ** 2`, targets -1 or 1 (or 0 or 1).

    Args:
        reduction: As for `keras.losses.Loss`.
        name: Name of the loss.
        dtype: As for `keras.losses.Loss`.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "squared_hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(squared_hinge, reduction=reduction, name=name, dtype=dtype)


class CategoricalHinge(LossFunctionWrapper):
    """`max(wrong - right + 1, 0)` for one-hot targets.

    Args:
        reduction: As for `keras.losses.Loss`.
        name: Name of the loss.
        dtype: As for `keras.losses.Loss`.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(categorical_hinge, reduction=reduction, name=name, dtype=dtype)


class KLDivergence(LossFunctionWrapper):
    """Kullback-Leibler divergence: sum of `y_true * log(y_true / y_pred)`.

    Args:
        reduction: As for `keras.losses.Loss`.
        name: Name of the loss.
        dtype: As for `keras.losses.Loss`.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "kl_divergence",
        dtype: Any = None,
    ) -> None:
        super().__init__(kl_divergence, reduction=reduction, name=name, dtype=dtype)


class Poisson(LossFunctionWrapper):
    """Mean of `y_pred - y_true * log(y_pred)`.

    Args:
        reduction: As for `keras.losses.Loss`.
        name: Name of the loss.
        dtype: As for `keras.losses.Loss`.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "poisson",
        dtype: Any = None,
    ) -> None:
        super().__init__(poisson, reduction=reduction, name=name, dtype=dtype)


class Dice(LossFunctionWrapper):
    """One minus the Dice coefficient of two masks.

    Args:
        axis: Axes of one overlap, all by default.
        reduction: As for `keras.losses.Loss`.
        name: Name of the loss.
        dtype: As for `keras.losses.Loss`.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "dice",
        axis: int | tuple[int, ...] | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(dice, reduction=reduction, name=name, dtype=dtype, axis=axis)


class Tversky(LossFunctionWrapper):
    """One minus the Tversky index of two masks. Source: Salehi et al., 2017.

    Args:
        alpha: Weight of what is in the target only.
        beta: Weight of what is in the prediction only.
        axis: Axes of one overlap, all by default.
        reduction: As for `keras.losses.Loss`.
        name: Name of the loss.
        dtype: As for `keras.losses.Loss`.
    """

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "tversky",
        axis: int | tuple[int, ...] | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            tversky, reduction=reduction, name=name, dtype=dtype, alpha=alpha, beta=beta, axis=axis
        )


class Circle(LossFunctionWrapper):
    """Circle loss of embeddings and integer labels. Source: Sun et al., 2020.

    Args:
        gamma: Scale.
        margin: Relaxation of the margins.
        remove_diagonal: Whether a sample is no positive of itself.
        reduction: As for `keras.losses.Loss`.
        name: Name of the loss.
        dtype: As for `keras.losses.Loss`.
    """

    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "circle",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            circle,
            reduction=reduction,
            name=name,
            dtype=dtype,
            gamma=gamma,
            margin=margin,
            remove_diagonal=remove_diagonal,
        )
