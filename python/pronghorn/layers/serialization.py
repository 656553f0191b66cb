"""Layers as configurations, and back."""

from __future__ import annotations

from typing import Any

from pronghorn.config_errors import shown
from pronghorn.layers.layer import Layer


def serialize(layer: Layer) -> Any:
    """Returns the configuration of a layer as a dict that JSON can hold.

    Args:
        layer: The layer.

    Returns:
        A dict with the module, the class name, the constructor arguments and the build shapes.

    Example:

    >>> import pronghorn as keras
    >>> keras.layers.serialize(keras.layers.Dense(3))["class_name"]
    'Dense'
    """
    from pronghorn.saving import serialize_keras_object

    return serialize_keras_object(layer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Returns the layer that a configuration describes.

    Args:
        config: What `serialize` returned.
        custom_objects: Classes and functions by name, beside the registered ones.

    Returns:
        A new layer, without the weights of the old one.

    Raises:
        ValueError: If the configuration is not that of a layer.

    Example:

    >>> import pronghorn as keras
    >>> config = keras.layers.serialize(keras.layers.Dense(3))
    >>> keras.layers.deserialize(config).units
    3
    """
    from pronghorn.saving import deserialize_keras_object

    layer = deserialize_keras_object(config, custom_objects=custom_objects)
    if not isinstance(layer, Layer):
        raise ValueError(
            "layers.deserialize: expected the configuration of a `keras.layers.Layer`. "
            f"Received: config={shown(config)}, which gives a {type(layer).__name__}."
        )
    return layer
