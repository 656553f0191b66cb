"""ONNX files that lie: refused by name, soon, and without the memory that they ask for."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import time
import tracemalloc
from typing import Any

import numpy as np
import pytest
from made_files import Input, TensorProto, helper, numbers, onnx, save

from pronghorn.onnx import import_model
from pronghorn.onnx.importing import describe, problems

X = {"x": Input(numbers(2, 3, 4, 4), ("n", 3, 4, 4))}


def saved(tmp_path: Any, *nodes: Any, inputs: Any = None, opset: int = 17, **stored: Any) -> str:
    return save(tmp_path / "m.onnx", list(nodes), inputs or X, stored, ["y"], opset)


def changed(tmp_path: Any, change: Any) -> str:
    """Writes a network that is well, but for what `change` does to its ModelProto."""
    path = saved(tmp_path, helper.make_node("Conv", ["x", "w"], ["y"], "c"), w=numbers(2, 3, 3, 3))
    model = onnx.load(path)
    change(model)
    pathlib.Path(path).write_bytes(model.SerializeToString())
    return path


def refused(path: str, message: str) -> None:
    """Checks that a file is refused within a second and 100 MB of arrays."""
    tracemalloc.start()
    start = time.process_time()
    try:
        with pytest.raises(ValueError, match=message):
            import_model(path)
        assert time.process_time() - start < 1.0
        assert tracemalloc.get_traced_memory()[1] < 100e6
    finally:
        tracemalloc.stop()


@pytest.fixture(autouse=True, scope="module")
def _imports(tmp_path_factory: Any) -> None:
    """Imports what the first use of the package imports, which is no file's fault."""
    import_model(saved(tmp_path_factory.mktemp("first"), helper.make_node("Relu", ["x"], ["y"])))


INT_MAX = 2**63 - 1
TOO_LARGE = "more than 268435456 numbers|is too large|fits into no memory|larger than 64 MiB"
BIG = np.array([2**40, 2**20], np.int64)
#: Name -> nodes that reach for memory, of which no tensor of that size may be made.
BOMBS: dict[str, tuple[list[Any], dict[str, Any], str]] = {
    "ConstantOfShape": (
        [
            helper.make_node("ConstantOfShape", ["big"], ["c"]),
            helper.make_node("Add", ["x", "c"], ["y"]),
        ],
        {"big": BIG},
        "larger than 64 MiB",
    ),
    "Expand": (
        [
            helper.make_node("Expand", ["one", "big"], ["c"]),
            helper.make_node("Add", ["x", "c"], ["y"]),
        ],
        {"one": np.ones(1, np.float32), "big": BIG},
        "larger than 64 MiB",
    ),
    "Expand of an input": (
        [helper.make_node("Expand", ["x", "big"], ["y"])],
        {"big": np.array([2**20, 2**20, 1, 1, 1, 1], np.int64)},
        TOO_LARGE,
    ),
    "Tile": (
        [helper.make_node("Tile", ["x", "big"], ["y"])],
        {"big": np.array([1, 2**20, 2**20, 1])},
        TOO_LARGE,
    ),
    "Tile of a constant": (
        [
            helper.make_node("Tile", ["one", "big"], ["c"]),
            helper.make_node("Add", ["x", "c"], ["y"]),
        ],
        {"one": np.ones((1, 1), np.float32), "big": BIG},
        "larger than 64 MiB",
    ),
    "Range": (
        [
            helper.make_node("Range", ["a", "b", "c"], ["r"]),
            helper.make_node("Add", ["x", "r"], ["y"]),
        ],
        {"a": np.array(0.0), "b": np.array(1e18), "c": np.array(1e-3)},
        "larger than 64 MiB",
    ),
    "Pad": (
        [helper.make_node("Pad", ["x", "big"], ["y"])],
        {"big": np.array([0, 0, 2**30, 2**30, 0, 0, 0, 0])},
        TOO_LARGE,
    ),
    "Pad by an edge": (
        [helper.make_node("Pad", ["x", "big"], ["y"], mode="edge")],
        {"big": np.array([0, 0, 2**30, 0, 0, 0, 0, 0])},
        "adds 1073741824",
    ),
    "Conv with pads": (
        [helper.make_node("Conv", ["x", "w"], ["y"], pads=[2**20] * 4)],
        {"w": numbers(2, 3, 3, 3)},
        TOO_LARGE,
    ),
    "ConvTranspose with strides": (
        [helper.make_node("ConvTranspose", ["x", "w"], ["y"], strides=[2**20, 2**20])],
        {"w": numbers(3, 2, 3, 3)},
        TOO_LARGE,
    ),
    "Resize": (
        [helper.make_node("Resize", ["x", "", "s"], ["y"], mode="cubic")],
        {"s": np.array([1, 1, 1e6, 1e6], np.float32)},
        TOO_LARGE,
    ),
    "OneHot": (
        [
            helper.make_node("Cast", ["x"], ["i"], to=TensorProto.INT64),
            helper.make_node("OneHot", ["i", "d", "v"], ["y"]),
        ],
        {"d": np.array(2**40), "v": np.array([0, 1], np.float32)},
        "expected a depth",
    ),
    "Gather": (
        [
            helper.make_node("Gather", ["t", "i"], ["g"]),
            helper.make_node("Add", ["x", "g"], ["y"]),
        ],
        {"t": np.zeros((1, 10**5), np.float32), "i": np.zeros(10**5, np.int64)},
        "larger than 64 MiB",
    ),
    "Unsqueeze": (
        [helper.make_node("Unsqueeze", ["x", "a"], ["y"])],
        {"a": np.arange(500)},
        "expected axes",
    ),
    "Reshape": (
        [helper.make_node("Reshape", ["x", "a"], ["y"])],
        {"a": np.ones(500, np.int64)},
        "at most 16 axes",
    ),
    "Reshape that an open size may allow": (
        [helper.make_node("Reshape", ["x", "a"], ["y"])],
        {"a": np.array([-1, 2**31 - 1])},
        TOO_LARGE,
    ),
    "many constants": (
        [
            helper.make_node("ConstantOfShape", ["s"], ["c0"]),
            *(helper.make_node("Add", [f"c{i}", f"c{i}"], [f"c{i + 1}"]) for i in range(40)),
            helper.make_node("Add", ["x", "c40"], ["y"]),
        ],
        {"s": np.array([2**20])},
        "larger than 64 MiB",
    ),
}


