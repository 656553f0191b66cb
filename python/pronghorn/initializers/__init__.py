"""Initial values of weights, and `get`, `serialize`, `deserialize` for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pronghorn.initializers.constant import STFT, Constant, Identity, Ones, Zeros
from pronghorn.initializers.fixed_value import FixedValue, is_array
from pronghorn.initializers.initializer import Initializer
from pronghorn.initializers.orthogonal import Orthogonal
from pronghorn.initializers.random_initializers import (
    RandomInitializer,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
)
from pronghorn.initializers.variance_scaling import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    VarianceScaling,
    compute_fans,
)
from pronghorn.naming import to_snake_case
from pronghorn.saving import lookup, serialization

_CLASSES = (
    Constant, GlorotNormal, GlorotUniform, HeNormal, HeUniform, Identity, Initializer,
    LecunNormal, LecunUniform, Ones, Orthogonal, RandomNormal, RandomUniform, STFT,
    TruncatedNormal, VarianceScaling, Zeros,
)  # fmt: skip

constant = Constant
glorot_normal = GlorotNormal
glorot_uniform = GlorotUniform
he_normal = HeNormal
he_uniform = HeUniform
identity = IdentityInitializer = Identity
lecun_normal = LecunNormal
lecun_uniform = LecunUniform
ones = Ones
orthogonal = OrthogonalInitializer = Orthogonal
random_normal = RandomNormal
random_uniform = RandomUniform
stft = STFTInitializer = STFT
truncated_normal = TruncatedNormal
variance_scaling = VarianceScaling
zeros = Zeros

_BY_NAME: dict[str, Any] = {cls.__name__: cls for cls in _CLASSES}
_BY_NAME |= {to_snake_case(cls.__name__): cls for cls in _CLASSES}
_BY_NAME |= {
    "IdentityInitializer": Identity,
    "OrthogonalInitializer": Orthogonal,
    "STFTInitializer": STFT,
    "stft": STFT,
    "uniform": RandomUniform,
    "normal": RandomNormal,
    "one": Ones,
    "zero": Zeros,
}

__all__ = [
    "STFT",
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "IdentityInitializer",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "OrthogonalInitializer",
    "RandomInitializer",
    "RandomNormal",
    "RandomUniform",
    "STFTInitializer",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "compute_fans",
    "constant",
    "deserialize",
    "get",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "lecun_normal",
    "lecun_uniform",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "serialize",
    "stft",
    "truncated_normal",
    "variance_scaling",
    "zeros",
]


def serialize(initializer: Any) -> Any:
    """Returns the config of an initializer.

    Args:
        initializer: An `Initializer` or a function.

    Returns:
        A dict.
    """
    return serialization.serialize_keras_object(initializer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Returns the initializer of a config.

    Args:
        config: Dict made by `serialize`.
        custom_objects: Dict of names to custom classes and functions.

    Returns:
        An `Initializer` or a function.
    """
    return lookup.deserialize_object(config, custom_objects, _BY_NAME)


def get(identifier: Any) -> Any:
    """Returns the initializer that `identifier` stands for.

    Args:
        identifier: `None`, a name such as `"glorot_uniform"`, a config, a class, a callable, or
            an array or tensor, which becomes the value itself.

    Returns:
        A callable of `(shape, dtype)`, or `None` for `None`.

    Raises:
        ValueError: If there is no such initializer.

    Example:

    >>> import pronghorn as keras
    >>> keras.initializers.get("he_normal").scale
    2.0
    """
    if is_array(identifier):
        return FixedValue(identifier)
    return lookup.get_object("initializer", identifier, _BY_NAME)
