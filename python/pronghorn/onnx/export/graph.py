"""The graph that a model traces to, with sizes known from several traces."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from pronghorn import trace, tree
from pronghorn.layers.layer import Layer
from pronghorn.naming import current_path, watched_scopes
from pronghorn.onnx.export.signature import Signature
from pronghorn.onnx.export.sizes import BATCH, Groups, Sample, Size, merged, merges, samples
from pronghorn.tensor import Tensor
from pronghorn.training.building import build_lock
from pronghorn.variable import Variable

Ref = tuple[int, int]
"""An output of a node, by their numbers."""


@dataclasses.dataclass(frozen=True)
class Type:
    """Dtype and shape of a value; a dimension is a `Size`."""

    shape: tuple[Size, ...]
    dtype: str

    @property
    def rank(self) -> int:
        return len(self.shape)


@dataclasses.dataclass
class Node:
    """One node.

    Args:
        op: Name of the op; "input", "variable" and "constant" have no operands.
        inputs: Operands.
        attrs: Attributes; numbers that differ between traces are a `Size`.
        outputs: Types.
        scope: Path of the layer that made it.
        tensors: Of a constant, its value in each trace; of a variable, its value.
        variable: Of a variable.
    """

    op: str
    inputs: list[Ref]
    attrs: dict[str, Any]
    outputs: list[Type]
    scope: str
    tensors: list[Tensor]
    variable: Variable | None = None


@dataclasses.dataclass(frozen=True)
class Graph:
    """Nodes in topological order; `inputs` and `outputs` are values of it."""

    nodes: list[Node]
    inputs: list[Ref]
    outputs: list[Ref]
    output_names: list[str]
    sample: Sample


@dataclasses.dataclass
class _Listing:
    """One trace: nodes that outputs depend on, renumbered."""

    nodes: list[Node]
    inputs: list[Ref]
    outputs: list[Ref]
    names: list[str]


def trace_graph(model: Any, signature: Signature, owner: str) -> Graph:
    """Returns the graph of a model's inference.

    Raises:
        ValueError: The model cannot be traced, changes variables, or its graph depends on the size
            of an unknown dimension in more than shapes.
    """
    names = signature.names_of_dims()
    errors: list[Exception] = []
    if not names:
        return _merge([_list(model, signature, {}, owner)], {}, owner)
    groups: Groups | None = [[n] for n in names if n != BATCH]
    while groups is not None:
        for sample in samples(groups, BATCH in names):
            for keeps_constants in (True, False):
                try:
                    return _trace(model, signature, sample, owner, keeps_constants)
                except _Failed as e:
                    if not keeps_constants or e.progress == 0:
                        errors.append(e.error)
                    if e.progress == 0:
                        break
        groups = _agreeing(model, signature, groups, BATCH in names, owner)
    raise errors[0]


def _trace(
    model: Any, signature: Signature, sample: Sample, owner: str, keeps_constants: bool
) -> Graph:
    """With `keeps_constants` what is computed of ranges and the like is part of the graph.

    A model that looks at such values cannot be traced so.
    """
    listings: list[_Listing] = []
    for i in range(len(next(iter(sample.values())))):
        sizes = {k: v[i] for k, v in sample.items()}
        listings.append(_list(model, signature, sizes, owner, keeps_constants))
        if len(listings[i].nodes) != len(listings[0].nodes):
            break
    try:
        return _merge(listings, sample, owner)
    except _Differs as e:
        raise _Failed(ValueError(str(e)), 0) from None


def _agreeing(
    model: Any, signature: Signature, groups: Groups, has_batch: bool, owner: str
) -> Groups | None:
    """The groups with two together, or two pairs, with which a trace gets farthest, if it does.

    A model that needs sizes to be equal fails at the operation that compares them.
    """

    def progress(candidate: Groups) -> int:
        sizes = {k: v[0] for k, v in next(samples(candidate, has_batch)).items()}
        try:
            _list(model, signature, sizes, owner)
        except _Failed as e:
            return e.progress
        return 1 << 62

    if len(groups) < 2:
        return None
    before = progress(groups)
    once = list(merges(groups))
    for candidates in (once, [g for one in once for g in merges(one)]):
        found = max(((progress(g), i, g) for i, g in enumerate(candidates)), default=None)
        if found is not None and found[0] > before:
            return found[2]
    return None


class _Failed(Exception):
    """A trace failed after some nodes, or (0) traces differ; other sizes may help."""

    def __init__(self, error: Exception, progress: int) -> None:
        super().__init__(str(error))
        self.error = error
        self.progress = progress


class _Differs(ValueError):
    """Graphs differ."""


def _list(
    model: Any,
    signature: Signature,
    sizes: dict[str, int],
    owner: str,
    keeps_constants: bool = False,
) -> _Listing:
    marks: list[tuple[int, str]] = [(0, "")]
    with build_lock(), trace.Trace() as traced:
        traced.keeps_constants = keeps_constants
        graph = traced._graph
        tensors = [
            traced.input([d if isinstance(d, int) else sizes[d] for d in x.dims], x.dtype)
            for x in signature.inputs
        ]
        arguments = tree.map_structure(lambda i: tensors[i], list(signature.arguments))
        try:
            with watched_scopes(lambda: marks.append((graph.node_count, current_path()))):
                outputs = Layer.__call__(model, *arguments, training=False)
        except (ValueError, TypeError, NotImplementedError) as e:
            if sizes:
                raise _Failed(e, graph.node_count) from e
            raise
        finally:
            model._clear_losses()
        if traced.written:
            raise ValueError(
                f"{owner}: a model that changes variables at inference cannot be exported (a "
                "stateful recurrent layer, or random numbers). "
                f"Received: {', '.join(sorted(v.path for v in traced.written))}."
            )
        flat = tree.flatten(outputs)
        if not flat or not all(isinstance(y, Tensor) for y in flat):
            raise ValueError(f"{owner}: expected tensors as outputs. Received: {outputs!r}.")
        names = _output_names(model, outputs, len(flat))
        variables = traced.used
        handles = [graph.variable(v._storage) for v in variables]
        nodes, places = graph.nodes([*tensors, *flat, *handles])
    ends = places[len(tensors) : len(tensors) + len(flat)]
    of_variable = dict(zip((n for n, _ in places[len(tensors) + len(flat) :]), variables))
    return _reached(nodes, places[: len(tensors)], ends, marks, of_variable, names)


def _output_names(model: Any, outputs: Any, count: int) -> list[str]:
    graph = model.__dict__.get("_functional") or model
    if isinstance(outputs, dict) and len(outputs) == count:
        return list(map(str, sorted(outputs)))
    names = getattr(graph, "output_names", None)
    if names is None or len(names) != count:
        return ["output"] if count == 1 else [f"output_{i}" for i in range(count)]
    return list(names)


def _reached(
    nodes: list[Any],
    inputs: list[Ref],
    outputs: list[Ref],
    marks: list[tuple[int, str]],
    variables: dict[int, Variable],
    names: list[str],
) -> _Listing:
    def resolved(ref: Ref) -> Ref:
        while nodes[ref[0]][5]:  # outputs that are inputs
            ref = nodes[ref[0]][1][ref[1]]
        return ref

    outputs = [resolved(r) for r in outputs]
    needed = {r[0] for r in (*inputs, *outputs)}
    waiting = list(needed)
    while waiting:
        for ref in nodes[waiting.pop()][1]:
            at = resolved(ref)[0]
            if at not in needed:
                needed.add(at)
                waiting.append(at)
    numbers = {old: new for new, old in enumerate(sorted(needed))}

    def renumbered(ref: Ref) -> Ref:
        at, index = resolved(ref)
        return numbers[at], index

    found = []
    mark = 0
    for at in sorted(needed):
        while mark + 1 < len(marks) and marks[mark + 1][0] <= at:
            mark += 1
        op, operands, attrs, types, tensor, _ = nodes[at]
        shapes = [Type(tuple((d,) for d in shape), dtype) for shape, dtype in types]
        found.append(
            Node(
                op,
                [renumbered(r) for r in operands],
                attrs,
                shapes,
                marks[mark][1],
                [] if tensor is None else [tensor],
                variables.get(at),
            )
        )
    return _Listing(found, [renumbered(r) for r in inputs], [renumbered(r) for r in outputs], names)


def _merge(listings: list[_Listing], sample: Sample, owner: str) -> Graph:
    first = listings[0]
    if any(len(x.nodes) != len(first.nodes) for x in listings):
        raise _Differs(_difference(owner, sample, "the number of its operations"))
    nodes = []
    for versions in zip(*(x.nodes for x in listings)):
        one = versions[0]
        where = f"{one.op} in layer '{one.scope}'"
        if any((n.op, n.inputs) != (one.op, one.inputs) for n in versions):
            raise _Differs(_difference(owner, sample, f"operation {where}"))
        if any(n.variable is not one.variable or set(n.attrs) != set(one.attrs) for n in versions):
            raise _Differs(_difference(owner, sample, f"operation {where}"))
        try:
            attrs = {k: merged(tuple(n.attrs[k] for n in versions)) for k in one.attrs}
            outputs = [_merge_types(types) for types in zip(*(n.outputs for n in versions))]
        except ValueError:
            raise _Differs(_difference(owner, sample, f"an argument of {where}")) from None
        tensors = [n.tensors[0] for n in versions] if one.op == "constant" else one.tensors
        nodes.append(Node(one.op, one.inputs, attrs, outputs, one.scope, tensors, one.variable))
    return Graph(nodes, first.inputs, first.outputs, first.names, sample)


def _merge_types(types: tuple[Type, ...]) -> Type:
    one = types[0]
    if any(t.dtype != one.dtype or t.rank != one.rank for t in types):
        raise ValueError("types differ")
    return Type(
        tuple(tuple(s[0] for s in dims) for dims in zip(*(t.shape for t in types))), one.dtype
    )


def _difference(owner: str, sample: Sample, what: str) -> str:
    return (
        f"{owner}: {what} depends on the size of an unknown dimension "
        f"({', '.join(sample)}), which ONNX operators cannot express (steps of an unrolled cell, "
        "say). Pass an `input_signature` whose shapes have sizes there."
    )


def value_of(tensor: Tensor) -> Any:
    """Returns the values of a tensor, where they lie; float16 and bfloat16 as float32."""
    array = tensor._to_numpy(False)
    if tensor.dtype == "bfloat16":
        return (array.astype(np.uint32) << 16).view(np.float32)
    return array.astype(np.float32) if tensor.dtype == "float16" else array
