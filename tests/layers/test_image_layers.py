"""The layers that prepare images: draws, forms of data, configuration (numbers: tests/golden)."""

from __future__ import annotations

import doctest
import importlib
import json
import pkgutil
from typing import Any

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import layers, ops
from pronghorn.layers import image_preprocessing

ONE = {"value_range": (0, 1)}
RANDOM: list[tuple[str, dict[str, Any]]] = [
    ("RandomFlip", {}),
    ("RandomRotation", {"factor": 0.2}),
    ("RandomZoom", {"height_factor": 0.3, "width_factor": (0.1, 0.4)}),
    ("RandomTranslation", {"height_factor": 0.2, "width_factor": 0.2}),
    ("RandomShear", {"x_factor": 0.3, "y_factor": (0.1, 0.2)}),
    ("RandomPerspective", {"factor": (1.0, 1.0), "scale": 0.5}),
    ("RandomElasticTransform", {"factor": (1.0, 1.0), **ONE}),
    ("RandomBrightness", {"factor": 0.3, **ONE}),
    ("RandomContrast", {"factor": 0.5, **ONE}),
    ("RandomHue", {"factor": 0.5, **ONE}),
    ("RandomSaturation", {"factor": 0.4, **ONE}),
    ("RandomColorJitter", {"brightness_factor": 0.2, "contrast_factor": 0.3, **ONE}),
    ("RandomColorJitter", {"saturation_factor": 0.4, "hue_factor": 0.2, **ONE}),
    ("RandomGrayscale", {}),
    ("RandomColorDegeneration", {"factor": 0.5, **ONE}),
    ("RandomSharpness", {"factor": 0.9, **ONE}),
    ("RandomInvert", {"factor": (0.5, 0.5), **ONE}),
    ("RandomPosterization", {"factor": (1, 4), **ONE}),
    ("RandomGaussianBlur", {"factor": (0.5, 1.0), **ONE}),
    ("RandomErasing", {"factor": (1.0, 1.0), **ONE}),
    ("Solarization", {"addition_factor": 0.3, "threshold_factor": 0.5, **ONE}),
    ("RandAugment", {"factor": 0.4, "num_ops": 3, **ONE}),
    ("AugMix", {"factor": 0.4, "num_chains": 2, "chain_depth": 2, **ONE}),
    ("MixUp", {}),
    ("CutMix", {}),
]  # fmt: skip
SIZED: list[tuple[str, dict[str, Any]]] = [
    ("RandomCrop", {"height": 5, "width": 7}),
    ("CenterCrop", {"height": 5, "width": 7}),
    ("Resizing", {"height": 5, "width": 7}),
]
PLAIN: list[tuple[str, dict[str, Any]]] = [("AutoContrast", ONE), ("Equalization", ONE)]
X = np.random.default_rng(0).random((6, 9, 11, 3)).astype("float32")


def make(name: str, args: dict[str, Any], **more: Any) -> Any:
    seeded = {} if (name, args) in PLAIN or name in ("CenterCrop", "Resizing") else {"seed": 3}
    return getattr(layers, name)(**args, **seeded, **more)


def names(cases: list[Any]) -> Any:
    return pytest.mark.parametrize(("name", "args"), cases, ids=[n for n, _ in cases])


@names(RANDOM)
def test_draws(name: str, args: dict[str, Any]) -> None:
    found = np.asarray(make(name, args)(X))
    assert found.shape == X.shape
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(found, make(name, args)(X))  # the same seed, the same numbers
    layer = make(name, args)
    first, second = np.asarray(layer(X)), np.asarray(layer(X))
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, X)
    np.testing.assert_array_equal(layer(X, training=False), X)


@names(RANDOM)
def test_a_traced_call_draws_the_same(name: str, args: dict[str, Any]) -> None:
    eager, layer = make(name, args), make(name, args)
    traced = keras.function(lambda x: layer(x))
    for _ in range(3):
        np.testing.assert_allclose(traced(X), eager(X), atol=1e-4)


@names(RANDOM + SIZED + PLAIN)
def test_forms_of_data(name: str, args: dict[str, Any]) -> None:
    layer = make(name, args)
    shape = np.asarray(layer(X)).shape
    assert layer.compute_output_shape(X.shape) == shape
    assert np.asarray(layer(X[0])).shape == shape[1:]
    assert np.asarray(layer((X * 255).astype("uint8"))).shape == shape
    assert layer(keras.KerasTensor((None, 9, 11, 3))).shape == (None, *shape[1:])
    first = make(name, args, data_format="channels_first")
    moved = np.asarray(first(np.moveaxis(X, -1, 1)))
    if name not in (
        "RandomErasing",
        "RandAugment",
        "AugMix",
    ):  # noise and many draws have another order
        np.testing.assert_allclose(
            np.moveaxis(moved, 1, -1), make(name, args)(X), rtol=0, atol=2e-6
        )
    data = {
        "images": X,
        "labels": np.eye(6, dtype="float32"),
        "segmentation_masks": (X[..., :1] * 4).astype("int32"),
        "other": 7,
    }
    found = layer({k: v for k, v in data.items() if k != "other"})
    assert set(found) == {"images", "labels", "segmentation_masks"}
    assert data["images"] is X
    assert tuple(found["segmentation_masks"].shape) == (*shape[:-1], 1)
    np.testing.assert_allclose(np.sum(found["labels"], axis=1), 1.0, atol=1e-6)
    with pytest.raises(ValueError, match="rank 3 or 4"):
        layer(X[0, 0])


@names(RANDOM + SIZED + PLAIN)
def test_configuration(name: str, args: dict[str, Any]) -> None:
    layer = make(name, args)
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    revived = layers.deserialize(json.loads(json.dumps(layers.serialize(layer))))
    np.testing.assert_array_equal(revived(X), make(name, args)(X))


