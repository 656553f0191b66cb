"""Weights in HDF5, in the layout of Keras 3: `<group of an object>/vars/<i>`."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from pronghorn.array_in_file import ArrayInFile
from pronghorn.saving.checked_hdf5 import check_readable, open_hdf5
from pronghorn.saving.file_notes import write_note
from pronghorn.saving.hdf5_arrays import new_hdf5, write_array
from pronghorn.saving.optimizer_state import restore_optimizer
from pronghorn.saving.public_names import is_own
from pronghorn.saving.state_groups import container_group, state_groups

VARIABLES = "vars"


def write_state(file: Any, model: Any, skipped: Iterable[Any] = ()) -> None:
    """Writes the state of all objects of a model into a new HDF5 file.

    Args:
        file: Path, or a seekable binary file.
        model: The model.
        skipped: Objects that are left out, with what they consist of.
    """
    with new_hdf5(file) as opened:
        write_note(opened)
        for group, owner in state_groups(model, skipped):
            own: dict[str, Any] = {}
            owner.save_own_variables(own)
            target = opened.require_group(f"{group}/{VARIABLES}" if group else VARIABLES)
            target.attrs["name"] = getattr(owner, "name", "")
            for key, value in own.items():
                write_array(target, key, value)


def read_state(
    file: Any,
    model: Any,
    source: str,
    skip_mismatch: bool = False,
    skipped: Iterable[Any] = (),
) -> None:
    """Sets the state of all objects of a model from an HDF5 file.

    Shapes are compared before any value is read; values are read into the memory of the variables.

    Args:
        file: Path, or a seekable binary file.
        model: A built model.
        source: What the file is, for errors.
        skip_mismatch: Whether objects that do not fit keep their state.
        skipped: Objects that keep their state, with what they consist of.

    Raises:
        ValueError: The file is refused, or does not fit the model, which is unchanged then.
    """
    with open_hdf5(file, source) as opened:
        restore_state(opened.groups, model, source, skip_mismatch, skipped)


def restore_state(
    groups: Mapping[str, dict[str, ArrayInFile]],
    model: Any,
    source: str,
    skip_mismatch: bool,
    skipped: Iterable[Any],
) -> None:
    """Sets the state of all objects of a model from arrays by the path of their group."""
    from pronghorn.optimizers import Optimizer

    plan: list[tuple[Any, dict[str, ArrayInFile]]] = []
    optimizers: list[tuple[Any, dict[str, ArrayInFile]]] = []
    for group, owner in state_groups(model, skipped):
        name = f"{group}/{VARIABLES}" if group else VARIABLES
        stored = groups.get(name, {})
        if isinstance(owner, Optimizer):
            optimizers.append((owner, stored))
            continue
        problem = _mismatch(owner, stored)
        container = container_group(group)
        if problem is not None and container is not None and not _has(groups, container):
            warnings.warn(
                f"{source} has no group '{container}': it was written by a version that did not "
                f"save layers in nested lists. {type(owner).__name__} '{owner.name}' keeps its "
                "weights.",
                stacklevel=5,
            )
            continue
        if problem is not None and not skip_mismatch:
            raise ValueError(f"load_weights: {problem} Received: {source}, group '{name}'.")
        if problem is None and len(stored):
            plan.append((owner, stored))
    check_readable([array for _, stored in [*plan, *optimizers] for array in stored.values()])
    for owner, stored in plan:
        owner.load_own_variables(stored)
    for optimizer, stored in optimizers:
        restore_optimizer(optimizer, model, stored, source)


def _has(groups: Mapping[str, Any], container: str) -> bool:
    return any(name.startswith(f"{container}/") for name in groups)


def expected_shapes(owner: Any, stored: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Returns the shapes of the arrays that an object reads, by name.

    Args:
        owner: A layer, optimizer or metric.
        stored: Its arrays in the file, on which the state of some objects depends.
    """
    if hasattr(owner, "_stored_shapes"):
        return dict(owner._stored_shapes(stored))
    if is_own(type(owner).save_own_variables):
        return {str(i): tuple(v.shape) for i, v in enumerate(owner._saved_variables())}
    expected: dict[str, Any] = {}
    owner.save_own_variables(expected)
    return {key: tuple(np.shape(value)) for key, value in expected.items()}


def _mismatch(owner: Any, stored: dict[str, ArrayInFile]) -> str | None:
    expected = expected_shapes(owner, stored)
    label = f"{type(owner).__name__} '{getattr(owner, 'name', '')}'"
    if len(expected) != len(stored):
        return f"{label} expected {len(expected)} variables, but the file has {len(stored)} for it."
    for key, shape in expected.items():
        if key not in stored:
            return f"{label} expected a variable '{key}', which the file does not have."
        if shape != stored[key].shape:
            return (
                f"{label} expected shape {shape} for variable {key}, "
                f"but the file has {stored[key].shape}."
            )
    return None
