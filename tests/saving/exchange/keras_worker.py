"""Runs in an interpreter that has Keras: makes models and opens files, as lines of JSON ask.

Each line of the input is a request, `{"do": ..., "case": name, "path": file, "out": file}`, see
`KerasProcess.ask`; the answer is a line `{"ok": true}`, `{"missing": what to do}` or
`{"error": text}` on the output. What was recorded of the model is in the `.npz` file `out`.
"""

from __future__ import annotations

import importlib.util
import json
import os
import pathlib
import sys
import traceback
from typing import Any

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parent))
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what a library prints is no answer

BACKENDS = [b for b in ("tensorflow", "jax", "torch") if importlib.util.find_spec(b) is not None]
if BACKENDS:
    os.environ.setdefault("KERAS_BACKEND", BACKENDS[0])

import keras  # noqa: E402
from exchange_case import SHARD_SIZE, made, record  # noqa: E402
from exchange_cases import find_case  # noqa: E402


def application(name: str, path: str, out: str) -> None:
    """Writes a model of `keras.applications` with random weights and statistics in each format."""
    keras.utils.set_random_seed(1)
    options = {"classes": 10, "classifier_activation": None}
    size = 224 if name in ("NASNetMobile", "VGG16") else 128
    model = getattr(keras.applications, name)(weights=None, input_shape=(size, size, 3), **options)
    rng = np.random.default_rng(2)
    parts = ("gamma", "beta", "moving", "bias")
    for w in model.weights:
        if any(part in w.name for part in parts):
            low = 0.5 if "gamma" in w.name or "variance" in w.name else -0.5
            w.assign(rng.uniform(low, low + 1.0, tuple(w.shape)).astype("float32"))
    x = rng.uniform(0, 255, (2, size, size, 3)).astype("float32")
    model.save(f"{path}.keras")
    model.save(f"{path}.h5")
    model.save_weights(f"{path}.weights.h5")
    np.savez(out, x=x, y=model.predict(x, verbose=0))


def objects(path: str, out: str) -> None:
    """Makes objects, and others of the configurations that pronghorn gave for the same ones."""
    found = []
    for namespace, name, args, config in json.loads(pathlib.Path(path).read_text()):
        module = keras
        for part in namespace.split("."):
            module = getattr(module, part)
        try:
            made_here = keras.saving.serialize_keras_object(getattr(module, name)(**args))
            again = keras.saving.deserialize_keras_object(config)
            found.append([made_here, keras.saving.serialize_keras_object(again)])
        except Exception as error:  # noqa: BLE001  (the test shows it)
            found.append([None, f"{type(error).__name__}: {error}"])
    pathlib.Path(out).write_text(json.dumps(found))


def run(request: dict[str, Any]) -> dict[str, Any]:
    if request["do"] == "application":
        application(request["case"], request["path"], request["out"])
        return {"ok": True}
    if request["do"] == "objects":
        objects(request["path"], request["out"])
        return {"ok": True}
    case = find_case(request["case"])
    if case.backend == "tensorflow" and "tensorflow" not in BACKENDS:
        return {"missing": "pip install tensorflow"}
    if case.backend == "jax" and keras.backend.backend() == "tensorflow":
        return {"missing": "KERAS_BACKEND=jax"}
    keras.backend.clear_session()
    custom = case.custom(keras) if case.custom is not None else None
    if request["do"] in ("write", "write_shards", "read_shards"):
        model = made(keras, case)
    if request["do"] == "write":
        model.save(request["path"])
    elif request["do"] == "write_shards":
        model.save_weights(request["path"], max_shard_size=SHARD_SIZE)
    elif request["do"] == "read_shards":
        for v in [*model.weights, *model.optimizer.variables]:
            v.assign(v * 0)
        model.load_weights(request["path"])
    else:
        model = keras.saving.load_model(request["path"], custom_objects=custom)
    np.savez(request["out"], **record(keras, case, model))
    return {"ok": True}


for line in sys.stdin:
    try:
        answer = run(json.loads(line))
    except ImportError as error:
        answer = {"missing": str(error)}
    except Exception:  # noqa: BLE001  (the test that asked shows it)
        answer = {"error": traceback.format_exc()}
    print(json.dumps(answer), file=answers, flush=True)
