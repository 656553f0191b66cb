"""`info` and `scan`: what a file holds, and whether it would be loaded, without building it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from pronghorn.array_in_file import ArrayInFile
from pronghorn.saving import archive as keras_archive
from pronghorn.saving import legacy_config, public_names
from pronghorn.saving.archive import Archive
from pronghorn.saving.checked_hdf5 import open_hdf5
from pronghorn.saving.checked_json import MAX_BYTES, parse_json
from pronghorn.saving.legacy_h5 import stored_config, stored_version
from pronghorn.saving.npz import StoredArchive
from pronghorn.saving.object_registration import get_registered_object
from pronghorn.saving.safetensors import StoredTensors

ENDINGS = (".keras", ".h5", ".hdf5", ".safetensors", ".npz")


def describe(path: str) -> dict[str, Any]:
    """Returns what is in a file: format, versions, layers, arrays.

    Args:
        path: Path of the file.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: If the file is of another format, or refused.
    """
    _check_path(path)
    found: dict[str, Any] = {"file": path, "bytes": os.path.getsize(path)}
    if path.endswith(".keras"):
        with Archive(path) as archive:
            source = f"'{path}'"
            metadata = parse_json(
                archive.read(keras_archive.METADATA, MAX_BYTES), f"{source}, metadata.json"
            )
            config = parse_json(
                archive.read(keras_archive.CONFIG, MAX_BYTES), f"{source}, config.json"
            )
            found["format"] = f"Keras {metadata.get('keras_version', 'unknown')} model"
            found |= _model(config)
            with archive.open_weights() as weights, open_hdf5(weights, source) as file:
                found["arrays"] = _arrays(file.arrays)
    elif path.endswith((".h5", ".hdf5")):
        with open_hdf5(path, f"'{path}'") as file:
            config = stored_config(file)
            if config is None:
                found["format"] = "weights in HDF5"
            else:
                found["format"] = f"Keras {stored_version(file.root)} model in HDF5"
                found |= _model(config)
            found["arrays"] = _arrays(file.arrays)
    elif path.endswith(".safetensors"):
        with StoredTensors(path) as tensors:
            found["format"] = "weights in safetensors"
            found["arrays"] = _arrays(tensors)
    else:
        with StoredArchive(path) as stored:
            found["format"] = "weights in npz"
            found["arrays"] = _arrays(stored)
    return found


def scan(path: str) -> dict[str, Any]:
    """Returns whether a file would be loaded: `refused`, and the reasons.

    Args:
        path: Path of the file.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: If its ending says no format.
    """
    _check_path(path)
    reasons: list[str] = []
    try:
        describe(path)
    except (ValueError, TypeError) as error:
        reasons.append(str(error))
    else:
        reasons += _reasons_of_config(path)
    return {"file": path, "refused": bool(reasons), "reasons": reasons}


def _check_path(path: str) -> None:
    if not path.endswith(ENDINGS):
        raise ValueError(f"expected a file that ends in {', '.join(ENDINGS)}. Received: {path}.")
    if not os.path.isfile(path):
        raise FileNotFoundError(f"expected an existing file. Received: {path}.")


def _model(config: Any) -> dict[str, Any]:
    if not isinstance(config, dict) or not isinstance(config.get("config"), (dict, list)):
        raise ValueError(f"expected the config of a model. Received: {config!r:.100}.")
    inner = config["config"]
    layers = inner.get("layers", []) if isinstance(inner, dict) else inner
    found: dict[str, Any] = {"model": str(config.get("class_name"))}
    if isinstance(inner, dict) and "name" in inner:
        found["name"] = str(inner["name"])
    found["layers"] = [
        {
            "name": str(layer.get("name") or layer["config"].get("name", "")),
            "class": str(layer.get("class_name")),
        }
        for layer in layers
        if isinstance(layer, dict) and isinstance(layer.get("config"), dict)
    ]
    compiled = config.get("compile_config")
    if isinstance(compiled, dict):
        optimizer = compiled.get("optimizer")
        found["optimizer"] = (
            optimizer.get("class_name") if isinstance(optimizer, dict) else str(optimizer)
        )
        found["loss"] = _short(compiled.get("loss"))
    return found


def _short(value: Any) -> str:
    return str(value.get("class_name")) if isinstance(value, dict) else str(value)


def _arrays(arrays: Mapping[str, ArrayInFile]) -> list[dict[str, str]]:
    return [
        {"name": name, "shape": str(array.shape), "dtype": array.tensor_dtype}
        for name, array in arrays.items()
    ]


def _reasons_of_config(path: str) -> list[str]:
    if path.endswith(".keras"):
        with Archive(path) as archive:
            config = parse_json(archive.read(keras_archive.CONFIG, MAX_BYTES), "config.json")
        if legacy_config.is_legacy(config):
            return _reasons_of_legacy(config)
        return list(dict.fromkeys(_reasons(config)))
    if path.endswith((".h5", ".hdf5")):
        with open_hdf5(path, f"'{path}'") as file:
            config = stored_config(file)
            version = stored_version(file.root)
        if config is None:
            return []
        if version.startswith("3"):
            return list(dict.fromkeys(_reasons(legacy_config.with_modules(config))))
        return _reasons_of_legacy(config)
    return []


def _reasons_of_legacy(config: dict[str, Any]) -> list[str]:
    try:
        config = legacy_config.model_config(config)
    except (ValueError, TypeError, KeyError) as error:
        return [str(error)]
    return list(dict.fromkeys(_reasons(config)))


def _reasons(value: Any) -> Iterator[str]:
    """Yields why the objects of a config would not be made."""
    if isinstance(value, list):
        for item in value:
            yield from _reasons(item)
        return
    if not isinstance(value, dict):
        return
    class_name = value.get("class_name")
    if class_name == "__lambda__":
        yield "It holds Python bytecode (a lambda), which is not run."
    elif class_name == "function":
        name = str(value.get("config"))
        if get_registered_object(name) is None and public_names.find_function(name) is None:
            yield f"The function '{name}' is not known: pass it in custom_objects."
    elif isinstance(class_name, str) and "config" in value and not class_name.startswith("__"):
        yield from _reasons_of_class(class_name, value)
    for item in value.values():
        yield from _reasons(item)


def _reasons_of_class(class_name: str, value: dict[str, Any]) -> Iterator[str]:
    names = (value.get("registered_name"), class_name)
    if any(name and get_registered_object(name) is not None for name in names):
        return
    module = value.get("module")
    try:
        if not module or public_names.find_public(str(module), class_name) is None:
            place = f" of {module}" if module else ""
            yield f"The class '{class_name}'{place} is not known: pass it in custom_objects."
    except ValueError as error:
        yield str(error)
