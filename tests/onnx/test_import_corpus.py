"""Files that PyTorch exported, with outputs of ONNX Runtime (corpus/make_corpus.py makes them)."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import pytest
from made_files import check_file, compare, numbers

import pronghorn as keras
from pronghorn.onnx import import_model

CORPUS = pathlib.Path(__file__).parent / "corpus"
NAMES = sorted(path.stem for path in CORPUS.glob("*.onnx"))


def arrays_of(name: str) -> tuple[dict[str, np.ndarray], list[np.ndarray]]:
    with np.load(CORPUS / f"{name}.npz") as stored:
        inputs = {"x": stored["input_0"]}
        outputs = [stored[f"output_{i}"] for i in range(len(stored.files) - 1)]
    return inputs, outputs


@pytest.mark.parametrize("name", NAMES)
def test_network_agrees_and_is_saved(name: str, tmp_path: Any) -> None:
    model = import_model(CORPUS / f"{name}.onnx")
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


LAYERS = {
    "decoder_open": ["Conv2D", "Conv2DTranspose", "GroupNormalization", "PReLU", "UpSampling2D"],
    "recurrent": ["Bidirectional", "Dense", "Embedding", "GRU"],
    "residual": ["Conv2D", "Dense", "DepthwiseConv2D", "MaxPooling2D"],
    "residual_11": ["Conv2D", "Dense", "DepthwiseConv2D", "MaxPooling2D"],
    "sound": ["AveragePooling1D", "Conv1D", "Dense", "MaxPooling1D", "SimpleRNN"],
    "tokens": ["Dense", "Embedding", "LayerNormalization", "Softmax"],
    "tokens_batch": ["Dense", "Embedding", "LayerNormalization", "Softmax"],
}


@pytest.mark.parametrize("name", list(LAYERS))
def test_network_is_made_of_layers(name: str) -> None:
    model = import_model(CORPUS / f"{name}.onnx")
    kinds = {type(layer).__name__ for layer in model.layers}
    assert set(LAYERS[name]) <= kinds
    activations = [
        layer.activation.__name__ for layer in model.layers if hasattr(layer, "activation")
    ]
    if name.startswith("tokens"):
        assert "gelu" in activations
        assert not {"Erf", "Sqrt", "Mean"} & {type(x).__name__ for x in model.operations}
    if name.startswith("residual"):
        assert {"silu", "hard_silu"} <= set(activations)


def test_images_of_open_size_agree_at_other_sizes() -> None:
    path = CORPUS / "decoder_open.onnx"
    for shape in ((1, 3, 12, 20), (3, 3, 16, 8)):
        check_file(str(path), {"x": numbers(*shape)})
    for shape in ((1, 1), (4, 12)):
        ids = np.random.default_rng(1).integers(0, 30, shape)
        check_file(str(CORPUS / "tokens.onnx"), {"x": ids})
