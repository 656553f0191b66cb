"""The networks that are timed, as library-neutral lists of layers, and their data (random).

`TABLE` holds those of the published tables, `OTHER` shapes that nothing was tuned to.
"""

from __future__ import annotations

from typing import Any

import numpy as np

# x: shape of a sample; steps: of one timed epoch; vocabulary: samples are word numbers below it;
# labels: one for each sample, or for each step of a sequence. Layers, name and arguments:
#   dense units activation
#   conv filters kernel stride padding activation, depthwise kernel stride padding activation
#   maxpool size, flatten, average (over all pixels), batchnorm, relu
#   lstm units return_sequences, embedding vocabulary units
#   residual layers: relu(x + layers(x))
#   transformer heads hidden: layer norms after x + attention of x to x, and after x + two dense
#   layers; mean (over all places of a sequence)
# "same" padding is (kernel - 1) // 2 on both sides; libraries that pad one side more at stride 2 do
# the same amount of work.
TABLE: dict[str, dict[str, Any]] = {
    "mlp": {
        "x": (20,), "batch": 32, "steps": 300,
        "layers": [("dense", 64, "relu"), ("dense", 32, "relu"), ("dense", 10, None)],
    },
    "cnn1": {
        "x": (28, 28, 1), "batch": 32, "steps": 100,
        "layers": [("conv", 32, 3, 1, "valid", "relu"), ("maxpool", 2), ("flatten",),
                   ("dense", 128, "relu"), ("dense", 10, None)],
    },
    "cnn3": {
        "x": (28, 28, 1), "batch": 32, "steps": 100,
        "layers": [("conv", 32, 3, 1, "valid", "relu"), ("maxpool", 2),
                   ("conv", 64, 3, 1, "valid", "relu"), ("maxpool", 2),
                   ("conv", 64, 3, 1, "valid", "relu"), ("flatten",),
                   ("dense", 64, "relu"), ("dense", 10, None)],
    },
    "lstm": {
        "x": (50, 32), "batch": 32, "steps": 20, "labels": "step",
        "layers": [("lstm", 128, True), ("dense", 64, "relu"), ("dense", 10, None)],
    },
    "text": {
        "x": (100,), "batch": 32, "steps": 20, "vocabulary": 10000,
        "layers": [("embedding", 10000, 128), ("lstm", 128, False), ("dense", 64, "relu"),
                   ("dense", 10, None)],
    },
    "vgg": {
        "x": (32, 32, 3), "batch": 64, "steps": 6,
        "layers": [("conv", 64, 3, 1, "same", "relu"), ("conv", 64, 3, 1, "same", "relu"),
                   ("maxpool", 2),
                   ("conv", 128, 3, 1, "same", "relu"), ("conv", 128, 3, 1, "same", "relu"),
                   ("maxpool", 2),
                   ("conv", 256, 3, 1, "same", "relu"), ("conv", 256, 3, 1, "same", "relu"),
                   ("maxpool", 2), ("flatten",), ("dense", 256, "relu"), ("dense", 10, None)],
    },
    "bigmlp": {
        "x": (784,), "batch": 128, "steps": 30,
        "layers": [("dense", 1024, "relu"), ("dense", 1024, "relu"), ("dense", 10, None)],
    },
}  # fmt: skip


def _residual(filters: int) -> tuple[Any, ...]:
    return (
        "residual",
        [("conv", filters, 3, 1, "same", None), ("batchnorm",), ("relu",),
         ("conv", filters, 3, 1, "same", None), ("batchnorm",)],
    )  # fmt: skip


