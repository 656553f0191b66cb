"""Models as ONNX files: ONNX Runtime gives the same numbers, for other batches than were traced."""

from __future__ import annotations

import doctest
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from agreement import compare, onnx, onnxruntime, operators, run

import pronghorn as keras
from pronghorn import layers


@pytest.fixture(autouse=True)
def same_seed() -> None:
    keras.utils.set_random_seed(0)


def random(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape).astype("float32")


def check(model: Any, path: Path, *inputs: np.ndarray, terms: int = 64) -> list[str]:
    model.export(path, format="onnx")
    argument = inputs[0] if len(inputs) == 1 else list(inputs)
    expected = keras.tree.flatten(model.predict(argument, verbose=0))
    found = run(path, list(inputs))
    assert len(found) == len(expected)
    for got, wanted in zip(found, expected):
        compare(got, wanted, terms)
    return operators(path)


def mlp() -> Any:
    dense = layers.Dense
    return keras.Sequential([keras.Input((20,)), dense(16, "relu"), dense(8, "gelu"), dense(3)])


def test_mlp_is_products_with_bias(tmp_path: Path) -> None:
    model = mlp()
    found = check(model, tmp_path / "mlp.onnx", random(5, 20))
    assert Counter(found)["Gemm"] == 3
    assert "MatMul" not in found


def test_network_of_convolutions_has_transposes_at_its_ends_only(tmp_path: Path) -> None:
    x = keras.Input((14, 12, 3))
    y = layers.Conv2D(8, 3, padding="same", use_bias=False)(x)
    y = layers.ReLU()(layers.BatchNormalization()(y))
    z = layers.Conv2D(8, 3, padding="same", activation="swish")(y)
    y = layers.Add()([y, z])
    y = layers.Concatenate()([y, layers.DepthwiseConv2D(3, padding="same")(y)])
    y = layers.MaxPooling2D(2)(layers.ZeroPadding2D(1)(y))
    y = layers.AveragePooling2D(2, padding="same")(y)
    scale = layers.GlobalAveragePooling2D(keepdims=True)(y)
    y = layers.Multiply()([y, layers.Conv2D(16, 1, activation="sigmoid")(scale)])
    y = layers.Conv2D(4, 3, strides=2)(y)
    model = keras.Model(x, layers.Dense(5, "softmax")(layers.GlobalMaxPooling2D()(y)))
    for v in model.non_trainable_variables:
        v.assign(np.random.default_rng(1).uniform(0.5, 1.5, v.shape))
    found = Counter(check(model, tmp_path / "cnn.onnx", random(5, 14, 12, 3)))
    assert found["Transpose"] == 1
    assert found["Conv"] == 5
    assert found["BatchNormalization"] == 1
    assert found["Add"] == 1  # of two layers: biases are operands of convolutions
    assert "MatMul" not in found


def test_squeeze_and_excitation_needs_no_transposes(tmp_path: Path) -> None:
    x = keras.Input((8, 8, 3))
    y = layers.Conv2D(6, 3, activation="relu6")(x)
    scale = layers.Reshape((1, 1, 6))(layers.GlobalAveragePooling2D()(y))
    scale = layers.Conv2D(6, 1, activation="hard_sigmoid")(layers.Conv2D(2, 1)(scale))
    y = layers.Conv2D(4, 3, activation="relu6")(layers.Multiply()([y, scale]))
    model = keras.Model(x, layers.GlobalAveragePooling2D()(y))
    found = Counter(check(model, tmp_path / "m.onnx", random(3, 8, 8, 3)))
    assert (found["Transpose"], found["Conv"], found["MatMul"]) == (1, 4, 0)
    assert found["Clip"] == 3
    assert found["GlobalAveragePool"] == 2