@pytest.mark.parametrize("name", list(BOMBS))
def test_bombs_are_refused(name: str, tmp_path: Any) -> None:
    nodes, stored, message = BOMBS[name]
    refused(saved(tmp_path, *nodes, **stored), message)


def external(model: Any) -> None:
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", "../../etc/passwd"), ("length", "216")):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value


def set_dims(*dims: int) -> Any:
    def change(model: Any) -> None:
        model.graph.initializer[0].dims[:] = dims

    return change


def add_function(model: Any) -> None:
    model.functions.add().name = "f"


def set_domain(model: Any) -> None:
    model.graph.node[0].domain = "com.example"


def set_estimator(model: Any) -> None:
    model.graph.node[0].domain = "ai.onnx.ml"
    model.graph.node[0].op_type = "TreeEnsembleRegressor"


def set_subgraph(model: Any) -> None:
    node = model.graph.node[0]
    node.op_type = "Loop"
    attribute = node.attribute.add()
    attribute.name, attribute.type = "body", onnx.AttributeProto.GRAPH
    attribute.g.name = "inner"


def set_loop(model: Any) -> None:
    model.graph.node[0].input[0] = "y"


def add_twice(model: Any) -> None:
    model.graph.node.add().CopyFrom(model.graph.node[0])


def add_initializer_twice(model: Any) -> None:
    model.graph.initializer.add().CopyFrom(model.graph.initializer[0])


def set_strings(model: Any) -> None:
    tensor = model.graph.initializer[0]
    tensor.data_type = TensorProto.STRING
    tensor.ClearField("raw_data")
    tensor.string_data.extend([b"x"] * 54)


def set_input(**fields: Any) -> Any:
    def change(model: Any) -> None:
        dim = model.graph.input[0].type.tensor_type.shape.dim[2]
        for name, value in fields.items():
            setattr(dim, name, value)

    return change


def set_attribute(name: str, value: Any) -> Any:
    def change(model: Any) -> None:
        model.graph.node[0].attribute.append(helper.make_attribute(name, value))

    return change


def set_opset(*versions: int) -> Any:
    def change(model: Any) -> None:
        del model.opset_import[:]
        model.opset_import.extend(helper.make_opsetid("", v) for v in versions)

    return change


def clear_outputs(model: Any) -> None:
    del model.graph.output[:]


def set_output(model: Any) -> None:
    model.graph.output[0].name = "nowhere"


def long_name(model: Any) -> None:
    model.graph.node[0].name = "n" * 5000


