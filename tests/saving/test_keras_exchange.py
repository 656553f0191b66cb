"""Models that Keras writes and pronghorn opens, and the other way round: the same in both.

Predictions, weights, the optimizer's variables and the compile settings, and all of these after one
more training step. Keras runs in a process of its own: see `keras_process`.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import layers

pytest.importorskip("h5py")
from keras_process import EXCHANGE, keras_process  # noqa: E402, F401  (a fixture)

sys.path.insert(0, str(EXCHANGE))
from exchange_case import SHARD_SIZE, ExchangeCase, made, record  # noqa: E402
from exchange_cases import CASES  # noqa: E402
from exchange_layers import ELSEWHERE, ROWS  # noqa: E402

# Sums of a few hundred products, and a step of training whose gradients have as many again; in 16
# bits the sums themselves have 32.
ROUNDINGS = 512


def compare(case: ExchangeCase, found: dict[str, Any], expected: dict[str, Any]) -> None:
    pair = _settings(found.pop("config")), _settings(expected.pop("config"))
    assert list(_differences(*pair, "")) == []
    assert sorted(found) == sorted(expected)
    roundings = ROUNDINGS if case.unit < 1e-6 else 4
    for key, value in expected.items():
        assert found[key].dtype.kind == value.dtype.kind, key
        if value.dtype.kind != "f":
            np.testing.assert_array_equal(found[key], value, err_msg=key)
            continue
        scale = max(1.0, float(np.max(np.abs(value), initial=0.0)))
        atol = roundings * case.unit * scale
        np.testing.assert_allclose(found[key], value, rtol=0, atol=atol, err_msg=key)


def _settings(config: np.ndarray) -> Any:
    return _plain_settings(json.loads(str(config)))


def _differences(found: Any, expected: Any, path: str) -> Iterator[str]:
    if isinstance(found, dict) and isinstance(expected, dict):
        for key in sorted({*found, *expected}):
            yield from _differences(found.get(key), expected.get(key), f"{path}.{key}")
    elif isinstance(found, list) and isinstance(expected, list) and len(found) == len(expected):
        for i, (a, b) in enumerate(zip(found, expected)):
            yield from _differences(a, b, f"{path}[{i}]")
    elif found != expected:
        yield f"{path}: {found} is not {expected}"


def _plain_settings(value: Any) -> Any:
    """Returns a configuration without what depends on the moment, or on the backend of Keras."""
    if isinstance(value, list):
        return [_plain_settings(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {k: _plain_settings(v) for k, v in value.items()}
    if kept.get("build_config") in ({"input_shape": None}, {}):  # of graphs, built by themselves
        del kept["build_config"]
    compiled = kept.pop("compile_config", None)
    if compiled:
        kept["compile_config"] = {**compiled, "jit_compile": None}
    if "args" in kept and "kwargs" in kept:
        # Arguments that a layer gets without being asked; Keras notes them in some calls.
        left_out = ("training", "mask", "query_mask", "value_mask", "key_mask")
        kept["kwargs"] = {k: v for k, v in kept["kwargs"].items() if k not in left_out}
    config = kept.get("config")
    if value.get("class_name") in ("IntegerLookup", "StringLookup"):  # Keras does not use it
        kept["config"] = {**config, "dtype": None, "oov_method": None}
    if value.get("class_name") == "RandomShear":  # Keras writes factors that it does not read
        kept["config"] = {**config, "x_factor": None, "y_factor": None}
    if value.get("class_name") in ("RandomColorDegeneration", "RandomSaturation"):
        kept["config"] = {**config, "factor": None}  # docs/differences.md: the range of one number
    if value.get("class_name") == "Pad":
        kept["config"] = {"mode": "constant", **config}
        kept.pop("inbound_nodes")  # where the value of the padding may be an argument, or not
    return kept


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_keras_opens(case: ExchangeCase, keras_process: Any, tmp_path) -> None:  # noqa: F811
    path = tmp_path / "model.keras"
    model = made(keras, case)
    model.save(path)
    expected = record(keras, case, model)
    compare(case, keras_process.ask("read", case.name, path, tmp_path / "out.npz"), expected)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_opens_what_keras_wrote(case, keras_process: Any, tmp_path) -> None:  # noqa: F811
    path = tmp_path / "model.keras"
    expected = keras_process.ask("write", case.name, path, tmp_path / "out.npz")
    custom = case.custom(keras) if case.custom is not None else None
    model = keras.saving.load_model(path, custom_objects=custom)
    compare(case, record(keras, case, model), expected)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["convolutions", "masks", "subclassed", "optimizer-adam"])
def test_weights_in_several_files(name, keras_process: Any, tmp_path) -> None:  # noqa: F811
    case = next(case for case in CASES if case.name == name)
    model = made(keras, case)
    model.save_weights(tmp_path / "ours.weights.json", max_shard_size=SHARD_SIZE)
    out = tmp_path / "out.npz"
    expected = record(keras, case, model)
    found = keras_process.ask("read_shards", name, tmp_path / "ours.weights.json", out)
    compare(case, {**found, "config": "0"}, {**expected, "config": "0"})
    path = tmp_path / "theirs.weights.json"
    expected = keras_process.ask("write_shards", name, path, out)
    other = made(keras, case)
    other.load_weights(path)
    found = record(keras, case, other)
    compare(case, {**found, "config": "0"}, {**expected, "config": "0"})


def test_every_layer_has_a_case() -> None:
    known = {
        name
        for name in layers.__all__
        if inspect.isclass(getattr(layers, name))
        and issubclass(getattr(layers, name), layers.Layer)
        and getattr(layers, name).__name__ == re.sub("^GroupQuery", "GroupedQuery", name)
    }
    assert known - {row[0] for row in ROWS} == ELSEWHERE & known