@pytest.mark.parametrize("activation", [None, "relu"])
def test_zeros_around_what_is_pooled_stay_zeros(tmp_path: Path, activation: Any) -> None:
    # ONNX Runtime takes them for the pooling's own padding, minus infinity.
    x = keras.Input((6, 6, 2))
    y = layers.Conv2D(3, 3, activation=activation, bias_initializer="ones")(x)
    y = layers.ZeroPadding2D(1)(-3.0 + y if activation is None else y)
    model = keras.Model(x, layers.MaxPooling2D(2)(y))
    found = check(model, tmp_path / "m.onnx", random(3, 6, 6, 2))
    assert ("Max" in found) == (activation is None)
    y = layers.ZeroPadding2D(1)(layers.Conv2D(3, 3)(x))
    both = layers.Add()([layers.MaxPooling2D(2)(y), layers.MaxPooling2D(3, 2, "same")(y)])
    assert check(keras.Model(x, both), tmp_path / "m.onnx", random(3, 6, 6, 2)).count("Max") == 1


def test_names_and_dimensions(tmp_path: Path) -> None:
    path = tmp_path / "mlp.onnx"
    model = keras.Sequential(
        [keras.Input((None, 4), name="signal"), layers.Dense(3, name="scores")], name="net"
    )
    model.export(path, format="onnx", opset_version=19)
    proto = onnx.load(path)
    onnx.checker.check_model(proto, full_check=True)
    assert [x.name for x in proto.graph.input] == ["signal"]
    assert [x.name for x in proto.graph.output] == ["scores"]
    assert {x.name for x in proto.graph.initializer} >= {"net/scores/kernel", "net/scores/bias"}
    for value, last in ((proto.graph.input[0], 4), (proto.graph.output[0], 3)):
        dims = value.type.tensor_type.shape.dim
        assert [d.dim_param or d.dim_value for d in dims] == ["batch", "dim_1", last]
    assert proto.producer_name == "pronghorn"
    assert proto.opset_import[0].version == 19
    assert proto.doc_string


def test_arguments(tmp_path: Path) -> None:
    model = mlp()
    with pytest.raises(ValueError, match="expected opset_version from 18 to 2"):
        model.export(tmp_path / "m.onnx", format="onnx", opset_version=12)
    with pytest.raises(NotImplementedError, match="format"):
        model.export(tmp_path / "m")
    with pytest.raises(NotImplementedError, match="openvino"):
        model.export(tmp_path / "m.onnx", format="openvino")
    with pytest.raises(ValueError, match="Unrecognized format=csv"):
        model.export(tmp_path / "m.onnx", format="csv")
    with pytest.raises(TypeError, match="other"):
        model.export(tmp_path / "m.onnx", format="onnx", other=1)
    with pytest.raises(TypeError, match="expected a model or layer"):
        keras.onnx.export_model(3, tmp_path / "m.onnx")
    assert not list(tmp_path.iterdir())
    model.export(tmp_path / "m.onnx")  # the name says which format
    assert operators(tmp_path / "m.onnx")


def test_every_version_of_the_operators(tmp_path: Path) -> None:
    layer = layers.RMSNormalization()
    model = keras.Sequential([keras.Input((6,)), layers.Dense(5, "gelu"), layer])
    x = random(4, 6)
    for version in range(18, 1 + min(23, onnx.defs.onnx_opset_version())):
        path = tmp_path / f"{version}.onnx"
        model.export(path, format="onnx", opset_version=version)
        if version > 21 and tuple(map(int, onnxruntime.__version__.split(".")[:2])) < (1, 24):
            continue
        compare(run(path, [x])[0], model.predict(x, verbose=0))


def test_output_says_where_the_file_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mlp().export(tmp_path / "m.onnx", format="onnx")
    assert "m.onnx" in capsys.readouterr().out
    mlp().export(tmp_path / "m.onnx", format="onnx", verbose=False)
    assert capsys.readouterr().out == ""


def test_example_of_the_documentation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    module = sys.modules[keras.onnx.export_model.__module__]
    assert doctest.testmod(module).attempted > 2
    assert doctest.testmod(module).failed == 0
    assert (tmp_path / "classifier.onnx").exists()