def sequence(model: Any) -> None:
    model.graph.input[0].type.sequence_type.elem_type.tensor_type.elem_type = 1


CHANGES: dict[str, tuple[Any, str]] = {
    "external data": (external, "external data"),
    "more declared": (set_dims(2, 3, 3, 2**40), "declares shape"),
    "negative sizes": (set_dims(-2, -3, 3, 3), "declares shape"),
    "many sizes": (set_dims(*[1] * 400), "rank 400"),
    "function": (add_function, "functions"),
    "domain": (set_domain, r"ONNX operator Conv \(node 'c'\) .*com.example"),
    "subgraph": (set_subgraph, r"ONNX operator Loop \(node 'c'\) .*graph"),
    "loop": (set_loop, "undefined name, or a loop"),
    "twice": (add_twice, "a second time"),
    "initializer twice": (add_initializer_twice, "there twice"),
    "strings": (set_strings, "dtype STRING"),
    "input size": (set_input(dim_value=2**60), "declares a size"),
    "negative input": (set_input(dim_value=-5), "declares a size"),
    "strides of 0": (set_attribute("strides", [0, 1]), "attribute 'strides'"),
    "strides beyond": (set_attribute("strides", [INT_MAX, 1]), "attribute 'strides'"),
    "dilations": (set_attribute("dilations", [INT_MAX, 1]), "attribute 'dilations'"),
    "wide dilations": (set_attribute("dilations", [2**20, 2**20]), "ONNX operator Conv"),
    "negative pads": (set_attribute("pads", [-1, 0, 0, 0]), "attribute 'pads'"),
    "few pads": (set_attribute("pads", [1]), "attribute 'pads'"),
    "text for pads": (set_attribute("pads", "wide"), "attribute 'pads'"),
    "kernel": (set_attribute("kernel_shape", [7, 7]), "kernel_shape"),
    "groups": (set_attribute("group", INT_MAX), "groups"),
    "no groups": (set_attribute("group", 0), "groups"),
    "opset 6": (set_opset(6), "opset"),
    "opset 1000": (set_opset(1000), "opset"),
    "estimator": (set_estimator, r"ONNX operator ai.onnx.ml.TreeEnsembleRegressor"),
    "two opsets": (set_opset(13, 17), "one version"),
    "no opset": (set_opset(), "one version"),
    "no output": (clear_outputs, "no output"),
    "output of nothing": (set_output, "nothing computes it"),
    "long name": (long_name, "5000 characters"),
    "sequence": (sequence, "expected a tensor"),
}


@pytest.mark.parametrize("name", list(CHANGES))
def test_changed_files_are_refused(name: str, tmp_path: Any) -> None:
    change, message = CHANGES[name]
    path = changed(tmp_path, change)
    refused(path, message)


def test_bytes_that_are_no_file_are_refused(tmp_path: Any) -> None:
    path = saved(tmp_path, helper.make_node("Relu", ["x"], ["y"]))
    data = pathlib.Path(path).read_bytes()
    for i, damaged in enumerate((b"", b"PK\x03\x04" * 9, data[:-7], b"\xff" * 64, b"\x0b" * 4096)):
        other = tmp_path / f"{i}.onnx"
        other.write_bytes(damaged)
        with pytest.raises(ValueError, match="expected an ONNX file"):
            import_model(other)
        assert problems(str(other))
    with pytest.raises(ValueError, match="File not found"):
        import_model(tmp_path / "none.onnx")


def test_names_that_are_no_text_are_refused(tmp_path: Any) -> None:
    path = tmp_path / "m.onnx"
    data = pathlib.Path(saved(tmp_path, helper.make_node("Relu", ["x"], ["y"]))).read_bytes()
    path.write_bytes(data.replace(b"made", b"m\xff\xfee"))
    with pytest.raises(ValueError, match="no UTF-8 text|expected an ONNX file"):
        import_model(path)


def test_nested_types_end_in_an_error(tmp_path: Any) -> None:
    inner = b""
    for _ in range(3000):  # a sequence of a sequence of ...
        inner = field(4, field(1, inner))
    port = field(1, b"x") + field(2, inner)
    path = tmp_path / "deep.onnx"
    path.write_bytes(field(7, field(11, port)))
    with pytest.raises(ValueError, match="expected an ONNX file"):
        import_model(path)


def field(number: int, data: bytes) -> bytes:
    """Returns a field of bytes as Protocol Buffers have it."""
    length, found = len(data), b""
    while True:
        found += bytes([length & 127 | (128 if length > 127 else 0)])
        length >>= 7
        if not length:
            return bytes([number << 3 | 2]) + found + data


