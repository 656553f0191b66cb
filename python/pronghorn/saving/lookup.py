"""`get` of initializers, losses, optimizers, ...: an identifier of any kind to the object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pronghorn.saving import object_registration
from pronghorn.saving.deserialization import deserialize_keras_object
from pronghorn.saving.public_names import near_matches


def deserialize_object(
    config: Any, custom_objects: Mapping[str, Any] | None, known: Mapping[str, Any]
) -> Any:
    """Returns the object of a config or name; configs without a module are looked up in `known`."""
    return deserialize_keras_object(config, custom_objects=custom_objects, module_objects=known)


def get_object(
    kind: str,
    identifier: Any,
    known: Mapping[str, Any],
    accept: Callable[[Any], bool] = callable,
) -> Any:
    """Returns the object that `identifier` stands for.

    Args:
        kind: What is looked up, for the error: `"initializer"`.
        identifier: `None`, a name, a config, a class (an instance is made) or an object.
        known: Names of the built-in objects.
        accept: Whether an object is one of the kind.

    Returns:
        The object, `None` for `None`.

    Raises:
        ValueError: If the identifier stands for nothing; near names are listed.
    """
    if identifier is None:
        return None
    found = identifier
    if isinstance(identifier, str):
        found = object_registration.get_registered_object(identifier, module_objects=known)
    elif isinstance(identifier, dict):
        if not _resolvable(identifier, known):
            raise unknown_identifier(kind, identifier, known)
        found = deserialize_object(identifier, None, known)
    if isinstance(found, type):
        found = found()
    if found is None or isinstance(found, dict) or not accept(found):
        raise unknown_identifier(kind, identifier, known)
    return found


def _resolvable(config: dict[str, Any], known: Mapping[str, Any]) -> bool:
    name = config.get("class_name")
    if not isinstance(name, str) or "config" not in config:
        return False
    if config.get("module") or name in known or name == "function":
        return True
    names = (config.get("registered_name"), name)
    return any(n and object_registration.get_registered_object(n) is not None for n in names)


def unknown_identifier(kind: str, identifier: Any, known: Mapping[str, Any]) -> ValueError:
    """Returns the error for an identifier that stands for nothing."""
    name = identifier.get("class_name", "") if isinstance(identifier, dict) else identifier
    hint = near_matches(name, known) if isinstance(name, str) and name else ""
    return ValueError(f"Could not interpret {kind} identifier: {identifier!r}.{hint}")
