"""What is fuzzed, one line for each reader: valid files, how they are changed, how they are opened.

An opener gets the path of a changed file and returns a model that can predict and be saved, or
None. A new reader is a new line of `TARGETS`.
"""

from __future__ import annotations

import dataclasses
import io
import json
import os
import shutil
from collections.abc import Callable
from random import Random
from typing import Any

from fuzz import byte_strings, containers, seeds


@dataclasses.dataclass(frozen=True)
class Target:
    """A reader.

    Args:
        ending: Ending of the files.
        seeds: Returns valid files by name.
        mutate: Changes one.
        open: Opens one.
    """

    ending: str
    seeds: Callable[[], dict[str, bytes]]
    mutate: Callable[[bytes, Random, list[Any], list[str]], bytes]
    open: Callable[[str], Any]


def _load_model(path: str) -> Any:
    import pronghorn as keras

    return keras.saving.load_model(path)


def _load_weights(path: str) -> Any:
    """Loads weights into the first of the models; a file that is refused leaves it as it was."""
    model = _fresh_model()
    before = model.get_weights()
    try:
        model.load_weights(path)
    except ValueError:
        after = model.get_weights()
        assert all(a.tobytes() == b.tobytes() for a, b in zip(before, after)), "weights changed"
        raise
    return model


def _fresh_model() -> Any:
    if not _models:
        _models.append(seeds._compiled("convolutions"))
    return _models[0]


_models: list[Any] = []


def _model_from_json(path: str) -> Any:
    import pronghorn as keras

    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return keras.models.model_from_json(file.read())


def _layer_from_config(path: str) -> Any:
    """Makes an object of a configuration: by `deserialize`, and by the `from_config` of a class."""
    import pronghorn as keras

    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        config = json.load(file)
    found = keras.saving.deserialize_keras_object(config)
    if isinstance(found, keras.layers.Layer):
        type(found).from_config(config["config"])
    return None


def _restore(path: str) -> Any:
    import pronghorn as keras

    folder = os.path.join(os.path.dirname(path), "backup")
    os.makedirs(folder, exist_ok=True)
    shutil.copy(path, os.path.join(folder, "latest.backup.h5"))
    model, x, y = seeds.training()
    backup = keras.callbacks.BackupAndRestore(folder)
    model.fit(x, y, batch_size=4, epochs=2, verbose=0, callbacks=[backup])
    return model


def _inspect(path: str) -> Any:
    """`pronghorn info` and `scan`: what scan does not refuse may still be refused by the loader."""
    import contextlib

    from pronghorn.cli import main

    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        for command in ("info", "scan"):
            code = main([command, "--json", path])
            assert code in (0, 1), f"{command} ended with {code}"
    printed.getvalue().encode("utf-8")
    return None


def _json_seeds() -> dict[str, bytes]:
    models = (c for c in seeds.configs() if "layers" in str(c.get("config"))[:2000])
    return {f"{i}": json.dumps(c).encode() for i, c in enumerate(models)}


def _config_seeds() -> dict[str, bytes]:
    return {f"{i}": json.dumps(c).encode() for i, c in enumerate(seeds.configs())}


def _archives() -> dict[str, bytes]:
    old = {n: d for n, d in seeds.corpus().items() if n.endswith(".keras")}
    return {**seeds.own(".keras"), **old}


def _old_files() -> dict[str, bytes]:
    return {n: d for n, d in seeds.corpus().items() if n.endswith(".h5")}


def _onnx_files() -> dict[str, bytes]:
    try:
        import onnx.checker  # noqa: F401  (tests/onnx is found as `onnx`, too)
    except ImportError:
        return {}
    return seeds.exported()


def _first(ending: str) -> Callable[[], dict[str, bytes]]:
    return lambda: {"convolutions": seeds.own(ending)["convolutions"]}


def _config_only(data: bytes, random: Random, pool: list[Any], names: list[str]) -> bytes:
    if random.random() < 0.05:
        return byte_strings.mutate(data, random)
    return containers.mutate_json(data, random, pool, names)


TARGETS: dict[str, Target] = {
    "keras": Target(".keras", _archives, containers.mutate_zip, _load_model),
    "h5": Target(".h5", _old_files, containers.mutate_hdf5, _load_model),
    "json": Target(".json", _json_seeds, _config_only, _model_from_json),
    "config": Target(".json", _config_seeds, _config_only, _layer_from_config),
    "weights": Target(".weights.h5", _first(".weights.h5"), containers.mutate_hdf5, _load_weights),
    "safetensors": Target(
        ".safetensors", _first(".safetensors"), containers.mutate_safetensors, _load_weights
    ),
    "npz": Target(".npz", _first(".npz"), containers.mutate_npz, _load_weights),
    "backup": Target(".h5", seeds.backups, containers.mutate_hdf5, _restore),
    "onnx": Target(".onnx", _onnx_files, containers.mutate_bytes, _load_model),
    "scan": Target(".keras", _archives, containers.mutate_zip, _inspect),
    "scan_h5": Target(".h5", _old_files, containers.mutate_hdf5, _inspect),
}


def changed_file(name: str, random: Random) -> bytes:
    """Returns a changed file for a target; none for one whose library is missing."""
    target = TARGETS[name]
    files = target.seeds()
    if not files:
        return b""
    data = files[random.choice(sorted(files))]
    return target.mutate(data, random, seeds.configs(), seeds.names())
