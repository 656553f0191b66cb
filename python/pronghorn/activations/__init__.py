"""Activation functions, and `get`, `serialize`, `deserialize` for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pronghorn.activations.activations import (
    celu,
    elu,
    exponential,
    gelu,
    glu,
    hard_shrink,
    hard_sigmoid,
    hard_silu,
    hard_tanh,
    leaky_relu,
    linear,
    log_sigmoid,
    log_softmax,
    mish,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    soft_shrink,
    softmax,
    softplus,
    softsign,
    sparse_plus,
    sparse_sigmoid,
    sparsemax,
    squareplus,
    tanh,
    tanh_shrink,
    threshold,
)
from pronghorn.saving import lookup, public_names, serialization

swish = silu
hard_swish = hard_silu

_FUNCTIONS = (
    celu, elu, exponential, gelu, glu, hard_shrink, hard_sigmoid, hard_silu, hard_tanh,
    leaky_relu, linear, log_sigmoid, log_softmax, mish, relu, relu6, selu, sigmoid, silu,
    soft_shrink, softmax, softplus, softsign, sparse_plus, sparse_sigmoid, sparsemax,
    squareplus, tanh, tanh_shrink, threshold,
)  # fmt: skip
_BY_NAME: dict[str, Any] = {function.__name__: function for function in _FUNCTIONS}
_BY_NAME |= {"swish": silu, "hard_swish": hard_silu}

__all__ = [
    "celu",
    "deserialize",
    "elu",
    "exponential",
    "gelu",
    "get",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "selu",
    "serialize",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "swish",
    "tanh",
    "tanh_shrink",
    "threshold",
]


def serialize(activation: Callable[..., Any]) -> Any:
    """Returns the config of an activation: its name if it is built in.

    Args:
        activation: A function or a layer.

    Returns:
        A string or a dict.

    Example:

    >>> import pronghorn as keras
    >>> keras.activations.serialize(keras.activations.relu)
    'relu'
    """
    name = getattr(activation, "__name__", None)
    if name in _BY_NAME and (activation is _BY_NAME[name] or public_names.is_own(activation)):
        return _BY_NAME[name].__name__
    return serialization.serialize_keras_object(activation)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Returns the activation of a name or config.

    Args:
        config: A name such as `"relu"`, or a dict.
        custom_objects: Dict of names to custom functions.

    Returns:
        A function or a layer.
    """
    return lookup.deserialize_object(config, custom_objects, _BY_NAME)


def get(identifier: Any) -> Callable[..., Any]:
    """Returns the activation that `identifier` stands for.

    Args:
        identifier: `None` (linear), a name, a config, a function or a layer.

    Returns:
        A callable.

    Raises:
        ValueError: If there is no such activation.

    Example:

    >>> import pronghorn as keras
    >>> keras.activations.get("relu") is keras.activations.relu
    True
    """
    if identifier is None:
        return linear
    if isinstance(identifier, dict):
        found = deserialize(identifier)
    elif isinstance(identifier, str):
        from pronghorn.saving.object_registration import get_registered_object

        found = get_registered_object(identifier, module_objects=_BY_NAME)
    else:
        found = identifier
    if not callable(found):
        raise lookup.unknown_identifier("activation function", identifier, _BY_NAME)
    return found  # type: ignore[no-any-return]
