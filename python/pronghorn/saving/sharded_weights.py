"""Weights in several HDF5 files and a `.weights.json` that says which has which: Keras's shards.

They are numbered from `<name>_00000.weights.h5`. Where there are such files, those of a further
save get names that none has had before, and the map is replaced when they are whole: a stop in
between leaves the old map with the old shards. Keras opens the first one before it looks for any
group, so an empty one stays in its place.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
from collections.abc import Iterator
from typing import Any

import numpy as np

from pronghorn.array_in_file import ArrayInFile
from pronghorn.saving.atomic_write import atomic_write
from pronghorn.saving.checked_hdf5 import open_hdf5
from pronghorn.saving.checked_json import MAX_BYTES, parse_json
from pronghorn.saving.hdf5_arrays import new_hdf5, write_array
from pronghorn.saving.state_groups import state_groups
from pronghorn.saving.weights_h5 import VARIABLES, restore_state

ENDING = ".weights.json"
_SHARD_ENDING = ".weights.h5"
MAX_SHARDS = 10_000
_GIB = 2**30


def save_sharded(model: Any, path: str, max_shard_size: Any, skipped: Any = ()) -> None:
    """Writes the state of all objects of a model into files of a bounded size, and their map.

    Args:
        model: A built model.
        path: Path of the map, which ends with `.weights.json`; the shards are beside it.
        max_shard_size: Bytes of the arrays of a shard at most, in GiB.
        skipped: Objects that are left out, with what they consist of.

    Raises:
        ValueError: If the size is no positive number, or an array is larger.
    """
    if (
        not isinstance(max_shard_size, (int, float))
        or isinstance(max_shard_size, bool)
        or not max_shard_size > 0
    ):
        raise ValueError(
            "save_weights: max_shard_size must be a positive number of GiB. "
            f"Received: max_shard_size={max_shard_size!r}."
        )
    writer = _Writer(path, float(max_shard_size) * _GIB)
    try:
        for group, owner in state_groups(model, skipped):
            own: dict[str, Any] = {}
            owner.save_own_variables(own)
            for key, value in own.items():
                writer.add(f"{group}/{VARIABLES}" if group else VARIABLES, key, value, owner)
        writer.close_shard()
        before = _shards_of_map(path)
        with atomic_write(path) as beside, open(beside, "w", encoding="utf-8") as file:
            json.dump(writer.map(), file, indent=4)
    except BaseException:
        writer.remove()
        raise
    for name in before - writer.names - {writer.first}:
        with contextlib.suppress(OSError):
            os.remove(os.path.join(os.path.dirname(os.path.abspath(path)), name))
    if writer.first not in writer.names:
        writer.write_first()


class _Writer:
    def __init__(self, path: str, limit: float) -> None:
        self._folder, name = os.path.split(os.path.abspath(path))
        self._base = name.removesuffix(ENDING)
        self._token = secrets.token_hex(4)
        self._limit = limit
        self._places: dict[str, list[str]] = {}
        self._total = self._size = 0
        self._open = contextlib.ExitStack()
        self._file: Any = None
        self.names: set[str] = set()
        self.first = f"{self._base}_00000{_SHARD_ENDING}"
        self._is_new = not os.path.exists(self._path(self.first))

    def _path(self, name: str) -> str:
        return os.path.join(self._folder, name)

    def add(self, group: str, key: str, value: Any, owner: Any) -> None:
        size = _nbytes(value)
        if size > self._limit:
            raise ValueError(
                f"save_weights: expected arrays of at most max_shard_size={self._limit / _GIB:g} "
                f"GiB. Received: '{group}/{key}' of {size / _GIB:.3g} GiB."
            )
        if self._file is None or self._size + size > self._limit:
            self.close_shard()
            name = f"{self._base}_{len(self.names):05}{_SHARD_ENDING}"
            if not self._is_new or os.path.exists(self._path(name)):
                name = f"{self._base}_{len(self.names):05}_{self._token}{_SHARD_ENDING}"
            self.names.add(name)
            self._file = self._open.enter_context(
                new_hdf5(self._open.enter_context(atomic_write(self._path(name))))
            )
            self._name = name
        self._size += size
        self._total += size
        target = self._file.require_group(group)
        target.attrs["name"] = getattr(owner, "name", "")
        write_array(target, key, value)
        places = self._places.setdefault(f"/{group}", [])
        if self._name not in places:
            places.append(self._name)

    def close_shard(self) -> None:
        self._open.close()
        self._file, self._size = None, 0

    def map(self) -> dict[str, Any]:
        places = {k: v[0] if len(v) == 1 else v for k, v in self._places.items()}
        return {"metadata": {"total_size": self._total}, "weight_map": places}

    def write_first(self) -> None:
        """Writes the shard that Keras opens first, with nothing in it."""
        with atomic_write(self._path(self.first)) as beside, new_hdf5(beside):
            pass

    def remove(self) -> None:
        """Removes the shards; the one that is being written by an error in its `atomic_write`."""
        error = RuntimeError("the save has failed")
        with contextlib.suppress(RuntimeError):
            self._open.__exit__(RuntimeError, error, None)
        for name in self.names:
            with contextlib.suppress(OSError):
                os.remove(self._path(name))


def _nbytes(value: Any) -> int:
    array = value if hasattr(value, "nbytes") else np.asarray(value)
    return int(array.nbytes)


def load_sharded(model: Any, path: str, skip_mismatch: bool = False, skipped: Any = ()) -> None:
    """Sets the state of all objects of a model from the files that a map names.

    Args:
        model: A built model.
        path: Path of the map.
        skip_mismatch: Whether objects that do not fit keep their state.
        skipped: Objects that keep their state, with what they consist of.

    Raises:
        ValueError: A file is missing or refused, or does not fit the model, which is then unchanged
            as a whole.
    """
    source = f"'{path}'"
    places = _read_map(path)
    folder = os.path.dirname(os.path.abspath(path))
    groups: dict[str, dict[str, ArrayInFile]] = {}
    with contextlib.ExitStack() as stack:
        opened: dict[str, Any] = {}
        for group, names in places.items():
            for name in names:
                if name not in opened:
                    shard = os.path.join(folder, name)
                    if not os.path.isfile(shard):
                        raise ValueError(f"{source}: expected the file '{name}' beside it.")
                    opened[name] = stack.enter_context(open_hdf5(shard, f"'{shard}'"))
                found = opened[name].groups.get(group, {})
                own = groups.setdefault(group, {})
                twice = sorted(own.keys() & found.keys())
                if twice:
                    raise ValueError(
                        f"{source} is refused: '{group}/{twice[0]}' is in two of its files."
                    )
                own.update(found)
        restore_state(groups, model, source, skip_mismatch, skipped)


def _read_map(path: str) -> dict[str, list[str]]:
    """Returns the names of the shards for each group."""
    source = f"'{path}'"
    if os.path.getsize(path) > MAX_BYTES:
        raise ValueError(f"{source}: expected at most {MAX_BYTES} bytes.")
    with open(path, "rb") as file:
        found = parse_json(file.read(MAX_BYTES + 1), source)
    places = found.get("weight_map") if isinstance(found, dict) else None
    if not isinstance(places, dict):
        raise ValueError(f"{source}: expected a map of weights to files. Received: {found!r:.100}.")
    checked = {}
    for group, names in places.items():
        checked[group.strip("/")] = list(_shard_names(names, group, source))
    count = len({name for names in checked.values() for name in names})
    if count > MAX_SHARDS:
        raise ValueError(f"{source}: expected at most {MAX_SHARDS} files. Received: {count}.")
    return checked


# One file name: no separators, drives or streams, and no leading dot.
_NAME = re.compile(r"[^/\\:\0.][^/\\:\0]*\.weights\.h5", re.DOTALL)


def _shard_names(names: Any, group: str, source: str) -> Iterator[str]:
    for name in names if isinstance(names, list) else [names]:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ValueError(
                f"{source} is refused: it names {name!r:.200} for {group!r:.200}, expected the "
                f"name of a `{_SHARD_ENDING}` file beside it."
            )
        yield name


def _shards_of_map(path: str) -> set[str]:
    """Returns the shards of the save that is replaced: of a map in order, names of its own."""
    if not os.path.isfile(path):
        return set()
    base = os.path.basename(path).removesuffix(ENDING)
    try:
        places = _read_map(path)
    except (OSError, ValueError):
        return set()
    own = re.compile(re.escape(base) + r"_\d{5}(_[0-9a-f]{8})?" + re.escape(_SHARD_ENDING))
    return {name for names in places.values() for name in names if own.fullmatch(name)}
