"""A model that pronghorn and Keras exchange, and what each of them records of it.

Nothing here imports either library: everything takes it as an argument. `keras_worker.py` runs this
in an interpreter that has Keras, the tests run it here.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np

# GiB of a shard of weights: a few for each of the models.
SHARD_SIZE = 900 / 2**30


@dataclasses.dataclass(frozen=True)
class ExchangeCase:
    """A model and data for it.

    Args:
        name: Name of the case.
        make: Function of the library that returns the model, compiled if it is to be trained.
        inputs: Function that returns what the model is called on.
        trained: Whether training steps are compared.
        steps: Training steps before the model is saved.
        labels: Function of the outputs that returns what they are to become.
        custom: Function of the library that returns the `custom_objects` for loading.
        backend: `"tensorflow"` if Keras needs it for the case, whatever backend it has; `"jax"` if
            Keras computes something else on TensorFlow.
        more: Function of a model that returns more arrays to compare.
        unit: Relative rounding of the numbers.
        left_out: Regular expression of what is not compared.
    """

    name: str
    make: Callable[[Any], Any]
    inputs: Callable[[], Any]
    trained: bool = True
    steps: int = 2
    labels: Callable[[Any], Any] | None = None
    custom: Callable[[Any], dict[str, Any]] | None = None
    backend: str | None = None
    more: Callable[[Any], dict[str, Any]] | None = None
    unit: float = 2.0**-23
    left_out: str = "seed_generator"


def made(keras: Any, case: ExchangeCase) -> Any:
    """Returns the model of a case after its first training steps."""
    keras.utils.set_random_seed(1)
    model = case.make(keras)
    spread(model)
    if case.trained:
        for _ in range(case.steps):
            step(keras, case, model)
    return model


def spread(model: Any) -> None:
    """Gives all weights other values than a fresh model has."""
    rng = np.random.default_rng(3)
    for w in model.weights:
        if "float" not in str(w.dtype) or w.name in ("mean", "variance"):  # of a Normalization
            continue
        value = rng.standard_normal(tuple(w.shape)) * 0.3
        if "variance" in w.name or "stddev" in w.name:
            value = np.abs(value) + 0.5
        w.assign(value.astype("float32"))


def step(keras: Any, case: ExchangeCase, model: Any) -> None:
    """Trains a model on one batch."""
    x = case.inputs()
    labels = case.labels(keras) if case.labels is not None else _labels(keras, model, x)
    model.train_on_batch(x, labels)


def _labels(keras: Any, model: Any, x: Any) -> Any:
    rng = np.random.default_rng(5)
    return keras.tree.map_structure(
        lambda y: rng.standard_normal(y.shape).astype("float32"), model.predict(x, verbose=0)
    )


def record(keras: Any, case: ExchangeCase, model: Any) -> dict[str, np.ndarray]:
    """Returns predictions, weights, the optimizer's variables, and these after one more step."""
    found: dict[str, np.ndarray] = {}
    config = json.dumps(keras.saving.serialize_keras_object(model), sort_keys=True)
    found["config"] = np.array(config)
    if case.more is not None:
        found.update({key: _plain(value) for key, value in case.more(model).items()})
    _record_state(keras, case, model, found, "before")
    if case.trained:
        step(keras, case, model)
        _record_state(keras, case, model, found, "after")
    return found


def _record_state(
    keras: Any, case: ExchangeCase, model: Any, found: dict[str, np.ndarray], when: str
) -> None:
    outputs = model.predict(case.inputs(), verbose=0)
    for i, y in enumerate(keras.tree.flatten(outputs)):
        found[f"{when}/output/{i}"] = _plain(y)
    for i, w in enumerate(model.weights):
        if not re.search(case.left_out, w.path):
            found[f"{when}/weight/{i}/{w.name}"] = _plain(w)
    found[f"{when}/trainable"] = np.array([w.trainable for w in model.weights])
    if case.trained:
        for i, v in enumerate(model.optimizer.variables):
            if not re.search(case.left_out, f"optimizer/{i}/{v.name}"):
                found[f"{when}/optimizer/{i}"] = _plain(v)


def _plain(value: Any) -> np.ndarray:
    if hasattr(value, "numpy"):
        value = value.numpy()
    array = np.asarray(value)
    return array.astype("float32") if array.dtype.name == "bfloat16" else array
