"""`save_model` and `load_model`: whole models in `.keras` files.

A `.keras` file is a zip archive of `config.json` (the architecture and how it was compiled),
`model.weights.h5` (weights and the optimizer's state), `metadata.json`, and `assets/`.
"""

from __future__ import annotations

import datetime
import json
import os
import tempfile
import zipfile
from collections.abc import Mapping
from typing import Any

from pronghorn.allocation_limit import AllocationLimit
from pronghorn.config_errors import refuses_malformed
from pronghorn.deferred_values import DeferredValues
from pronghorn.saving import archive as keras_archive
from pronghorn.saving.archive import Archive
from pronghorn.saving.assets import load_assets, write_assets
from pronghorn.saving.atomic_write import atomic_write
from pronghorn.saving.deserialization import deserialize_keras_object
from pronghorn.saving.legacy_h5 import load_h5_model
from pronghorn.saving.legacy_write import save_h5_model
from pronghorn.saving.scopes import ObjectSharingScope
from pronghorn.saving.serialization import serialize_keras_object
from pronghorn.saving.stored_config import archive_config
from pronghorn.saving.weights_h5 import read_state, write_state

# The version of Keras whose files these are.
FORMAT_VERSION = "3.15.0"
_IN_MEMORY = 64 * 2**20


def save_model(
    model: Any, filepath: Any, overwrite: bool = True, zipped: Any = None, **kwargs: Any
) -> None:
    """Writes a model to a `.keras` file: architecture, weights, optimizer, compile settings.

    Keras 3 opens the file. A file of that name is replaced when the new one is whole: a stop in
    between, or a full disk, leaves the old one. The legacy `.h5` file, in Keras 3's layout, has
    places for layers only: not for operations, assets and random counters.

    Args:
        model: The model.
        filepath: Path that ends with `.keras`, or with `.h5` or `.hdf5` for the legacy file, whose
            folder is made.
        overwrite: Whether an existing file is replaced.
        zipped: `None` or `True`, of `.keras` files; folders are not written.
        **kwargs: `include_optimizer=False`, for `.h5` files: leaves out how the model was compiled
            and the state of the optimizer.

    Raises:
        ValueError: Another ending, `zipped=False`, unknown arguments, or a model that an `.h5` file
            has no place for; the layer is named.
        FileExistsError: The file exists and `overwrite` is false.
        TypeError: A custom object has no `get_config`, or one that is no JSON.

    Example:

    >>> import pronghorn as keras, tempfile, os
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    >>> path = os.path.join(tempfile.mkdtemp(), "model.keras")
    >>> model.save(path)
    >>> keras.saving.load_model(path).output_shape
    (None, 2)
    """
    path = str(os.fspath(filepath))
    include_optimizer = kwargs.pop("include_optimizer", True)
    if "save_format" in kwargs:
        raise ValueError(
            "The `save_format` argument is deprecated: the ending of the path says the format. "
            f"Received: save_format={kwargs['save_format']!r}, filepath={path}."
        )
    if kwargs:
        raise ValueError(
            f"save_model: these arguments are not supported: {sorted(kwargs)}. "
            f"Received: filepath={path}."
        )
    is_legacy = path.endswith((".h5", ".hdf5")) and not path.endswith(".weights.h5")
    if not path.endswith(".keras") and not is_legacy:
        raise ValueError(
            "Invalid filepath extension for saving. Please add a `.keras` extension, or `.h5` for "
            f"the legacy file; weights are written by `save_weights`. Received: filepath={path}."
        )
    if zipped is False or (zipped and is_legacy):
        raise ValueError(
            f"save_model: expected zipped={None if is_legacy else True} for {path}. "
            f"Received: zipped={zipped}."
        )
    if not include_optimizer and not is_legacy:
        raise ValueError(
            "save_model: the optimizer is left out of `.h5` files only. "
            f"Received: include_optimizer={include_optimizer}, filepath={path}."
        )
    if os.path.exists(path) and not overwrite:
        raise FileExistsError(f"save_model: {path} exists. Received: overwrite=False.")
    if is_legacy:
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)  # as Keras does here
        save_h5_model(model, path, FORMAT_VERSION, bool(include_optimizer))
        return
    with ObjectSharingScope():
        config = json.dumps(serialize_keras_object(model))
    metadata = {
        "keras_version": FORMAT_VERSION,
        "date_saved": datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S"),
        "writer": "pronghorn",
    }
    with (
        atomic_write(path) as beside,
        zipfile.ZipFile(beside, "w", zipfile.ZIP_STORED) as opened,
    ):
        opened.writestr(keras_archive.METADATA, json.dumps(metadata))
        opened.writestr(keras_archive.CONFIG, config)
        with tempfile.SpooledTemporaryFile(_IN_MEMORY, dir=os.path.dirname(beside)) as weights:
            write_state(weights, model)
            weights.seek(0)
            with opened.open(keras_archive.WEIGHTS, "w", force_zip64=True) as member:
                while block := weights.read(2**20):
                    member.write(block)
        write_assets(opened, model)


