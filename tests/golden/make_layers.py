"""Writes layers.npz: outputs, gradients and updated weights of the layers of Keras 3.15.

Run by hand, in an environment with Keras and JAX:
`KERAS_BACKEND=jax JAX_PLATFORMS=cpu python tests/golden/make_layers.py`.
Inputs and weights are not stored: `layer_cases.py` draws them again from their seeds.
"""

from __future__ import annotations

import pathlib
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
from layer_cases import CASES, LayerCase, make_layer


def run(case: LayerCase) -> dict[str, np.ndarray]:
    """Returns the arrays of a case: `y`, `dx<i>`, `dw<i>` (trainable), `w<i>` (others, after)."""
    layer = make_layer(keras.layers, case)
    inputs = case.inputs()
    call = {k: v for k, v in case.call.items() if k != "mask"}
    mask = case.mask()
    if mask is not None:
        call["mask"] = jnp.asarray(mask)
    layer.build(inputs[0].shape if len(inputs) == 1 else [x.shape for x in inputs])
    for i, w in enumerate(layer.weights):
        w.assign(case.weight(i, w.name, tuple(w.shape)))
    trainable = [v.value for v in layer.trainable_variables]
    others = [v.value for v in layer.non_trainable_variables]

    def outputs(weights: Any, xs: Any) -> Any:
        x = xs[0] if len(xs) == 1 else list(xs)
        return layer.stateless_call(weights, others, x, **call)

    xs = [jnp.asarray(x) for x in inputs]
    y, updated = outputs(trainable, xs)
    result = {"y": np.asarray(y)}
    r = case.direction(y.shape)

    def loss(weights: Any, xs: Any) -> Any:
        return jnp.sum(outputs(weights, xs)[0] * r)

    if not case.integers:
        for i, g in enumerate(jax.grad(loss, argnums=1)(trainable, xs)):
            result[f"dx{i}"] = np.asarray(g)
    if trainable:
        for i, g in enumerate(jax.grad(loss, argnums=0)(trainable, xs)):
            result[f"dw{i}"] = np.asarray(g)
    for i, v in enumerate(updated):
        result[f"w{i}"] = np.asarray(v)
    return result


def main() -> None:
    """Writes the file beside this script."""
    arrays = {}
    for case in CASES:
        for key, value in run(case).items():
            arrays[f"{case.name}/{key}"] = value.astype("float32")
    np.savez_compressed(pathlib.Path(__file__).with_name("layers.npz"), **arrays)


if __name__ == "__main__":
    main()
