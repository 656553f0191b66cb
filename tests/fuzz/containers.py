"""Mutations of the containers that models are stored in: zip archives, HDF5, safetensors, npz."""

from __future__ import annotations

import contextlib
import io
import json
import warnings
import zipfile
from collections.abc import Callable
from random import Random
from typing import Any

import h5py
import numpy as np

from fuzz import byte_strings, json_trees

Mutator = Callable[[bytes, Random, list[Any], list[str]], bytes]
_NAMES = [
    *("config.json", "metadata.json", "model.weights.h5", "assets/", "assets/x", "../x", "/x"),
    *("a\\b", "c:x", "x/y", "", ".", "assets/../../x", "assets/layers/x/vocabulary.txt", "é", "\0"),
]


def config_text(config: Any, random: Random) -> bytes:
    """Returns a configuration as JSON text, seldom not quite JSON."""
    text = json.dumps(config).encode()
    kind = random.randrange(40)
    if kind == 0:
        return byte_strings.mutate(text, random)
    if kind == 1:
        return text.replace(b"1", random.choice([b"1e999", b"1" * 5000, b"-0", b"0x1", b"1."]), 1)
    if kind == 2:
        return text.replace(b"{", b'{"name": 1, "name": 2, ', 1)
    return text


def mutate_json(data: bytes, random: Random, pool: list[Any], names: list[str]) -> bytes:
    """Returns JSON text with its tree changed."""
    return config_text(json_trees.mutate(json.loads(data), random, pool, names), random)


def mutate_bytes(data: bytes, random: Random, pool: list[Any], names: list[str]) -> bytes:
    """Returns changed bytes of a file whose structure is not taken apart here."""
    return byte_strings.mutate(data, random)


