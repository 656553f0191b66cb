"""Public names of the library's classes and functions, as configs spell them.

A config says `"module": "keras.layers", "class_name": "Dense"`, as Keras's own do, so that files
can be exchanged. Classes without a public name go by `keras.src.<module>`, as in Keras.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

# Where classes are public; the first that has a class gives its name in configs.
_CLASS_NAMESPACES = (
    "",
    "activations",
    "constraints",
    "dtype_policies",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "models",
    "ops",
    "optimizers",
    "optimizers.schedules",
    "quantizers",
    "random",
    "regularizers",
    "callbacks",
)
_PACKAGES = frozenset(
    ["applications", *(name.partition(".")[0] for name in _CLASS_NAMESPACES if name)]
)
_FUNCTION_NAMESPACES = ("activations", "losses", "metrics", "ops", "ops.nn", "ops.numpy", "random")
_OPERATION_NAMESPACES = ("ops.numpy", "ops.nn", "ops.linalg", "ops.image", "ops")
# Public functions of those namespaces that build objects from configs: no part of a model.
_NOT_MODELING = frozenset({"get", "serialize", "deserialize"})

_public_classes: dict[type, tuple[str, str] | None] = {}


def _namespace(name: str) -> ModuleType | None:
    """Returns a module of the library; of those that are not imported yet, only parts of models."""
    full_name = f"pronghorn.{name}" if name else "pronghorn"
    module = sys.modules.get(full_name)
    if module is None and name.partition(".")[0] in _PACKAGES and "._" not in name:
        try:
            if importlib.util.find_spec(full_name) is None:
                return None
        except ModuleNotFoundError:
            return None
        module = importlib.import_module(full_name)
    return module


def _keras_path(namespace: str) -> str:
    return f"keras.{namespace}" if namespace else "keras"


def is_own(obj: Any) -> bool:
    """Returns whether the library defines the class or function `obj`."""
    module = getattr(obj, "__module__", None) or ""
    return module == "pronghorn" or module.startswith("pronghorn.")


def public_class_name(cls: type) -> tuple[str, str] | None:
    """Returns `("keras.layers", "Dense")` for a public class of the library, else `None`."""
    if not is_own(cls):
        return None
    if cls not in _public_classes:
        found = None
        for namespace in _CLASS_NAMESPACES:
            module = _namespace(namespace)
            name = _public_name(module, cls) if module is not None else None
            if name is not None:
                found = (_keras_path(namespace), name)
                break
        if found is None:
            return None
        _public_classes[cls] = found
    return _public_classes[cls]


def _public_name(module: ModuleType, cls: type) -> str | None:
    own_name = str(cls.__name__)
    if getattr(module, own_name, None) is cls:
        return own_name
    for name in getattr(module, "__all__", ()):
        if vars(module).get(name) is cls:
            return str(name)
    return None


def is_public_function(obj: Any) -> bool:
    """Returns whether `obj` is a public function of the library that a model may contain."""
    name = getattr(obj, "__name__", None)
    return name is not None and find_function(name) is obj


def find_function(name: str) -> Any:
    """Returns the library's function of that name (activation, loss, metric, op), or `None`."""
    if not name.isidentifier() or name.startswith("_") or name in _NOT_MODELING:
        return None
    for namespace in _FUNCTION_NAMESPACES:
        module = _namespace(namespace)
        found = getattr(module, name, None) if module is not None else None
        if callable(found) and not inspect.isclass(found) and is_own(found):
            return found
    return None


def _saveable(obj: Any) -> bool:
    return inspect.isclass(obj) and hasattr(obj, "get_config") and hasattr(obj, "from_config")


