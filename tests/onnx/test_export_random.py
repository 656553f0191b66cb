"""Random networks of image layers: moving transposes changes no number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from agreement import compare, run

import pronghorn as keras
from pronghorn import layers, ops


class Function(layers.Layer):
    """A function of tensors as a layer."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function = function

    def call(self, *x: Any) -> Any:
        return self.function(*x)


class Builder:
    """Adds random layers to random values of a network."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.x = keras.Input(tuple(int(n) for n in self.rng.integers((4, 4, 1), (8, 8, 4))))
        self.values = [self.x]

    def model(self) -> Any:
        for _ in range(12):
            a = self.pick(self.values[-3:])
            steps = self.of_images if len(a.shape) == 4 else self.of_others
            self.values.append(self.pick(steps(a))())
        return keras.Model(self.x, self.values[-2:])

    def pick(self, choices: list[Any]) -> Any:
        return choices[int(self.rng.integers(len(choices)))]

    def numbers(self, *shape: int) -> np.ndarray:
        return self.rng.standard_normal(shape).astype("float32")

    def of_others(self, a: Any) -> list[Any]:
        if len(a.shape) == 3:
            return [
                lambda: Function(lambda t: ops.expand_dims(t, 2))(a),
                lambda: layers.Dense(3)(a),
            ]
        return [lambda: layers.Reshape((1, 1, a.shape[1]))(a)]

    def of_images(self, a: Any) -> list[Any]:
        _, h, w, c = a.shape
        same = self.pick([b for b in self.values if b.shape == a.shape])
        wide = [b for b in self.values if len(b.shape) == 4 and b.shape[:3] == a.shape[:3]]
        row, image, line = self.numbers(c), self.numbers(h, w, c), self.numbers(h, 1, 1)
        axes = self.pick([(1,), (1, 2), (3,), (2, 3)])
        keeps, last = bool(self.rng.integers(2)), int(self.rng.integers(1, 4))
        reduce = self.pick([ops.mean, ops.max, ops.sum])
        pads = [(0, 0), *((int(i), int(k)) for i, k in self.rng.integers(0, 2, (3, 2)))]
        order = self.pick([(1, 3, 2), (3, 1, 2), (3, 2, 1)])
        stride = int(self.rng.integers(1, 3))
        return [
            lambda: layers.Conv2D(3, 2, padding="same", strides=stride)(a),
            lambda: layers.Conv2D(2, 1, activation="relu6")(a),
            lambda: layers.BatchNormalization(moving_variance_initializer="ones")(a),
            lambda: Function(lambda t: ops.gelu(t * row + 1.0))(a),
            lambda: Function(lambda t: t + image)(a),
            lambda: Function(lambda t: t - line)(a),
            lambda: layers.Multiply()([a, same]),
            lambda: Function(lambda t, u: ops.where(t > u, t, u * 0.5))(a, same),
            lambda: layers.Concatenate()([a, self.pick(wide), a]),
            lambda: layers.Concatenate(axis=1)([a, a]),
            lambda: Function(lambda t: reduce(t, axis=axes, keepdims=keeps))(a),
            lambda: Function(lambda t: ops.pad(t, pads, constant_values=0.5))(a),
            lambda: Function(lambda t: t[:, : h - 1 or 1, :: -1 if keeps else 1])(a),
            lambda: layers.Permute(order)(a),
            lambda: layers.MaxPooling2D(2, 1, padding="same")(a),
            lambda: layers.MaxPooling2D(2, 1)(layers.ZeroPadding2D(1)(a)),
            lambda: layers.AveragePooling2D(2, padding="same")(a),
            lambda: layers.Softmax(axis=last)(a),
            lambda: layers.LayerNormalization()(a),
            lambda: layers.Reshape((h * w, c))(a),
        ]


@pytest.mark.parametrize("seed", range(25))
def test_random_network(seed: int, tmp_path: Path) -> None:
    keras.utils.set_random_seed(seed)
    model = Builder(seed).model()
    x = np.random.default_rng(seed).standard_normal((3, *model.input_shape[1:])).astype("float32")
    model.export(tmp_path / "m.onnx", format="onnx", verbose=False)
    expected = keras.tree.flatten(model.predict(x, verbose=0))
    for got, wanted in zip(run(tmp_path / "m.onnx", [x]), expected):
        compare(got, wanted, 2048)