def mutate_zip(data: bytes, random: Random, pool: list[Any], names: list[str]) -> bytes:
    """Returns a `.keras` archive with members or its structure changed."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    kind = random.randrange(20)
    if kind < 13:
        members["config.json"] = mutate_json(members["config.json"], random, pool, names)
    elif kind < 15:
        members["model.weights.h5"] = mutate_hdf5(members["model.weights.h5"], random, pool, names)
    elif kind == 15:
        members["metadata.json"] = mutate_json(members["metadata.json"], random, pool, names)
    elif kind == 16:
        name = random.choice(list(members))
        members[name] = byte_strings.mutate(members[name], random)
    elif kind == 17:
        name = random.choice(list(members))
        members[random.choice(_NAMES)] = members.pop(name)
    pairs = list(members.items())
    if kind == 18:
        pairs.insert(random.randrange(len(pairs) + 1), random.choice(pairs))
        pairs[-1] = (random.choice(_NAMES), pairs[-1][1])
    method = random.choice([zipfile.ZIP_STORED] * 4 + [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
    written = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # duplicate names
        with zipfile.ZipFile(written, "w", method) as archive:
            for name, content in pairs:
                archive.writestr(name.rstrip("\0") or "x", content)
    result = written.getvalue()
    return byte_strings.mutate(result, random) if kind == 19 else result


def mutate_hdf5(data: bytes, random: Random, pool: list[Any], names: list[str]) -> bytes:
    """Returns an HDF5 file with objects, attributes or bytes changed."""
    if random.random() < 0.5:
        return byte_strings.mutate(data, random)
    held = io.BytesIO(data)
    with h5py.File(held, "r+") as file:
        objects: list[str] = []
        file.visit(objects.append)
        for _ in range(random.choice([1, 1, 2, 3])):
            name = random.choice(objects or ["/"])
            with contextlib.suppress(RuntimeError, KeyError):  # a path through links of before
                if name in file:
                    random.choice(_HDF5_CHANGES)(file, name, random)
        for name in ("model_config", "training_config"):
            text = file.attrs.get(name)
            text = text.encode(errors="replace") if isinstance(text, str) else text
            if isinstance(text, bytes) and text[:1] == b"{" and random.random() < 0.7:
                changed = mutate_json(text, random, pool, names)
                file.attrs[name] = np.bytes_(changed) if len(changed) < 60000 else changed.decode()
    return held.getvalue()


def _array(random: Random) -> Any:
    shape = random.choice([(), (0,), (1,), (3,), (3, 2), (4, 8), (2, 3, 4), (1, 1, 1, 1), (1000,)])
    dtype = random.choice(["f4", "f8", "f2", "i4", "u1", "b1", "S3", "V2", "c8", ">f4", "i8"])
    return np.zeros(shape, dtype)


def _replace(file: Any, name: str, random: Random) -> None:
    parent = file[name].parent
    del file[name]
    if parent.name and name.rpartition("/")[2]:
        parent[name.rpartition("/")[2]] = _array(random)


def _delete(file: Any, name: str, random: Random) -> None:
    del file[name]


def _link(file: Any, name: str, random: Random) -> None:
    del file[name]
    link: Any = random.choice(
        [h5py.SoftLink("/"), h5py.ExternalLink("/etc/passwd", "/"), h5py.SoftLink(name), file["/"]]
    )
    file[name] = link


def _special(file: Any, name: str, random: Random) -> None:
    del file[name]
    kind = random.randrange(6)
    if kind == 0:
        file.create_dataset(name, (10**6, 10**6), "f4")
    elif kind == 1:
        file.create_dataset(name, (10**4, 10**4), "f4", chunks=(100, 100), compression="gzip")
    elif kind == 2:
        file.create_dataset(name, (3, 2), dtype=h5py.string_dtype())
    elif kind == 3:
        file.create_dataset(name, (3, 2), dtype=np.dtype([("a", "f4"), ("b", "i4", (3,))]))
    elif kind == 4:
        file.create_dataset(name, data=np.zeros((300, 200), "f4"), compression="gzip", shuffle=True)
    else:
        file.create_dataset(name, (1,), "f4", maxshape=(None,), chunks=(10**6,), compression="gzip")


def _attribute(file: Any, name: str, random: Random) -> None:
    owner = random.choice([file, file[name]])
    key = random.choice([*owner.attrs, "name", "dtype", "layer_names", "weight_names", "run", "x"])
    values = [
        *("", "bfloat16", b"\xff\xfe", "x" * 5000, 7, float("nan"), [b"a", b"b"], [1, 2]),
        *(np.zeros((3, 0)), h5py.Empty("f4"), ["dense", "dense"], np.zeros(3, "V5"), "../x", "a/b"),
    ]
    owner.attrs[key] = random.choice(values)


def _rename(file: Any, name: str, random: Random) -> None:
    target = random.choice(["0", "1", "vars", "x", "layers", "é", "9" * 50])
    parent = file[name].parent
    if target not in parent:
        file.move(name, f"{parent.name}/{target}")


_HDF5_CHANGES = [_replace, _replace, _delete, _link, _special, _special, _attribute, _rename]


def mutate_safetensors(data: bytes, random: Random, pool: list[Any], names: list[str]) -> bytes:
    """Returns a safetensors file with its header or bytes changed."""
    if random.random() < 0.3:
        return byte_strings.mutate(data, random)
    length = int.from_bytes(data[:8], "little")
    text = mutate_json(data[8 : 8 + length], random, pool, names)
    length = len(text) + random.choice([0] * 12 + [-1, 1, 2**31, 2**63])
    return (length % 2**64).to_bytes(8, "little") + text + data[8 + len(text) :]


def mutate_npz(data: bytes, random: Random, pool: list[Any], names: list[str]) -> bytes:
    """Returns an npz archive with members, their headers or bytes changed."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = random.choice(list(members))
    kind = random.randrange(6)
    if kind == 0:
        members[name] = byte_strings.mutate(members[name], random)
    elif kind == 1:
        members[random.choice([*_NAMES, "x.npy"])] = members.pop(name)
    elif kind < 5:
        members[name] = _npy(random)
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", random.choice([0, zipfile.ZIP_DEFLATED])) as archive:
        for key, content in members.items():
            archive.writestr(key.rstrip("\0") or "x", content)
    return byte_strings.mutate(written.getvalue(), random) if kind == 5 else written.getvalue()


def _npy(random: Random) -> bytes:
    shape = random.choice(
        ["()", "(4,)", "(-1,)", "(-1, -4)", "(2**9,)", "(10000000000,)", "'x'", "((1,),)", "(1.5,)"]
    )
    descr = random.choice(["'<f4'", "'|O'", "[('a', '<f4')]", "'<f4,<f4'", "'<U9'", "7", "'>f8'"])
    order = random.choice(["True", "False", "None", "(" * 90 + ")" * 90, "-" * 5000 + "1"])
    text = f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n".encode()
    version = random.choice([1, 1, 2, 3, 9])
    size = len(text).to_bytes(2 if version == 1 else 4, "little")
    return b"\x93NUMPY" + bytes([version, 0]) + size + text + b"\0" * 16