def test_changed_bytes_load_or_end_in_an_error(tmp_path: Any) -> None:
    corpus = pathlib.Path(__file__).parent / "corpus"
    rng = np.random.default_rng(0)
    path = tmp_path / "m.onnx"
    for name in ("sound", "perceptron", "residual"):
        data = np.frombuffer((corpus / f"{name}.onnx").read_bytes(), np.uint8)
        for _ in range(25):
            other = data.copy()
            places = rng.integers(0, len(other), rng.integers(1, 6))
            other[places] = rng.integers(0, 256, len(places))
            path.write_bytes(other.tobytes())
            try:
                import_model(path)
            except ValueError as error:
                assert str(path) in str(error)  # noqa: PT017


def test_a_long_chain_is_no_recursion(tmp_path: Any) -> None:
    count = 1500
    nodes = [helper.make_node("Neg", [f"v{i}"], [f"v{i + 1}"]) for i in range(count)]
    nodes[0].input[0], nodes[-1].output[0] = "x", "y"
    model = import_model(saved(tmp_path, *nodes))
    np.testing.assert_array_equal(np.asarray(model(X["x"].array)), X["x"].array)


def test_sizes_that_grow_without_end_are_refused(tmp_path: Any) -> None:
    x = {"x": Input(numbers(2, 3), ("n", 3))}
    for operator in ("Mul", "Add"):
        nodes = [
            helper.make_node("Shape", ["x"], ["s0"]),
            *(helper.make_node(operator, [f"s{i}", f"s{i}"], [f"s{i + 1}"]) for i in range(60)),
            helper.make_node("Reshape", ["x", "s60"], ["y"]),
        ]
        refused(saved(tmp_path, *nodes, inputs=x), f"{TOO_LARGE}|too long|beyond 2|at most 2")


def test_equal_names_of_nodes_are_no_trouble(tmp_path: Any) -> None:
    nodes = [helper.make_node("Neg", ["x"], [f"v{i}"], "same") for i in range(1500)]
    nodes.append(helper.make_node("Identity", ["v7"], ["y"], "same"))
    start = time.process_time()
    import_model(saved(tmp_path, *nodes))
    assert time.process_time() - start < 2.0


def test_memory_stays_bounded_in_a_fresh_process(tmp_path: Any) -> None:
    files = []
    for i, (nodes, stored, _) in enumerate(BOMBS.values()):
        files.append(save(tmp_path / f"{i}.onnx", nodes, X, stored, ["y"]))
    code = (
        "import json, resource, sys, pronghorn.onnx as o\n"
        "import onnx, numpy, google.protobuf.message\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024\n"
        "before, refused = peak(), 0\n"
        "for path in json.loads(sys.argv[1]):\n"
        "    try: o.import_model(path)\n"
        "    except ValueError: refused += 1\n"
        "print(refused, peak() - before)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(files)], capture_output=True, text=True, check=True
    )
    count, megabytes = done.stdout.split()
    assert int(count) == len(files)
    assert float(megabytes) < 200


def test_describe_says_what_is_there_and_problems_why_not(tmp_path: Any) -> None:
    path = saved(tmp_path, helper.make_node("Conv", ["x", "w"], ["y"], "c"), w=numbers(2, 3, 3, 3))
    found = describe(path)
    assert found["format"] == "ONNX model, opset 17"
    assert found["inputs"] == [{"name": "x", "shape": ["n", 3, 4, 4], "dtype": "float32"}]
    assert found["operators"] == [{"operator": "Conv", "count": 1}]
    assert found["arrays"] == [{"name": "w", "shape": [2, 3, 3, 3], "dtype": "float32"}]
    assert problems(path) == []
    path = saved(
        tmp_path,
        helper.make_node("RandomNormalLike", ["x"], ["z"], "noise"),
        helper.make_node("NonZero", ["z"], ["y"]),
    )
    assert problems(path) == [
        "ONNX operator RandomNormalLike (node 'noise') is not taken.",
        "ONNX operator NonZero (node 'y') is not taken.",
    ]
    with pytest.raises(FileNotFoundError):
        problems(str(tmp_path / "none.onnx"))


def test_the_same_opset_twice_is_one(tmp_path: Any) -> None:
    assert import_model(changed(tmp_path, set_opset(17, 17))).output_shape == (None, 2, 2, 2)
