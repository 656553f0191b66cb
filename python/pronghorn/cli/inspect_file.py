"""`info` and `scan`: what a file holds, and whether it would be loaded, without building it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from typing import Any

from pronghorn.array_in_file import ArrayInFile
from pronghorn.saving import public_names
from pronghorn.saving.archive import METADATA, Archive
from pronghorn.saving.checked_hdf5 import check_filtered, open_hdf5
from pronghorn.saving.checked_json import MAX_BYTES, parse_json
from pronghorn.saving.npz import StoredArchive
from pronghorn.saving.object_registration import get_registered_object
from pronghorn.saving.safetensors import StoredTensors
from pronghorn.saving.stored_config import StoredConfig, archive_config, h5_config

ENDINGS = (".keras", ".h5", ".hdf5", ".onnx", ".safetensors", ".npz")


class _Contents:
    """What a file holds: its format, the config of a model if there is one, and its arrays."""

    def __init__(
        self, form: str, config: StoredConfig | None, arrays: Mapping[str, ArrayInFile]
    ) -> None:
        self.form = form
        self.config = config
        self.arrays = arrays


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
    if path.endswith(".onnx"):
        from pronghorn.onnx.importing import describe as describe_onnx

        return found | describe_onnx(path)
    with _opened(path) as contents:
        found["format"] = contents.form
        if contents.config is not None:
            found |= _model(contents.config)
        found["arrays"] = [
            {"name": name, "shape": list(array.shape), "dtype": array.tensor_dtype}
            for name, array in contents.arrays.items()
        ]
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
    if path.endswith(".onnx"):
        from pronghorn.onnx.importing import problems

        reasons = problems(path)
        return {"file": path, "refused": bool(reasons), "reasons": reasons}
    try:
        with _opened(path) as contents:
            _check_packed(contents.arrays)
            if contents.config is not None:
                model, training = contents.config.translated()
                reasons = list(dict.fromkeys(_reasons([model, training])))
    except (ValueError, TypeError) as error:
        reasons.append(str(error))
    return {"file": path, "refused": bool(reasons), "reasons": reasons}


def _check_packed(arrays: Mapping[str, ArrayInFile]) -> None:
    """Reads what a damaged byte makes unreadable: packed arrays, and those with a checksum."""
    if isinstance(arrays, StoredArchive):
        arrays.check_sums()
    else:
        check_filtered(list(arrays.values()))


def _check_path(path: str) -> None:
    if not path.endswith(ENDINGS):
        raise ValueError(f"expected a file that ends in {', '.join(ENDINGS)}. Received: {path}.")
    if not os.path.isfile(path):
        raise FileNotFoundError(f"expected an existing file. Received: {path}.")


@contextlib.contextmanager
def _opened(path: str) -> Iterator[_Contents]:
    """Context manager that gives the contents of a file, read as the loaders read them."""
    source = f"'{path}'"
    if path.endswith(".keras"):
        with Archive(path) as archive:
            metadata = parse_json(archive.read(METADATA, MAX_BYTES), f"{source}, metadata.json")
            version = metadata.get("keras_version") if isinstance(metadata, dict) else None
            config = archive_config(archive)
            with archive.open_weights() as weights, open_hdf5(weights, source) as file:
                yield _Contents(f"Keras {version or 'unknown'!s:.50} model", config, file.arrays)
    elif path.endswith((".h5", ".hdf5")):
        with open_hdf5(path, source) as file:
            stored = h5_config(file)
            form = f"Keras {stored.version} model in HDF5" if stored else "weights in HDF5"
            yield _Contents(form, stored, file.arrays)
    elif path.endswith(".safetensors"):
        with StoredTensors(path) as tensors:
            yield _Contents("weights in safetensors", None, tensors)
    else:
        with StoredArchive(path) as arrays:
            yield _Contents("weights in npz", None, arrays)


def _model(stored: StoredConfig) -> dict[str, Any]:
    inner = stored.model["config"]
    layers = inner.get("layers", []) if isinstance(inner, dict) else inner
    found: dict[str, Any] = {"model": str(stored.model.get("class_name"))}
    if isinstance(inner, dict) and "name" in inner:
        found["name"] = str(inner["name"])
    found["layers"] = [
        {
            "name": str(layer.get("name") or layer["config"].get("name", "")),
            "class": str(layer.get("class_name")),
        }
        for layer in (layers if isinstance(layers, list) else [])
        if isinstance(layer, dict) and isinstance(layer.get("config"), dict)
    ]
    training = stored.training
    if isinstance(training, dict):
        optimizer = training.get("optimizer", training.get("optimizer_config"))
        found["optimizer"] = _short(optimizer)
        found["loss"] = _short(training.get("loss"))
    return found


def _short(value: Any) -> str:
    return str(value.get("class_name")) if isinstance(value, dict) else str(value)


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
    inner = value["config"]
    if isinstance(inner, dict) and isinstance(inner.get("vocabulary"), str):
        yield (
            f"The {class_name} names a vocabulary file, {inner['vocabulary'][:200]!r}: a file "
            "must hold its vocabulary."
        )
    names = (value.get("registered_name"), class_name)
    if any(isinstance(n, str) and n and get_registered_object(n) is not None for n in names):
        return
    module = value.get("module")
    try:
        found = public_names.find_public(str(module), class_name) if module else None
        if found is not None and names[0] not in (None, "", class_name):
            yield f"The class '{class_name}' is built in, and has the registered name {names[0]!r}."
        if found is None:
            place = f" of {module}" if module else ""
            yield f"The class '{class_name}'{place} is not known: pass it in custom_objects."
    except ValueError as error:
        yield str(error)
