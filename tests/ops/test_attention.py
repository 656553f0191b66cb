"""Fused attention through `dot_product_attention`: dtypes, blind rows, memory, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import config, ops
from pronghorn.trace import Trace

EPS = 2.0**-23


def _arrays(*shapes: tuple[int, ...]) -> list[np.ndarray]:
    rng = np.random.default_rng(len(shapes))
    return [rng.normal(size=s).astype(np.float32) for s in shapes]


def _both(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
    return tuple(
        ops.dot_product_attention(*args, **kwargs, flash_attention=flash) for flash in (True, False)
    )


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_dtypes(dtype: str) -> None:
    arrays = _arrays((2, 100, 4, 16), (2, 140, 2, 16), (2, 140, 2, 16))
    fused, composed = _both(*(ops.cast(x, dtype) for x in arrays), is_causal=True)
    assert fused.dtype == composed.dtype == dtype
    wide = ops.dot_product_attention(
        *(ops.cast(ops.cast(x, dtype), "float32") for x in arrays), is_causal=True
    )
    unit = {"float32": 64 * EPS, "bfloat16": 2.0**-8, "float16": 2.0**-11}[dtype]
    np.testing.assert_allclose(ops.cast(fused, "float32"), wide, rtol=0, atol=4 * unit)


@pytest.mark.parametrize("is_causal", [False, True])
def test_queries_that_see_nothing_weigh_all_keys_alike(is_causal: bool) -> None:
    q, k, v, dy = _arrays((1, 300, 2, 8), (1, 600, 2, 8), (1, 600, 2, 8), (1, 300, 2, 8))
    mask = np.random.default_rng(0).uniform(size=(1, 1, 300, 600)) < 0.5
    mask[:, :, 7] = False
    mask[:, :, 100:190] = False
    y = ops.dot_product_attention(q, k, v, mask=mask, is_causal=is_causal)
    np.testing.assert_allclose(y[0, 7], v[0].mean(0), atol=1e-5)
    np.testing.assert_allclose(y[0, 150], v[0].mean(0), atol=1e-5)
    found = []
    for flash in (True, False):
        inputs = [keras.Variable(x) for x in (q, k, v)]
        with keras.GradientTape() as tape:
            y = ops.dot_product_attention(
                *inputs, mask=mask, is_causal=is_causal, flash_attention=flash
            )
            loss = ops.sum(y * dy)
        found.append(tape.gradient(loss, inputs))
    for a, b in zip(*found):
        np.testing.assert_allclose(a, b, atol=2e-5)


@pytest.mark.parametrize(
    ("queries", "keys", "heads", "key_heads", "size", "value_size", "is_causal"),
    [
        (300, 300, 2, 2, 64, 64, False),
        (190, 520, 4, 2, 64, 33, True),
        (97, 700, 2, 1, 80, 100, False),
        (33, 40, 2, 2, 16, 16, True),
        (5, 7, 2, 1, 8, 8, False),
    ],
)
def test_gradients_of_bfloat16(
    queries: int, keys: int, heads: int, key_heads: int, size: int, value_size: int, is_causal: bool
) -> None:
    shapes = ((queries, heads, size), (keys, key_heads, size), (keys, key_heads, value_size))
    arrays = _arrays(*((2, *s) for s in shapes), (2, queries, heads, value_size))
    rounded = [ops.cast(x, "bfloat16") for x in arrays]
    mask = np.random.default_rng(0).uniform(size=(2, 1, queries, keys)) < 0.8
    mask[:, :, 3] = False
    found = []
    for dtype in ("bfloat16", "float32"):
        *inputs, dy = (ops.cast(x, dtype) for x in rounded)
        with keras.GradientTape() as tape:
            tape.watch(inputs)
            y = ops.dot_product_attention(*inputs, mask=mask, is_causal=is_causal)
            loss = ops.sum(ops.cast(y * dy, "float32"))
        gradients = tape.gradient(loss, inputs)
        assert [g.dtype for g in gradients] == [dtype] * 3
        found.append([np.array(ops.cast(x, "float32")) for x in (y, *gradients)])
    for narrow, wide in zip(*found):
        error = np.sqrt(np.mean((narrow - wide) ** 2) / np.mean(wide**2))
        assert error < 2.0**-7


def test_infinite_bias_hides_keys() -> None:
    q, k, v = _arrays((1, 5, 1, 8), (1, 700, 1, 8), (1, 700, 1, 8))
    bias = np.zeros((1, 1, 5, 700), np.float32)
    bias[..., :500] = -np.inf
    bias[:, :, 3] = -np.inf
    y = ops.convert_to_numpy(ops.dot_product_attention(q, k, v, bias=bias))
    wanted = ops.convert_to_numpy(ops.dot_product_attention(q, k[:, 500:], v[:, 500:]))
    assert np.isnan(y[0, 3]).all()
    np.testing.assert_allclose(np.delete(y, 3, 1), np.delete(wanted, 3, 1), atol=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("size", [8, 64])
def test_nan_and_infinity_stay_in_their_row(size: int, dtype: str) -> None:
    q, k, v = _arrays((1, 300, 1, size), (1, 300, 1, size), (1, 300, 1, size))
    q[0, 3, 0, 0] = np.nan
    q[0, 50, 0, 0] = np.inf
    y = ops.dot_product_attention(*(ops.cast(x, dtype) for x in (q, k, v)))
    y = ops.convert_to_numpy(ops.cast(y, "float32"))
    assert np.isnan(y[0, 3]).all()
    assert np.isfinite(np.delete(y, [3, 50], 1)).all()
    v[0, 7, 0, 1] = np.inf
    y = ops.convert_to_numpy(ops.dot_product_attention(q, k, v))
    assert np.isposinf(np.delete(y, [3, 50], 1)[..., 1]).all()
    assert np.isfinite(np.delete(np.delete(y, [3, 50], 1), 1, -1)).all()


@pytest.mark.parametrize("magnitude", [1e-30, 1e-20, 1e20, 1e37])
def test_tiny_and_huge_values_keep_their_digits(magnitude: float) -> None:
    q, k, v = _arrays((1, 300, 1, 64), (1, 300, 1, 64), (1, 300, 1, 64))
    y = ops.convert_to_numpy(ops.dot_product_attention(q, k, np.float32(magnitude) * v))
    wanted = ops.convert_to_numpy(ops.dot_product_attention(q, k, v)).astype(np.float64)
    np.testing.assert_allclose(y / magnitude, wanted, rtol=0, atol=64 * EPS)


def test_bias_and_mask_of_lower_rank() -> None:
    q, k, v, bias = _arrays((2, 5, 3, 8), (2, 7, 3, 8), (2, 7, 3, 8), (5, 7))
    mask = np.arange(7) < 4
    fused, composed = _both(q, k, v, bias, mask)
    np.testing.assert_allclose(fused, composed, atol=64 * EPS)


def _arena(length: int, training: bool) -> int:
    shape = (1, length, 4, 32)
    with Trace() as trace:
        inputs = [trace.input(shape, "float32") for _ in range(3)]
        mask = trace.input((1, 1, 1, length), "bool")
        y = ops.dot_product_attention(*inputs, mask=mask, is_causal=True)
        results = trace.gradient(ops.sum(y), inputs) if training else [y]
        return trace.compile(list(results)).arena_bytes


@pytest.mark.parametrize("training", [False, True])
def test_memory_grows_with_the_length(training: bool) -> None:
    tensor = 2048 * 4 * 32 * 4
    assert _arena(2048, training) <= 12 * tensor  # the weights alone would take 64
    assert _arena(2048, training) <= 2.2 * _arena(1024, training)


def test_layer_memory_grows_with_the_length() -> None:
    layer = keras.layers.MultiHeadAttention(4, 32)
    found = []
    for length in (1024, 2048):
        with Trace() as trace:
            x = trace.input((1, length, 64), "float32")
            valid = trace.input((1, length), "bool")
            y = layer(x, x, query_mask=valid, value_mask=valid, use_causal_mask=True)
            found.append(trace.compile([y]).arena_bytes)
    assert found[1] <= 2.2 * found[0]


def test_setting_chooses_the_form() -> None:
    arrays = _arrays((1, 4, 1, 2), (1, 4, 1, 2), (1, 4, 1, 2))

    def gradient_of_gradient() -> Any:
        q, k, v = (ops.convert_to_tensor(x) for x in arrays)
        with keras.GradientTape() as outer:
            outer.watch(q)
            with keras.GradientTape() as tape:
                tape.watch(q)
                loss = ops.sum(ops.square(ops.dot_product_attention(q, k, v)))
            slope = ops.sum(tape.gradient(loss, q))
        return outer.gradient(slope, q)

    with pytest.raises(ValueError, match="disable_flash_attention"):
        gradient_of_gradient()
    config.disable_flash_attention()
    try:
        assert gradient_of_gradient().shape == (1, 4, 1, 2)
    finally:
        config.enable_flash_attention()


def test_errors() -> None:
    x = np.ones((2, 5, 4, 8), np.float32)
    with pytest.raises(ValueError, match="multiple"):
        ops.dot_product_attention(x, x[:, :, :3], x[:, :, :3])
    with pytest.raises(ValueError, match="expected query"):
        ops.dot_product_attention(x, x, x[:, :3])
    with pytest.raises(ValueError, match="bool"):
        ops.dot_product_attention(x, x, x, mask=np.ones((5, 5)))
    with pytest.raises(ValueError, match="broadcasts"):
        ops.dot_product_attention(x, x, x, mask=np.ones((5, 4), bool))
    with pytest.raises(ValueError, match="broadcasts"):
        ops.dot_product_attention(x, x, x, bias=np.ones((1, 2, 4, 5, 5)))
    with pytest.raises(ValueError, match="soft cap"):
        ops.dot_product_attention(x, x, x, flash_attention=True, attn_logits_soft_cap=3.0)
    assert ops.dot_product_attention(x, x, x, attn_logits_soft_cap=3.0).shape == x.shape
