"""The networks that are timed, as library-neutral lists of layers, and their data (random)."""

from __future__ import annotations

from typing import Any

import numpy as np

# x: shape of a sample; steps: of one timed epoch; layers: name and arguments.
# conv: filters, kernel size, padding; every layer but the last one ends in relu.
WORKLOADS: dict[str, dict[str, Any]] = {
    "mlp": {
        "x": (20,), "batch": 32, "steps": 300,
        "layers": [("dense", 64), ("dense", 32), ("dense", 10)],
    },
    "cnn1": {
        "x": (28, 28, 1), "batch": 32, "steps": 100,
        "layers": [("conv", 32, 3, "valid"), ("maxpool", 2), ("flatten",), ("dense", 128),
                   ("dense", 10)],
    },
    "cnn3": {
        "x": (28, 28, 1), "batch": 32, "steps": 100,
        "layers": [("conv", 32, 3, "valid"), ("maxpool", 2), ("conv", 64, 3, "valid"),
                   ("maxpool", 2), ("conv", 64, 3, "valid"), ("flatten",), ("dense", 64),
                   ("dense", 10)],
    },
    "vgg": {
        "x": (32, 32, 3), "batch": 64, "steps": 6,
        "layers": [("conv", 64, 3, "same"), ("conv", 64, 3, "same"), ("maxpool", 2),
                   ("conv", 128, 3, "same"), ("conv", 128, 3, "same"), ("maxpool", 2),
                   ("conv", 256, 3, "same"), ("conv", 256, 3, "same"), ("maxpool", 2),
                   ("flatten",), ("dense", 256), ("dense", 10)],
    },
    "bigmlp": {
        "x": (784,), "batch": 128, "steps": 30,
        "layers": [("dense", 1024), ("dense", 1024), ("dense", 10)],
    },
}  # fmt: skip
CLASSES = 10


def data(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns the samples of one epoch: x float32, y int32."""
    workload = WORKLOADS[name]
    n = workload["batch"] * workload["steps"]
    random = np.random.default_rng(0)
    x = random.standard_normal((n, *workload["x"]), dtype=np.float32)
    return x, random.integers(0, CLASSES, n).astype("int32")
