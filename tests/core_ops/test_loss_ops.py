"""Softmax and cross-entropies."""

from __future__ import annotations

import numpy as np
import pytest
from check_core import apply, check, random

from pronghorn import _core

SHAPES = [(3, 4, 5), (17,), (1, 7), (33, 65), (400, 10), (30, 500), (0, 3), (5, 16), (4, 1)]


def log_softmax(x: np.ndarray, axis: int = -1) -> np.ndarray:
    if x.size == 0:
        return x
    shifted = x - x.max(axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis, keepdims=True))


def normalized(p: np.ndarray, epsilon: float = 1e-7) -> np.ndarray:
    return np.clip(p / p.sum(-1, keepdims=True), epsilon, 1 - epsilon)


def at_labels(x: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return np.take_along_axis(x, labels.astype(int)[..., None], -1)[..., 0]


@pytest.mark.parametrize("shape", SHAPES)
def test_softmax(shape: tuple[int, ...]) -> None:
    x = random(np.random.default_rng(0), shape) * 3
    grads = [0] if 0 < x.size < 100 else []
    for axis in range(-len(shape), len(shape)):
        check(
            "softmax",
            [x],
            lambda x, a=axis: np.exp(log_softmax(x, a)),
            ulps=16,
            grads=grads,
            axis=axis,
        )
        check("log_softmax", [x], lambda x, a=axis: log_softmax(x, a), grads=grads, axis=axis)


@pytest.mark.parametrize("shape", SHAPES)
def test_cross_entropies(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    x = random(rng, shape) * 3
    p = (rng.random(shape) + 0.1).astype(np.float32)
    t = rng.random(shape).astype(np.float32)
    small = 0 < x.size < 100
    check(
        "softmax_cross_entropy",
        [x, t],
        lambda x, t: -(t * log_softmax(x)).sum(-1),
        grads=[0, 1] if small else [],
    )
    if shape[-1] > 1:
        check(
            "cross_entropy",
            [p, t],
            lambda p, t: -(t * np.log(normalized(p))).sum(-1),
            grads=[0, 1] if small else [],
            epsilon=1e-7,
        )
    for dtype in ("int32", "int64", "uint8"):
        labels = np.asarray(rng.integers(0, min(shape[-1], 255), shape[:-1])).astype(dtype)
        check(
            "sparse_softmax_cross_entropy",
            [x, labels],
            lambda x, labels: -at_labels(log_softmax(x), labels),
            grads=[0] if small else [],
        )
        if shape[-1] > 1:
            check(
                "sparse_cross_entropy",
                [p, labels],
                lambda p, labels: -np.log(at_labels(normalized(p), labels)),
                grads=[0] if small else [],
                epsilon=1e-7,
            )


def test_not_finite() -> None:
    x = np.array([[np.nan, 1, 2], [np.inf, 1, 2], [-np.inf, 1, 1]], np.float32)
    (y,) = apply("softmax", [x], axis=-1)
    assert np.isnan(y[:2]).all()
    np.testing.assert_allclose(y[2], [0, 0.5, 0.5])
    long = np.zeros((1, 40), np.float32)
    long[0, 35] = np.nan
    assert np.isnan(apply("softmax", [long], axis=-1)[0]).all()


def test_labels_outside_give_nan() -> None:
    x = np.zeros((3, 4), np.float32)
    (loss,) = apply("sparse_softmax_cross_entropy", [x, np.array([-1, 4, 3])])
    assert list(np.isnan(loss)) == [True, True, False]
    p = np.full((3, 4), 0.25, np.float32)
    (d,) = apply(
        "sparse_softmax_cross_entropy_grad", [p, np.array([-1, 4, 3]), np.ones(3, np.float32)]
    )
    assert np.isnan(d[:2]).all()
    np.testing.assert_allclose(d[2], [0.25, 0.25, 0.25, -0.75])


@pytest.mark.parametrize("sparse", [True, False])
def test_softmax_before_a_cross_entropy_is_shared_with_its_gradient(sparse: bool) -> None:
    graph = _core.Graph()
    x = graph.input([4, 10], "float32")
    target = graph.input([4] if sparse else [4, 10], "int32" if sparse else "float32")
    probs = _core.apply("softmax", [x], {"axis": -1})
    name = "sparse_cross_entropy" if sparse else "cross_entropy"
    loss = _core.apply(name, [probs, target], {"epsilon": 1e-7})
    total = _core.apply("reduce_mean", [loss], {"axes": [0], "keepdims": False})
    text = graph.compile([probs, total, *graph.gradient(total, [x])], []).print()
    assert text.count("= softmax(") == 1
    assert "softmax_cross_entropy(" in text
    assert "log(" not in text


def test_errors() -> None:
    x = np.zeros((3, 4), np.float32)
    with pytest.raises(TypeError, match=r"^softmax: .*Received: dtype=int32"):
        apply("softmax", [x.astype(np.int32)], axis=0)
    with pytest.raises(ValueError, match=r"labels\.shape=\(4,\)"):
        apply("sparse_softmax_cross_entropy", [x, np.zeros(4, np.int32)])
    with pytest.raises(TypeError, match="must be an integer"):
        apply("sparse_softmax_cross_entropy", [x, np.zeros(3, np.float32)])
