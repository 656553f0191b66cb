"""Loss functions and classes, and `get`, `serialize`, `deserialize` for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pronghorn.losses.circle import circle
from pronghorn.losses.crossentropy import (
    binary_crossentropy,
    categorical_crossentropy,
    categorical_generalized_cross_entropy,
    sparse_categorical_crossentropy,
)
from pronghorn.losses.crossentropy_losses import (
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
    SparseCategoricalCrossentropy,
)
from pronghorn.losses.ctc import CTC, ctc
from pronghorn.losses.focal import binary_focal_crossentropy, categorical_focal_crossentropy
from pronghorn.losses.function_loss import LossFunctionWrapper
from pronghorn.losses.hinge import categorical_hinge, hinge, squared_hinge
from pronghorn.losses.loss import Loss, reduce_weighted_values, squeeze_or_expand_to_same_rank
from pronghorn.losses.other_losses import (
    CategoricalHinge,
    Circle,
    Dice,
    Hinge,
    KLDivergence,
    Poisson,
    SquaredHinge,
    Tversky,
)
from pronghorn.losses.overlap import dice, tversky
from pronghorn.losses.probabilistic import kl_divergence, poisson
from pronghorn.losses.regression import (
    cosine_similarity,
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)
from pronghorn.losses.regression_losses import (
    CosineSimilarity,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
)
from pronghorn.saving import lookup, serialization

_FUNCTIONS = (
    binary_crossentropy, binary_focal_crossentropy, categorical_crossentropy,
    categorical_focal_crossentropy, categorical_generalized_cross_entropy, categorical_hinge,
    circle, cosine_similarity, ctc, dice, hinge, huber, kl_divergence, log_cosh,
    mean_absolute_error, mean_absolute_percentage_error, mean_squared_error,
    mean_squared_logarithmic_error, poisson,
    sparse_categorical_crossentropy, squared_hinge, tversky,
)  # fmt: skip
_CLASSES = (
    BinaryCrossentropy, BinaryFocalCrossentropy, CTC, CategoricalCrossentropy,
    CategoricalFocalCrossentropy, CategoricalGeneralizedCrossEntropy, CategoricalHinge, Circle,
    CosineSimilarity, Dice, Hinge, Huber, KLDivergence, LogCosh, Loss, LossFunctionWrapper,
    MeanAbsoluteError, MeanAbsolutePercentageError, MeanSquaredError,
    MeanSquaredLogarithmicError, Poisson, SparseCategoricalCrossentropy, SquaredHinge, Tversky,
)  # fmt: skip
_ABBREVIATIONS = {
    "bce": binary_crossentropy,
    "kld": kl_divergence,
    "mae": mean_absolute_error,
    "mape": mean_absolute_percentage_error,
    "mse": mean_squared_error,
    "msle": mean_squared_logarithmic_error,
}
_BY_NAME: dict[str, Any] = {
    **{function.__name__: function for function in _FUNCTIONS},
    **{cls.__name__: cls for cls in _CLASSES},
    **_ABBREVIATIONS,
    **{name.upper(): function for name, function in _ABBREVIATIONS.items()},
}

__all__ = [
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CTC",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalGeneralizedCrossEntropy",
    "CategoricalHinge",
    "Circle",
    "CosineSimilarity",
    "Dice",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "Loss",
    "LossFunctionWrapper",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
    "Tversky",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy",
    "categorical_hinge",
    "circle",
    "cosine_similarity",
    "deserialize",
    "ctc",
    "dice",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "poisson",
    "reduce_weighted_values",
    "serialize",
    "sparse_categorical_crossentropy",
    "squared_hinge",
    "squeeze_or_expand_to_same_rank",
    "tversky",
]


def serialize(loss: Any) -> Any:
    """Returns the config of a loss.

    Args:
        loss: A `Loss` or a function.

    Returns:
        A dict.
    """
    return serialization.serialize_keras_object(loss)


def deserialize(name: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Returns the loss of a config or name.

    Args:
        name: Dict made by `serialize`, or a name.
        custom_objects: Dict of names to custom classes and functions.

    Returns:
        A `Loss` or a function.
    """
    return lookup.deserialize_object(name, custom_objects, _BY_NAME)


def get(identifier: Any) -> Any:
    """Returns the loss that `identifier` stands for.

    Args:
        identifier: `None`, a name such as `"mse"` (a function) or `"MeanSquaredError"` (a class,
            of which an instance is made), a config, a class or a callable.

    Returns:
        A callable of `(y_true, y_pred)`, or `None` for `None`.

    Raises:
        ValueError: If there is no such loss.

    Example:

    >>> import pronghorn as keras
    >>> keras.losses.get("mse") is keras.losses.mean_squared_error
    True
    """
    return lookup.get_object("loss", identifier, _BY_NAME)
