"""Loss classes of classification by crossentropy."""

from __future__ import annotations

from typing import Any

from pronghorn.losses.crossentropy import (
    binary_crossentropy,
    categorical_crossentropy,
    categorical_generalized_cross_entropy,
    sparse_categorical_crossentropy,
)
from pronghorn.losses.focal import binary_focal_crossentropy, categorical_focal_crossentropy
from pronghorn.losses.function_loss import LossFunctionWrapper


class BinaryCrossentropy(LossFunctionWrapper):
    """Crossentropy between two-class targets and predicted probabilities.

    Args:
        from_logits: Whether predictions are numbers before softmax (or sigmoid).
        label_smoothing: Part of the target that is spread over all classes, in [0, 1].
        axis: Axis over which the losses are averaged.
        reduction: As for `keras.losses.Loss`.
        name: Name of the loss.
        dtype: As for `keras.losses.Loss`.
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            binary_crossentropy,
            reduction=reduction,
            name=name,
            dtype=dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class CategoricalCrossentropy(LossFunctionWrapper):
    """Crossentropy between one-hot targets and predicted probabilities.

    Args:
        from_logits: Whether predictions are numbers before softmax (or sigmoid).
        label_smoothing: Part of the target that is spread over all classes, in [0, 1].
        axis: Axis of the classes.
        reduction: As for `keras.losses.Loss`.
        name: Name of the loss.
        dtype: As for `keras.losses.Loss`.
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            categorical_crossentropy,
            reduction=reduction,
            name=name,
            dtype=dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class SparseCategoricalCrossentropy(LossFunctionWrapper):
    """Crossentropy between integer labels and predicted probabilities.

    Args:
        from_logits: Whether predictions are numbers before softmax (or sigmoid).
        ignore_class: Label whose samples do not count.
        axis: Axis of the classes.
        reduction: As for `keras.losses.Loss`.
        name: Name of the loss.
        dtype: As for `keras.losses.Loss`.

    Example:

    >>> import pronghorn as keras
    >>> loss = keras.losses.SparseCategoricalCrossentropy()
    >>> round(float(loss([1], [[0.25, 0.5, 0.25]])), 4)
    0.6931
    """

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            sparse_categorical_crossentropy,
            reduction=reduction,
            name=name,
            dtype=dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )


class BinaryFocalCrossentropy(LossFunctionWrapper):
    """Binary crossentropy with less weight on samples that are easy.

    Args:
        apply_class_balancing: Whether to weight classes 1 and 0 by `alpha` and `1 - alpha`.
        alpha: Weight of class 1.
        gamma: Exponent of the weight of a sample.
        from_logits: Whether predictions are numbers before softmax (or sigmoid).
        label_smoothing: Part of the target that is spread over all classes, in [0, 1].
        axis: Axis over which the losses are averaged.
        reduction: As for `keras.losses.Loss`.
        name: Name of the loss.
        dtype: As for `keras.losses.Loss`.
    """

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            binary_focal_crossentropy,
            reduction=reduction,
            name=name,
            dtype=dtype,
            apply_class_balancing=apply_class_balancing,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class CategoricalFocalCrossentropy(LossFunctionWrapper):
    """Categorical crossentropy with less weight on samples that are easy.

    Args:
        alpha: Factor, one for all classes or one each.
        gamma: Exponent of the weight of a sample.
        from_logits: Whether predictions are numbers before softmax (or sigmoid).
        label_smoothing: Part of the target that is spread over all classes, in [0, 1].
        axis: Axis of the classes.
        reduction: As for `keras.losses.Loss`.
        name: Name of the loss.
        dtype: As for `keras.losses.Loss`.
    """

    def __init__(
        self,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            categorical_focal_crossentropy,
            reduction=reduction,
            name=name,
            dtype=dtype,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class CategoricalGeneralizedCrossEntropy(LossFunctionWrapper):
    """Generalized crossentropy of integer labels, robust to wrong labels.

    Source: Zhang and Sabuncu, 2018.

    Args:
        q: Between 0 (crossentropy) and 1 (absolute error), both excluded.
        reduction: As for `keras.losses.Loss`.
        name: Name of the loss.
        dtype: As for `keras.losses.Loss`.

    Raises:
        ValueError: If `q` is not between 0 and 1.
    """

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_generalized_cross_entropy",
        dtype: Any = None,
    ) -> None:
        if not 0 < q < 1:
            raise ValueError(
                "CategoricalGeneralizedCrossEntropy: q must be in the interval (0, 1). "
                f"Received: q={q}."
            )
        super().__init__(
            categorical_generalized_cross_entropy, reduction=reduction, name=name, dtype=dtype, q=q
        )
