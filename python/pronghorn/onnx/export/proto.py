"""From the writer's operators to a file."""

from __future__ import annotations

from typing import Any

from pronghorn.onnx.export.graph import Graph, Type
from pronghorn.onnx.export.signature import Signature
from pronghorn.onnx.export.sizes import Size, fixed
from pronghorn.onnx.export.writer import Operator, Writer
from pronghorn.saving.atomic_write import atomic_write
from pronghorn.version import __version__

_MOST_BYTES = 2**31 - 1  # of a protocol buffer
_NODE_BYTES = 1024  # at most, of an operator without its weights, names included
# The version of the file format that came with each version of the operators.
IR_VERSIONS = {18: 8, 19: 9, 20: 9, 21: 10, 22: 10, 23: 11}


class File:
    """A file to be written.

    Args:
        writer: Operators and constants.
        graph: The graph that they come from.
        signature: Its inputs.
        outputs: The values that are its outputs.
        name: Name of the model.
    """

    def __init__(
        self, writer: Writer, graph: Graph, signature: Signature, outputs: list[str], name: str
    ) -> None:
        self.w = writer
        self.graph = graph
        self.signature = signature
        self.outputs = outputs
        self.name = name
        self._taken = {x.name for x in signature.inputs}
        self._ends = [self._unique(n) for n in graph.output_names]
        self._names = {"": "", **{x.name: x.name for x in signature.inputs}}
        self._last: list[Operator] = []
        self._finish()
        self._name_values()

    def _unique(self, base: str) -> str:
        name, count = base, 0
        while name in self._taken:
            count += 1
            name = f"{base}_{count}"
        self._taken.add(name)
        return name

    def _finish(self) -> None:
        """Gives the outputs their names and dtypes."""
        made = {name for operator in self.w.operators for name in operator.outputs}
        types = [self.w.type_of(r) for r in self.graph.outputs]
        for value, type_, end in zip(self.outputs, types, self._ends):
            if type_.dtype == "float16":
                operator = Operator("Cast", [value], [f"{end}#"], {"to": type_.dtype})
            elif value in made and value not in self._names:
                self._names[value] = end
                continue
            else:
                operator = Operator("Identity", [value], [f"{end}#"], {})
            self._names[f"{end}#"] = end
            self._last.append(operator)

    def _name_values(self) -> None:
        """Constants are named after variables, values after layers and operators."""
        for constant in self.w.constants:
            self._names[constant] = self._unique(self.w.labels[constant])
        for operator in self.w.operators:
            base = f"{operator.scope}/{operator.op}" if operator.scope else operator.op
            for value in operator.outputs:
                if value not in self._names:
                    self._names[value] = self._unique(base)

    def serialized(self, onnx: Any) -> bytes:
        """Returns the bytes of the file, checked.

        Raises:
            ValueError: There would be 2 GB or more.
        """
        weights = sum(v.nbytes for v in self.w.constants.values())
        self._check_size(weights + _NODE_BYTES * len(self.w.operators))
        make = onnx.helper
        graph = make.make_graph(
            [self._node(onnx, operator) for operator in (*self.w.operators, *self._last)],
            self.name,
            [
                make.make_tensor_value_info(x.name, _type(onnx, _outside(x.dtype)), self._dims(t))
                for x, t in zip(self.signature.inputs, map(self.w.type_of, self.graph.inputs))
            ],
            [
                make.make_tensor_value_info(end, _type(onnx, _outside(t.dtype)), self._dims(t))
                for end, t in zip(self._ends, map(self.w.type_of, self.graph.outputs))
            ],
            doc_string=f"Inference of the model '{self.name}'.",
        )
        model = make.make_model(
            graph,
            opset_imports=[make.make_opsetid("", self.w.opset)],
            producer_name="pronghorn",
            producer_version=__version__,
            ir_version=IR_VERSIONS[self.w.opset],
            doc_string=f"Written by pronghorn {__version__}; operators of version {self.w.opset}.",
        )
        for name in list(self.w.constants):  # in place: weights are large
            value = self.w.constants.pop(name)
            tensor = model.graph.initializer.add()
            tensor.name, tensor.data_type = self._names[name], _type(onnx, str(value.dtype))
            tensor.dims.extend(value.shape)
            tensor.raw_data = value.astype(value.dtype.newbyteorder("<"), copy=False).tobytes()
        data: bytes = model.SerializeToString()
        del model, graph
        onnx.checker.check_model(data, full_check=True)
        return data

    def _check_size(self, size: int) -> None:
        if size > _MOST_BYTES:
            raise ValueError(
                f"export of '{self.name}': an ONNX file has less than 2 GB. "
                f"Received: a model of {size:,} bytes. Export parts of it."
            )

    def _dims(self, type_: Type) -> list[int | str | None]:
        names: dict[Size, str] = {}
        for name, size in self.graph.sample.items():
            names.setdefault(size, name)  # dimensions that have to agree have one name
        return [names.get(s) if fixed(s) is None else fixed(s) for s in type_.shape]

    def _node(self, onnx: Any, operator: Operator) -> Any:
        attrs = dict(operator.attrs)
        if operator.op == "Cast":
            attrs["to"] = _type(onnx, attrs["to"])
        outputs = [self._names[n] for n in operator.outputs]
        inputs = [self._names[n] for n in operator.inputs]
        name = next(n for n in outputs if n)
        return onnx.helper.make_node(operator.op, inputs, outputs, name=name, **attrs)


def write(onnx: Any, file: File, path: str) -> None:
    """Writes a file; it is the old or the new one whatever happens meanwhile."""
    data = file.serialized(onnx)
    with atomic_write(path) as beside, open(beside, "wb") as target:
        target.write(data)


def _type(onnx: Any, dtype: str) -> int:
    name = {"float32": "FLOAT"}.get(dtype, dtype.upper())
    return int(getattr(onnx.TensorProto, name))


def _outside(dtype: str) -> str:
    """The dtype of an input or output: NumPy, and with it ONNX Runtime, has no bfloat16."""
    return "float32" if dtype == "bfloat16" else dtype
