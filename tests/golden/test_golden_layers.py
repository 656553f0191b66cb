"""Layers against the numbers of Keras 3.15 in layers.npz: outputs, gradients, updated weights."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import pytest
from layer_cases import CASES, LayerCase, make_layer

from pronghorn import layers, ops
from pronghorn.trace import Trace

GOLDEN = np.load(pathlib.Path(__file__).with_name("layers.npz"))
EPSILON = 2.0**-23


def compare(what: str, found: Any, expected: np.ndarray) -> None:
    scale = max(float(np.max(np.abs(expected), initial=0.0)), 1.0)
    atol = 128 * EPSILON * scale
    np.testing.assert_allclose(np.asarray(found), expected, rtol=0, atol=atol, err_msg=what)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_layer_gives_the_numbers_of_keras(case: LayerCase) -> None:
    layer = make_layer(layers, case)
    arrays = case.inputs()
    call = {k: v for k, v in case.call.items() if k != "mask"}
    if case.mask() is not None:
        call["mask"] = ops.convert_to_tensor(case.mask())
    layer.build(arrays[0].shape if len(arrays) == 1 else [a.shape for a in arrays])
    for i, w in enumerate(layer.weights):
        w.assign(case.weight(i, w.name, tuple(w.shape)))
    with Trace() as trace:
        xs = [trace.input(a.shape, str(a.dtype)) for a in arrays]
        y = layer(xs[0] if len(xs) == 1 else xs, **call)
        loss = ops.sum(ops.multiply(y, case.direction(y.shape)))
        wrt = ([] if case.integers else xs) + layer.trainable_variables
        names = [f"dx{i}" for i in range(len(xs))] * (not case.integers)
        names += [f"dw{i}" for i in range(len(layer.trainable_variables))]
        grads = trace.gradient(loss, wrt) if wrt else []
        assert all(g is not None for g in grads)
        program = trace.compile([y, *grads])
    y_value, *values = program(*arrays)
    compare("y", y_value, GOLDEN[f"{case.name}/y"])
    for name, value in zip(names, values):
        compare(name, value, GOLDEN[f"{case.name}/{name}"])
    for i, v in enumerate(layer.non_trainable_variables):
        compare(v.path, v.numpy(), GOLDEN[f"{case.name}/w{i}"])


def test_every_stored_array_belongs_to_a_case() -> None:
    assert {key.split("/")[0] for key in GOLDEN.files} == {case.name for case in CASES}
