"""Writes rnn.npz: outputs, losses of ten training steps and weights of recurrent models of Keras.

Run by hand, in an environment with Keras 3.15 and TensorFlow:
`KERAS_BACKEND=tensorflow python tests/golden/make_rnn.py`.
"""

from __future__ import annotations

import pathlib

import keras
import numpy as np
import tensorflow as tf
from rnn_cases import CASES


def main() -> None:
    """Writes the file beside this script."""
    tf.config.run_functions_eagerly(True)  # compiling takes longer than so few steps
    arrays = {}
    for case in CASES:
        for key, value in case.run(keras).items():
            arrays[f"{case.name}/{key}"] = value.astype("float32")
        print(case.name, flush=True)
    np.savez_compressed(pathlib.Path(__file__).with_name("rnn.npz"), **arrays)


if __name__ == "__main__":
    main()
