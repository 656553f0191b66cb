"""`serialize_keras_object`: any object of a model to a JSON-ready config."""

from __future__ import annotations

import types
from typing import Any

import numpy as np

from pronghorn.saving import lambda_code, object_registration, public_names, scopes

_PLAIN_TYPES = (str, int, float, bool)


def serialize_keras_object(obj: Any) -> Any:
    """Returns a config of nested dicts and lists, from which `deserialize_keras_object` restores.

    Plain values come back as they are. An object becomes `{"module", "class_name", "config",
    "registered_name"}` with the result of its `get_config`; `build_config` and `compile_config`
    are added if it has them. Modules of built-in classes are spelled as Keras's, `"keras.layers"`.

    Args:
        obj: A layer, model, optimizer, loss, function, tensor, array, number, string, `None`, or
            a list, tuple or dict of such.

    Returns:
        The config.

    Raises:
        TypeError: If `obj` has no `get_config` method.

    Example:

    >>> import pronghorn as keras
    >>> keras.saving.serialize_keras_object(keras.initializers.Zeros())["module"]
    'keras.initializers'
    """
    if obj is None or type(obj) in _PLAIN_TYPES:
        return obj
    special = _serialize_special(obj)
    if special is not None:
        return special
    if isinstance(obj, (list, tuple)):
        items = [serialize_keras_object(item) for item in obj]
        return tuple(items) if isinstance(obj, tuple) else items
    if isinstance(obj, dict):
        return serialize_dict(obj)
    if isinstance(obj, np.generic):
        return obj.item()
    if isinstance(obj, _PLAIN_TYPES):
        return obj
    if isinstance(obj, type) and issubclass(obj, np.generic):
        return _plain_function(obj.__name__, "type")
    if callable(obj) and _is_function(obj):
        return _plain_function(object_registration.get_registered_name(obj), "function")
    return _serialize_instance(obj)


def serialize_dict(values: dict[Any, Any]) -> dict[Any, Any]:
    """Returns `values` with each value serialized; a config of an object is returned as it is."""
    if "class_name" in values and "config" in values and "registered_name" in values:
        return values
    return {key: serialize_keras_object(value) for key, value in values.items()}


def _is_function(obj: Any) -> bool:
    if isinstance(obj, type):
        return False
    kinds = (types.FunctionType, types.BuiltinFunctionType, types.MethodType, np.ufunc)
    if isinstance(obj, kinds):
        return True
    return not hasattr(obj, "get_config") and hasattr(obj, "__name__")


def _plain_function(name: str, kind: str) -> dict[str, Any]:
    return {"module": "builtins", "class_name": kind, "config": name, "registered_name": kind}


def _special(class_name: str, config: dict[str, Any]) -> dict[str, Any]:
    return {"class_name": class_name, "config": config}


def _serialize_special(obj: Any) -> dict[str, Any] | None:
    if isinstance(obj, bytes):
        return _special("__bytes__", {"value": obj.decode("utf-8")})
    if obj is Ellipsis:
        return _special("__ellipsis__", {})
    if isinstance(obj, slice):
        bounds = {"start": obj.start, "stop": obj.stop, "step": obj.step}
        return _special("__slice__", serialize_dict(bounds))
    if isinstance(obj, np.ndarray):
        return _special("__numpy__", {"value": obj.tolist(), "dtype": obj.dtype.name})
    if isinstance(obj, types.LambdaType) and obj.__name__ == "<lambda>":
        return _special("__lambda__", {"value": lambda_code.dump_function(obj)})
    if public_names.is_own(type(obj)):
        return _serialize_own_value(obj)
    return None


def _serialize_own_value(obj: Any) -> dict[str, Any] | None:
    from pronghorn.ops.keras_tensor import KerasTensor
    from pronghorn.tensor import Tensor

    if isinstance(obj, Tensor):
        if obj.is_symbolic:
            raise TypeError(
                "serialize_keras_object: a symbolic tensor has no value to save. "
                f"Received: {obj!r}."
            )
        array = obj.numpy()
        return _special("__tensor__", {"value": array.tolist(), "dtype": str(obj.dtype)})
    if isinstance(obj, KerasTensor):
        history = getattr(obj, "_keras_history", None)
        place = (
            [history.operation.name, history.node_index, history.tensor_index]
            if (history is not None and history.operation is not None)
            else None
        )
        return _special(
            "__keras_tensor__",
            {"shape": tuple(obj.shape), "dtype": str(obj.dtype), "keras_history": place},
        )
    return None


def _serialize_instance(obj: Any) -> dict[str, Any]:
    if isinstance(obj, type) or not hasattr(obj, "get_config"):
        raise TypeError(
            f"Cannot serialize object {obj!r} of type {type(obj)}. To be serializable, a class "
            "must implement the `get_config()` method."
        )
    cls = type(obj)
    module, class_name, registered_name = _class_identity(cls)
    config = {
        "module": module,
        "class_name": class_name,
        "config": serialize_dict(obj.get_config()),
        "registered_name": registered_name,
    }
    for key, method in (
        ("build_config", "get_build_config"),
        ("compile_config", "get_compile_config"),
    ):
        getter = getattr(obj, method, None)
        value = getter() if getter is not None else None
        if value is not None:
            config[key] = serialize_dict(value)
    scopes.record_config(obj, config)
    return config


def _class_identity(cls: type) -> tuple[str | None, str, str | None]:
    public = public_names.public_class_name(cls)
    if public is not None:
        return public[0], public[1], None
    registered_name = object_registration.get_registered_name(cls)
    if public_names.is_own(cls):
        described = public_names.operation_identity(cls)
        if described is not None:
            return *described, registered_name
        return cls.__module__.replace("pronghorn.", "keras.src.", 1), cls.__name__, registered_name
    module = None if cls.__module__ in ("__main__", "builtins") else cls.__module__
    return module, cls.__name__, registered_name
