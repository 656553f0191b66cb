"""Batch, layer and root-mean-square normalization and their gradient ops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from check_core import apply, check, random

EPSILON = 1e-3
SHAPES = [(3, 4, 5), (17, 3), (1, 7), (33, 65), (4000, 10), (30, 500), (7, 16), (4, 1)]


def batch_norm(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray) -> Any:
    axes = tuple(range(x.ndim - 1))
    mean, variance = x.mean(axes), x.var(axes)
    return (x - mean) / np.sqrt(variance + EPSILON) * gamma + beta, mean, variance


def layer_norm(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray) -> Any:
    mean = x.mean(-1, keepdims=True)
    rstd = 1 / np.sqrt(x.var(-1, keepdims=True) + EPSILON)
    return (x - mean) * rstd * gamma + beta, mean[..., 0], rstd[..., 0]


def rms_norm(x: np.ndarray, gamma: np.ndarray) -> Any:
    rstd = 1 / np.sqrt((x * x).mean(-1, keepdims=True) + EPSILON)
    return x * rstd * gamma, rstd[..., 0]


def norm_grad(x: np.ndarray, gamma: np.ndarray, dy: np.ndarray, axes: Any, centered: bool) -> Any:
    """dx, dgamma and dbeta of y = h gamma + beta."""

    def mean(v: np.ndarray) -> np.ndarray:
        return v.mean(axes, keepdims=True)

    offset = mean(x) if centered else 0.0
    rstd = 1 / np.sqrt(mean((x - offset) ** 2) + EPSILON)
    h = (x - offset) * rstd
    q = dy * gamma
    dx = rstd * (q - (mean(q) if centered else 0.0) - h * mean(q * h))
    leading = tuple(range(x.ndim - 1))
    return dx, (dy * h).sum(leading), dy.sum(leading)


@pytest.mark.parametrize("shape", SHAPES)
def test_normalization(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    x = random(rng, shape) * 2 + 3
    gamma, beta, dy = random(rng, shape[-1:]), random(rng, shape[-1:]), random(rng, shape)
    small = x.size < 100
    grads = [0, 1, 2] if small else []
    attrs: dict[str, Any] = {"epsilon": EPSILON, "ulps": 64}
    check("batch_norm", [x, gamma, beta], batch_norm, grads=grads, **attrs)
    check("layer_norm", [x, gamma, beta], layer_norm, grads=grads, **attrs)
    check("rms_norm", [x, gamma], rms_norm, grads=grads[:2], **attrs)

    _, mean, variance = apply("batch_norm", [x, gamma, beta], epsilon=EPSILON)
    over = tuple(range(len(shape) - 1))
    check(
        "batch_norm_grad",
        [x, gamma, mean, variance, dy],
        lambda x, g, m, v, dy: norm_grad(x, g, dy, over, True),
        **attrs,
    )
    _, mean, rstd = apply("layer_norm", [x, gamma, beta], epsilon=EPSILON)
    check(
        "layer_norm_grad",
        [x, gamma, mean, rstd, dy],
        lambda x, g, m, r, dy: norm_grad(x, g, dy, -1, True),
        ulps=64,
    )
    _, rstd = apply("rms_norm", [x, gamma], epsilon=EPSILON)
    check(
        "rms_norm_grad",
        [x, gamma, rstd, dy],
        lambda x, g, r, dy: norm_grad(x, g, dy, -1, False)[:2],
        ulps=64,
    )


def test_moments_of_many_rows_far_from_zero() -> None:
    x = random(np.random.default_rng(0), (100_000, 4)) * 0.01 + 100
    one, zero = np.ones(4, np.float32), np.zeros(4, np.float32)
    _, mean, variance = apply("batch_norm", [x, one, zero], epsilon=EPSILON)
    wide = x.astype(np.float64)
    np.testing.assert_allclose(mean, wide.mean(0), rtol=1e-7)
    np.testing.assert_allclose(variance, wide.var(0), rtol=1e-5)


def test_errors() -> None:
    x, c = np.zeros((3, 4), np.float32), np.zeros(4, np.float32)
    with pytest.raises(ValueError, match=r"^batch_norm: gamma must have the shape \(4,\)"):
        apply("batch_norm", [x, c[:3], c], epsilon=EPSILON)
    with pytest.raises(TypeError, match=r"^layer_norm: x must be float32"):
        apply("layer_norm", [x.astype(np.float16), c, c], epsilon=EPSILON)
