"""`.weights.h5` files in the layout of Keras 3: a group for each layer,
`layers/<class>_<n>/vars/<i>`.

A layer's group is called after its class, numbered within its model, because names of layers differ
from run to run; attributes of a subclassed model or layer are groups by the attribute's name.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from pronghorn.naming import to_snake_case

# Attributes that hold the same layers a second time, or none.
_SKIPPED = frozenset(
    {
        "_tracker",
        "_layers",
        "_metrics",
        "_losses",
        "_functional",
        "_nodes",
        "_operations",
        "_operations_by_depth",
        "_inbound_nodes",
        "_outbound_nodes",
        "_seed_generators",
        "_trainable_variables",
        "_non_trainable_variables",
        "_compile_loss",
        "_compile_metrics",
        "_compile_config",
        "_loss_tracker",
        "_programs",
        "_evaluation",
        "history",
        "loss",
        "dtype_policy",
        "_dtype_policy",
    }
)
_DEFAULT_KEY = "vars"


def save_weights(model: Any, filepath: Any, overwrite: bool = True, **kwargs: Any) -> None:
    """Writes the weights of a model, and the state of its optimizer, to a `.weights.h5` file.

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
    import h5py

    path = _checked(filepath)
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
    with h5py.File(path, "w") as file:
        for group, owner in _walk(model):
            own: dict[str, Any] = {}
            owner.save_own_variables(own)
            target = file.require_group(f"{group}/{_DEFAULT_KEY}" if group else _DEFAULT_KEY)
            target.attrs["name"] = getattr(owner, "name", "")
            for key, value in own.items():
                array = np.asarray(value)
                if array.dtype.name == "bfloat16":
                    # HDF5 has no bfloat16: its bytes, and a note, as in Keras.
                    target[key] = array.view("V2") if array.ndim else np.asarray(array).view("V2")
                    target[key].attrs["dtype"] = "bfloat16"
                else:
                    target[key] = array


def load_weights(model: Any, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
    """Reads the weights of a model from a `.weights.h5` file.

    Args:
        model: a built model of the same layers.
        filepath: path of the file.
        skip_mismatch: whether layers whose weights do not fit are left alone.
        **kwargs: none is supported.

    Raises:
        ValueError: the file does not fit the model; no weight has been changed then, unless
            `skip_mismatch`.
    """
    import h5py

    path = _checked(filepath)
    if kwargs:
        raise ValueError(f"load_weights: unknown arguments. Received: {sorted(kwargs)}.")
    if not os.path.isfile(path):
        raise FileNotFoundError(f"load_weights: expected an existing file. Received: {path}.")
    plan: list[tuple[Any, dict[str, Any]]] = []
    with h5py.File(path, "r") as file:
        for group, owner in _walk(model):
            name = f"{group}/{_DEFAULT_KEY}" if group else _DEFAULT_KEY
            stored = _read(file[name]) if name in file else {}
            problem = _mismatch(owner, stored)
            if problem is None:
                plan.append((owner, stored))
            elif group.split("/")[0] != "optimizer" and not skip_mismatch:
                raise ValueError(f"load_weights: {problem} Received: {path}, group '{name}'.")
    for owner, stored in plan:
        if stored:
            owner.load_own_variables(stored)


def _checked(filepath: Any) -> str:
    path = os.fspath(filepath)
    if not str(path).endswith(".weights.h5"):
        raise ValueError(
            f"The filename must end in `.weights.h5`. Received: filepath={path}. "
            "Whole models are saved to `.keras` files."
        )
    return str(path)


def _read(group: Any) -> dict[str, Any]:
    stored: dict[str, Any] = {}
    for key in group:
        array = np.asarray(group[key])
        if group[key].attrs.get("dtype") == "bfloat16":
            import ml_dtypes

            array = array.view(ml_dtypes.bfloat16)
        stored[key] = array
    return stored


def _mismatch(owner: Any, stored: dict[str, Any]) -> str | None:
    expected: dict[str, Any] = {}
    owner.save_own_variables(expected)
    label = f"{type(owner).__name__} '{getattr(owner, 'name', '')}'"
    if len(expected) != len(stored):
        return f"{label} expected {len(expected)} variables, but the file has {len(stored)} for it."
    for key, value in expected.items():
        if key not in stored:
            return f"{label} expected a variable '{key}', which the file does not have."
        if tuple(np.shape(value)) != tuple(stored[key].shape):
            return (
                f"{label} expected shape {tuple(np.shape(value))} for variable {key}, "
                f"but the file has {tuple(stored[key].shape)}."
            )
    return None


def _walk(model: Any) -> Iterator[tuple[str, Any]]:
    """Each layer (and the optimizer) below `model` once, with the path of its group."""
    seen: set[int] = set()
    yield from _visit(model, "", seen)


def _visit(owner: Any, group: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    if id(owner) in seen:
        return
    seen.add(id(owner))
    yield group, owner
    for name, child in _children(owner):
        path = f"{group}/{name}" if group else name
        if _is_saved(child):
            yield from _visit(child, path, seen)
        elif isinstance(child, (list, tuple, dict, set)):
            yield from _visit_container(child, path, seen)


def _visit_container(container: Any, group: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    values = list(container.values()) if isinstance(container, dict) else list(container)
    used: dict[str, int] = {}
    for value in values:
        if not _is_saved(value):
            continue
        name = to_snake_case(type(value).__name__)
        number = used.get(name, 0)
        used[name] = number + 1
        yield from _visit(value, f"{group}/{name}_{number}" if number else f"{group}/{name}", seen)


def _children(owner: Any) -> list[tuple[str, Any]]:
    from pronghorn.models.model import Model

    attributes = {
        name: value
        for name, value in getattr(owner, "__dict__", {}).items()
        if name not in _SKIPPED and not name.startswith("__")
    }
    if isinstance(owner, Model):
        attributes["layers"] = owner.layers
    return sorted(attributes.items())


def _is_saved(value: Any) -> bool:
    from pronghorn.layers.layer import Layer
    from pronghorn.optimizers import Optimizer

    return isinstance(value, (Layer, Optimizer))
