"""Functions of images: what golden numbers do not show (tests/golden has those)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import ops
from pronghorn.ops import image

X = np.random.default_rng(0).random((2, 6, 8, 3)).astype("float32")


def bilinear(x: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Returns the values of one channel between pixels inside, in float64."""
    i, j = np.floor(rows).astype(int), np.floor(columns).astype(int)
    a, b = rows - i, columns - j
    top = x[i, j] * (1 - b) + x[i, j + 1] * b
    bottom = x[i + 1, j] * (1 - b) + x[i + 1, j + 1] * b
    return np.asarray(top * (1 - a) + bottom * a)


def test_gradient_of_coordinates() -> None:
    rng = np.random.default_rng(1)
    x = rng.random((6, 8))
    # Away from pixels, where the gradient jumps.
    at = rng.integers(0, 5, (2, 20)) + rng.uniform(0.1, 0.9, (2, 20))
    r, step = rng.standard_normal(20), rng.standard_normal((2, 20))
    places = ops.convert_to_tensor(at.astype("float32"))
    with keras.GradientTape() as tape:
        tape.watch(places)
        loss = ops.sum(image.map_coordinates(x.astype("float32"), places, 1) * r.astype("float32"))
    found = np.sum(np.asarray(tape.gradient(loss, places)) * step)
    h = 1e-6
    expected = np.sum(r * (bilinear(x, *(at + h * step)) - bilinear(x, *(at - h * step)))) / (2 * h)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_give_the_same_bits(threads: int) -> None:
    x = np.random.default_rng(2).random((4, 64, 48, 3)).astype("float32")
    move = np.array([0.9, 0.2, 1.5, -0.1, 1.1, -2.0, 0.0, 0.0], "float32")
    before = keras.config.num_threads() if hasattr(keras.config, "num_threads") else None
    found = []
    for n in (threads, 2):
        keras.config.set_num_threads(n)
        found.append(
            [
                np.asarray(image.resize(x, (31, 77), "bicubic", antialias=True)),
                np.asarray(image.affine_transform(x, move, fill_mode="reflect")),
            ]
        )
    if before is not None:
        keras.config.set_num_threads(before)
    for a, b in zip(*found):
        np.testing.assert_array_equal(a, b)


def test_identity() -> None:
    same = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]
    corners = np.array([[0, 0], [7, 0], [0, 5], [7, 5]], "float32")
    np.testing.assert_array_equal(image.affine_transform(X, same), X)
    np.testing.assert_array_equal(image.resize(X, (6, 8), "lanczos3"), X)
    np.testing.assert_allclose(image.perspective_transform(X, corners, corners), X, atol=1e-5)
    np.testing.assert_allclose(image.hsv_to_rgb(image.rgb_to_hsv(X)), X, atol=1e-6)


def test_perspective_takes_corners_to_their_places() -> None:
    x = np.zeros((9, 9, 1), "float32")
    x[2, 3] = 1.0
    start = np.array([[3, 2], [8, 0], [0, 8], [8, 8]], "float32")
    end = np.array([[5, 6], [8, 1], [1, 8], [8, 8]], "float32")
    found = np.asarray(image.perspective_transform(x, start, end))
    assert found[6, 5, 0] == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("dtype", ["uint8", "int32", "float16", "bfloat16", "float32"])
def test_dtypes_are_kept(dtype: str) -> None:
    x = ops.cast(X * 100, dtype)
    for found in (
        image.resize(x, (3, 5)),
        image.resize(x, (3, 5), "nearest"),
        image.affine_transform(x, [1.0, 0.1, 0.0, 0.0, 1.0, 0.5, 0.0, 0.0]),
        image.gaussian_blur(x),
        image.rgb_to_grayscale(x),
        image.pad_images(x, 1, 1, 1, 1),
        image.crop_images(x, 1, 1, 1, 1),
        image.extract_patches(x, 2),
    ):
        assert found.dtype == dtype


def test_resizing_limits_integers() -> None:
    x = np.zeros((1, 4, 4, 1), "uint8")
    x[:, 1:3, 1:3] = 255
    found = np.asarray(image.resize(x, (9, 9), "bicubic"))
    assert found.min() == 0
    assert found.max() == 255


def test_empty_batch() -> None:
    x = np.zeros((0, 6, 8, 3), "float32")
    assert image.resize(x, (3, 4)).shape == (0, 3, 4, 3)
    assert image.affine_transform(x, [1.0] + [0.0] * 7).shape == (0, 6, 8, 3)


def test_elastic_transform() -> None:
    found = np.asarray(image.elastic_transform(X, alpha=3.0, sigma=1.0, seed=1))
    assert found.shape == X.shape
    assert np.abs(found - X).max() > 0.01
    np.testing.assert_array_equal(found, image.elastic_transform(X, 3.0, 1.0, seed=1))
    np.testing.assert_allclose(image.elastic_transform(X, alpha=0.0, seed=1), X, atol=1e-6)


ERRORS: list[tuple[Any, str]] = [
    (lambda: image.resize(X[0, 0], (2, 2)), "resize: Invalid images rank"),
    (lambda: image.resize(X, (2, 0)), "positive height and width"),
    (lambda: image.resize(X, (2,)), "tuple of 2 integers"),
    (lambda: image.resize(X, (2, 2), "linear"), "`interpolation`"),
    (lambda: image.resize(X, (2, 2), fill_mode="reflect"), "`fill_mode`"),
    (lambda: image.affine_transform(X, [1.0] * 7), "8 numbers"),
    (lambda: image.affine_transform(X, np.ones((3, 8))), "8 for each image"),
    (lambda: image.affine_transform(X, [1.0] * 8, fill_mode="x"), "`fill_mode`"),
    (lambda: image.affine_transform(X, [1.0] * 8, "cubic"), "`interpolation`"),
    (
        lambda: image.perspective_transform(X, np.ones((4, 3)), np.ones((4, 2))),
        "start_points shape",
    ),
    (lambda: image.map_coordinates(X[0, 0], np.ones((3, 4)), 1), "First dim of `coordinates`"),
    (lambda: image.map_coordinates(X[0, 0], np.ones((2, 4)), 2), "`order`"),
    (lambda: image.rgb_to_grayscale(X[..., :2]), "channel"),
    (lambda: image.rgb_to_hsv(X.astype("uint8")), "float dtype"),
    (lambda: image.pad_images(X, 1, 1, 1), "exactly two"),
    (lambda: image.pad_images(X, 1, 1, target_height=3, target_width=20), "bottom_padding must be"),
    (lambda: image.crop_images(X, 5, 1, target_height=3, target_width=2), "within the images"),
    (lambda: image.extract_patches(X, 7), "window must fit"),
    (lambda: image.gaussian_blur(X, (3, 0)), "`kernel_size`"),
    (lambda: image.ssim(X, X[:, :5]), "same shape"),
    (
        lambda: image.scale_and_translate(X, (2, 3, 8, 3), [1.0], [0.0], (2,), "linear"),
        "output_shape",
    ),
]


@pytest.mark.parametrize(("call", "text"), ERRORS, ids=[text for _, text in ERRORS])
def test_errors(call: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        call()
