"""Constraints on weights, and `get`, `serialize`, `deserialize` for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pronghorn.constraints.constraint import Constraint
from pronghorn.constraints.non_neg import NonNeg
from pronghorn.constraints.norms import MaxNorm, MinMaxNorm, UnitNorm
from pronghorn.saving import lookup, serialization

max_norm = MaxNorm
min_max_norm = MinMaxNorm
non_neg = NonNeg
unit_norm = UnitNorm

_BY_NAME: dict[str, Any] = {
    "Constraint": Constraint,
    "MaxNorm": MaxNorm,
    "MinMaxNorm": MinMaxNorm,
    "NonNeg": NonNeg,
    "UnitNorm": UnitNorm,
    "max_norm": MaxNorm,
    "min_max_norm": MinMaxNorm,
    "non_neg": NonNeg,
    "unit_norm": UnitNorm,
}

__all__ = [
    "Constraint",
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "deserialize",
    "get",
    "max_norm",
    "min_max_norm",
    "non_neg",
    "serialize",
    "unit_norm",
]


def serialize(constraint: Any) -> Any:
    """Returns the config of a constraint.

    Args:
        constraint: A `Constraint`.

    Returns:
        A dict.
    """
    return serialization.serialize_keras_object(constraint)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Returns the constraint of a config.

    Args:
        config: Dict made by `serialize`.
        custom_objects: Dict of names to custom classes.

    Returns:
        A `Constraint`.
    """
    return lookup.deserialize_object(config, custom_objects, _BY_NAME)


def get(identifier: Any) -> Any:
    """Returns the constraint that `identifier` stands for.

    Args:
        identifier: `None`, a name such as `"max_norm"`, a config, a class or a callable.

    Returns:
        A callable, or `None` for `None`.

    Raises:
        ValueError: If there is no such constraint.

    Example:

    >>> import pronghorn as keras
    >>> keras.constraints.get("max_norm").max_value
    2
    """
    return lookup.get_object("constraint", identifier, _BY_NAME)
