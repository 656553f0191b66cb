"""Files that PyTorch exported, with outputs of ONNX Runtime (corpus/make_corpus.py makes them)."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import pytest
from made_files import compare

import pronghorn as keras
from pronghorn.onnx import import_model

CORPUS = pathlib.Path(__file__).parent / "corpus"
NAMES = sorted(path.stem for path in CORPUS.glob("*.onnx"))
# Images of which all sizes are open are resized and normalized by parts of their sizes.
SHAPES: dict[str, Any] = {"decoder_open": {"x": (None, 3, 8, 12)}}


def arrays_of(name: str) -> tuple[dict[str, np.ndarray], list[np.ndarray]]:
    with np.load(CORPUS / f"{name}.npz") as stored:
        inputs = {"x": stored["input_0"]}
        outputs = [stored[f"output_{i}"] for i in range(len(stored.files) - 1)]
    return inputs, outputs


@pytest.mark.parametrize("name", NAMES)
def test_network_agrees_and_is_saved(name: str, tmp_path: Any) -> None:
    model = import_model(CORPUS / f"{name}.onnx", input_shapes=SHAPES.get(name))
    inputs, outputs = arrays_of(name)
    compare(model, inputs, outputs)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    compare(again, inputs, outputs)
    assert again.count_params() == model.count_params()


@pytest.mark.parametrize("name", ["residual", "tokens", "patches", "recurrent"])
def test_network_takes_another_batch_and_is_trained(name: str) -> None:
    model = import_model(CORPUS / f"{name}.onnx")
    inputs, _ = arrays_of(name)
    x = np.concatenate([inputs["x"]] * 4)[:5]
    outputs = model(x)
    first = outputs[0] if isinstance(outputs, list) else outputs
    assert first.shape[0] == 5
    target = [
        np.zeros(y.shape, "float32") for y in (outputs if isinstance(outputs, list) else [outputs])
    ]
    model.compile("adam", "mean_squared_error")
    history = model.fit(x, target if len(target) > 1 else target[0], epochs=4, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]
