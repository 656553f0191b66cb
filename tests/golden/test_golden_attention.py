"""Attention layers against the numbers of Keras 3.15 in attention.npz."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import pytest
from attention_cases import CASES, AttentionCase, make_layer

import pronghorn as keras
from pronghorn import layers, ops

GOLDEN = np.load(pathlib.Path(__file__).with_name("attention.npz"))


@pytest.mark.parametrize("traced", [False, True], ids=["eager", "traced"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_numbers_of_keras(case: AttentionCase, traced: bool) -> None:
    layer = make_layer(layers, case)
    call = case.arguments(ops.convert_to_tensor)

    def run(*xs: Any) -> dict[str, Any]:
        with keras.GradientTape() as tape:
            tape.watch(list(xs))
            found = layer(list(xs), **call) if case.takes_list else layer(*xs, **call)
            y, *scores = found if isinstance(found, tuple) else (found,)
            loss = ops.sum(y * case.direction(y.shape))
        dx, dw = tape.gradient(loss, [list(xs), layer.trainable_variables])
        result = {"y": y, **{f"dx{i}": g for i, g in enumerate(dx)}}
        if scores:
            result["scores"] = scores[0]
        return {**result, **{f"dw{i}": g for i, g in enumerate(dw)}}

    found = (keras.function(run) if traced else run)(*map(ops.convert_to_tensor, case.inputs()))
    expected = {k.split("/")[1]: GOLDEN[k] for k in GOLDEN if k.startswith(case.name + "/")}
    assert set(found) == set(expected)
    for name, value in expected.items():
        scale = max(float(np.max(np.abs(value), initial=0.0)), 1.0)
        np.testing.assert_allclose(
            found[name], value, rtol=0, atol=512 * 2.0**-23 * scale, err_msg=name
        )
