"""MNIST: 60,000 + 10,000 handwritten digits. LeCun, Bottou, Bengio, Haffner: "Gradient-based
learning applied to document recognition", Proceedings of the IEEE, 1998."""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn.datasets.files import find

_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
_SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"

Arrays = tuple[tuple[Any, Any], tuple[Any, Any]]


def load_data(path: str | None = None) -> Arrays:
    """Returns MNIST's training and test digits.

    Args:
        path: `mnist.npz` or its folder. By default it is looked for in `PRONGHORN_DATA` and the
            cache (`~/.keras/datasets`) and downloaded (11 MB) into the cache.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images `(n, 28, 28)` uint8, labels `(n,)` uint8.

    Raises:
        FileNotFoundError: There is no file and no network; the message says where to put it.
        ValueError: The file is not the expected one.
    """
    found = find("mnist.npz", _URL, _SHA256, path if path != "mnist.npz" else None)
    with np.load(found, allow_pickle=False) as arrays:
        return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])
