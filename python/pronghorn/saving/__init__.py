"""Objects to JSON configs and back, and the registration of custom objects."""

from __future__ import annotations

from pronghorn.saving.deserialization import deserialize_keras_object
from pronghorn.saving.file_editor import KerasFileEditor
from pronghorn.saving.model_file import load_model, save_model
from pronghorn.saving.object_registration import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from pronghorn.saving.scopes import ObjectSharingScope, SafeModeScope, in_safe_mode
from pronghorn.saving.serialization import serialize_keras_object
from pronghorn.saving.weights_file import load_weights, save_weights

__all__ = [
    "CustomObjectScope",
    "KerasFileEditor",
    "ObjectSharingScope",
    "SafeModeScope",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "in_safe_mode",
    "load_model",
    "load_weights",
    "register_keras_serializable",
    "save_model",
    "save_weights",
    "serialize_keras_object",
]
