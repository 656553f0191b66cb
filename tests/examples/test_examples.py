"""The examples run, in a short form, and learn."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from typing import Any

import pytest

import pronghorn as keras

EXAMPLES = Path(__file__).parents[2] / "examples"


def load(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_digits(tmp_path: Path) -> None:
    assert load("digits").main(epochs=1, plot="") > 0.75


def test_digits_draws_curves(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is missing: pip install matplotlib")
    history = keras.callbacks.History()
    history.on_epoch_end(0, {"loss": 1.0, "accuracy": 0.5, "val_loss": 1.0, "val_accuracy": 0.5})
    load("digits").draw(history, str(tmp_path / "curves.png"))
    assert (tmp_path / "curves.png").stat().st_size > 1000


@pytest.mark.parametrize("one_hot", [False, True])
def test_fashion(one_hot: bool) -> None:
    assert load("fashion").main(epochs=1, one_hot=one_hot, limit=4000) > 0.6


def test_mlp() -> None:
    assert load("mlp").main(epochs=4) > 0.9


def test_regression() -> None:
    regression = load("regression")
    assert max(regression.main(seed=seed) for seed in range(3)) < 0.014


@pytest.mark.parametrize(("network", "least"), [("words", 0.85), ("gru", 0.6)])
def test_topics(network: str, least: float) -> None:
    topics = load("topics")
    try:
        topics.find("train"), topics.find("test")
    except FileNotFoundError:
        pytest.skip(f"Reuters R8 is missing: {topics.COMMAND}")
    assert topics.main(network, epochs=3, limit=800) > least


def test_characters() -> None:
    assert load("characters").main(epochs=4, units=64, limit=1000, length=40) < 19


def test_translation() -> None:
    translation = load("translation")
    model, words, wanted = translation.train(epochs=5, seed=0, count=1000, size=32)
    # Characters that are always the same, and the most frequent others, are 0.46.
    _, accuracy = model.evaluate([words, translation.shifted(wanted)], wanted, verbose=0)
    assert accuracy > 0.52
    written = translation.translate(model, words[:7])
    # Greedy decoding gives what the model gives for its own characters, all known at once.
    logits = model.predict([words[:7], translation.shifted(written)], verbose=0)
    assert (logits[:, :, 1:].argmax(-1) + 1 == written).all()


def test_autoencoder() -> None:
    found = load("autoencoder").main(epochs=5)
    assert found["code"] < 0.03
    assert found["denoised"] < 0.055 < found["noisy"]


def test_gan() -> None:
    found = load("gan").main(epochs=2, judge_epochs=1)
    assert found["sure of real"] > 0.4
    assert 0 <= found["sure"] <= 1


def test_speakers() -> None:
    speakers = load("speakers")
    try:
        speakers.find("JapaneseVowels_TRAIN.ts")
    except FileNotFoundError as e:
        pytest.skip(str(e))
    assert min(speakers.main(epochs=12).values()) > 0.7


def test_spoken_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    digits = load("spoken_digits")
    if shutil.which("flite") is None or not digits.RECORDINGS.is_dir():
        pytest.skip("no voices: apt-get install flite asterisk-core-sounds-en-wav")
    monkeypatch.setattr(digits, "PITCHES", (120, 190))
    held_out, real = digits.main(epochs=6, speeds=(1.0,), copies=6)
    assert held_out > 0.25 and 0 <= real <= 1


def test_spoken_digits_names_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digits = load("spoken_digits")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="apt-get install flite"):
        digits.speak(tmp_path, ("slt",), (1.0,))
    monkeypatch.setattr(digits, "RECORDINGS", tmp_path / "missing")
    with pytest.raises(FileNotFoundError, match="asterisk-core-sounds-en-wav"):
        digits.recordings(tmp_path)


def test_speakers_says_where_its_data_comes_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setenv("PRONGHORN_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="pip download --no-deps aeon"):
        load("speakers").find("missing.ts")


@pytest.mark.slow
def test_digits_reaches_its_accuracy() -> None:
    accuracies = [load("digits").main(epochs=5, seed=seed, plot="") for seed in range(3)]
    assert sum(accuracies) / 3 >= 0.95
