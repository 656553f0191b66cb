"""`convert`: a model's file, or the weights of one, in another format."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from pronghorn.cli.usage import UsageError

MODELS = (".keras", ".h5", ".hdf5", ".onnx")
WEIGHTS = (".weights.h5", ".safetensors", ".npz")
_NAMED = (".safetensors", ".npz")


def convert(
    source: str, target: str, model: str | None = None, force: bool = False
) -> dict[str, Any]:
    """Loads a model, or the weights of one, and writes it, or its weights, to another file.

    Args:
        source: A whole model, which ends in one of `MODELS`; or weights, which end in one of
            `WEIGHTS` or are an `.h5` file without a config.
        target: Likewise.
        model: For weights as source: a whole model that they fit. Between `.safetensors` and `.npz`
            none is needed, because their names are the same.
        force: Whether an existing target is replaced.

    Returns:
        The paths and the size of the target.

    Raises:
        UsageError: If an ending says no format, or a model is missing or not needed.
        ValueError: If the source is refused, does not fit the model, or has what the target has no
            place for.
        FileExistsError: If the target exists and `force` is false.
    """
    for role, path in (("source", source), ("target", target)):
        if not path.endswith((*MODELS, *WEIGHTS)):
            raise UsageError(
                f"expected a {role} that ends in {', '.join((*MODELS, *WEIGHTS))}. "
                f"Received: {path}."
            )
    if model is not None and (not model.endswith(MODELS) or model.endswith(WEIGHTS)):
        raise UsageError(
            f"expected a whole model, which ends in {', '.join(MODELS)}. Received: --model {model}."
        )
    for path in (source, *([] if model is None else [model])):
        if not os.path.isfile(path):
            raise FileNotFoundError(f"expected an existing file. Received: {path}.")
    are_weights = _are_weights(source)
    if model is not None and not are_weights:
        raise UsageError(
            f"expected weights as source, to be put into a model. Received: {source}, which is a "
            f"whole model, and --model {model}."
        )
    by_name = source.endswith(_NAMED) and target.endswith(_NAMED)
    if are_weights and model is None and not by_name:
        raise UsageError(
            f"expected --model FILE, a whole model that the weights fit. Received: {source}, which "
            "holds weights and not the layers that they are of."
        )
    if os.path.exists(target) and not force:
        raise FileExistsError(f"{target} exists. Use --force to replace it.")
    if are_weights and model is None:
        _copy_arrays(source, target)
    else:
        _write(_loaded(source, model), target)
    found = {"source": source, "target": target, "bytes": os.path.getsize(target)}
    return found if model is None else {**found, "model": model}


def _are_weights(path: str) -> bool:
    if path.endswith(WEIGHTS):
        return True
    if not path.endswith((".h5", ".hdf5")):
        return False
    from pronghorn.saving.checked_hdf5 import open_hdf5
    from pronghorn.saving.stored_config import h5_config

    with open_hdf5(path, f"'{path}'") as file:
        return h5_config(file) is None


def _loaded(source: str, model: str | None) -> Any:
    from pronghorn import saving

    found = saving.load_model(source if model is None else model)
    if model is not None:
        found.load_weights(source)
    return found


def _write(model: Any, target: str) -> None:
    if target.endswith(".onnx"):
        from pronghorn.onnx import export_model

        export_model(model, target, verbose=False)
    elif target.endswith(WEIGHTS):
        model.save_weights(target)
    else:
        model.save(target)


def _copy_arrays(source: str, target: str) -> None:
    from pronghorn.saving.npz import StoredArchive, write_arrays
    from pronghorn.saving.safetensors import StoredTensors, write_tensors

    stored: Any = StoredArchive(source) if source.endswith(".npz") else StoredTensors(source)
    write = write_arrays if target.endswith(".npz") else write_tensors
    with stored:
        if isinstance(stored, StoredArchive):
            stored.check_sums()
        write({name: np.asarray(array) for name, array in stored.items()}, target)
