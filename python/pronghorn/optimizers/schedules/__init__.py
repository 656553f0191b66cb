"""Learning rate schedules, and `serialize`, `deserialize` for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pronghorn.optimizers.schedules.cosine import CosineDecay, CosineDecayRestarts
from pronghorn.optimizers.schedules.decay import (
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
)
from pronghorn.optimizers.schedules.learning_rate_schedule import LearningRateSchedule
from pronghorn.saving import lookup, serialization

_BY_NAME: dict[str, Any] = {
    "CosineDecay": CosineDecay,
    "CosineDecayRestarts": CosineDecayRestarts,
    "ExponentialDecay": ExponentialDecay,
    "InverseTimeDecay": InverseTimeDecay,
    "LearningRateSchedule": LearningRateSchedule,
    "PiecewiseConstantDecay": PiecewiseConstantDecay,
    "PolynomialDecay": PolynomialDecay,
}

__all__ = [
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "deserialize",
    "serialize",
]


def serialize(learning_rate_schedule: Any) -> Any:
    """Returns the config of a schedule.

    Args:
        learning_rate_schedule: A `LearningRateSchedule`.

    Returns:
        A dict.
    """
    return serialization.serialize_keras_object(learning_rate_schedule)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Returns the schedule of a config.

    Args:
        config: Dict made by `serialize`.
        custom_objects: Dict of names to custom classes.

    Returns:
        A `LearningRateSchedule`.
    """
    return lookup.deserialize_object(config, custom_objects, _BY_NAME)
