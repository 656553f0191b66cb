"""LSTM, GRU and RNN against ONNX Runtime: directions, states, lengths, forms of GRU."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from made_files import Input, check_file, helper, numbers, save

GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
TIME, BATCH, FEATURES, UNITS = 5, 3, 4, 6


def node_and_weights(operator: str, directions: int, **attributes: Any) -> tuple[Any, Any]:
    gates = GATES[operator]
    stored = {
        "W": numbers(directions, gates * UNITS, FEATURES, seed=1, low=-0.5, high=0.5),
        "R": numbers(directions, gates * UNITS, UNITS, seed=2, low=-0.5, high=0.5),
        "B": numbers(directions, 2 * gates * UNITS, seed=3, low=-0.5, high=0.5),
    }
    names = ["x", "W", "R", "B"]
    outputs = ["y", "h", "c"][: 3 if operator == "LSTM" else 2]
    node = helper.make_node(operator, names, outputs, "layer", hidden_size=UNITS, **attributes)
    return node, stored


@pytest.mark.parametrize("operator", list(GATES))
@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize("outputs", ["y", "h", "all"])
def test_recurrent_layers_agree(operator: str, direction: str, outputs: str, tmp_path: Any) -> None:
    node, stored = node_and_weights(
        operator, 2 if direction == "bidirectional" else 1, direction=direction
    )
    wanted = list(node.output) if outputs == "all" else [outputs]
    del node.output[:]
    every = ["y", "h", "c"][: 3 if operator == "LSTM" else 2]
    node.output.extend([x if x in wanted else "" for x in every])
    x = Input(numbers(TIME, BATCH, FEATURES), (TIME, "batch", FEATURES))
    path = save(tmp_path / "m.onnx", [node], {"x": x}, stored, wanted, 14)
    model = check_file(path, {"x": x})
    kind = "bidirectional" if direction == "bidirectional" else operator.lower()
    assert any(kind in type(layer).__name__.lower() for layer in model.layers)


@pytest.mark.parametrize("operator", list(GATES))
@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("open_time", [False, True])
def test_initial_states_and_lengths_agree(
    operator: str, directions: int, open_time: bool, tmp_path: Any
) -> None:
    node, stored = node_and_weights(
        operator, directions, direction="bidirectional" if directions == 2 else "forward"
    )
    states = ["h0", "c0"] if operator == "LSTM" else ["h0"]
    node.input.extend(["lengths", *states])
    time = "time" if open_time else TIME
    inputs = {
        "x": Input(numbers(TIME, BATCH, FEATURES), (time, "batch", FEATURES)),
        "lengths": Input(np.array([5, 2, 4], np.int32), ("batch",)),
        **{s: Input(numbers(directions, BATCH, UNITS, seed=7)) for s in states},
    }
    path = save(tmp_path / "m.onnx", [node], inputs, stored, list(node.output), 14)
    check_file(path, inputs)


@pytest.mark.parametrize("before", [0, 1])
@pytest.mark.parametrize("bias", [False, True])
def test_both_forms_of_gru_agree(before: int, bias: bool, tmp_path: Any) -> None:
    node, stored = node_and_weights("GRU", 1, linear_before_reset=before)
    if not bias:
        del stored["B"], node.input[3:]
    x = Input(numbers(TIME, BATCH, FEATURES))
    path = save(tmp_path / "m.onnx", [node], {"x": x}, stored, ["y", "h"], 7)
    model = check_file(path, {"x": x})
    layer = next(layer for layer in model.layers if type(layer).__name__ == "GRU")
    assert layer.reset_after == bool(before)
    assert layer.use_bias == bias


def test_activations_are_taken_or_refused(tmp_path: Any) -> None:
    from pronghorn.onnx import import_model

    x = Input(numbers(TIME, BATCH, FEATURES))
    taken: list[tuple[str, dict[str, Any]]] = [
        ("RNN", {"activations": ["Relu"]}),
        ("RNN", {"activations": ["Affine"], "activation_alpha": [1.0]}),
        ("LSTM", {"activations": ["Sigmoid", "Elu", "Elu"], "activation_alpha": [1.0, 1.0]}),
        (
            "GRU",
            {
                "activations": ["HardSigmoid", "Softsign"],
                "activation_alpha": [1 / 6],
                "activation_beta": [0.5],
            },
        ),
    ]
    for operator, attributes in taken:
        node, stored = node_and_weights(operator, 1, **attributes)
        path = save(tmp_path / "taken.onnx", [node], {"x": x}, stored, ["y"], 14)
        check_file(path, {"x": x})
    refused: list[tuple[str, dict[str, Any]]] = [
        ("LSTM", {"activations": ["HardSigmoid", "Tanh", "Tanh"]}),
        ("LSTM", {"activations": ["Sigmoid", "Tanh", "Relu"]}),
        ("LSTM", {"clip": 3.0}),
        ("LSTM", {"input_forget": 1}),
        ("RNN", {"activations": ["Affine"], "activation_alpha": [2.0]}),
        ("RNN", {"activations": ["Elu"], "activation_alpha": [0.5]}),
        ("RNN", {"direction": "sideways"}),
    ]
    for operator, attributes in refused:
        node, stored = node_and_weights(operator, 1, **attributes)
        path = save(tmp_path / "refused.onnx", [node], {"x": x}, stored, ["y"], 14)
        with pytest.raises(ValueError, match=rf"ONNX operator {operator} \(node 'layer'\)"):
            import_model(path)


def test_transposes_around_a_batch_first_layer_leave_no_trace(tmp_path: Any) -> None:
    node, stored = node_and_weights("LSTM", 2, direction="bidirectional")
    node.input[0] = "time_first"
    nodes = [
        helper.make_node("Transpose", ["x"], ["time_first"], perm=[1, 0, 2]),
        node,
        helper.make_node("Transpose", ["y"], ["merged"], perm=[0, 2, 1, 3]),
        helper.make_node("Constant", [], ["shape"], value_ints=[0, 0, -1]),
        helper.make_node("Reshape", ["merged", "shape"], ["flat"]),
        helper.make_node("Transpose", ["flat"], ["out"], perm=[1, 0, 2]),
    ]
    x = Input(numbers(BATCH, TIME, FEATURES), ("batch", TIME, FEATURES))
    path = save(tmp_path / "m.onnx", nodes, {"x": x}, stored, ["out"], 14)
    model = check_file(path, {"x": x})
    assert [type(op).__name__ for op in model.operations][1:] == ["Bidirectional", "Identity"]
