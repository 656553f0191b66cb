"""Functions of images and image layers against the numbers of Keras 3.15 in images.npz."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import pytest
from image_cases import LAYERS, OPS, ImageCase

import pronghorn as keras
from pronghorn import layers, ops, tree

GOLDEN = np.load(pathlib.Path(__file__).with_name("images.npz"))


def check(found: Any, expected: np.ndarray, name: str) -> None:
    found = np.asarray(found)
    assert found.dtype == expected.dtype
    scale = max(float(np.max(np.abs(expected), initial=0.0)), 1.0)
    np.testing.assert_allclose(found, expected, rtol=0, atol=64 * 2.0**-23 * scale, err_msg=name)


@pytest.mark.parametrize("traced", [False, True], ids=["eager", "traced"])
@pytest.mark.parametrize("case", OPS, ids=lambda case: case.name)
def test_functions(case: ImageCase, traced: bool) -> None:
    function = getattr(ops.image, case.target)

    def run(x: Any, *more: Any) -> Any:
        if not case.gradient:
            return {"y": function(x, *more, **case.args)}
        with keras.GradientTape() as tape:
            tape.watch(x)
            y = function(x, *more, **case.args)
            loss = ops.sum(y * case.direction(y.shape))
        return {"y": y, "dx": tape.gradient(loss, x)}

    tensors = [ops.convert_to_tensor(x) for x in (case.images(), *case.more)]
    found = (keras.function(run) if traced else run)(*tensors)
    for name, value in found.items():
        check(value, GOLDEN[f"{case.name}/{name}"], name)


@pytest.mark.parametrize("traced", [False, True], ids=["eager", "traced"])
@pytest.mark.parametrize("case", LAYERS, ids=lambda case: case.name)
def test_layers(case: ImageCase, traced: bool) -> None:
    layer = getattr(layers, case.target)(**case.args)

    def run(x: Any, drawn: Any) -> Any:
        if drawn is None:
            return layer(x)
        return layer.transform_images(x, drawn, training=True)

    drawn = case.drawn
    if drawn is not None:
        drawn = tree.map_structure(ops.convert_to_tensor, drawn)
    found = (keras.function(run) if traced else run)(ops.convert_to_tensor(case.images()), drawn)
    check(found, GOLDEN[f"{case.name}/y"], "y")
