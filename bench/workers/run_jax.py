"""Times JAX as an expert writes it, one jitted step with donated buffers and Adam by hand:
python bench/workers/run_jax.py WORKLOAD

With --bf16 the products take bfloat16 operands, weights stay float32. Batch normalization keeps no
moving statistics, which is a little less work than the others do.
"""

from __future__ import annotations

import functools
import sys
import time
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[2]))

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
from jax import lax  # noqa: E402

from bench.workers.protocol import arguments, per_call, serve  # noqa: E402
from bench.workloads import WORKLOADS, data  # noqa: E402

LAYOUT = ("NHWC", "HWIO", "NHWC")


class Parameters:
    """Weights of layers in their order, an empty tuple for layers without."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.random = np.random.default_rng(0)
        self.features = shape[-1]
        self.sizes = list(shape[:-1]) if len(shape) == 3 else []

    def array(self, *shape: int) -> Any:
        values = self.random.standard_normal(shape, np.float32)
        return jnp.asarray(values / np.sqrt(np.prod(shape[:-1])))

    def of(self, described: list[Any]) -> list[Any]:
        return [self.layer(kind, a) for kind, *a in described]

    def layer(self, kind: str, a: list[Any]) -> Any:
        before = self.features
        if kind in ("conv", "depthwise"):
            size, stride, padding, _ = a[-4:]
            pad = size - 1 if padding == "same" else 0
            self.sizes = [(n + pad - size) // stride + 1 for n in self.sizes]
            if kind == "depthwise":
                return self.array(size, size, 1, before), jnp.zeros(before)
            self.features = a[0]
            return self.array(size, size, before, a[0]), jnp.zeros(a[0])
        if kind == "dense":
            self.features = a[0]
            return self.array(before, a[0]), jnp.zeros(a[0])
        if kind == "lstm":
            self.features = u = a[0]
            return self.array(before, 4 * u), self.array(u, 4 * u), jnp.zeros(4 * u)
        if kind == "embedding":
            self.features = a[1]
            return (self.array(*a),)
        if kind == "batchnorm":
            return jnp.ones(before), jnp.zeros(before)
        if kind == "residual":
            return self.of(a[0])
        if kind == "transformer":
            shapes = [*[(before, before)] * 4, (before, a[1]), (a[1], before)]
            dense = [(self.array(*s), jnp.zeros(s[1])) for s in shapes]
            return [*dense, *((jnp.ones(before), jnp.zeros(before)) for _ in range(2))]
        if kind == "maxpool":
            self.sizes = [n // a[0] for n in self.sizes]
        elif kind == "flatten":
            self.features *= self.sizes[0] * self.sizes[1]
        return ()


def lstm(x: Any, w: Any, dtype: Any, units: int, sequences: bool) -> Any:
    inputs = x @ w[0].astype(dtype) + w[2].astype(dtype)

    def step(state: Any, z: Any) -> Any:
        h, c = state
        i, f, g, o = jnp.split(z + h @ w[1].astype(dtype), 4, -1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    zeros = jnp.zeros((x.shape[0], units), dtype)
    (h, _), steps = lax.scan(step, (zeros, zeros), inputs.swapaxes(0, 1))
    return steps.swapaxes(0, 1) if sequences else h


def transformer(x: Any, w: Any, dtype: Any, heads: int, hidden: int) -> Any:
    def dense(i: int, x: Any) -> Any:
        return x @ w[i][0].astype(dtype) + w[i][1].astype(dtype)

    def norm(i: int, x: Any) -> Any:
        x = x.astype(jnp.float32)
        x = (x - x.mean(-1, keepdims=True)) * lax.rsqrt(x.var(-1, keepdims=True) + 1e-3)
        return (x * w[i][0] + w[i][1]).astype(dtype)

    parts = [dense(i, x).reshape(*x.shape[:2], heads, -1) for i in range(3)]
    attended = jax.nn.dot_product_attention(*parts).reshape(x.shape)
    x = norm(6, x + dense(3, attended))
    return norm(7, x + dense(5, jax.nn.relu(dense(4, x))))


def layer(kind: str, a: list[Any], w: Any, x: Any, dtype: Any) -> Any:
    if kind == "residual":
        return jax.nn.relu(x + forward(a[0], dtype, w, x))
    if kind == "flatten":
        return x.reshape(x.shape[0], -1)
    if kind == "transformer":
        return transformer(x, w, dtype, *a)
    if kind == "mean":
        return x.mean(1)
    if kind == "average":
        return x.mean((1, 2))
    if kind == "relu":
        return jax.nn.relu(x)
    if kind == "maxpool":
        window = (1, a[0], a[0], 1)
        return lax.reduce_window(x, -jnp.inf, lax.max, window, window, "VALID")
    if kind == "batchnorm":
        wide = x.astype(jnp.float32)
        mean, variance = wide.mean((0, 1, 2)), wide.var((0, 1, 2))
        return ((wide - mean) * lax.rsqrt(variance + 1e-3) * w[0] + w[1]).astype(dtype)
    if kind == "embedding":
        return w[0].astype(dtype)[x]
    if kind == "lstm":
        return lstm(x, w, dtype, *a)
    kernel, bias = w[0].astype(dtype), w[1].astype(dtype)
    if kind == "dense":
        y = x @ kernel + bias
    else:
        _, stride, padding, _ = a[-4:]
        groups = x.shape[-1] if kind == "depthwise" else 1
        y = lax.conv_general_dilated(
            x, kernel, (stride, stride), padding.upper(), dimension_numbers=LAYOUT,
            feature_group_count=groups,
        )  # fmt: skip
        y = y + bias
    return jax.nn.relu(y) if a[-1] == "relu" else y


def forward(described: list[Any], dtype: Any, weights: list[Any], x: Any) -> Any:
    """The logits."""
    for (kind, *a), w in zip(described, weights):
        x = layer(kind, a, w, x, dtype)
    return x


def main(name: str, bf16: bool) -> None:
    workload = WORKLOADS[name]
    batch: int = workload["batch"]
    described = workload["layers"]
    x, y = data(name)
    n = len(x)
    dtype = jnp.bfloat16 if bf16 else jnp.float32

    def logits(weights: Any, xb: Any) -> Any:
        if "vocabulary" not in workload:
            xb = xb.astype(dtype)
        return forward(described, dtype, weights, xb).astype(jnp.float32)

    def loss_of(weights: Any, xb: Any, yb: Any) -> Any:
        logs = jax.nn.log_softmax(logits(weights, xb))
        return -jnp.take_along_axis(logs, yb[..., None], -1).mean()

    @functools.partial(jax.jit, donate_argnums=(0, 1, 2))
    def step(weights: Any, m: Any, v: Any, t: Any, xb: Any, yb: Any) -> Any:
        loss, gradient = jax.value_and_grad(loss_of)(weights, xb, yb)
        t = t + 1
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, gradient)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, gradient)
        rate = 1e-3 * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        weights = jax.tree.map(lambda w, m, v: w - rate * m / (jnp.sqrt(v) + 1e-7), weights, m, v)
        return weights, m, v, t, loss

    predict = jax.jit(logits)
    weights = Parameters(workload["x"]).of(described)
    zeros = functools.partial(jax.tree.map, jnp.zeros_like)
    state = [weights, zeros(weights), zeros(weights), jnp.float32(0)]
    fixed = Parameters(workload["x"]).of(described)

    def train() -> float:
        start = time.perf_counter()
        order = np.random.permutation(n)
        for i in range(0, n, batch):
            rows = order[i : i + batch]
            *state[:], loss = step(*state, x[rows], y[rows])
        loss.block_until_ready()
        return (time.perf_counter() - start) / (n // batch) * 1e3

    def infer() -> float:
        start = time.perf_counter()
        for i in range(0, n, batch):
            predict(fixed, x[i : i + batch]).block_until_ready()
        return (time.perf_counter() - start) / (n // batch) * 1e3

    sample = x[:1]
    call = per_call(lambda: predict(fixed, sample).block_until_ready())
    serve({"train": train, "infer": infer, "call": call}, f"JAX {jax.__version__}")


if __name__ == "__main__":
    a = arguments(__doc__ or "")
    main(a.workload, a.bf16)
