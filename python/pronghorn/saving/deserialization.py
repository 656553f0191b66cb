"""`deserialize_keras_object`: a config back to the object; runs no code that the config brings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pronghorn.config_errors import (
    INTERNAL_ERRORS,
    ConfigError,
    UnknownObjectError,
    one_line,
    shown,
)
from pronghorn.saving import lambda_code, object_registration, public_names, scopes

_REGISTER_HINT = (
    "Make sure custom classes and functions are decorated with "
    "`@keras.saving.register_keras_serializable()` and that the module which defines them is "
    "imported before loading, or pass them in `custom_objects`."
)


def deserialize_keras_object(
    config: Any,
    custom_objects: Mapping[str, Any] | None = None,
    safe_mode: bool = True,
    **kwargs: Any,
) -> Any:
    """Returns the object of a config made by `serialize_keras_object`.

    Classes are looked up among the public names of the library, the registered objects, the open
    `CustomObjectScope`s and `custom_objects`; nothing else is imported. Configs made by Keras 3
    are read too.

    Args:
        config: The config; plain values are returned as they are.
        custom_objects: Dict of names to custom classes and functions.
        safe_mode: Whether to refuse configs that hold Python code (lambdas).

    Returns:
        The object.

    Raises:
        TypeError: If a class or function is not found, or the config is malformed.
        ValueError: If the config holds code and `safe_mode` is on.

    Example:

    >>> import pronghorn as keras
    >>> config = keras.saving.serialize_keras_object(keras.regularizers.L2(0.1))
    >>> keras.saving.deserialize_keras_object(config).l2
    0.1
    """
    module_objects = kwargs.pop("module_objects", None)
    if kwargs:
        raise ValueError(
            f"deserialize_keras_object: unknown arguments. Received: {', '.join(sorted(kwargs))}."
        )
    scope_mode = scopes.in_safe_mode()
    if scope_mode is not None:
        safe_mode = scope_mode
    return _Reader(custom_objects, safe_mode, module_objects).read(config)


class _Reader:
    def __init__(
        self,
        custom_objects: Mapping[str, Any] | None,
        safe_mode: bool,
        module_objects: Mapping[str, Any] | None,
    ) -> None:
        self.custom_objects = dict(custom_objects or {})
        self.safe_mode = safe_mode
        self.module_objects = module_objects

    def read(self, config: Any) -> Any:
        if config is None or isinstance(config, (bool, int, float)):
            return config
        if isinstance(config, str):
            found = self.custom_objects.get(config)
            if found is None and self.module_objects is not None:
                found = self._from_module(config)
            return config if found is None else found
        if isinstance(config, (list, tuple)):
            items = [self._nested(item) for item in config]
            return tuple(items) if isinstance(config, tuple) else items
        if not isinstance(config, dict):
            raise TypeError(f"Could not parse config: {shown(config)}")
        if "class_name" not in config or "config" not in config:
            return {key: self._nested(value) for key, value in config.items()}
        return self._read_object(config)

    def _nested(self, config: Any) -> Any:
        return _Reader(self.custom_objects, self.safe_mode, None).read(config)

    def _from_module(self, name: str) -> Any:
        assert self.module_objects is not None
        found = self.module_objects.get(name)
        if isinstance(found, type):
            return found()
        return found

    def _read_object(self, config: dict[str, Any]) -> Any:
        class_name, inner = config["class_name"], config["config"]
        if not isinstance(class_name, str):
            raise TypeError(f"Expected 'class_name' to be a str. Received: {shown(class_name)}.")
        for key in ("module", "registered_name"):
            if not isinstance(config.get(key), (str, type(None))):
                raise TypeError(f"Expected '{key}' to be a str. Received: {shown(config)}.")
        if class_name.startswith("__") and class_name.endswith("__"):
            return self._read_special(class_name, inner, config)
        if class_name == "function":
            return self._read_function(config)
        return self._read_instance(config)

    # Values

    def _read_special(self, class_name: str, inner: Any, config: dict[str, Any]) -> Any:
        if class_name == "__typespec__":
            if not isinstance(inner, (list, tuple)):
                raise TypeError(
                    "Expected 'config' to be a list or a tuple for a __typespec__. "
                    f"Received: {shown(config)}."
                )
            raise ValueError(
                "deserialize_keras_object: TypeSpec objects of TensorFlow are not read."
            )
        if not isinstance(inner, dict):
            raise TypeError(
                f"Expected 'config' to be a dict for {class_name}. Received: {shown(config)}."
            )
        if class_name == "__bytes__":
            return str(inner["value"]).encode("utf-8")
        if class_name == "__ellipsis__":
            return Ellipsis
        if class_name == "__slice__":
            return slice(*(self._nested(inner.get(k)) for k in ("start", "stop", "step")))
        if class_name == "__numpy__":
            return np.array(inner["value"], dtype=inner["dtype"])
        if class_name == "__tensor__":
            from pronghorn.tensor import convert_to_tensor

            return convert_to_tensor(np.array(inner["value"]), dtype=inner["dtype"])
        if class_name == "__keras_tensor__":
            from pronghorn.ops.keras_tensor import KerasTensor

            return KerasTensor(tuple(inner["shape"]), dtype=inner["dtype"])
        if class_name == "__lambda__":
            return self._read_lambda(inner)
        raise TypeError(
            f"Could not parse config: unknown kind {class_name!r}. Received: {shown(config)}."
        )

    def _read_lambda(self, inner: dict[str, Any]) -> Any:
        if self.safe_mode:
            raise ValueError(
                "Requested the deserialization of a Python lambda. This carries a potential risk "
                "of arbitrary code execution and thus it is disallowed by default. If you trust "
                "the source of the artifact, you can override this error by passing "
                "`safe_mode=False` to the loading function, or calling "
                "`keras.config.enable_unsafe_deserialization()`."
            )
        code, defaults, closure = inner["value"]
        return lambda_code.load_function(code, defaults, closure)

    # Functions and classes

    def _registered(self, name: str) -> Any:
        found = self.custom_objects.get(name)
        return found if found is not None else object_registration.get_registered_object(name)

    def _read_function(self, config: dict[str, Any]) -> Any:
        name, registered_name = config["config"], config.get("registered_name")
        if not isinstance(name, str) or not name:
            raise TypeError(
                "Expected 'config' to be a non-null str for class_name 'function'. "
                f"Received: {shown(config)}."
            )
        found = self._registered(name)
        if found is None and registered_name not in (None, "", "function"):
            found = self._registered(registered_name)
        if found is None and ">" not in name:
            found = _registered_in_any_package(name)
        if found is not None:
            return found
        if self.module_objects is not None and callable(self.module_objects.get(name)):
            found = self.module_objects[name]
        else:
            found = public_names.find_function(name)
        if found is None:
            raise UnknownObjectError(
                f"Could not locate function '{name[:200]}'. {_REGISTER_HINT} "
                f"Full object config: {shown(config)}"
            )
        if registered_name not in (None, "", "function", name):
            raise _registered_builtin_error(registered_name, name, config)
        return found

    def _read_instance(self, config: dict[str, Any]) -> Any:
        inner = config["config"]
        if not isinstance(inner, dict):
            raise TypeError(
                f"Expected 'config' to be a dict for {config['class_name']}, instead got "
                f"{type(inner)}. Full config: {shown(config)}"
            )
        shared_id = config.get("shared_object_id")
        if not isinstance(shared_id, (int, type(None))):
            raise TypeError(f"Expected 'shared_object_id' to be an int. Received: {shown(config)}.")
        if shared_id is not None:
            shared = scopes.shared_object(shared_id)
            if shared is not None:
                return shared
        found = self._find_class(config)
        if not isinstance(found, type):
            return found
        instance = self._build(found, config, inner)
        if shared_id is not None:
            scopes.record_object(instance, shared_id)
        return instance

    def _find_class(self, config: dict[str, Any]) -> Any:
        name, module = config["class_name"], config.get("module")
        registered_name = config.get("registered_name")
        for key in (registered_name, name):
            found = self._registered(key) if key else None
            if found is not None:
                return found
        if module:
            found = public_names.find_public(module, name)
            if found is not None:
                if registered_name not in (None, "", name):
                    raise _registered_builtin_error(registered_name, f"{module}.{name}", config)
                return found
        elif self.module_objects is not None and name in self.module_objects:
            return self.module_objects[name]
        else:
            found = public_names.find_application_layer(name)
            if found is not None:
                return found
        known = list(object_registration.get_custom_objects()) + list(self.custom_objects)
        if self.module_objects is not None:
            known += list(self.module_objects)
        raise UnknownObjectError(
            f"Could not locate class '{name[:200]}'.{public_names.near_matches(name, known)} "
            f"{_REGISTER_HINT} Full object config: {shown(config)}"
        )

    def _build(self, cls: type, config: dict[str, Any], inner: dict[str, Any]) -> Any:
        from_config = getattr(cls, "from_config", None)
        if from_config is None:
            raise TypeError(
                f"Unable to reconstruct an instance of '{cls.__name__}' because the class is "
                f"missing a `from_config()` method. Full object config: {shown(config)}"
            )
        custom_scope = object_registration.CustomObjectScope(self.custom_objects)
        with custom_scope, scopes.SafeModeScope(self.safe_mode):
            try:
                instance = from_config(dict(inner))
            except ConfigError:
                raise  # it names the object, which the models around it do not make clearer
            except (TypeError, *INTERNAL_ERRORS) as error:
                raise ConfigError(
                    f"{cls} could not be deserialized properly: {one_line(error)} Objects among "
                    "the arguments (layers, models, functions) must be deserialized in its "
                    f"`from_config()` method. Received: config={shown(inner)}."
                ) from error
            build_config = config.get("build_config")
            if build_config and hasattr(instance, "build_from_config"):
                instance.build_from_config(build_config)
                if hasattr(instance, "built"):
                    instance.built = True
            compile_config = config.get("compile_config")
            if compile_config and hasattr(instance, "compile_from_config"):
                instance.compile_from_config(compile_config)
        return instance


def _registered_in_any_package(name: str) -> Any:
    # Keras 3.6 and before wrote the bare name of a registered function.
    for registered, found in object_registration.get_custom_objects().items():
        if registered.partition(">")[2] == name and not isinstance(found, type):
            return found
    return None


def _registered_builtin_error(
    registered_name: str, builtin: str, config: dict[str, Any]
) -> ValueError:
    return ValueError(
        f"`registered_name={registered_name!r}` was provided in the config, but '{builtin}' "
        "resolved to a Keras built-in and does not use registered names. Remove the "
        f"`registered_name` field from the config. Full object config: {shown(config)}"
    )
