"""The graph of an ONNX file, checked as a whole before anything is built of it."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

import numpy as np

from pronghorn.config_errors import one_line
from pronghorn.onnx.importing.tensors import (
    MAX_RANK,
    check_tensor,
    dtype_name,
    tensor_array,
)

#: Versions of the default operator set that are read.
OPSETS = (7, 26)
MAX_BYTES = 2**31 - 1
#: The domain of what is not a network.
ESTIMATORS = "ai.onnx.ml"
MAX_NODES = 20_000
MAX_PORTS = 1_000
MAX_NAME = 1_000

_SUBGRAPHS = ("GRAPH", "GRAPHS")


@dataclasses.dataclass(eq=False)
class Node:
    """A call of an operator.

    Args:
        operator: Name of the operator.
        name: Name of the node; empty where it has none.
        inputs: Names of the inputs; empty ones are left out.
        outputs: Names of the outputs, alike.
        attributes: Numbers, strings, lists of them, and arrays, by name.
    """

    operator: str
    name: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, Any]

    def __str__(self) -> str:
        name = self.name or next((x for x in self.outputs if x), "")
        return f"ONNX operator {self.operator} (node '{name[:100]}')"

    def refused(self, reason: str) -> ValueError:
        """Returns an error that says why the node is not taken."""
        return ValueError(f"{self} {reason}")


@dataclasses.dataclass(eq=False)
class Port:
    """An input or output of the graph: sizes are integers, names of sizes, or `None`."""

    name: str
    dtype: str
    shape: tuple[int | str | None, ...] | None


@dataclasses.dataclass(eq=False)
class OnnxGraph:
    """The graph of a file: its nodes in an order in which they can be computed."""

    name: str
    producer: str
    opset: int
    nodes: list[Node]
    inputs: list[Port]
    outputs: list[Port]
    stored: dict[str, Any]
    size: int

    def array(self, name: str) -> np.ndarray:
        """Returns an initializer."""
        return tensor_array(self.stored[name], f"ONNX initializer '{name[:100]}'", checked=True)


def require_onnx() -> Any:
    """Returns the package `onnx`.

    Raises:
        ImportError: If it is not installed.
    """
    try:
        import onnx
    except ImportError as error:
        raise ImportError(
            "ONNX files need the package onnx: pip install 'pronghorn[onnx]'"
        ) from error
    return onnx


def read_graph(path: str) -> OnnxGraph:
    """Reads and checks a file. No other file is opened, whatever it says.

    Args:
        path: Path of the file.

    Raises:
        ImportError: If the package onnx is missing.
        ValueError: If the file is refused: the message says why.
    """
    onnx = require_onnx()
    from google.protobuf.message import DecodeError

    size = os.path.getsize(path)
    if not 0 < size <= MAX_BYTES:
        raise ValueError(f"'{path}': expected an ONNX file. Received: {size} bytes.")
    model = onnx.ModelProto()
    with open(path, "rb") as file:
        data = file.read()
    try:
        model.ParseFromString(data)
    except DecodeError as error:
        raise ValueError(f"'{path}': expected an ONNX file. Received: {error}.") from None
    del data
    try:
        return _Reader(model, size).read()
    except ValueError as error:
        raise ValueError(f"'{path}': {one_line(error)}") from None


class _Reader:
    """Checks a ModelProto.

    Args:
        model: The ModelProto.
        size: Bytes of the file.
    """

    def __init__(self, model: Any, size: int) -> None:
        self.model = model
        self.size = size
        self.defined: set[str] = set()

    def read(self) -> OnnxGraph:
        """Returns the graph."""
        model, graph = self.model, self.model.graph
        opset = self._opset()
        for field, what in (("functions", "functions"), ("training_info", "training graphs")):
            if len(getattr(model, field)):
                raise ValueError(f"the file is refused: it defines {what}, which are not taken.")
        if len(graph.sparse_initializer):
            raise ValueError("the file is refused: sparse initializers are not taken.")
        if len(graph.node) > MAX_NODES:
            raise ValueError(f"the file is refused: {len(graph.node)} nodes; {MAX_NODES} at most.")
        if max(len(graph.input) - len(graph.initializer), len(graph.output)) > MAX_PORTS:
            raise ValueError(f"the file is refused: more than {MAX_PORTS} inputs or outputs.")
        stored: dict[str, Any] = {}
        for tensor in graph.initializer:
            name = _checked_name(tensor.name, "an initializer")
            if not name or name in stored:
                raise ValueError(f"ONNX initializer '{name[:100]}' is there twice.")
            check_tensor(tensor, f"ONNX initializer '{name[:100]}'")
            stored[name] = tensor
        self.defined.update(stored)
        inputs = []
        for info in graph.input:
            port = _port(info, "input")
            if port.name not in stored:
                self._define(port.name, f"ONNX input '{port.name[:100]}'")
                inputs.append(port)
        nodes = [self._node(proto) for proto in graph.node]
        outputs = [_port(info, "output") for info in graph.output]
        for port in outputs:
            if port.name not in self.defined:
                raise ValueError(f"ONNX output '{port.name[:100]}': nothing computes it.")
        if not outputs:
            raise ValueError("the file is refused: its graph has no output.")
        if len({port.name for port in outputs}) < len(outputs):
            raise ValueError("the file is refused: its graph names an output twice.")
        return OnnxGraph(
            name=_checked_name(graph.name, "the graph"),
            producer=" ".join(
                _checked_name(x, "the producer")
                for x in (model.producer_name, model.producer_version)
            ).strip(),
            opset=opset,
            nodes=nodes,
            inputs=inputs,
            outputs=outputs,
            stored=stored,
            size=self.size,
        )

    def _opset(self) -> int:
        # Some writers name the set twice, in the same version.
        imports = self.model.opset_import
        found = list({x.version for x in imports if x.domain in ("", "ai.onnx")})
        if len(found) != 1:
            raise ValueError(
                "expected an ONNX file with one version of the default operator set. "
                f"Received: versions={sorted(found)[:10]}."
            )
        if not OPSETS[0] <= found[0] <= OPSETS[1]:
            raise ValueError(
                f"expected an operator set (opset) of version {OPSETS[0]} to {OPSETS[1]}. "
                f"Received: {found[0]}."
            )
        return int(found[0])

    def _define(self, name: str, owner: str) -> None:
        if name in self.defined:
            raise ValueError(f"{owner} defines '{name[:100]}' a second time.")
        self.defined.add(name)

    def _node(self, proto: Any) -> Node:
        node = Node(
            operator=_checked_name(proto.op_type, "an operator"),
            name=_checked_name(proto.name, "a node"),
            inputs=[_checked_name(x, "an input") for x in proto.input],
            outputs=[_checked_name(x, "an output") for x in proto.output],
            attributes={},
        )
        _checked_name(proto.domain, "a domain")
        if proto.domain == ESTIMATORS:
            node.operator = f"{ESTIMATORS}.{node.operator}"
        elif proto.domain not in ("", "ai.onnx"):
            raise node.refused(f"is refused: its domain is '{proto.domain[:100]}'.")
        if getattr(proto, "overload", ""):
            raise node.refused("is refused: it calls an overload of a function.")
        for attribute in proto.attribute:
            _checked_name(attribute.name, "an attribute")
            if attribute.name in node.attributes:
                raise node.refused(f"has the attribute '{attribute.name[:100]}' twice.")
            node.attributes[attribute.name] = _attribute(attribute, node)
        for name in node.inputs:
            if name and name not in self.defined:
                raise node.refused(
                    f"reads '{name[:100]}', which nothing before it computes (an undefined name, "
                    "or a loop)."
                )
        if not any(node.outputs):
            raise node.refused("has no output.")
        for name in node.outputs:
            if name:
                self._define(name, str(node))
        return node


def _checked_name(name: Any, what: str) -> str:
    if not isinstance(name, str):  # bytes that are no UTF-8 stay bytes
        raise ValueError(f"the file is refused: the name of {what} is no UTF-8 text.")
    if len(name) > MAX_NAME:
        raise ValueError(f"the file is refused: the name of {what} has {len(name)} characters.")
    return name


def _port(info: Any, what: str) -> Port:
    name = _checked_name(info.name, f"an {what}")
    owner = f"ONNX {what} '{name[:100]}'"
    if not name:
        raise ValueError(f"{owner}: expected a name.")
    if info.type.WhichOneof("value") != "tensor_type":
        if what == "output" and info.type.WhichOneof("value") is None:
            return Port(name, "", None)
        raise ValueError(
            f"{owner}: expected a tensor. Received: {info.type.WhichOneof('value') or 'no type'}."
        )
    kind = info.type.tensor_type
    dtype = dtype_name(kind.elem_type, owner) if kind.elem_type or what == "input" else ""
    if not kind.HasField("shape"):
        if what == "input":
            raise ValueError(f"{owner}: expected a shape, with names for open sizes.")
        return Port(name, dtype, None)
    if len(kind.shape.dim) > MAX_RANK:
        raise ValueError(f"{owner} is refused: rank {len(kind.shape.dim)}.")
    shape: list[int | str | None] = []
    for dim in kind.shape.dim:
        value = dim.dim_value if dim.WhichOneof("value") == "dim_value" else dim.dim_param or None
        if value is not None and not isinstance(value, int):
            _checked_name(value, "a size")
        if isinstance(value, int) and not 0 <= value < 2**31:
            raise ValueError(f"{owner} is refused: it declares a size of {value}.")
        shape.append(value)
    return Port(name, dtype, tuple(shape))


def _attribute(proto: Any, node: Node) -> Any:
    from onnx import AttributeProto

    kind = AttributeProto.AttributeType.Name(proto.type) if proto.type in range(15) else "?"
    name = f"attribute '{proto.name[:100]}'"
    if proto.ref_attr_name:
        raise node.refused(f"is refused: its {name} refers to one of a function.")
    if kind in _SUBGRAPHS:
        raise node.refused(f"is refused: its {name} is a graph, which is not run.")
    if kind == "FLOAT":
        return float(proto.f)
    if kind == "INT":
        return int(proto.i)
    if kind == "STRING":
        return _text(proto.s, node, name)
    if kind == "TENSOR":
        return tensor_array(proto.t, f"{node}, {name}")
    if kind == "FLOATS":
        return [float(x) for x in proto.floats]
    if kind == "INTS":
        return [int(x) for x in proto.ints]
    if kind == "STRINGS":
        return [_text(x, node, name) for x in proto.strings]
    raise node.refused(f"is refused: its {name} is of type {kind}.")


def _text(data: bytes, node: Node, name: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise node.refused(f"is refused: its {name} is no UTF-8 text.") from None
