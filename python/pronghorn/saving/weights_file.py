"""`save_weights` and `load_weights`: the ending of a path says the format."""

from __future__ import annotations

import os
import warnings
from typing import Any

from pronghorn.config_errors import refuses_malformed
from pronghorn.saving.atomic_write import atomic_write
from pronghorn.saving.weights_h5 import read_state, write_state

_WEIGHTS_H5 = ".weights.h5"
_WEIGHTS_JSON = ".weights.json"


def save_weights(model: Any, filepath: Any, overwrite: bool = True, **kwargs: Any) -> None:
    """Writes the weights of a model to a file.

    `.weights.h5` (Keras's) also holds the state of the optimizer; `.safetensors` and `.npz` hold
    the weights under names such as `layers.dense.kernel`. A file of that name is replaced when the
    new one is whole: a stop in between leaves the old one.

    Args:
        model: a built model.
        filepath: path that ends with `.weights.h5`, `.safetensors` or `.npz`; with
            `max_shard_size` that of the map of the files, which ends with `.weights.json`.
        overwrite: whether an existing file is replaced.
        **kwargs: `max_shard_size`: the state goes to several `.weights.h5` files of at most as
            many GiB. `objects_to_skip`: layers and optimizers that are left out.

    Raises:
        ValueError: another ending, a model without weights yet, or an argument that is not
            supported.
        FileExistsError: the file exists and `overwrite` is false.
    """
    path = str(os.fspath(filepath))
    shard_size = kwargs.pop("max_shard_size", None)
    skipped = kwargs.pop("objects_to_skip", None) or ()
    if kwargs:
        raise ValueError(f"save_weights: unknown arguments. Received: {sorted(kwargs)}.")
    if shard_size is not None:
        if path.endswith(_WEIGHTS_H5):
            path = path.removesuffix(_WEIGHTS_H5) + _WEIGHTS_JSON
            warnings.warn(
                f"Files of at most max_shard_size={shard_size} GiB are listed in {path}.",
                stacklevel=3,
            )
        if not path.endswith(_WEIGHTS_JSON):
            raise ValueError(
                "The filename must end in `.weights.json` when `max_shard_size` is specified. "
                f"Received: filepath={path}."
            )
    elif not path.endswith((_WEIGHTS_H5, ".safetensors", ".npz")):
        raise ValueError(
            f"The filename must end in `.weights.h5`. Received: filepath={path}. "
            "Weights are also written to `.safetensors` and `.npz`, whole models to `.keras` files."
        )
    _check_skipped("save_weights", skipped, path)
    if os.path.exists(path) and not overwrite:
        raise FileExistsError(f"save_weights: {path} exists. Received: overwrite=False.")
    if not model.built:
        raise ValueError(
            f"{type(model).__name__} '{model.name}': expected a built model. Received: one without "
            "weights. Call it on data, or build it, before saving its weights."
        )
    if path.endswith(".safetensors"):
        from pronghorn.saving.safetensors import save_safetensors

        save_safetensors(model, path)
    elif path.endswith(".npz"):
        from pronghorn.saving.npz import save_npz

        save_npz(model, path)
    elif shard_size is not None:
        from pronghorn.saving.sharded_weights import save_sharded

        save_sharded(model, path, shard_size, skipped)
    else:
        with atomic_write(path) as beside:
            write_state(beside, model, skipped)


def _check_skipped(function: str, skipped: Any, path: str) -> None:
    if skipped and not path.endswith((_WEIGHTS_H5, _WEIGHTS_JSON, ".keras")):
        raise ValueError(
            f"{function}: objects are left out of `.weights.h5` files only. "
            f"Received: filepath={path}, objects_to_skip of {len(skipped)} objects."
        )


@refuses_malformed(at=1)
def load_weights(model: Any, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
    """Reads the weights of a model, and the state of its optimizer if it is there, from a file.

    Args:
        model: a built model of the same layers.
        filepath: path of a `.weights.h5`, `.weights.json`, `.keras`, `.safetensors`, `.npz` or
            legacy `.h5` file.
        skip_mismatch: whether layers whose weights do not fit are left alone.
        **kwargs: `by_name`, for legacy `.h5` files: whether layers are found by their names.
            `objects_to_skip`: layers and optimizers that keep their state.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is refused, or does not fit the model; no weight has been changed
            then.
    """
    path = str(os.fspath(filepath))
    by_name = kwargs.pop("by_name", False)
    skipped = kwargs.pop("objects_to_skip", None) or ()
    if kwargs:
        raise ValueError(f"load_weights: unknown arguments. Received: {sorted(kwargs)}.")
    endings = (".h5", ".hdf5", _WEIGHTS_JSON, ".keras", ".safetensors", ".npz")
    if not path.endswith(endings):
        if _is_checkpoint(path):
            raise ValueError(
                "load_weights: a checkpoint of TensorFlow is not read. Load it there, and save the "
                f"weights to a `.weights.h5` file. Received: filepath={path}."
            )
        raise ValueError(
            f"File format not supported: filepath={path}. load_weights: expected a path that ends "
            "in `.weights.h5`, `.weights.json`, `.keras`, `.safetensors`, `.npz` or `.h5`."
        )
    _check_skipped("load_weights", skipped, path)
    is_legacy = path.endswith((".h5", ".hdf5")) and not path.endswith(_WEIGHTS_H5)
    if by_name and not is_legacy:
        raise ValueError(
            "load_weights: layers are found by name in legacy `.h5` files only. "
            f"Received: by_name=True, filepath={path}."
        )
    if not os.path.isfile(path):
        raise FileNotFoundError(f"load_weights: expected an existing file. Received: {path}.")
    if not model.built:
        raise ValueError(
            f"load_weights: {type(model).__name__} '{model.name}' is not built and has no weights "
            f"yet. Call it on data, or build it, first. Received: filepath={path}."
        )
    if path.endswith(".safetensors"):
        from pronghorn.saving.safetensors import load_safetensors

        load_safetensors(model, path, skip_mismatch)
    elif path.endswith(".npz"):
        from pronghorn.saving.npz import load_npz

        load_npz(model, path, skip_mismatch)
    elif is_legacy:
        from pronghorn.saving.legacy_h5 import load_h5_weights

        load_h5_weights(model, path, by_name, skip_mismatch)
    elif path.endswith(".keras"):
        from pronghorn.saving.archive import Archive

        with Archive(path) as archive, archive.open_weights() as file:
            read_state(file, model, f"'{path}'", skip_mismatch, skipped)
    elif path.endswith(_WEIGHTS_JSON):
        from pronghorn.saving.sharded_weights import load_sharded

        load_sharded(model, path, skip_mismatch, skipped)
    else:
        read_state(path, model, f"'{path}'", skip_mismatch, skipped)


def _is_checkpoint(path: str) -> bool:
    return os.path.exists(f"{path}.index") or ".ckpt" in path or path.endswith(".index")
