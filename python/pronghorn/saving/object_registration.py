"""Names of custom classes and functions: a registry for the process and scopes for a thread."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, TypeVar

T = TypeVar("T")

GLOBAL_CUSTOM_OBJECTS: dict[str, Any] = {}
GLOBAL_CUSTOM_NAMES: dict[Any, str] = {}


class _ScopeStack(threading.local):
    def __init__(self) -> None:
        self.scopes: list[dict[str, Any]] = []


_stack = _ScopeStack()


class CustomObjectScope:
    """Context manager that makes custom objects known by name inside it, in this thread.

    Args:
        custom_objects: Dict of names to classes or functions.

    Raises:
        ValueError: If `custom_objects` is not a dict.

    Example:

    >>> import pronghorn as keras
    >>> def twice(x):
    ...     return 2 * x
    >>> with keras.saving.CustomObjectScope({"twice": twice}):
    ...     keras.activations.get("twice") is twice
    True
    """

    def __init__(self, custom_objects: Mapping[str, Any]) -> None:
        if not isinstance(custom_objects, Mapping):
            raise ValueError(
                "CustomObjectScope: custom_objects must be a dict of names to objects. "
                f"Received: custom_objects={custom_objects!r}."
            )
        self.custom_objects = dict(custom_objects)

    def __enter__(self) -> CustomObjectScope:
        _stack.scopes.append(self.custom_objects)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _stack.scopes.pop()


custom_object_scope = CustomObjectScope


def scoped_custom_objects() -> dict[str, Any]:
    """Returns the objects of the open scopes of this thread; inner scopes win."""
    merged: dict[str, Any] = {}
    for scope in _stack.scopes:
        merged.update(scope)
    return merged


def get_custom_objects() -> dict[str, Any]:
    """Returns the registry of custom objects of the process, a dict that may be changed.

    Returns:
        Dict of registered names to classes and functions.
    """
    return GLOBAL_CUSTOM_OBJECTS


def register_keras_serializable(
    package: str = "Custom", name: str | None = None
) -> Callable[[T], T]:
    """Returns a decorator that registers a class or function under `package>name`.

    A registered object is found when a config that names it is deserialized, without
    `custom_objects`.

    Args:
        package: First part of the name, usually that of the library or project.
        name: Second part, the object's own name by default.

    Returns:
        The decorator. It returns its argument unchanged.

    Raises:
        ValueError: If a class has no `get_config` method.

    Example:

    >>> import pronghorn as keras
    >>> @keras.saving.register_keras_serializable(package="demo")
    ... def thrice(x):
    ...     return 3 * x
    >>> keras.saving.get_registered_name(thrice)
    'demo>thrice'
    """

    def decorate(obj: T) -> T:
        own_name = getattr(obj, "__name__", None)
        if name is None and own_name is None:
            raise ValueError(
                f"register_keras_serializable: expected a class or a function. Received: {obj!r}."
            )
        registered = f"{package}>{name if name is not None else own_name}"
        if inspect.isclass(obj) and not hasattr(obj, "get_config"):
            raise ValueError(
                "Cannot register a class that does not have a get_config() method. "
                f"Received: {own_name}."
            )
        GLOBAL_CUSTOM_OBJECTS[registered] = obj
        GLOBAL_CUSTOM_NAMES[obj] = registered
        return obj

    return decorate


def get_registered_name(obj: Any) -> str:
    """Returns the registered name of a class or function, its own name if it has none.

    Args:
        obj: A class or a function.

    Returns:
        A string such as `"Custom>MyLayer"` or `"MyLayer"`.
    """
    try:
        registered = GLOBAL_CUSTOM_NAMES.get(obj)
    except TypeError:
        registered = None
    return registered if registered is not None else str(getattr(obj, "__name__", obj))


def get_registered_object(
    name: str,
    custom_objects: Mapping[str, Any] | None = None,
    module_objects: Mapping[str, Any] | None = None,
) -> Any:
    """Returns the class or function of a name, `None` if there is none.

    Searched in this order: the open `CustomObjectScope`s, the registry, `custom_objects`,
    `module_objects`.

    Args:
        name: Name, with or without a package.
        custom_objects: More names.
        module_objects: More names.

    Returns:
        The object or `None`.
    """
    for objects in (scoped_custom_objects(), GLOBAL_CUSTOM_OBJECTS, custom_objects, module_objects):
        if objects and name in objects:
            return objects[name]
    return None
