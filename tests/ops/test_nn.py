"""Functions of ops.nn against plain NumPy: formulas, layouts, paddings, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from op_cases import products
from pronghorn import ops

RNG = np.random.default_rng(3)
X = RNG.uniform(-3, 3, (4, 7)).astype(np.float32)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def softmax(x: np.ndarray, axis: Any = -1) -> np.ndarray:
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def elu(x: np.ndarray, scale: float = 1.0, rate: float = 1.0) -> np.ndarray:
    return np.where(x > 0, x, scale * np.expm1(rate * np.minimum(x, 0)))


def close(got: Any, wanted: np.ndarray, factor: float = 32.0) -> None:
    found = np.asarray(got)
    assert found.shape == wanted.shape
    scale = max(float(np.abs(wanted).max(initial=0)), 1e-3)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=factor * 2.0**-23 * scale)


ACTIVATIONS: list[tuple[str, tuple[Any, ...], Any]] = [
    ("relu", (), lambda x: np.maximum(x, 0)),
    ("relu6", (), lambda x: np.clip(x, 0, 6)),
    ("sigmoid", (), sigmoid),
    ("log_sigmoid", (), lambda x: np.log(sigmoid(x))),
    ("hard_sigmoid", (), lambda x: np.clip(x / 6 + 0.5, 0, 1)),
    ("sparse_sigmoid", (), lambda x: np.clip(x / 2 + 0.5, 0, 1)),
    ("silu", (), lambda x: x * sigmoid(x)),
    ("swish", (), lambda x: x * sigmoid(x)),
    ("hard_silu", (), lambda x: x * np.clip(x / 6 + 0.5, 0, 1)),
    ("hard_swish", (), lambda x: x * np.clip(x / 6 + 0.5, 0, 1)),
    ("hard_tanh", (), lambda x: np.clip(x, -1, 1)),
    ("tanh_shrink", (), lambda x: x - np.tanh(x)),
    ("softplus", (), lambda x: np.log1p(np.exp(x))),
    ("softsign", (), lambda x: x / (1 + np.abs(x))),
    ("squareplus", (2.0,), lambda x: (x + np.sqrt(x * x + 2)) / 2),
    ("sparse_plus", (), lambda x: np.where(x <= -1, 0, np.where(x < 1, (x + 1) ** 2 / 4, x))),
    ("elu", (1.5,), lambda x: elu(x, 1.5)),
    ("celu", (1.5,), lambda x: elu(x, 1.5, 1 / 1.5)),
    ("selu", (), lambda x: 1.0507009873554805 * elu(x, 1.6732632423543772)),
    ("leaky_relu", (0.3,), lambda x: np.where(x > 0, x, 0.3 * x)),
    ("leaky_relu", (2.0,), lambda x: np.where(x > 0, x, 2.0 * x)),
    ("hard_shrink", (0.7,), lambda x: np.where(np.abs(x) > 0.7, x, 0)),
    ("soft_shrink", (0.7,), lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.7, 0)),
    ("threshold", (0.5, 9.0), lambda x: np.where(x > 0.5, x, 9.0)),
    ("softmax", (), softmax),
    ("softmax", (0,), lambda x: softmax(x, 0)),
    ("softmax", (None,), lambda x: softmax(x, (0, 1))),
    ("softmax", ((0, 1),), lambda x: softmax(x, (0, 1))),
    ("log_softmax", (), lambda x: np.log(softmax(x))),
    ("glu", (0,), lambda x: x[:2] * sigmoid(x[2:])),
]


@pytest.mark.parametrize(
    ("name", "args", "reference"), ACTIVATIONS, ids=[f"{a[0]}{a[1]}" for a in ACTIVATIONS]
)
def test_activation(name: str, args: tuple[Any, ...], reference: Any) -> None:
    close(getattr(ops, name)(X, *args), reference(X.astype(np.float64)))


def test_sparsemax_is_the_nearest_distribution() -> None:
    p = np.asarray(ops.sparsemax(X)).astype(np.float64)
    np.testing.assert_allclose(p.sum(-1), 1, atol=1e-6)
    assert (p >= 0).all()
    # the projection: the same shift for every element that is kept, more for the others
    shift = X - p
    for row, kept in zip(shift, p > 0):
        np.testing.assert_allclose(row[kept], row[kept][0], atol=1e-5)
        assert (row[~kept] <= row[kept][0] + 1e-6).all()
    close(ops.sparsemax(X.T, axis=0), p.T)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("strides", "dilation"), [(1, 1), (2, 1), (1, 2), ((2, 1), 1)])
@pytest.mark.parametrize("groups", [1, 2, 4])
def test_conv(padding: str, strides: Any, dilation: int, groups: int) -> None:
    x = RNG.normal(size=(2, 9, 8, 4)).astype(np.float32)
    w = RNG.normal(size=(3, 2, 4 // groups, 8)).astype(np.float32)
    got = ops.conv(x, w, strides, padding, dilation_rate=dilation)
    s = [strides] * 2 if isinstance(strides, int) else list(strides)
    low, high = [0, 0], [0, 0]
    if padding == "same":
        for i, (n, k) in enumerate(zip(x.shape[1:3], w.shape)):
            total = max((-(-n // s[i]) - 1) * s[i] + (k - 1) * dilation + 1 - n, 0)
            low[i], high[i] = total // 2, total - total // 2
        assert got.shape[1:3] == tuple(-(-n // q) for n, q in zip((9, 8), s))
    wanted = products._conv(
        x.astype(np.float64), w.astype(np.float64), s, [dilation] * 2, low, high, groups
    )
    close(got, wanted, 256)
    first = ops.conv(x.transpose(0, 3, 1, 2), w, strides, padding, "channels_first", dilation)
    close(first, wanted.transpose(0, 3, 1, 2), 256)


def spread(x: np.ndarray, w: np.ndarray, stride: int, size: int, before: int) -> np.ndarray:
    """Transposed convolution by its definition: kernels added at multiples of the stride."""
    n, k = x.shape[1], w.shape[0]
    y = np.zeros((x.shape[0], (n - 1) * stride + k + size, w.shape[1]))
    for i in range(n):
        for j in range(k):
            y[:, i * stride + j] += x[:, i] @ w[j].T
    return y[:, before : before + size]


@pytest.mark.parametrize(
    ("k", "stride", "padding", "extra", "size", "before"),
    [
        (3, 2, "valid", None, 11, 0),
        (3, 2, "same", None, 10, 0),
        (4, 2, "same", None, 10, 1),
        (2, 3, "valid", None, 15, 0),
        (2, 3, "same", None, 15, 0),
        (3, 2, "valid", 1, 12, 0),
        (3, 2, "valid", 2, 13, 0),
        (3, 2, "same", 0, 9, 1),
        (3, 2, "same", 1, 10, 0),  # the odd element is cut off behind, as JAX does
        (5, 1, "same", None, 5, 2),
    ],
)
def test_conv_transpose(
    k: int, stride: int, padding: str, extra: int | None, size: int, before: int
) -> None:
    x = RNG.normal(size=(2, 5, 3)).astype(np.float32)
    w = RNG.normal(size=(k, 4, 3)).astype(np.float32)
    got = ops.conv_transpose(x, w, stride, padding, extra)
    close(got, spread(x.astype(np.float64), w.astype(np.float64), stride, size, before), 128)
    first = ops.conv_transpose(x.transpose(0, 2, 1), w, stride, padding, extra, "channels_first")
    close(first, np.asarray(got).transpose(0, 2, 1), 8)


@pytest.mark.parametrize("multiplier", [1, 2])
def test_depthwise_conv(multiplier: int) -> None:
    x = RNG.normal(size=(2, 6, 5, 3)).astype(np.float32)
    w = RNG.normal(size=(3, 3, 3, multiplier)).astype(np.float32)
    wanted = products._depthwise(
        x.astype(np.float64),
        w.astype(np.float64),
        strides=[2, 2],
        dilations=[1, 1],
        pads_low=[0, 1],
        pads_high=[1, 1],
    )
    close(ops.depthwise_conv(x, w, 2, "same"), wanted, 64)
    first = ops.depthwise_conv(x.transpose(0, 3, 1, 2), w, 2, "same", "channels_first")
    close(first, wanted.transpose(0, 3, 1, 2), 64)


def test_separable_conv() -> None:
    x = RNG.normal(size=(2, 6, 6, 3)).astype(np.float32)
    deep, point = RNG.normal(size=(3, 3, 3, 2)), RNG.normal(size=(1, 1, 6, 4))
    deep, point = deep.astype(np.float32), point.astype(np.float32)
    middle = products._depthwise(
        x.astype(np.float64),
        deep.astype(np.float64),
        strides=[2, 2],
        dilations=[1, 1],
        pads_low=[0, 0],
        pads_high=[0, 0],
    )
    close(ops.separable_conv(x, deep, point, 2), middle @ point[0, 0].astype(np.float64), 256)


@pytest.mark.parametrize("name", ["max_pool", "average_pool"])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_pool_channels_first(name: str, padding: str) -> None:
    x = RNG.normal(size=(2, 7, 6, 3)).astype(np.float32)
    last = getattr(ops, name)(x, (3, 2), (2, 2), padding)
    first = getattr(ops, name)(x.transpose(0, 3, 1, 2), (3, 2), (2, 2), padding, "channels_first")
    assert last.shape == ((2, 3, 3, 3) if padding == "valid" else (2, 4, 3, 3))
    close(first, np.asarray(last).transpose(0, 3, 1, 2), 0)


def test_adaptive_pools() -> None:
    x = RNG.normal(size=(2, 7, 5, 3)).astype(np.float32)
    for name, reduce in (("adaptive_average_pool", np.mean), ("adaptive_max_pool", np.max)):
        wanted = np.zeros((2, 3, 2, 3))
        for i in range(3):
            for j in range(2):
                part = x[:, i * 7 // 3 : -(-(i + 1) * 7 // 3), j * 5 // 2 : -(-(j + 1) * 5 // 2)]
                wanted[:, i, j] = reduce(part.astype(np.float64), axis=(1, 2))
        close(getattr(ops, name)(x, (3, 2)), wanted)


def test_losses() -> None:
    logits = X.astype(np.float64)
    p, labels = softmax(logits), np.array([1, 0, 6, 3])
    log_p = np.log(p)[np.arange(4), labels]
    hot = np.eye(7)[labels].astype(np.float32)
    probs = p.astype(np.float32)
    close(ops.sparse_categorical_crossentropy(labels, X, True), -log_p)
    close(ops.sparse_categorical_crossentropy(labels[:, None], probs), -log_p)
    close(ops.categorical_crossentropy(hot, X, True), -log_p)
    close(ops.categorical_crossentropy(hot, probs * 3), -log_p)  # divided by its sum
    close(ops.categorical_crossentropy(hot.T, X.T, True, axis=0), -log_p)
    t = (X > 0.3).astype(np.float32)
    q = sigmoid(logits)
    wanted = -(t * np.log(q) + (1 - t) * np.log(1 - q))
    close(ops.binary_crossentropy(t, X, True), wanted)
    close(ops.binary_crossentropy(t, q.astype(np.float32)), wanted, 128)
    exact = np.asarray(ops.binary_crossentropy([0.0, 1.0], [1.0, 0.0]))
    assert np.isfinite(exact).all()


def test_normalizations() -> None:
    x = RNG.normal(2, 3, (4, 5, 6)).astype(np.float32)
    wide = x.astype(np.float64)
    g, b = RNG.normal(size=6).astype(np.float32), RNG.normal(size=6).astype(np.float32)
    mean, var = wide.mean(-1, keepdims=True), wide.var(-1, keepdims=True)
    close(
        ops.layer_normalization(x, g, b, epsilon=0.01), (wide - mean) / np.sqrt(var + 0.01) * g + b
    )
    mean, var = wide.mean((0, 2), keepdims=True), wide.var((0, 2), keepdims=True)
    close(
        ops.layer_normalization(x, axis=(0, 2), epsilon=0.01), (wide - mean) / np.sqrt(var + 0.01)
    )
    power = (wide**2).mean(-1, keepdims=True)
    close(ops.rms_normalization(x, g, epsilon=0.01), wide / np.sqrt(power + 0.01) * g)
    m, v = np.arange(5.0, dtype=np.float32), np.arange(1.0, 6.0, dtype=np.float32)
    shape = (1, 5, 1)
    wanted = (wide - m.reshape(shape)) / np.sqrt(v.reshape(shape) + 0.1) * 2 + 1
    two, one = np.full(5, 2.0, np.float32), np.ones(5, np.float32)
    close(ops.batch_normalization(x, m, v, 1, one, two, 0.1), wanted)
    got_mean, got_var = ops.moments(x, (0, 2), keepdims=True)
    close(got_mean, mean)
    close(got_var, var)
    close(ops.normalize(x, axis=1), wide / np.sqrt((wide**2).sum(1, keepdims=True)))
    close(ops.normalize(x, order=3), wide / np.cbrt((np.abs(wide) ** 3).sum(-1, keepdims=True)))
    assert np.asarray(ops.normalize(np.zeros((1, 2)))).tolist() == [[0.0, 0.0]]


def test_one_hot_and_multi_hot() -> None:
    wanted = np.eye(4)[[1, 3]]
    close(ops.one_hot([1, 3], 4), wanted, 0)
    close(ops.one_hot([1, 3], 4, axis=0), wanted.T, 0)
    assert ops.one_hot([1], 2, dtype="int32").dtype == "int32"
    close(ops.multi_hot([[0, 2], [1, 1]], 3), np.array([[1.0, 0, 1], [0, 1, 0]]), 0)


def test_patches() -> None:
    x = RNG.normal(size=(2, 3, 6, 5)).astype(np.float32)
    patches = np.asarray(ops.unfold(x, (2, 3), padding=1, stride=(2, 1)))
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    columns = [
        padded[:, :, i * 2 : i * 2 + 2, j : j + 3].reshape(2, -1)
        for i in range(4)
        for j in range(5)
    ]
    close(patches, np.stack(columns, -1), 0)
    # folding ones counts how many patches cover a pixel
    counts = ops.fold(np.ones_like(patches), (6, 5), (2, 3), padding=1, stride=(2, 1))
    close(ops.fold(patches, (6, 5), (2, 3), padding=1, stride=(2, 1)), x * np.asarray(counts))


def test_space_and_depth() -> None:
    x = RNG.normal(size=(2, 4, 6, 3)).astype(np.float32)
    deep = ops.space_to_depth(x, 2)
    assert deep.shape == (2, 2, 3, 12)
    close(np.asarray(deep)[:, 0, 0, :3], x[:, 0, 0], 0)
    close(np.asarray(deep)[:, 0, 0, 3:6], x[:, 0, 1], 0)
    close(ops.depth_to_space(deep, 2), x, 0)
    first = ops.space_to_depth(x.transpose(0, 3, 1, 2), 2, "channels_first")
    close(ops.depth_to_space(first, 2, "channels_first"), x.transpose(0, 3, 1, 2), 0)


@pytest.mark.parametrize("key_heads", [1, 2, 4])
def test_attention(key_heads: int) -> None:
    q = RNG.normal(size=(2, 3, 4, 5)).astype(np.float32)
    k, v = RNG.normal(size=(2, 2, 6, key_heads, 5)).astype(np.float32)
    bias = RNG.normal(size=(1, 4, 3, 6)).astype(np.float32)
    mask = RNG.uniform(size=(2, 1, 3, 6)) < 0.8
    mask[..., 0] = True
    kk, vv = (np.repeat(a, 4 // key_heads, 2).astype(np.float64) for a in (k, v))
    logits = np.einsum("bqhd,bkhd->bhqk", q, kk) * 0.5 + bias
    seen = mask & np.tri(3, 6, dtype=bool)
    weights = softmax(np.where(seen, logits, -1e30))
    wanted = np.einsum("bhqk,bkhd->bqhd", weights, vv)
    got = ops.dot_product_attention(q, k, v, bias, mask, scale=0.5, is_causal=True)
    close(got, wanted, 128)


@pytest.mark.parametrize("dilation", [17, 100, 10**6, 10**12])
def test_taps_far_outside_of_the_image(dilation: int) -> None:
    x = RNG.normal(size=(2, 16, 16, 32)).astype(np.float32)
    w = RNG.normal(size=(3, 3, 32, 32)).astype(np.float32)
    close(ops.conv(x, w, padding="same", dilation_rate=dilation), x @ w[1, 1], 32)


@pytest.mark.parametrize(("length", "channels"), [(10, 256), (12, 256), (40, 256), (10, 384)])
def test_lines_of_an_odd_number_of_tiles(length: int, channels: int) -> None:
    x = RNG.normal(size=(9, length, channels)).astype(np.float32)
    w = RNG.normal(size=(3, channels, 32)).astype(np.float32)
    padded = np.pad(x.astype(np.float64), ((0, 0), (1, 1), (0, 0)))
    wanted = np.sum([padded[:, k : k + length] @ w[k].astype(np.float64) for k in range(3)], 0)
    close(ops.conv(x, w, padding="same"), wanted, 3 * channels)


ERRORS: list[tuple[Any, type[Exception], str]] = [
    (lambda: ops.conv(np.ones((1, 5, 5, 3)), np.ones((3, 3, 2, 4))), ValueError, "divisible"),
    (lambda: ops.conv(np.ones((1, 5, 3)), np.ones((3, 3, 4)), 0), ValueError, "strides"),
    (lambda: ops.conv(np.ones((1, 5, 3)), np.ones((3, 3, 4)), padding="x"), ValueError, "padding"),
    (lambda: ops.conv(np.ones((1, 2, 3)), np.ones((3, 3, 4))), ValueError, "must fit"),
    (lambda: ops.conv(np.ones((2, 3)), np.ones((3, 4))), ValueError, "rank"),
    (
        lambda: ops.conv(np.ones((1, 5, 3)), np.ones((3, 3, 4)), data_format="a"),
        ValueError,
        "data_f",
    ),
    (lambda: ops.max_pool(np.ones((1, 5, 3)), 6), ValueError, "must fit"),
    (lambda: ops.max_pool(np.ones((1, 5, 3)), (2, 2)), ValueError, "pool_size"),
    (
        lambda: ops.max_pool(np.ones((1, 5, 5, 3)), 2**40, 1, padding="same"),
        ValueError,
        "less than 2\\^31 pixels",
    ),
    (lambda: ops.one_hot([1], 2, sparse=True), ValueError, "dense"),
    (lambda: ops.multi_hot([1]), ValueError, "num_classes"),
    (lambda: ops.binary_crossentropy([1.0], [0.5, 0.3]), ValueError, "same shape"),
    (lambda: ops.categorical_crossentropy([[1.0]], [[0.5, 0.3]]), ValueError, "same shape"),
    (lambda: ops.sparse_categorical_crossentropy([1, 2], [[0.5, 0.3]]), ValueError, "same shape"),
    (lambda: ops.glu(X), ValueError, "even"),
    (lambda: ops.normalize(X, order=0), ValueError, "order"),
    (lambda: ops.moments(X, 0, synchronized=True), NotImplementedError, "synchronized"),
    (lambda: ops.batch_normalization(X, [1.0], [1.0], -1), ValueError, "variance"),
    (lambda: ops.dot_product_attention(X, X, X), ValueError, "4D"),
    (lambda: ops.matmul(X, X), ValueError, "inner dimensions"),
    (lambda: ops.depth_to_space(np.ones((1, 2, 2, 3)), 2), ValueError, "divisible"),
    (lambda: ops.convert_to_tensor([1.0], sparse=True), ValueError, "dense"),
    (lambda: ops.take([1, 2], [5]), IndexError, "out of range"),
    (lambda: ops.reshape([1, 2], (3,)), ValueError, "elements"),
    (lambda: ops.squeeze([[1, 2]], 1), ValueError, "squeeze"),
    (lambda: ops.split([1, 2, 3], 2), ValueError, "equal"),
    (lambda: ops.sum(X, axis=5), ValueError, "axis"),
    (lambda: ops.add(X, np.ones(3)), ValueError, "shape"),
    (lambda: ops.negative([True]), TypeError, "bool"),
    (lambda: ops.bitwise_and([1.0], [1]), TypeError, "integers"),
    (lambda: ops.cast([1], "nope"), ValueError, "dtype"),
    (lambda: ops.cast([1], "complex64"), ValueError, "dtype"),
]


@pytest.mark.parametrize(
    ("call", "error", "message"), ERRORS, ids=[str(i) for i in range(len(ERRORS))]
)
def test_errors(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()
