"""Losses against what Keras gave (tests/golden/make_losses.py)."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from pronghorn import losses, saving
from pronghorn.trace import Trace

GOLDEN = Path(__file__).parents[1] / "golden"
sys.path.insert(0, str(GOLDEN))
from loss_cases import LOSSES, REDUCTIONS, WEIGHTED, mask, sample_weight  # noqa: E402

NUMBERS = np.load(GOLDEN / "losses.npz")


def _close(actual, expected, scale=1.0):
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape
    # Sums of at most 40 terms, each a few roundings, relative to the largest.
    tolerance = 100 * scale * np.finfo(np.float32).eps * max(1.0, np.abs(expected).max())
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance)


def _scale(name):
    # Circle multiplies similarities, and so their roundings, by gamma.
    return LOSSES[name][1].get("gamma", 80.0) if name.startswith("circle") else 1.0


def _make(name, reduction="sum_over_batch_size"):
    cls, arguments, y_true, y_pred = LOSSES[name]
    return getattr(losses, cls)(reduction=reduction, **arguments), y_true, y_pred


@pytest.mark.parametrize("name", LOSSES)
def test_eager(name):
    for reduction in ("sum_over_batch_size", "none"):
        loss, y_true, y_pred = _make(name, reduction)
        _close(loss(y_true, y_pred), NUMBERS[f"loss/{name}/{reduction}"], _scale(name))


@pytest.mark.parametrize("name", LOSSES)
def test_traced(name):
    loss, y_true, y_pred = _make(name)
    with Trace() as trace:
        t = trace.input(y_true.shape, str(y_true.dtype))
        p = trace.input(y_pred.shape, str(y_pred.dtype))
        program = trace.compile([loss(t, p)])
    out = program(np.ascontiguousarray(y_true), np.ascontiguousarray(y_pred))[0]
    _close(out, NUMBERS[f"loss/{name}/sum_over_batch_size"], _scale(name))


@pytest.mark.parametrize("name", LOSSES)
def test_config_round_trip(name):
    loss, y_true, y_pred = _make(name)
    config = saving.serialize_keras_object(loss)
    assert config["module"] == "keras.losses"
    again = saving.deserialize_keras_object(config)
    assert again.get_config() == loss.get_config()
    _close(again(y_true, y_pred), NUMBERS[f"loss/{name}/sum_over_batch_size"], _scale(name))


@pytest.mark.parametrize("name", WEIGHTED)
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_sample_weight(name, reduction):
    loss, y_true, y_pred = _make(name, reduction)
    weight = sample_weight(NUMBERS[f"loss/{name}/none"].shape)
    _close(loss(y_true, y_pred, weight), NUMBERS[f"weighted/{name}/{reduction}"])


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", ["mse", "scce_pixels"])
def test_masked_losses_count_neither_in_the_sum_nor_in_the_number(name, weighted):
    from pronghorn import ops

    loss, y_true, y_pred = _make(name)
    values = NUMBERS[f"loss/{name}/none"]
    keep = mask(values.shape)
    weight = sample_weight(values.shape) if weighted else None
    prediction = ops.convert_to_tensor(y_pred)
    prediction._keras_mask = ops.convert_to_tensor(keep)
    weights = keep * (1.0 if weight is None else weight)
    _close(loss(y_true, prediction, weight), (values * weights).sum() / keep.sum())


@pytest.mark.parametrize("name", [n for n in LOSSES if not n.startswith("circle")])
def test_gradient_against_differences(name):
    """Along a random direction, against central differences of the loss itself in float32."""
    loss, y_true, y_pred = _make(name)
    if name in ("log_cosh", "mape", "cce_logits", "scce_logits", "bce_logits"):
        pytest.skip("steep: float32 differences are too coarse; the ops' own tests cover it")
    rng = np.random.default_rng(5)
    direction = rng.normal(size=y_pred.shape).astype("float32")
    with Trace() as trace:
        t = trace.input(y_true.shape, str(y_true.dtype))
        p = trace.input(y_pred.shape, "float32")
        value = loss(t, p)
        program = trace.compile([value, *trace.gradient(value, [p])])
    run = lambda q: program(np.ascontiguousarray(y_true), np.ascontiguousarray(q))  # noqa: E731
    step = 1e-3
    up, down = (float(run(y_pred + s * direction)[0]) for s in (step, -step))
    gradient = np.asarray(run(y_pred)[1])
    size = np.abs(gradient * direction).sum() + 1e-3
    assert abs((gradient * direction).sum() - (up - down) / (2 * step)) < 2e-2 * size
