"""audio_dataset_from_directory: wav formats, labels, splits, order, bad files, fit."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import layers
from pronghorn.utils import audio_dataset_from_directory
from pronghorn.utils.wav import read_wav, resample

FLOAT, EXTENSIBLE = 3, 0xFFFE


def wav(
    data: bytes, bits: int, channels: int = 1, rate: int = 8000, code: int = 1, sub: int = 1
) -> bytes:
    """The bytes of a wav file with a chunk of odd length before its data."""
    block = channels * bits // 8
    form = struct.pack("<HHIIHH", code, channels, rate, rate * block, block, bits)
    if code == EXTENSIBLE:
        form += struct.pack("<HHIH14s", 22, bits, 0, sub, b"\x00" * 14)
    other = b"LIST" + struct.pack("<I", 3) + b"abc\x00"
    body = b"WAVE" + b"fmt " + struct.pack("<I", len(form)) + form + other
    body += b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def pcm16(values: np.ndarray) -> bytes:
    return values.astype("<i2").tobytes()


def folders(
    root: Path, counts: dict[str, int], length: Callable[[int], int] = lambda i: 10 + i
) -> Path:
    """Files whose samples all have their number, in subdirectories."""
    number = 0
    for name, count in counts.items():
        (root / name).mkdir()
        for i in range(count):
            samples = np.full(length(number), number * 256)
            (root / name / f"{i:02}.WAV").write_bytes(wav(pcm16(samples), 16))
            number += 1
    return root


@pytest.mark.parametrize("code", [1, EXTENSIBLE])
@pytest.mark.parametrize("bits", [8, 16, 24, 32])
def test_integers(tmp_path: Path, bits: int, code: int) -> None:
    least, most = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    values = np.array([[0, 1], [-1, most], [least, most // 3]])
    stored = values + 128 if bits == 8 else values
    data = b"".join(
        int(v).to_bytes(bits // 8, "little", signed=bits > 8) for v in stored.reshape(-1)
    )
    path = tmp_path / "a.wav"
    path.write_bytes(wav(data, bits, channels=2, rate=11025, code=code))
    found, rate = read_wav(path)
    assert rate == 11025 and found.dtype == np.float32
    np.testing.assert_array_equal(found, (values / 2.0 ** (bits - 1)).astype(np.float32))


@pytest.mark.parametrize("bits", [32, 64])
def test_floats(tmp_path: Path, bits: int) -> None:
    values = np.array([0.25, -3.0, 1e-3])
    (tmp_path / "a.wav").write_bytes(wav(values.astype(f"<f{bits // 8}").tobytes(), bits, code=3))
    (tmp_path / "b.wav").write_bytes(
        wav(values.astype(f"<f{bits // 8}").tobytes(), bits, code=EXTENSIBLE, sub=FLOAT)
    )
    for name in ("a.wav", "b.wav"):
        np.testing.assert_array_equal(read_wav(tmp_path / name)[0][:, 0], values.astype(np.float32))


def test_data_of_a_streamed_file_goes_to_its_end(tmp_path: Path) -> None:
    whole = wav(pcm16(np.arange(5)), 16)
    at = whole.index(b"data") + 4
    (tmp_path / "a.wav").write_bytes(whole[:at] + b"\xff\xff\xff\xff" + whole[at + 4 :] + b"\x01")
    assert read_wav(tmp_path / "a.wav")[0].shape == (5, 1)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "RIFF/WAVE"),
        (b"ID3\x04 an mp3", "RIFF/WAVE"),
        (wav(b"\x00" * 100, 16)[:90], "100 bytes of samples.*truncated"),
        (wav(b"\x00" * 100, 16)[:24], "truncated"),
        (wav(b"\x00" * 100, 16)[:40], "'data'.*truncated"),
        (wav(b"\x00" * 7, 16), "whole frames"),
        (wav(b"\x00" * 8, 8, code=7), "mu-law"),
        (wav(b"\x00" * 8, 4, code=0x11), "ADPCM"),
        (wav(b"\x00" * 16, 64), "integers of 64 bits"),
        (wav(b"\x00" * 16, 16, channels=0), "channels=0"),
    ],
)
def test_bad_files_are_named(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "word.wav").write_bytes(content)
    data = audio_dataset_from_directory(tmp_path, labels=None, verbose=False)
    with pytest.raises(ValueError, match=f"word.wav: .*{message}"):
        data[0]


def test_padding_labels_and_order(tmp_path: Path) -> None:
    folders(tmp_path, {"no": 3, "yes": 2})
    data = audio_dataset_from_directory(tmp_path, batch_size=2, shuffle=False, verbose=False)
    assert data.class_names == ["no", "yes"] and len(data) == 3
    batches = list(data)
    assert [x.shape for x, _ in batches] == [(2, 11, 1), (2, 13, 1), (1, 14, 1)]
    x = batches[1][0][..., 0]
    np.testing.assert_array_equal(x[0], np.r_[np.full(12, 2 / 128), 0])
    np.testing.assert_array_equal(x[1], np.full(13, 3 / 128))
    assert np.concatenate([y for _, y in batches]).tolist() == [0, 0, 0, 1, 1]
    assert batches[0][1].dtype == np.int32

    cut = audio_dataset_from_directory(
        tmp_path, output_sequence_length=12, shuffle=False, verbose=False
    )
    assert cut[0][0].shape == (5, 12, 1) and cut[0][0][0, 10, 0] == 0
    single = audio_dataset_from_directory(tmp_path, batch_size=None, shuffle=False, verbose=False)
    assert len(single) == 5 and single[4][0].shape == (14, 1) and single[4][1] == 1


def test_label_modes(tmp_path: Path) -> None:
    folders(tmp_path, {"a": 2, "b": 1})
    options = {"shuffle": False, "verbose": False}
    hot = audio_dataset_from_directory(tmp_path, label_mode="categorical", **options)[0][1]
    np.testing.assert_array_equal(hot, np.float32([[1, 0], [1, 0], [0, 1]]))
    binary = audio_dataset_from_directory(tmp_path, label_mode="binary", **options)[0][1]
    np.testing.assert_array_equal(binary, np.float32([[0], [0], [1]]))
    turned = audio_dataset_from_directory(tmp_path, class_names=["b", "a"], **options)
    assert turned[0][1].tolist() == [0, 1, 1] and turned.class_names == ["b", "a"]
    given = audio_dataset_from_directory(tmp_path, labels=[5, 6, 5], **options)
    assert given[0][1].tolist() == [5, 6, 5] and given.class_names == ["5", "6"]
    for none in ({"labels": None}, {"label_mode": None}):
        assert isinstance(audio_dataset_from_directory(tmp_path, **none, **options)[0], np.ndarray)


def test_splits_are_disjoint_and_repeat(tmp_path: Path) -> None:
    folders(tmp_path, {"a": 6, "b": 4}, lambda i: 4)

    def paths(subset: str) -> list[str]:
        return audio_dataset_from_directory(
            tmp_path, validation_split=0.3, subset=subset, seed=3, verbose=False
        ).file_paths

    training, validation = paths("training"), paths("validation")
    assert len(training) == 7 and len(validation) == 3 and len({*training, *validation}) == 10
    both = audio_dataset_from_directory(
        tmp_path, validation_split=0.3, subset="both", seed=3, verbose=False
    )
    assert [part.file_paths for part in both] == [training, validation]
    # the same order as Keras's: NumPy's RandomState(seed).shuffle of the sorted paths
    wanted = sorted(str(p) for p in tmp_path.rglob("*.WAV"))
    np.random.RandomState(3).shuffle(wanted)
    assert training + validation == wanted


def test_each_pass_has_its_order_and_all_files(tmp_path: Path) -> None:
    folders(tmp_path, {"a": 6, "b": 4}, lambda i: 4)
    data = audio_dataset_from_directory(tmp_path, batch_size=4, seed=1, verbose=False)
    passes = [np.concatenate([x[:, 0, 0] for x, _ in data]) * 128 for _ in range(3)]
    assert [sorted(p.tolist()) for p in passes] == [list(range(10))] * 3
    assert not np.array_equal(passes[0], passes[1]) and not np.array_equal(passes[1], passes[2])
    again = audio_dataset_from_directory(tmp_path, batch_size=4, seed=1, verbose=False)
    np.testing.assert_array_equal(np.concatenate([x[:, 0, 0] for x, _ in again]) * 128, passes[0])


def test_resampling() -> None:
    for rate, to_rate in ((8000, 16000), (44100, 16000), (16000, 11025)):
        time = np.arange(rate) / rate
        tone = np.sin(2 * np.pi * 440 * time + 0.3).astype(np.float32)[:, None]
        found = resample(tone, rate, to_rate)
        assert found.shape == (to_rate, 1)
        wanted = np.sin(2 * np.pi * 440 * np.arange(to_rate) / to_rate + 0.3)
        inner = slice(200, -200)
        assert np.abs(found[inner, 0] - wanted[inner]).max() < 2e-3
    # what the lower rate cannot hold is gone
    high = np.sin(2 * np.pi * 7000 * np.arange(16000) / 16000).astype(np.float32)[:, None]
    assert np.abs(resample(high, 16000, 8000)[100:-100]).max() < 1e-2
    same = np.ones((5, 2), np.float32)
    assert resample(same, 8000, 8000) is same


def test_sampling_rate(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(wav(pcm16(np.arange(100)), 16, rate=8000))
    (tmp_path / "b.wav").write_bytes(wav(pcm16(np.arange(100)), 16, rate=16000))
    data = audio_dataset_from_directory(
        tmp_path, labels=None, sampling_rate=16000, batch_size=None, shuffle=False, verbose=False
    )
    assert [x.shape for x in data] == [(200, 1), (100, 1)]


def test_channels_must_agree(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(wav(pcm16(np.arange(4)), 16))
    (tmp_path / "b.wav").write_bytes(wav(pcm16(np.arange(4)), 16, channels=2))
    data = audio_dataset_from_directory(tmp_path, labels=None, shuffle=False, verbose=False)
    with pytest.raises(ValueError, match=r"1 in .*a.wav, 2 in .*b.wav"):
        data[0]


def test_messages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders(tmp_path, {"a": 6, "b": 4}, lambda i: 4)
    audio_dataset_from_directory(tmp_path, validation_split=0.5, subset="both", seed=1)
    assert capsys.readouterr().out == (
        "Found 10 files belonging to 2 classes.\nUsing 5 files for training.\n"
        "Using 5 files for validation.\n"
    )
    audio_dataset_from_directory(tmp_path, labels=None)
    assert capsys.readouterr().out == "Found 10 files.\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"labels": "wrong"}, "`labels` argument should be"),
        ({"labels": [0, 1], "class_names": ["a"]}, "You can only pass `class_names`"),
        ({"labels": None, "class_names": ["a"]}, "class_names cannot be given"),
        ({"labels": [0]}, "Expected the lengths of `labels`"),
        ({"labels": [0.5] * 4}, "must be integers"),
        ({"labels": [1, 2, 3, 4], "label_mode": "categorical"}, "0 to the number of classes"),
        ({"label_mode": "wrong"}, "`label_mode` argument must be one of"),
        ({"class_names": ["a", "c"]}, "`class_names` passed did not match"),
        ({"class_names": ["a"], "label_mode": "binary"}, "there must be exactly 2"),
        ({"validation_split": 2, "subset": "training"}, "between 0 and 1"),
        ({"validation_split": 0.5}, "`subset` is set, `validation_split` must be set"),
        ({"subset": "training"}, "`subset` is set, `validation_split` must be set"),
        ({"validation_split": 0.5, "subset": "test"}, "`subset` must be either"),
        ({"validation_split": 0.5, "subset": "training"}, "must provide a `seed`"),
        ({"validation_split": 0.1, "subset": "training", "seed": 1}, "at least one file each"),
        ({"sampling_rate": 8000.0}, "`sampling_rate` should have an integer value"),
        ({"output_sequence_length": 0}, "`output_sequence_length` should have an integer"),
        ({"ragged": True}, "no ragged tensors"),
        ({"batch_size": 0}, "batch_size must be"),
    ],
)
def test_bad_arguments(tmp_path: Path, options: dict, message: str) -> None:
    folders(tmp_path, {"a": 2, "b": 2})
    with pytest.raises(ValueError, match=message):
        audio_dataset_from_directory(tmp_path, verbose=False, **options)


def test_no_files(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="No audio files found"):
        audio_dataset_from_directory(tmp_path, verbose=False)
    with pytest.raises(ValueError, match="expected a directory"):
        audio_dataset_from_directory(tmp_path / "missing", verbose=False)


def test_links(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    folders(root, {"a": 1})
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "linked.wav").write_bytes(wav(pcm16(np.arange(3)), 16))
    (root / "a" / "more").symlink_to(elsewhere)
    assert len(audio_dataset_from_directory(root, verbose=False).file_paths) == 1
    followed = audio_dataset_from_directory(root, follow_links=True, verbose=False)
    assert len(followed.file_paths) == 2


def test_fit_evaluate_predict(tmp_path: Path) -> None:
    folders(tmp_path, {"low": 6, "not": 6}, lambda i: 8)
    data = audio_dataset_from_directory(tmp_path, batch_size=5, seed=1, verbose=False)
    keras.utils.set_random_seed(1)
    model = keras.Sequential([layers.Flatten(), layers.Dense(2, activation="softmax")])
    model.compile(
        keras.optimizers.Adam(0.5), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    model.fit(data, epochs=40, verbose=0)
    assert model.evaluate(data, verbose=0)[1] == 1.0
    fixed = audio_dataset_from_directory(tmp_path, shuffle=False, verbose=False, batch_size=5)
    assert model.predict(fixed, verbose=0).argmax(-1).tolist() == [0] * 6 + [1] * 6
