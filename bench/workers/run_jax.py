"""Times JAX as an expert writes it, one jitted step with donated buffers and Adam by hand:
python bench/workers/run_jax.py WORKLOAD"""

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

from bench.workers.protocol import serve  # noqa: E402
from bench.workloads import WORKLOADS, data  # noqa: E402


def parameters(name: str) -> list[Any]:
    """Weights and biases, an empty tuple for layers without."""
    workload = WORKLOADS[name]
    shape = workload["x"]
    height, features = (shape[0], shape[2]) if len(shape) == 3 else (1, shape[0])
    random = np.random.default_rng(0)
    result: list[Any] = []
    for kind, *arguments in workload["layers"]:
        if kind == "flatten":
            features *= height * height
        elif kind == "maxpool":
            height //= arguments[0]
        if kind in ("flatten", "maxpool"):
            result.append(())
            continue
        window = () if kind == "dense" else (arguments[1], arguments[1])
        kernel = random.standard_normal((*window, features, arguments[0]), np.float32)
        kernel /= np.sqrt(features * np.prod(window))
        result.append((jnp.asarray(kernel), jnp.zeros(arguments[0])))
        features = arguments[0]
        if kind == "conv" and arguments[2] == "valid":
            height -= arguments[1] - 1
    return result


def forward(name: str, weights: list[Any], x: Any) -> Any:
    """The logits."""
    described = WORKLOADS[name]["layers"]
    for i, ((kind, *arguments), w) in enumerate(zip(described, weights)):
        if kind == "flatten":
            x = x.reshape(x.shape[0], -1)
        elif kind == "maxpool":
            window = (1, arguments[0], arguments[0], 1)
            x = lax.reduce_window(x, -jnp.inf, lax.max, window, window, "VALID")
        elif kind == "dense":
            x = x @ w[0] + w[1]
        else:
            layout = ("NHWC", "HWIO", "NHWC")
            padding = arguments[2].upper()
            x = lax.conv_general_dilated(x, w[0], (1, 1), padding, dimension_numbers=layout) + w[1]
        if kind in ("dense", "conv") and i < len(described) - 1:
            x = jax.nn.relu(x)
    return x


def main(name: str) -> None:
    batch = WORKLOADS[name]["batch"]
    x, y = data(name)
    n = len(x)

    def loss_of(weights: Any, xb: Any, yb: Any) -> Any:
        logs = jax.nn.log_softmax(forward(name, weights, xb))
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

    predict = jax.jit(functools.partial(forward, name))
    weights = parameters(name)
    zeros = functools.partial(jax.tree.map, jnp.zeros_like)
    state = [weights, zeros(weights), zeros(weights), jnp.float32(0)]
    fixed = parameters(name)

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

    def one() -> float:
        calls, sample = 50, x[:1]
        start = time.perf_counter()
        for _ in range(calls):
            predict(fixed, sample).block_until_ready()
        return (time.perf_counter() - start) / calls * 1e3

    serve({"train": train, "infer": infer, "one": one}, f"JAX {jax.__version__}")


if __name__ == "__main__":
    main(sys.argv[1])
