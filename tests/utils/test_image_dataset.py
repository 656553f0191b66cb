"""Image files: load_img and its relatives, image_dataset_from_directory."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import layers, ops
from pronghorn.utils import (
    array_to_img,
    image_dataset_from_directory,
    img_to_array,
    load_img,
    save_img,
)

Image = pytest.importorskip("PIL.Image", reason="pip install 'pronghorn[image]'")


def picture(seed: int, height: int = 12, width: int = 10, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), "uint8")


def folders(root: Path, counts: dict[str, int], ending: str = "png") -> Path:
    """Images of one value, the number of the file, in subdirectories."""
    number = 0
    for name, count in counts.items():
        (root / name).mkdir()
        for i in range(count):
            value = np.full((9 + i, 7, 3), number, "uint8")
            Image.fromarray(value).save(root / name / f"{i:02}.{ending}")
            number += 1
    return root


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("first", [False, True])
def test_files_keep_pixels(tmp_path: Path, channels: int, first: bool) -> None:
    x = picture(0, channels=channels)
    form = "channels_first" if first else "channels_last"
    given = np.moveaxis(x, -1, 0) if first else x
    path = tmp_path / "a.png"
    save_img(path, given, data_format=form, scale=False)
    mode = {1: "grayscale", 3: "rgb", 4: "rgba"}[channels]
    found = img_to_array(load_img(path, mode), data_format=form)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, given)
    again = img_to_array(array_to_img(given, form, scale=False), form, "uint8")
    np.testing.assert_array_equal(again, given)


def test_array_to_img_scales_and_keeps_large_values() -> None:
    x = np.array([[[0.5], [1.5]]])
    assert img_to_array(array_to_img(x)).ravel().tolist() == [0.0, 255.0]
    wide = array_to_img(x * 1000, scale=False)
    assert wide.mode == "I"
    assert img_to_array(wide).ravel().tolist() == [500.0, 1500.0]
    flat = array_to_img(np.ones((2, 2, 3)))
    assert np.asarray(flat).max() == 0


def test_sizes_and_forms_of_loaded_images(tmp_path: Path) -> None:
    x = picture(1)
    path = tmp_path / "a.bmp"
    save_img(path, x, scale=False)
    assert load_img(str(path), target_size=(5, 8)).size == (8, 5)
    assert load_img(io.BytesIO(path.read_bytes())).size == (10, 12)
    kept = load_img(path, target_size=(6, 10), keep_aspect_ratio=True)
    np.testing.assert_array_equal(np.asarray(kept), x[3:9])
    with pytest.warns(UserWarning, match="RGBA"):
        save_img(tmp_path / "b.jpg", picture(2, channels=4))
    assert load_img(tmp_path / "b.jpg").mode == "RGB"
    frames = [Image.fromarray(np.full((4, 4), v, "uint8")) for v in (10, 200)]
    frames[0].save(tmp_path / "c.gif", save_all=True, append_images=frames[1:])
    assert np.asarray(load_img(tmp_path / "c.gif", "grayscale")).max() == 10


def test_bad_arguments_and_files(tmp_path: Path) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no image at all")
    with pytest.raises(ValueError, match="bad.png"):
        load_img(bad)
    whole = io.BytesIO()
    Image.fromarray(picture(3, 64, 64)).save(whole, "png")
    (tmp_path / "cut.png").write_bytes(whole.getvalue()[:2000])
    with pytest.raises(ValueError, match="cut.png"):
        load_img(tmp_path / "cut.png")
    with pytest.raises(FileNotFoundError):
        load_img(tmp_path / "none.png")
    with pytest.raises(TypeError, match="path-like"):
        load_img(3)
    with pytest.raises(ValueError, match="color_mode"):
        load_img(bad, "cmyk")
    with pytest.raises(ValueError, match="rank 3"):
        array_to_img(np.ones((2, 2)))
    with pytest.raises(ValueError, match="1, 3 or 4 channels"):
        array_to_img(np.ones((2, 2, 2)))
    with pytest.raises(ValueError, match="unknown format"):
        save_img(tmp_path / "a.xyz", picture(0))


def test_batches_and_labels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders(tmp_path, {"b": 3, "a": 4})
    data = image_dataset_from_directory(
        tmp_path, batch_size=3, image_size=(5, 6), shuffle=False, label_mode="categorical"
    )
    assert "Found 7 files belonging to 2 classes." in capsys.readouterr().out
    assert data.class_names == ["a", "b"]
    batches = list(data)
    assert [x.shape for x, _ in batches] == [(3, 5, 6, 3), (3, 5, 6, 3), (1, 5, 6, 3)]
    assert all(x.dtype == np.float32 for x, _ in batches)
    values = np.concatenate([x[:, 0, 0, 0] for x, _ in batches])
    assert values.tolist() == [3, 4, 5, 6, 0, 1, 2]  # of b, made first, and of a
    assert np.concatenate([y for _, y in batches])[:, 0].tolist() == [1, 1, 1, 1, 0, 0, 0]


@pytest.mark.parametrize("mode", ["rgb", "rgba", "grayscale"])
def test_color_modes_and_formats(tmp_path: Path, mode: str) -> None:
    folders(tmp_path, {"a": 2})
    folders(tmp_path, {"b": 2}, "JPG")
    folders(tmp_path, {"c": 2}, "gif")
    (tmp_path / "a" / "notes.txt").write_text("no image")
    data = image_dataset_from_directory(
        tmp_path, color_mode=mode, image_size=4, verbose=False, data_format="channels_first"
    )
    channels = {"rgb": 3, "rgba": 4, "grayscale": 1}[mode]
    assert data[0][0].shape == (6, channels, 4, 4)


@pytest.mark.parametrize("aspect", ["", "crop_to_aspect_ratio", "pad_to_aspect_ratio"])
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic", "lanczos5"])
def test_resizing_is_that_of_ops(tmp_path: Path, interpolation: str, aspect: str) -> None:
    option = {aspect: True} if aspect else {}
    x = picture(4, 20, 11)
    (tmp_path / "a").mkdir()
    save_img(tmp_path / "a" / "x.png", x, scale=False)
    data = image_dataset_from_directory(
        tmp_path, labels=None, image_size=(9, 13), interpolation=interpolation, batch_size=None,
        verbose=False, **option,
    )  # fmt: skip
    expected = ops.image.resize(x.astype("float32"), (9, 13), interpolation, **option)
    np.testing.assert_allclose(data[0], expected, atol=1e-3)


def test_split_shuffle_and_errors(tmp_path: Path) -> None:
    folders(tmp_path, {"a": 5, "b": 5})
    train, test = image_dataset_from_directory(
        tmp_path, validation_split=0.3, subset="both", seed=1, image_size=3, verbose=False
    )
    assert (len(train.file_paths), len(test.file_paths)) == (7, 3)
    assert not set(train.file_paths) & set(test.file_paths)
    passes = [np.concatenate([y for _, y in train]).tolist() for _ in range(4)]
    assert len({tuple(p) for p in passes}) > 1
    assert len({tuple(sorted(p)) for p in passes}) == 1
    for arguments, text in (
        ({"color_mode": "cmyk"}, "color_mode"),
        ({"interpolation": "area"}, "interpolation"),
        ({"image_size": (3, 0)}, "image_size"),
        ({"label_mode": "binary", "class_names": ["a"]}, "exactly 2"),
        ({"crop_to_aspect_ratio": True, "pad_to_aspect_ratio": True}, "only one"),
        ({"batch_size": 0}, "batch_size"),
    ):
        with pytest.raises(ValueError, match=text):
            image_dataset_from_directory(tmp_path, verbose=False, **arguments)
    (tmp_path / "a" / "bad.png").write_bytes(b"x")
    data = image_dataset_from_directory(tmp_path, verbose=False)
    model = keras.Sequential([layers.Flatten(), layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="bad.png"):
        model.fit(data, verbose=0)  # read by a thread


def test_fit_on_augmented_files(tmp_path: Path) -> None:
    for name, value in (("dark", 40), ("light", 210)):
        (tmp_path / name).mkdir()
        for i in range(12):
            noise = picture(i) // 8
            save_img(tmp_path / name / f"{i}.png", noise + value, scale=False)
    data = image_dataset_from_directory(
        tmp_path, image_size=(8, 8), batch_size=8, seed=1, verbose=False
    )
    change = layers.Pipeline([layers.Rescaling(1 / 255), layers.RandomFlip(seed=1)])
    mapped = data.map(lambda x, y: (change(x), y))
    assert mapped.class_names == ["dark", "light"]
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [keras.Input((8, 8, 3)), layers.GlobalAveragePooling2D(), layers.Dense(2)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.1), loss, metrics=["accuracy"])
    model.fit(mapped, epochs=30, verbose=0)
    assert model.evaluate(mapped, verbose=0)[1] == 1.0


STAMPS = Path(os.environ.get("PRONGHORN_DATA", "/usr/share")) / "tuxpaint" / "stamps"


@pytest.mark.slow
@pytest.mark.skipif(
    not STAMPS.is_dir(),
    reason=f"{STAMPS} is missing: apt-get install tuxpaint-stamps-default",
)
def test_real_pictures_are_told_apart() -> None:
    train, test = image_dataset_from_directory(
        STAMPS,
        class_names=["animals", "symbols", "town"],
        image_size=(32, 32),
        pad_to_aspect_ratio=True,
        validation_split=0.3,
        subset="both",
        seed=1,
        verbose=False,
    )
    keras.utils.set_random_seed(1)
    augment = layers.Pipeline(
        [
            layers.RandomFlip("horizontal"),
            layers.RandomRotation(0.05),
            layers.RandomZoom(0.1),
            layers.RandomContrast(0.2),
        ]
    )
    model = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(train.map(lambda x, y: (augment(x), y)), epochs=10, verbose=0)
    # The most frequent class has half of them.
    assert model.evaluate(test, verbose=0)[1] > 0.7