@names([c for c in RANDOM if c[0] not in ("MixUp", "CutMix")] + SIZED)
def test_half_precision(name: str, args: dict[str, Any]) -> None:
    layer = make(name, args, dtype="mixed_bfloat16")
    found = layer(X)
    assert found.dtype == "bfloat16"
    assert np.isfinite(np.asarray(ops.cast(found, "float32"))).all()


def test_configurations_of_keras_files() -> None:
    # For one number Keras writes a pair below 0, which its layers do not mean.
    for name in ("RandomSaturation", "RandomColorDegeneration"):
        layer = getattr(layers, name)(factor=[-0.5, 0.5])
        assert tuple(layer.factor) == (0.0, 0.5)
    assert layers.RandomShear([-0.5, 0.5]).x_factor == (-0.5, 0.5)


def test_masks_move_with_images() -> None:
    layer = layers.RandomTranslation(0.4, 0.4, interpolation="nearest", seed=1)
    found = layer({"images": X, "segmentation_masks": X})
    np.testing.assert_array_equal(found["images"], found["segmentation_masks"])
    elastic = layers.RandomElasticTransform((1.0, 1.0), interpolation="nearest", seed=1)
    found = elastic({"images": X, "segmentation_masks": X})
    np.testing.assert_array_equal(found["images"], found["segmentation_masks"])


def test_labels_are_mixed_as_images_are() -> None:
    labels = np.eye(6, dtype="float32")
    images = np.broadcast_to(labels[:, None, None, :], (6, 4, 4, 6)).astype("float32")
    found = layers.MixUp(1.0, seed=2)({"images": images, "labels": labels})
    np.testing.assert_allclose(found["images"][:, 0, 0], found["labels"], atol=1e-6)
    found = layers.CutMix(1.0, seed=2)({"images": np.ascontiguousarray(images), "labels": labels})
    shares = np.mean(np.asarray(found["images"]), axis=(1, 2))
    assert np.abs(shares - np.asarray(found["labels"])).max() < 0.5  # of 16 pixels
    with pytest.raises(ValueError, match="one-hot"):
        layers.MixUp()({"images": X, "labels": np.arange(6)})


def test_random_crop_is_a_part_of_the_images() -> None:
    x = np.arange(8 * 9, dtype="float32").reshape(1, 8, 9, 1)
    layer = layers.RandomCrop(3, 4, seed=1)
    starts = set()
    for _ in range(20):
        found = np.asarray(layer(x))[0, ..., 0]
        row, column = divmod(int(found[0, 0]), 9)
        np.testing.assert_array_equal(found, x[0, row : row + 3, column : column + 4, 0])
        starts.add((row, column))
    assert len(starts) > 5
    middle = np.asarray(layer(x, training=False))
    assert middle.shape == (1, 3, 4, 1)


def test_in_a_model() -> None:
    x, y = X, np.arange(6) % 2
    model = keras.Sequential(
        [
            keras.Input((9, 11, 3)),
            layers.RandomFlip("horizontal", seed=1),
            layers.RandomRotation(0.1, seed=1),
            layers.RandomCrop(8, 8, seed=1),
            layers.RandomContrast(0.2, value_range=(0, 1), seed=1),
            layers.Flatten(),
            layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    history = model.fit(x, y, epochs=2, batch_size=4, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    np.testing.assert_array_equal(model.predict(x, verbose=0), model.predict(x, verbose=0))


def test_pipeline() -> None:
    pipeline = layers.Pipeline([layers.RandomFlip(seed=1), layers.Rescaling(2.0)])
    expected = np.asarray(layers.RandomFlip(seed=1)(X)) * 2
    np.testing.assert_array_equal(pipeline(X), expected)
    np.testing.assert_array_equal(pipeline(X, training=False), X * 2)
    again = layers.deserialize(json.loads(json.dumps(layers.serialize(pipeline))))
    np.testing.assert_array_equal(again(X), expected)


ERRORS: list[tuple[Any, type[Exception], str]] = [
    (lambda: layers.RandomRotation(2), ValueError, r"`factor`.*\[-1, 1\]"),
    (lambda: layers.RandomZoom(-1.0), ValueError, "`height_factor`"),
    (lambda: layers.RandomContrast((0.1, 0.2, 0.3)), ValueError, "`factor`"),
    (lambda: layers.RandomBrightness(0.1, value_range=1), ValueError, "`value_range`"),
    (lambda: layers.RandomFlip("up"), ValueError, "`mode`"),
    (lambda: layers.RandomRotation(0.1, fill_mode="x"), NotImplementedError, "`fill_mode`"),
    (lambda: layers.RandomShear(interpolation="x"), NotImplementedError, "`interpolation`"),
    (lambda: layers.Resizing(0, 3), ValueError, "height"),
    (lambda: layers.RandomGaussianBlur(kernel_size=2), ValueError, "odd"),
    (lambda: layers.RandomErasing(fill_value=(1, 2)), ValueError, "`fill_value`"),
    (lambda: layers.MixUp(0.0), ValueError, "`alpha`"),
    (lambda: layers.RandomFlip(bounding_box_format="xyxy"), NotImplementedError, "bounding boxes"),
    (lambda: layers.RandomFlip()({"labels": X}), ValueError, '"images"'),
]


@pytest.mark.parametrize(("call", "error", "text"), ERRORS, ids=[e[2] for e in ERRORS])
def test_errors(call: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call()


@pytest.mark.parametrize(
    "name", [m.name for m in pkgutil.iter_modules(image_preprocessing.__path__)]
)
def test_examples_in_docstrings(name: str) -> None:
    module = importlib.import_module(f"{image_preprocessing.__name__}.{name}")
    assert doctest.testmod(module).failed == 0
