"""Whole ONNX files: layers, layout, names, training, `.keras`, the command line."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from made_files import Input, check_file, compare, expected, helper, numbers, save

import pronghorn as keras
from pronghorn.onnx import import_model


def convolutional(path: Any, shape: Any = ("batch", 3, 12, 10)) -> tuple[str, dict[str, Input]]:
    """Writes a network of two convolutions, as PyTorch has them: channels first."""
    node = helper.make_node
    nodes = [
        node("Conv", ["x", "w1", "b1"], ["c1"], "/conv1/Conv", pads=[1, 1, 1, 1]),
        node("BatchNormalization", ["c1", "scale", "shift", "mean", "variance"], ["n1"], "/bn1/BN"),
        node("Relu", ["n1"], ["r1"], "/relu/Relu"),
        node("MaxPool", ["r1"], ["p1"], "/pool/MaxPool", kernel_shape=[2, 2], strides=[2, 2]),
        node("Conv", ["p1", "w2"], ["c2"], "/conv2/Conv", pads=[1, 1, 1, 1], group=2),
        node("Add", ["c2", "p1"], ["a2"], "/add/Add"),
        node("Clip", ["a2", "zero", "six"], ["r2"], "/relu6/Clip"),
        node("GlobalAveragePool", ["r2"], ["g"], "/gap/GlobalAveragePool"),
        node("Flatten", ["g"], ["f"], "/flatten/Flatten"),
        node("Gemm", ["f", "w3", "b3"], ["logits"], "/fc/Gemm", transB=1),
    ]
    stored = {
        "w1": numbers(8, 3, 3, 3, seed=1),
        "b1": numbers(8, seed=2),
        "scale": numbers(8, seed=3),
        "shift": numbers(8, seed=4),
        "mean": numbers(8, seed=5),
        "variance": numbers(8, seed=6, low=0.5),
        "w2": numbers(8, 4, 3, 3, seed=7),
        "w3": numbers(5, 8, seed=8),
        "b3": numbers(5, seed=9),
        "zero": np.array(0, np.float32),
        "six": np.array(6, np.float32),
    }
    inputs = {"x": Input(numbers(4, 3, 12, 10), shape)}
    return save(path, nodes, inputs, stored, ["logits"]), inputs


def kinds(model: Any) -> list[str]:
    return [type(operation).__name__ for operation in model.operations]


def test_a_convolutional_network_has_layers_and_one_permute(tmp_path: Any) -> None:
    path, inputs = convolutional(tmp_path / "cnn.onnx")
    model = check_file(path, inputs)
    assert kinds(model) == [
        "InputLayer",
        "Permute",
        "Conv2D",
        "BatchNormalization",
        "Activation",
        "MaxPooling2D",
        "Conv2D",
        "Add",
        "Relu6",
        "GlobalAveragePooling2D",
        "Flatten",
        "Dense",
    ]
    assert model.input_names == ["x"]
    assert model.output_names == ["logits"]
    assert model.input_shape == (None, 3, 12, 10)
    assert model.get_layer("conv1.Conv").filters == 8


def test_load_model_opens_onnx_files(tmp_path: Any) -> None:
    path, inputs = convolutional(tmp_path / "cnn.onnx")
    model = keras.saving.load_model(path)
    compare(model, {"x": inputs["x"].array}, expected(path, {"x": inputs["x"].array}))
    with pytest.raises(ValueError, match="ONNX files name no classes"):
        keras.saving.load_model(path, custom_objects={"A": object})


def test_an_imported_model_is_saved_and_loaded(tmp_path: Any) -> None:
    path, inputs = convolutional(tmp_path / "cnn.onnx")
    model = keras.saving.load_model(path)
    model.save(tmp_path / "cnn.keras")
    again = keras.saving.load_model(tmp_path / "cnn.keras")
    x = inputs["x"].array
    np.testing.assert_array_equal(model.predict(x, verbose=0), again.predict(x, verbose=0))
    assert again.output_names == ["logits"]


def test_an_imported_model_is_trained_on(tmp_path: Any) -> None:
    path, _ = convolutional(tmp_path / "cnn.onnx", (1, 3, 12, 10))
    model = keras.saving.load_model(path)
    x, y = numbers(32, 3, 12, 10), np.arange(32) % 5
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss)
    history = model.fit(x, y, epochs=5, verbose=0).history["loss"]
    assert history[-1] < history[0]
    assert len(model.trainable_variables) == 7


def test_shapes_of_inputs_are_fixed_or_opened(tmp_path: Any) -> None:
    path, inputs = convolutional(tmp_path / "cnn.onnx", ("batch", 3, "height", "width"))
    check_file(path, inputs)
    model = check_file(path, inputs, input_shapes={"x": (None, 3, 12, 10)})
    assert model.input_shape == (None, 3, 12, 10)
    for shapes in ({"y": (1,)}, {"x": (1, 2)}, {"x": (1, -3, 12, 10)}):
        with pytest.raises(ValueError, match="input_shapes: expected"):
            import_model(path, input_shapes=shapes)


def test_hardmax_along_an_open_size_asks_for_it(tmp_path: Any) -> None:
    inputs = {"x": Input(numbers(3, 4), ("n", 4))}
    nodes = [helper.make_node("Hardmax", ["x"], ["y"], axis=0)]
    path = save(tmp_path / "m.onnx", nodes, inputs, {}, ["y"])
    with pytest.raises(ValueError, match="Hardmax.*give the sizes of the inputs"):
        import_model(path)
    check_file(path, inputs, input_shapes={"x": (3, 4)})


def test_outputs_are_a_list_in_the_order_of_the_file(tmp_path: Any) -> None:
    nodes = [
        helper.make_node("Split", ["x"], ["b", "a"], axis=1),
        helper.make_node("Relu", ["a"], ["c"]),
        helper.make_node("Identity", ["x"], ["same"]),
    ]
    inputs = {"x": Input(numbers(3, 4), ("n", 4))}
    path = save(tmp_path / "m.onnx", nodes, inputs, {}, ["c", "b", "same", "a"])
    model = check_file(path, inputs)
    assert model.output_names == ["c", "b", "same", "a"]


def test_a_product_and_the_sum_behind_it_are_one_dense_layer(tmp_path: Any) -> None:
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["m"], "dense"),
        helper.make_node("Add", ["b", "m"], ["y"]),
        helper.make_node("Conv", ["image", "k"], ["c"], "conv"),
        helper.make_node("Add", ["c", "cb"], ["z"]),
    ]
    inputs = {"x": Input(numbers(3, 7, 4)), "image": Input(numbers(2, 3, 5, 5))}
    stored = {
        "w": numbers(4, 6),
        "b": numbers(6),
        "k": numbers(4, 3, 2, 2),
        "cb": numbers(1, 4, 1, 1),
    }
    path = save(tmp_path / "m.onnx", nodes, inputs, stored, ["y", "z"])
    model = check_file(path, inputs)
    assert "Add" not in kinds(model)
    assert model.get_layer("dense").use_bias
    assert model.get_layer("conv").use_bias


def test_weights_that_no_layer_holds_are_trained_too(tmp_path: Any) -> None:
    nodes = [helper.make_node("Add", ["x", "positions"], ["y"])]
    inputs = {"x": Input(numbers(3, 5, 8), ("n", 5, 8))}
    path = save(tmp_path / "m.onnx", nodes, inputs, {"positions": numbers(1, 5, 8)}, ["y"])
    model = check_file(path, inputs)
    assert [v.shape for v in model.trainable_variables] == [(5, 8)]
    model.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras")
    compare(again, {"x": inputs["x"].array}, expected(path, {"x": inputs["x"].array}))


def test_the_command_line_reads_onnx_files(tmp_path: Any, capsys: Any) -> None:
    from pronghorn.cli import main

    path, inputs = convolutional(tmp_path / "cnn.onnx")
    assert main(["info", path]) == 0
    assert "opset 17" in capsys.readouterr().out
    assert main(["scan", path]) == 0
    assert main(["convert", path, str(tmp_path / "cnn.keras")]) == 0
    model = keras.saving.load_model(tmp_path / "cnn.keras")
    compare(model, {"x": inputs["x"].array}, expected(path, {"x": inputs["x"].array}))
    nodes = [helper.make_node("NonMaxSuppression", ["a", "b"], ["y"], "boxes")]
    given = {"a": Input(numbers(1, 4, 4)), "b": Input(numbers(1, 1, 4))}
    bad = save(tmp_path / "bad.onnx", nodes, given, {}, ["y"])
    capsys.readouterr()
    assert main(["scan", bad]) == 1
    assert "ONNX operator NonMaxSuppression (node 'boxes') is not taken." in capsys.readouterr().out
