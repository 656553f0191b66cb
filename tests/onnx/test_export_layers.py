"""Every layer of the golden cases as an ONNX file, with another batch than it was traced with."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from agreement import compare, run

sys.path.insert(0, str(Path(__file__).parents[1] / "golden"))
import attention_cases
import image_cases
import layer_cases
import rnn_cases
import speech_cases

from pronghorn import layers, ops, tree
from pronghorn.layers import InputSpec
from pronghorn.onnx import export_model


class Called(layers.Layer):
    """A layer with a function that calls it on a list of inputs."""

    def __init__(self, layer: Any, function: Any) -> None:
        super().__init__(dtype="float32")
        self.layer, self.function, self.built = layer, function, True

    def call(self, inputs: Any) -> Any:
        return self.function(*inputs)


def check(
    layer: Any,
    function: Any,
    inputs: list[np.ndarray],
    path: Path,
    terms: int = 128,
    unknown: tuple[int, ...] = (0,),
) -> None:
    """Compares; `unknown`: axes of unknown size."""
    called = Called(layer, function)
    shapes = [tuple(None if i in unknown else n for i, n in enumerate(x.shape)) for x in inputs]
    signature = [InputSpec(shape=s, dtype=x.dtype.name) for s, x in zip(shapes, inputs)]
    export_model(called, path, input_signature=(signature,))
    more = [np.concatenate([x, x[:1], x]) for x in inputs]
    expected = tree.flatten(called(list(map(ops.convert_to_tensor, more)), training=False))
    found = run(path, more)
    assert len(found) == len(expected)
    for got, wanted in zip(found, expected):
        compare(got, wanted, terms)


def layer_and_call(case: layer_cases.LayerCase) -> tuple[Any, Any, list[np.ndarray]]:
    """The layer of a case, the function that calls it, and the inputs of that, masks last."""
    layer = layer_cases.make_layer(layers, case)
    arrays = case.inputs()
    layer.build(arrays[0].shape if len(arrays) == 1 else [a.shape for a in arrays])
    for i, w in enumerate(layer.weights):
        w.assign(case.weight(i, w.name, tuple(w.shape)))
    call = {k: v for k, v in case.call.items() if k not in ("mask", "training")}
    mask = case.mask()
    inputs = arrays if mask is None else [*arrays, mask]

    def function(*xs: Any) -> Any:
        masks = {} if mask is None else {"mask": xs[-1]}
        xs = xs[: len(arrays)]
        return layer(xs[0] if len(xs) == 1 else list(xs), **call, **masks)

    return layer, function, inputs


@pytest.mark.parametrize("case", layer_cases.CASES, ids=lambda case: case.name)
def test_layer(case: layer_cases.LayerCase, tmp_path: Path) -> None:
    check(*layer_and_call(case), tmp_path / "layer.onnx")


# Of these cases, the layers for which every size but the last may be unknown.
UNKNOWN_SIZES = (
    "dense_3d_relu", "conv1d", "conv1d_causal", "conv1d_same_stride", "conv2d",
    "conv2d_same_stride", "conv2d_groups", "conv2d_dilation", "conv3d", "conv1d_transpose",
    "conv1d_transpose_output", "conv2d_transpose", "conv2d_transpose_valid",
    "conv2d_transpose_dilation", "depthwise1d", "depthwise2d", "depthwise2d_same", "separable1d",
    "separable2d", "max1d", "max2d", "average1d", "average2d_same", "average3d", "max3d",
    "softmax_axes", "layer_norm", "group_norm", "rms_norm", "unit_norm",
)  # fmt: skip


@pytest.mark.parametrize(
    "case", [c for c in layer_cases.CASES if c.name in UNKNOWN_SIZES], ids=lambda case: case.name
)
def test_layer_with_unknown_sizes(case: layer_cases.LayerCase, tmp_path: Path) -> None:
    layer, function, (x,) = layer_and_call(case)
    path = tmp_path / "layer.onnx"
    check(layer, function, [x], path, unknown=tuple(range(x.ndim - 1)))
    for more in range(1, 5):
        larger = np.pad(x, [(0, 1), *[(0, more)] * (x.ndim - 2), (0, 0)], mode="wrap")
        compare(run(path, [larger])[0], function(ops.convert_to_tensor(larger)), 128)


@pytest.mark.parametrize("case", attention_cases.CASES, ids=lambda case: case.name)
def test_attention(case: attention_cases.AttentionCase, tmp_path: Path) -> None:
    layer = attention_cases.make_layer(layers, case)
    arrays, masks = case.inputs(), case.mask_arrays()

    def function(*xs: Any) -> Any:
        given = dict(zip(masks, xs[len(arrays) :]))
        if case.takes_list and given:
            given = {"mask": [given.get("query_mask"), given["value_mask"]]}
        inputs = list(xs[: len(arrays)])
        call = {**case.call, **given}
        return layer(inputs, **call) if case.takes_list else layer(*inputs, **call)

    path = tmp_path / "attention.onnx"
    check(layer, function, [*arrays, *masks.values()], path)
    if not masks and "axes" not in case.name and "axis" not in case.name:
        check(layer, function, arrays, path, unknown=(0, 1))


@pytest.mark.parametrize(
    "case", [c for c in image_cases.LAYERS if c.drawn is None], ids=lambda case: case.name
)
def test_image_layer(case: image_cases.ImageCase, tmp_path: Path) -> None:
    layer = getattr(layers, case.target)(**case.args)
    images = case.images()
    if images.ndim == 3:
        images = images[None]
    check(layer, layer, [images], tmp_path / "image.onnx")


@pytest.mark.parametrize("name", speech_cases.LAYERS)
def test_speech_layer(name: str, tmp_path: Path) -> None:
    kind, args, shape = speech_cases.LAYERS[name]
    layer = getattr(layers, kind)(**args)
    x = np.random.default_rng(0).standard_normal(shape if len(shape) > 1 else (1, *shape))
    check(layer, layer, [x.astype("float32")], tmp_path / "speech.onnx", 512)


@pytest.mark.parametrize(
    "case", [c for c in rnn_cases.CASES if not c.stateful], ids=lambda case: case.name
)
def test_recurrent(case: rnn_cases.RnnCase, tmp_path: Path) -> None:
    import pronghorn as keras

    model = case.model(keras)
    inputs = case.inputs()
    path = tmp_path / "recurrent.onnx"
    model.export(path, format="onnx")
    more = [np.concatenate([x, x[:1], x]) for x in inputs]
    expected = tree.flatten(model.predict(more, verbose=0))
    found = run(path, more)
    assert len(found) == len(expected)
    for got, wanted in zip(found, expected):
        compare(got, wanted)