@refuses_malformed(at=0)
def load_model(
    filepath: Any,
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,  # noqa: A002  (the name in Keras)
    safe_mode: bool = True,
    **kwargs: Any,
) -> Any:
    """Returns the model of a `.keras` or `.h5` file, compiled as it was, its optimizer too.

    `.keras` files of Keras 3 and tf.keras, and `.h5` files of Keras 2, tf.keras 2.x and Keras 3;
    `.onnx` files by `pronghorn.onnx.import_model`.

    Nothing in the file is run or imported: classes are those of this library, registered ones, and
    `custom_objects`. What a file declares is compared with the bytes that it has before memory is
    taken: loading takes at most 5 times the bytes of its arrays and 200 MB
    (docs/untrusted_files.md).

    Args:
        filepath: Path of the file.
        custom_objects: Names of custom classes and functions.
        compile: Whether to compile the model if it was compiled.
        safe_mode: Whether to refuse files that hold Python code (lambdas).
        **kwargs: None is supported.

    Raises:
        ValueError: If there is no such file, or it is refused: the message says why.
        TypeError: If a class or function in it is not known, or its configuration is malformed.
    """
    path = str(os.fspath(filepath))
    if kwargs:
        raise ValueError(f"load_model: unknown arguments. Received: {sorted(kwargs)}.")
    if custom_objects is not None and not isinstance(custom_objects, Mapping):
        raise TypeError(
            "load_model: custom_objects must be a dict of names to classes and functions. "
            f"Received: custom_objects={custom_objects!r}."
        )
    if os.path.isdir(path):
        raise ValueError(
            f"load_model: folders are not read, only files. Received: filepath={path}. In Keras, "
            "`model.save` with a path that ends in `.keras` writes the same model into one file."
        )
    if not os.path.isfile(path):
        remote = " A file of a URL comes by `utils.get_file`." if "://" in path else ""
        raise ValueError(
            f"File not found: filepath={path}. Please ensure the file is an accessible `.keras` "
            f"zip file, or an `.h5` or `.onnx` file.{remote}"
        )
    if path.endswith((".h5", ".hdf5")):
        return load_h5_model(path, custom_objects, compile, safe_mode)
    if path.endswith(".onnx"):
        return _load_onnx_model(path, custom_objects)
    if not path.endswith(".keras") and not zipfile.is_zipfile(path):
        raise ValueError(
            f"File format not supported: filepath={path}. load_model: expected a path that ends in "
            "`.keras`, `.h5` or `.onnx`. Files of weights are read by `model.load_weights`."
        )
    with Archive(path) as opened:
        source = f"'{path}'"
        config, training = archive_config(opened).translated(with_training=compile)
        if training is not None:
            config["compile_config"] = training
        with (
            opened.open_weights() as weights,
            AllocationLimit(opened.weights_size, source),
            DeferredValues(),
        ):
            with ObjectSharingScope():
                model = deserialize_keras_object(config, custom_objects, safe_mode)
            if not hasattr(model, "built"):
                raise ValueError(f"{source}: expected a model. Received: a {type(model).__name__}.")
            read_state(weights, model, source)
        load_assets(opened, model)
    return model


def _load_onnx_model(path: str, custom_objects: Any) -> Any:
    from pronghorn.onnx import import_model

    if custom_objects:
        raise ValueError(
            "load_model: ONNX files name no classes. "
            f"Received: filepath={path}, custom_objects={sorted(custom_objects)}."
        )
    return import_model(path)