def find_public(module: str, name: str) -> Any:
    """Returns the class or function that a config of a built-in object names, or `None`.

    Nothing outside of this library is imported, whatever the config says.

    Args:
        module: `"keras.layers"`, `"keras.src.models.functional"`, or the same in `pronghorn`.
        name: Name in that module.

    Returns:
        The object, or `None` if there is none of that name.

    Raises:
        ValueError: If the name is public but not a part of models (`keras.utils.get_file`).
    """
    root, _, rest = module.partition(".")
    if root not in ("keras", "pronghorn") or not name.isidentifier() or name.startswith("_"):
        return None
    if rest == "src" or rest.startswith("src."):
        return _find_internal(rest[4:], name)
    if root == "pronghorn" and rest not in _CLASS_NAMESPACES:
        return _find_internal(rest, name)
    namespace = _namespace(rest) if all(p.isidentifier() for p in rest.split(".") if p) else None
    found = getattr(namespace, name, None) if namespace is not None else None
    if found is None:
        return None
    if _saveable(found):
        return found
    if rest in _FUNCTION_NAMESPACES and name not in _NOT_MODELING and inspect.isfunction(found):
        return found
    raise ValueError(
        f"Cannot deserialize `{module}.{name}` because it is not a modeling function or class. "
        "A config may only contain layers, operations, metrics, losses and the like, and "
        "registered custom objects."
    )


# Layers of networks of Keras that files name without a module: legacy ones do.
_OF_APPLICATIONS = {
    "CustomScaleLayer": "applications.inception_resnet_v2",
    "LayerScale": "applications.convnext",
    "StochasticDepth": "applications.convnext",
}


def find_application_layer(name: str) -> Any:
    """Returns the layer of that name that only networks of Keras's `applications` have."""
    namespace = _OF_APPLICATIONS.get(name)
    return getattr(_namespace(namespace), name) if namespace is not None else None


def _find_internal(rest: str, name: str) -> Any:
    if not all(part.isidentifier() for part in rest.split(".") if part):
        return None
    if rest == "ops" or rest.startswith("ops."):
        found = _find_operation_class(name)
        if found is not None:
            return found
    for module in _candidate_modules(rest):
        found = getattr(module, name, None)
        if _saveable(found):
            return found
    return None


def _find_operation_class(name: str) -> Any:
    """Returns the class of operations that call the op of that name, `"ExpandDims"`."""
    from pronghorn.ops.operation import function_operation

    wanted = name.lower()
    for namespace in _OPERATION_NAMESPACES:
        module = _namespace(namespace)
        for key in dir(module) if module is not None else ():
            if key.replace("_", "").lower() == wanted:
                function = getattr(getattr(module, key), "_op_function", None)
                if function is not None:
                    return function_operation(function)
    return None


def operation_identity(cls: type) -> tuple[str, str] | None:
    """Returns `("keras.src.ops.numpy", "ExpandDims")` for the class of an op's operations."""
    from pronghorn.ops.operation import FunctionOperation

    if not issubclass(cls, FunctionOperation):
        return None
    name = cls.function.__name__
    for namespace in _OPERATION_NAMESPACES[:-1]:
        if hasattr(_namespace(namespace), name):
            return f"keras.src.{namespace}", cls.__name__
    return "keras.src.ops.core", cls.__name__


def _candidate_modules(rest: str) -> Iterator[ModuleType]:
    module = _namespace(rest)
    if module is not None:
        yield module
    parts = rest.split(".")
    for end in range(len(parts) - 1, 0, -1):
        module = _namespace(".".join(parts[:end]))
        if module is not None:
            yield module
    # Keras has classes for each backend: `keras.src.backend.torch.optimizers.torch_sgd`.
    for part in parts:
        if part in _CLASS_NAMESPACES:
            namespace = _namespace(part)
            if namespace is not None:
                yield namespace


def near_matches(name: str, known: Any, limit: int = 3) -> str:
    """Returns `" Did you mean 'relu', 'relu6'?"`, or an empty string."""
    import difflib

    if len(str(name)) > 100:
        return ""
    matches = difflib.get_close_matches(str(name), [str(k) for k in known], n=limit, cutoff=0.6)
    if not matches:
        lowered = {str(k).lower(): str(k) for k in known}
        near = difflib.get_close_matches(str(name).lower(), list(lowered), n=limit, cutoff=0.6)
        matches = [lowered[m] for m in near]
    return f" Did you mean {', '.join(map(repr, matches))}?" if matches else ""
