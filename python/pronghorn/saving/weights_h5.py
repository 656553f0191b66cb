"""Weights in HDF5, in the layout of Keras 3: `<group of an object>/vars/<i>`."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from pronghorn.saving.atomic_write import atomic_write
from pronghorn.saving.checked_hdf5 import StoredArrays, open_hdf5
from pronghorn.saving.optimizer_state import restore_optimizer
from pronghorn.saving.state_groups import state_groups

_VARIABLES = "vars"


def save_weights(model: Any, filepath: Any, overwrite: bool = True, **kwargs: Any) -> None:
    """Writes the weights of a model, and the state of its optimizer, to a `.weights.h5` file.

    A file of that name is replaced when the new one is whole: a stop in between leaves the old one.

    Args:
        model: a built model.
        filepath: path that ends with `.weights.h5`.
        overwrite: whether an existing file is replaced.
        **kwargs: `max_shard_size`, which must be `None`.

    Raises:
        ValueError: another ending, a model without weights yet, or an argument that is not
            supported.
        FileExistsError: the file exists and `overwrite` is false.
    """
    path = str(os.fspath(filepath))
    if not path.endswith(".weights.h5"):
        raise ValueError(
            f"The filename must end in `.weights.h5`. Received: filepath={path}. "
            "Whole models are saved to `.keras` files."
        )
    if kwargs.pop("max_shard_size", None) is not None or kwargs:
        raise ValueError(
            f"save_weights: sharded files are not supported. Received: "
            f"{kwargs or 'max_shard_size'}."
        )
    if os.path.exists(path) and not overwrite:
        raise FileExistsError(f"save_weights: {path} exists. Received: overwrite=False.")
    if not model.built:
        raise ValueError(
            f"{type(model).__name__} '{model.name}': expected a built model. Received: one without "
            "weights. Call it on data, or build it, before saving its weights."
        )
    with atomic_write(path) as beside:
        write_state(beside, model)


def load_weights(model: Any, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
    """Reads the weights of a model, and the state of its optimizer, from a file.

    Args:
        model: a built model of the same layers.
        filepath: path of a `.weights.h5`, `.keras` or legacy `.h5` file.
        skip_mismatch: whether layers whose weights do not fit are left alone.
        **kwargs: `by_name`, for legacy `.h5` files: whether layers are found by their names.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is refused, or does not fit the model; no weight has been changed
            then.
    """
    path = str(os.fspath(filepath))
    by_name = kwargs.pop("by_name", False)
    if kwargs:
        raise ValueError(f"load_weights: unknown arguments. Received: {sorted(kwargs)}.")
    if not path.endswith((".h5", ".hdf5", ".keras")):
        raise ValueError(
            "load_weights: expected a path that ends in `.weights.h5`, `.keras` or `.h5`. "
            f"Received: filepath={path}."
        )
    is_legacy = path.endswith((".h5", ".hdf5")) and not path.endswith(".weights.h5")
    if by_name and not is_legacy:
        raise ValueError(
            "load_weights: layers are found by name in legacy `.h5` files only. "
            f"Received: by_name=True, filepath={path}."
        )
    if not os.path.isfile(path):
        raise FileNotFoundError(f"load_weights: expected an existing file. Received: {path}.")
    if is_legacy:
        from pronghorn.saving.legacy_h5 import load_h5_weights

        load_h5_weights(model, path, by_name, skip_mismatch)
        return
    if path.endswith(".keras"):
        from pronghorn.saving.archive import Archive

        with Archive(path) as archive, archive.open_weights() as file:
            read_state(file, model, f"'{path}'", skip_mismatch)
        return
    read_state(path, model, f"'{path}'", skip_mismatch)


def write_state(file: Any, model: Any) -> None:
    """Writes the state of all objects of a model into a new HDF5 file.

    Args:
        file: Path, or a seekable binary file.
        model: The model.
    """
    import h5py

    with h5py.File(file, "w") as opened:
        for group, owner in state_groups(model):
            own: dict[str, Any] = {}
            owner.save_own_variables(own)
            target = opened.require_group(f"{group}/{_VARIABLES}" if group else _VARIABLES)
            target.attrs["name"] = getattr(owner, "name", "")
            for key, value in own.items():
                array = np.asarray(value)
                if array.dtype.name == "bfloat16":
                    # HDF5 has no bfloat16: its bytes, and a note, as in Keras.
                    target[key] = array.view("V2")
                    target[key].attrs["dtype"] = "bfloat16"
                else:
                    target[key] = array


def read_state(file: Any, model: Any, source: str, skip_mismatch: bool = False) -> None:
    """Sets the state of all objects of a model from an HDF5 file.

    Shapes are compared before any value is read; values are read one variable at a time.

    Args:
        file: Path, or a seekable binary file.
        model: A built model.
        source: What the file is, for errors.
        skip_mismatch: Whether objects that do not fit keep their state.

    Raises:
        ValueError: The file is refused, or does not fit the model, which is unchanged then.
    """
    from pronghorn.optimizers import Optimizer

    with open_hdf5(file, source) as opened:
        plan: list[tuple[Any, StoredArrays]] = []
        optimizers: list[tuple[Any, StoredArrays]] = []
        for group, owner in state_groups(model):
            name = f"{group}/{_VARIABLES}" if group else _VARIABLES
            stored = StoredArrays(opened.get(name), source)
            if isinstance(owner, Optimizer):
                optimizers.append((owner, stored))
                continue
            problem = _mismatch(owner, stored)
            if problem is not None and not skip_mismatch:
                raise ValueError(f"load_weights: {problem} Received: {source}, group '{name}'.")
            if problem is None and len(stored):
                plan.append((owner, stored))
        for owner, stored in plan:
            owner.load_own_variables(stored)
        for optimizer, stored in optimizers:
            restore_optimizer(optimizer, model, stored, source)


def _expected_shapes(owner: Any) -> dict[str, tuple[int, ...]]:
    from pronghorn.layers.layer import Layer
    from pronghorn.metrics import Metric

    for base in (Layer, Metric):
        if type(owner).save_own_variables is base.save_own_variables:
            return {str(i): tuple(v.shape) for i, v in enumerate(owner._saved_variables())}
    expected: dict[str, Any] = {}
    owner.save_own_variables(expected)
    return {key: tuple(np.shape(value)) for key, value in expected.items()}


def _mismatch(owner: Any, stored: StoredArrays) -> str | None:
    expected = _expected_shapes(owner)
    label = f"{type(owner).__name__} '{getattr(owner, 'name', '')}'"
    if len(expected) != len(stored):
        return f"{label} expected {len(expected)} variables, but the file has {len(stored)} for it."
    for key, shape in expected.items():
        if key not in stored:
            return f"{label} expected a variable '{key}', which the file does not have."
        if shape != stored.shape(key):
            return (
                f"{label} expected shape {shape} for variable {key}, "
                f"but the file has {stored.shape(key)}."
            )
    return None
