"""Writes attention.npz: outputs, weights and gradients of the attention layers of Keras 3.15.

Run by hand, in an environment with Keras and JAX:
`KERAS_BACKEND=jax JAX_PLATFORMS=cpu python tests/golden/make_attention.py`.
"""

from __future__ import annotations

import pathlib
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
from attention_cases import CASES, AttentionCase, make_layer


def run(case: AttentionCase) -> dict[str, np.ndarray]:
    """Returns the arrays of a case: `y`, `scores`, `dx<i>`, `dw<i>`."""
    layer = make_layer(keras.layers, case)
    call = case.arguments(jnp.asarray)
    weights = [v.value for v in layer.trainable_variables]
    others = [v.value for v in layer.non_trainable_variables]

    def outputs(weights: Any, xs: Any) -> Any:
        args = ([*xs],) if case.takes_list else xs
        return layer.stateless_call(weights, others, *args, **call)[0]

    xs = [jnp.asarray(x) for x in case.inputs()]
    found = outputs(weights, xs)
    y, *scores = found if isinstance(found, (tuple, list)) else (found,)
    result = {"y": np.asarray(y)}
    if scores:
        result["scores"] = np.asarray(scores[0])
    r = case.direction(y.shape)

    def loss(weights: Any, xs: Any) -> Any:
        found = outputs(weights, xs)
        return jnp.sum((found[0] if isinstance(found, (tuple, list)) else found) * r)

    dw, dx = jax.grad(loss, argnums=(0, 1))(weights, xs)
    result.update({f"dx{i}": np.asarray(g) for i, g in enumerate(dx)})
    result.update({f"dw{i}": np.asarray(g) for i, g in enumerate(dw)})
    return result


def main() -> None:
    """Writes the file beside this script."""
    arrays = {}
    for case in CASES:
        arrays.update({f"{case.name}/{k}": v for k, v in run(case).items()})
    np.savez_compressed(pathlib.Path(__file__).with_name("attention.npz"), **arrays)


if __name__ == "__main__":
    main()
