"""Fashion-MNIST: 60,000 + 10,000 pictures of clothes in ten classes. Xiao, Rasul, Vollgraf:
"Fashion-MNIST: a novel image dataset for benchmarking machine learning algorithms", 2017."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np

from pronghorn.datasets.files import find

_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_DEBIAN = "/usr/share/datasets/fashion-mnist"  # package dataset-fashion-mnist
# SHA-256 of what is inside each `<name>-ubyte.gz`.
_SHA256 = {
    "train-labels-idx1": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "train-images-idx3": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "t10k-labels-idx1": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    "t10k-images-idx3": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
}

Arrays = tuple[tuple[Any, Any], tuple[Any, Any]]


def load_data(path: str | None = None) -> Arrays:
    """Returns Fashion-MNIST's training and test pictures.

    Args:
        path: Folder of the four `.gz` files. By default they are looked for in `PRONGHORN_DATA`,
            where Debian's package `dataset-fashion-mnist` puts them and in the cache
            (`~/.keras/datasets/fashion-mnist`), and downloaded (31 MB) into the cache.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images `(n, 28, 28)` uint8, labels `(n,)` uint8:
        0 T-shirt, 1 trouser, 2 pullover, 3 dress, 4 coat, 5 sandal, 6 shirt, 7 sneaker, 8 bag,
        9 ankle boot.

    Raises:
        FileNotFoundError: There are no files and no network; the message says where to put them.
        ValueError: A file is not the expected one.
    """
    files = {
        name: find(
            f"fashion-mnist/{name}-ubyte.gz", f"{_URL}{name}-ubyte.gz", sha256, path, (_DEBIAN,)
        )
        for name, sha256 in _SHA256.items()
    }
    parts = []
    for part in ("train", "t10k"):
        y = _idx(files[f"{part}-labels-idx1"], 8)
        x = _idx(files[f"{part}-images-idx3"], 16).reshape(len(y), 28, 28)
        parts.append((x, y))
    return parts[0], parts[1]


def _idx(path: Path, header: int) -> Any:
    return np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=header).copy()
