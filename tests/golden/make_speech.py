"""Writes speech.npz: spectrograms and CTC losses with their gradients, of Keras 3.15.

Run by hand, in an environment with Keras and JAX:
`KERAS_BACKEND=jax JAX_PLATFORMS=cpu python tests/golden/make_speech.py`.
"""

from __future__ import annotations

import pathlib

import jax
import keras
import numpy as np
from speech_cases import LAYERS, ctc_batch, signal


def main() -> None:
    """Writes the file beside this script."""
    arrays = {}
    for name, (layer, args, _) in LAYERS.items():
        arrays[name] = np.asarray(getattr(keras.layers, layer)(**args)(signal(name)))
    labels, logits = ctc_batch()
    arrays["ctc"] = np.asarray(keras.losses.ctc(labels, logits))
    total = jax.grad(lambda x: keras.ops.sum(keras.losses.ctc(labels, x)))
    arrays["ctc-gradient"] = np.asarray(total(logits))
    np.savez_compressed(pathlib.Path(__file__).parent / "speech.npz", **arrays)


if __name__ == "__main__":
    main()