OTHER: dict[str, dict[str, Any]] = {
    "mlp-batch1": {
        "x": (64,), "batch": 1, "steps": 300,
        "layers": [("dense", 128, "relu"), ("dense", 128, "relu"), ("dense", 10, None)],
    },
    "mlp-batch512": {
        "x": (203,), "batch": 512, "steps": 20,
        "layers": [("dense", 300, "relu"), ("dense", 301, "relu"), ("dense", 10, None)],
    },
    "deep-mlp": {
        "x": (256,), "batch": 64, "steps": 50,
        "layers": [*[("dense", 256, "relu")] * 8, ("dense", 10, None)],
    },
    "cnn-odd": {
        "x": (37, 29, 3), "batch": 24, "steps": 20,
        "layers": [("conv", 23, 3, 1, "valid", "relu"), ("conv", 37, 3, 1, "same", "relu"),
                   ("maxpool", 2), ("conv", 53, 3, 1, "valid", "relu"), ("maxpool", 2),
                   ("flatten",), ("dense", 77, "relu"), ("dense", 10, None)],
    },
    "cnn-batch1": {
        "x": (32, 32, 3), "batch": 1, "steps": 100,
        "layers": [("conv", 32, 3, 1, "same", "relu"), ("maxpool", 2),
                   ("conv", 64, 3, 1, "same", "relu"), ("maxpool", 2), ("flatten",),
                   ("dense", 64, "relu"), ("dense", 10, None)],
    },
    "cnn-batch256": {
        "x": (28, 28, 1), "batch": 256, "steps": 6,
        "layers": [("conv", 32, 3, 1, "valid", "relu"), ("maxpool", 2),
                   ("conv", 48, 3, 1, "valid", "relu"), ("maxpool", 2), ("flatten",),
                   ("dense", 64, "relu"), ("dense", 10, None)],
    },
    "conv1x1": {
        "x": (16, 16, 64), "batch": 32, "steps": 10,
        "layers": [("conv", 128, 1, 1, "same", "relu"), ("conv", 96, 1, 1, "same", "relu"),
                   ("conv", 256, 1, 1, "same", "relu"), ("average",), ("dense", 10, None)],
    },
    "conv5x5": {
        "x": (32, 32, 3), "batch": 32, "steps": 10,
        "layers": [("conv", 32, 5, 1, "same", "relu"), ("maxpool", 2),
                   ("conv", 64, 5, 1, "same", "relu"), ("maxpool", 2), ("flatten",),
                   ("dense", 128, "relu"), ("dense", 10, None)],
    },
    "stride2": {
        "x": (65, 65, 3), "batch": 32, "steps": 10,
        "layers": [("conv", 32, 3, 2, "same", "relu"), ("conv", 64, 3, 2, "same", "relu"),
                   ("conv", 128, 3, 2, "same", "relu"), ("conv", 256, 3, 2, "same", "relu"),
                   ("average",), ("dense", 10, None)],
    },
    "resnet": {
        "x": (33, 33, 3), "batch": 32, "steps": 8,
        "layers": [("conv", 32, 3, 1, "same", "relu"), _residual(32), _residual(32),
                   ("conv", 64, 3, 2, "same", "relu"), _residual(64), _residual(64),
                   ("average",), ("dense", 10, None)],
    },
    "depthwise": {
        "x": (65, 65, 3), "batch": 16, "steps": 8,
        "layers": [("conv", 32, 3, 2, "same", None), ("batchnorm",), ("relu",),
                   ("depthwise", 3, 1, "same", None), ("batchnorm",), ("relu",),
                   ("conv", 64, 1, 1, "same", None), ("batchnorm",), ("relu",),
                   ("depthwise", 3, 2, "same", None), ("batchnorm",), ("relu",),
                   ("conv", 128, 1, 1, "same", None), ("batchnorm",), ("relu",),
                   ("average",), ("dense", 10, None)],
    },
    "lstm-16": {
        "x": (20, 8), "batch": 1, "steps": 200,
        "layers": [("lstm", 16, False), ("dense", 10, None)],
    },
    "imdb": {
        "x": (200,), "batch": 32, "steps": 10, "vocabulary": 20000,
        "layers": [("embedding", 20000, 128), ("lstm", 128, False), ("dense", 10, None)],
    },
    "lstm-long": {
        "x": (300, 17), "batch": 16, "steps": 6,
        "layers": [("lstm", 64, False), ("dense", 10, None)],
    },
    "lstm-short": {
        "x": (8, 60), "batch": 100, "steps": 20,
        "layers": [("lstm", 250, True), ("lstm", 120, False), ("dense", 10, None)],
    },
    "transformer": {
        "x": (128,), "batch": 16, "steps": 8, "vocabulary": 5000,
        "layers": [("embedding", 5000, 256), ("transformer", 8, 512), ("transformer", 8, 512),
                   ("mean",), ("dense", 10, None)],
    },
    "transformer-long": {
        "x": (1000, 96), "batch": 2, "steps": 8,
        "layers": [("transformer", 6, 200), ("transformer", 6, 200), ("mean",),
                   ("dense", 10, None)],
    },
}  # fmt: skip

WORKLOADS = {**TABLE, **OTHER}
CLASSES = 10


def data(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns the samples of one epoch: x float32 (words: int32), y int32."""
    workload = WORKLOADS[name]
    n = workload["batch"] * workload["steps"]
    shape = (n, *workload["x"])
    random = np.random.default_rng(0)
    if "vocabulary" in workload:
        x = random.integers(0, workload["vocabulary"], shape).astype("int32")
    else:
        x = random.standard_normal(shape, dtype=np.float32)
    labels = shape[:2] if workload.get("labels") == "step" else (n,)
    return x, random.integers(0, CLASSES, labels).astype("int32")
