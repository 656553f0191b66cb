"""Regularizers of weights and outputs, and `get`, `serialize`, `deserialize` for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pronghorn.regularizers.orthogonal import OrthogonalRegularizer
from pronghorn.regularizers.penalties import L1, L1L2, L2
from pronghorn.regularizers.regularizer import Regularizer, validate_float_arg
from pronghorn.saving import lookup, serialization

l1 = L1
l2 = L2
l1_l2 = L1L2
orthogonal_regularizer = OrthogonalRegularizer

_BY_NAME: dict[str, Any] = {
    "Regularizer": Regularizer,
    "L1": L1,
    "L2": L2,
    "L1L2": L1L2,
    "OrthogonalRegularizer": OrthogonalRegularizer,
    "l1": L1,
    "l2": L2,
    "l1l2": L1L2,
    "l1_l2": L1L2,
    "orthogonal_regularizer": OrthogonalRegularizer,
}

__all__ = [
    "L1",
    "L1L2",
    "L2",
    "OrthogonalRegularizer",
    "Regularizer",
    "deserialize",
    "get",
    "l1",
    "l1_l2",
    "l2",
    "orthogonal_regularizer",
    "serialize",
    "validate_float_arg",
]


def serialize(regularizer: Any) -> Any:
    """Returns the config of a regularizer.

    Args:
        regularizer: A `Regularizer`.

    Returns:
        A dict.
    """
    return serialization.serialize_keras_object(regularizer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Returns the regularizer of a config.

    Args:
        config: Dict made by `serialize`.
        custom_objects: Dict of names to custom classes.

    Returns:
        A `Regularizer`.
    """
    return lookup.deserialize_object(config, custom_objects, _BY_NAME)


def get(identifier: Any) -> Any:
    """Returns the regularizer that `identifier` stands for.

    Args:
        identifier: `None`, a name such as `"l2"`, a config, a class or a callable.

    Returns:
        A callable, or `None` for `None`.

    Raises:
        ValueError: If there is no such regularizer.

    Example:

    >>> import pronghorn as keras
    >>> keras.regularizers.get("l2").l2
    0.01
    """
    return lookup.get_object("regularizer", identifier, _BY_NAME)
