"""`KerasFileEditor`: looks at and changes the arrays in a file of weights, without its model."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from pronghorn.array_in_file import ArrayInFile
from pronghorn.saving.archive import Archive
from pronghorn.saving.atomic_write import atomic_write
from pronghorn.saving.checked_hdf5 import CheckedHdf5, open_hdf5
from pronghorn.saving.file_notes import write_note
from pronghorn.saving.hdf5_arrays import new_hdf5, write_array
from pronghorn.saving.state_groups import state_groups
from pronghorn.saving.weights_h5 import VARIABLES, expected_shapes
from pronghorn.tensor import Tensor, convert_to_tensor
from pronghorn.utils.output import print_msg


class KerasFileEditor:
    """The objects in a `.keras` or `.weights.h5` file and their arrays, to look at and to change.

    An object is a layer, an optimizer or a metric; its path is its place in the model, such as
    `"layers/dense"`. Where one object alone ends in `/dense`, `"dense"` names it too.

    Args:
        filepath: Path of a `.keras` or `.weights.h5` file, which stays as it is.

    Raises:
        ValueError: Another ending, or the file is refused.
        FileNotFoundError: There is no such file.

    Example:

    >>> import os, tempfile
    >>> import pronghorn as keras
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    >>> path = os.path.join(tempfile.mkdtemp(), "m.weights.h5")
    >>> model.save_weights(path)
    >>> editor = keras.saving.KerasFileEditor(path)
    >>> editor.summary()
    Weights structure
    layers
      dense
        0: shape=(3, 2), dtype=float32
        1: shape=(2,), dtype=float32
    >>> editor.rename_object("dense", "classifier")
    >>> editor.save(path)
    """

    def __init__(self, filepath: Any) -> None:
        path = str(os.fspath(filepath))
        if not path.endswith((".keras", ".weights.h5")):
            raise ValueError(
                "Invalid filename: expected a `.keras` or `.weights.h5` extension. "
                f"Received: filepath={path}"
            )
        if not os.path.isfile(path):
            raise FileNotFoundError(
                f"KerasFileEditor: expected an existing file. Received: filepath={path}."
            )
        self.filepath = path
        self._objects: dict[str, dict[str, Any]] = {}
        self._notes: dict[str, bytes] = {}
        source = f"'{path}'"
        if path.endswith(".keras"):
            with (
                Archive(path) as archive,
                archive.open_weights() as file,
                open_hdf5(file, source) as opened,
            ):
                self._read(opened)
        else:
            with open_hdf5(path, source) as opened:
                self._read(opened)

    def _read(self, file: CheckedHdf5) -> None:
        for path, arrays in file.groups.items():
            parent, _, last = path.rpartition("/")
            if last == VARIABLES:
                self._objects[parent] = {key: _value(array) for key, array in arrays.items()}
                self._notes[parent] = file.attributes[path].get("name", b"")
            elif path:
                self._objects.setdefault(path, {})
                if arrays:
                    raise ValueError(
                        f"{file.source}: expected arrays in groups called '{VARIABLES}'. "
                        f"Received: '{path}/{next(iter(arrays))}'."
                    )

    @property
    def weights_dict(self) -> dict[str, Any]:
        """Arrays and inner objects of each object, as nested dicts."""
        found: dict[str, Any] = {}
        for path, arrays in sorted(self._objects.items()):
            if not arrays and not any(self._below(path)):
                continue
            at = found
            for name in path.split("/") if path else ():
                at = at.setdefault(name, {})
            at.update(arrays)
        return found

    def _below(self, path: str) -> list[str]:
        """The objects inside of an object that have arrays."""
        return [p for p, arrays in self._objects.items() if arrays and p.startswith(f"{path}/")]

    def summary(self) -> None:
        """Prints the objects and the shapes and dtypes of their arrays."""
        print_msg("Weights structure")
        _print(self.weights_dict, "")

    def compare(self, reference_model: Any) -> dict[str, Any]:
        """Prints and returns how the file differs from what a model would read.

        Args:
            reference_model: A built model.

        Returns:
            `{"status": "success" or "error", "error_count": ..., "match_count": ...}`, where
            arrays are counted.
        """
        wanted = {
            group: expected_shapes(owner, self._objects.get(group, {}))
            for group, owner in state_groups(reference_model)
        }
        wanted = {group: shapes for group, shapes in wanted.items() if shapes}
        stored = {path: arrays for path, arrays in self._objects.items() if arrays}
        problems = [f"Object {p} is in the file, not in the model" for p in stored.keys() - wanted]
        problems += [f"Object {p} is in the model, not in the file" for p in wanted.keys() - stored]
        matches = 0
        for path in wanted.keys() & stored.keys():
            shapes = {key: tuple(value.shape) for key, value in stored[path].items()}
            for key in sorted(shapes.keys() | wanted[path].keys()):
                here, there = wanted[path].get(key), shapes.get(key)
                matches += here == there
                if here != there:
                    problems.append(f"Array {path}/{key}: model {here}, file {there}")
        print_msg("Running comparison")
        for problem in sorted(problems):
            print_msg(f"  {problem}")
        status = "error" if problems else "success"
        print_msg(
            f"Found {len(problems)} differences: the model cannot read the file"
            if problems
            else "The model can read the file"
        )
        return {"status": status, "error_count": len(problems), "match_count": matches}

    def rename_object(self, object_name: str, new_name: str) -> None:
        """Gives an object another name in its container.

        Args:
            object_name: Path or name of the object.
            new_name: Its new name, without `/`.

        Raises:
            ValueError: There is no such object, or several, or one of the new name.
        """
        path = self._path(object_name)
        if not new_name or "/" in new_name:
            raise ValueError(
                f"Argument `new_name` should not be a path, but a name. Received: '{new_name}'"
            )
        parent = path.rpartition("/")[0]
        target = f"{parent}/{new_name}" if parent else new_name
        self._refuse_existing(target)
        for notes in (self._objects, self._notes):
            _move(notes, path, target)

    def delete_object(self, object_name: str) -> None:
        """Removes an object, with the objects inside of it.

        Args:
            object_name: Path or name of the object.

        Raises:
            ValueError: There is no such object, or several.
        """
        path = self._path(object_name)
        for key in [p for p in self._objects if p == path or p.startswith(f"{path}/")]:
            del self._objects[key]
            self._notes.pop(key, None)

    def add_object(self, object_path: str, weights: Mapping[str, Any]) -> None:
        """Adds an object.

        Args:
            object_path: Its whole path; what it is inside of is there already.
            weights: Its arrays by name, such as `{"0": kernel, "1": bias}`.

        Raises:
            ValueError: Something of that path is there, what it would be inside of is not, or
                `weights` are no arrays.
        """
        path = object_path.strip("/")
        parent = path.rpartition("/")[0]
        if not path:
            raise ValueError(f"Argument `object_path` should be a path. Received: '{object_path}'")
        if parent and parent not in self._objects:
            raise ValueError(
                f"Parent '{parent}' does not appear in the file. Received: "
                f"object_path='{object_path}'. Objects: {', '.join(self._objects)}."
            )
        self._refuse_existing(path)
        self._objects[path] = _checked(weights)

    def delete_weight(self, object_name: str, weight_name: str) -> None:
        """Removes an array of an object.

        Args:
            object_name: Path or name of the object.
            weight_name: Name of the array.

        Raises:
            ValueError: There is no such object or array, or several objects.
        """
        path = self._path(object_name)
        if weight_name not in self._objects[path]:
            raise ValueError(
                f"Weight '{weight_name}' does not appear in object '{path}'. Received: it has "
                f"{list(self._objects[path])}."
            )
        del self._objects[path][weight_name]

    def add_weights(self, object_name: str, weights: Mapping[str, Any]) -> None:
        """Adds arrays to an object.

        Args:
            object_name: Path or name of the object.
            weights: Arrays by name.

        Raises:
            ValueError: There is no such object, or several; an array of a name is there; or
                `weights` are no arrays.
        """
        path = self._path(object_name)
        new = _checked(weights)
        there = [name for name in new if name in self._objects[path]]
        if there:
            raise ValueError(f"Object '{path}' has the weights {there} already. Delete them first.")
        self._objects[path] |= new

    def save(self, filepath: Any) -> None:
        """Writes the arrays to a `.weights.h5` file.

        Args:
            filepath: Path of the file, which may be the one that was opened.

        Raises:
            ValueError: Another ending.
        """
        path = str(os.fspath(filepath))
        if not path.endswith(".weights.h5"):
            raise ValueError(
                "Invalid `filepath` argument: expected a `.weights.h5` extension. "
                f"Received: filepath={path}"
            )
        with atomic_write(path) as beside, new_hdf5(beside) as file:
            write_note(file)
            for group, arrays in self._objects.items():
                target = file.require_group(f"{group}/{VARIABLES}" if group else VARIABLES)
                if self._notes.get(group):
                    target.attrs["name"] = self._notes[group].decode("utf-8", "replace")
                for key, value in arrays.items():
                    write_array(target, key, value)

    def resave_weights(self, filepath: Any) -> None:
        """The same as `save`."""
        self.save(filepath)

    def _path(self, name: str) -> str:
        wanted = name.strip("/")
        if wanted in self._objects:
            return wanted
        found = [path for path in self._objects if path.endswith(f"/{wanted}")]
        if len(found) > 1:
            raise ValueError(
                f"Name '{name}' occurs more than once in the model; try passing a complete path. "
                f"Received: one of {', '.join(found)}."
            )
        if not found:
            raise ValueError(
                f"Source name '{name}' does not appear in the model. `summary()` lists all "
                f"objects: {', '.join(self._objects)}."
            )
        return found[0]

    def _refuse_existing(self, path: str) -> None:
        if path in self._objects:
            raise ValueError(f"An object '{path}' is there already. Received: '{path}'.")


def _value(array: ArrayInFile) -> Any:
    values = np.asarray(array)
    # NumPy has no bfloat16.
    return convert_to_tensor(values, "bfloat16") if array.tensor_dtype == "bfloat16" else values


def _checked(weights: Any) -> dict[str, Any]:
    if not isinstance(weights, Mapping):
        raise ValueError(
            "Argument `weights` should be a dict of arrays by name. "
            f"Received: {type(weights).__name__}."
        )
    found: dict[str, Any] = {}
    for name, value in weights.items():
        if not isinstance(name, str) or not name or "/" in name or name in (".", ".."):
            raise ValueError(f"Names of weights should be plain text. Received: {name!r}.")
        array = value if isinstance(value, Tensor) else np.asarray(value)
        if isinstance(array, np.ndarray) and array.dtype.kind not in "fiub":
            raise ValueError(f"Weight '{name}' should hold numbers. Received: {array.dtype}.")
        found[name] = array
    return found


def _move(paths: dict[str, Any], old: str, new: str) -> None:
    for path in [p for p in paths if p == old or p.startswith(f"{old}/")]:
        paths[new + path[len(old) :]] = paths.pop(path)


def _print(weights: Mapping[str, Any], indent: str) -> None:
    for name, value in weights.items():
        if isinstance(value, Mapping):
            print_msg(f"{indent}{name}")
            _print(value, indent + "  ")
        else:
            print_msg(f"{indent}{name}: shape={tuple(value.shape)}, dtype={value.dtype}")
