"""Writes images.npz: results of the functions of images and of the image layers of Keras 3.15.

Run by hand, in an environment with Keras and JAX:
`KERAS_BACKEND=jax JAX_PLATFORMS=cpu python tests/golden/make_images.py`.
"""

from __future__ import annotations

import pathlib
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
from image_cases import CASES, ImageCase


def run(case: ImageCase) -> dict[str, np.ndarray]:
    """Returns the arrays of a case: `y`, and `dx` for functions with a gradient."""
    x = jnp.asarray(case.images())
    if case.is_layer:
        layer = getattr(keras.layers, case.target)(**case.args)
        if case.drawn is None:
            return {"y": np.asarray(layer(x))}
        drawn = jax.tree.map(jnp.asarray, case.drawn)
        return {"y": np.asarray(layer.transform_images(x, drawn, training=True))}
    function = getattr(keras.ops.image, case.target)
    more = [jnp.asarray(m) for m in case.more]

    def output(x: Any) -> Any:
        return function(x, *more, **case.args)

    y = np.asarray(output(x))
    if not case.gradient:
        return {"y": y}
    r = case.direction(y.shape)
    return {"y": y, "dx": np.asarray(jax.grad(lambda x: jnp.sum(output(x) * r))(x))}


def main() -> None:
    """Writes the file beside this script."""
    arrays = {}
    for case in CASES:
        arrays.update({f"{case.name}/{k}": v for k, v in run(case).items()})
    np.savez_compressed(pathlib.Path(__file__).with_name("images.npz"), **arrays)


if __name__ == "__main__":
    main()
