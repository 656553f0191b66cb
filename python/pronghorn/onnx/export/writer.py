"""Writer: collects ONNX operators and constants, and knows how to compute unknown sizes."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from pronghorn.onnx.export.folding import fold
from pronghorn.onnx.export.graph import Node, Ref, Type
from pronghorn.onnx.export.sizes import Size, fixed

HALF = ("float16", "bfloat16")


def stored(dtype: str) -> str:
    """Returns the dtype in which the file keeps values of a dtype on the way.

    float16 and bfloat16 are float32 there, rounded where the model rounds: ONNX Runtime has few
    operators of these dtypes on CPUs.
    """
    return "float32" if dtype in HALF else dtype


@dataclasses.dataclass
class Operator:
    """One ONNX operator; attributes are Python values, dtypes by name."""

    op: str
    inputs: list[str]
    outputs: list[str]
    attrs: dict[str, Any]
    scope: str = ""


class Writer:
    """An ONNX graph under construction.

    Args:
        opset: Version of the operators.
        only_multiples: Whether unknown sizes but the batch are known to be multiples of 32.
    """

    def __init__(self, opset: int, only_multiples: bool = False) -> None:
        self.opset = opset
        self.only_multiples = only_multiples
        self.operators: list[Operator] = []
        self.constants: dict[str, Any] = {}
        self.labels: dict[str, str] = {}  # of constants: what they are named after
        self.types: dict[str, Type] = {}
        self.values: dict[Ref, str] = {}
        self.lifted: dict[Ref, str] = {}  # values whose rows a matrix has (operators/rows.py)
        self.nodes: list[Node] = []
        self.scope = ""
        self._count = 0
        self._known: dict[Size, tuple[str, int]] = {}
        self._sizes: dict[Size, str] = {}
        self._numbers: dict[tuple[Any, ...], str] = {}
        self._labelled: dict[str, list[str]] = {}
        self._reserved: set[str] = set()

    # Names.

    def reserve(self, name: str) -> None:
        """Keeps a name from being given to a value."""
        self._reserved.add(name)

    def _new(self, hint: str) -> str:
        self._count += 1
        return f"{self.scope + '/' if self.scope else ''}{hint}_{self._count}"

    # Values.

    def node_of(self, ref: Ref) -> Node:
        """Returns the node that makes a value."""
        return self.nodes[ref[0]]

    def type_of(self, ref: Ref) -> Type:
        """Returns the type of a value of the traced graph."""
        return self.nodes[ref[0]].outputs[ref[1]]

    def set_type(self, name: str, type_: Type) -> None:
        """Records the type of a value of the file; its dimensions can then be asked for."""
        self.types[name] = type_
        if name not in self.constants:
            for axis, size in enumerate(type_.shape):
                if fixed(size) is None:
                    self._known.setdefault(size, (name, axis))

    def constant(self, value: Any, label: str = "constant", dtype: str | None = None) -> str:
        """Returns the name of a constant; equal ones are one if small or of one label."""
        array = np.asarray(value) if dtype is None else np.asarray(value, dtype)
        key = (array.dtype.str, array.shape, array.tobytes()) if array.size <= 64 else None
        if key is not None and label == "constant" and key in self._numbers:
            return self._numbers[key]
        if label != "constant":
            for name in self._labelled.get(label, ()):
                other = self.constants.get(name, array[..., None])
                if other.dtype == array.dtype and np.array_equal(other, array):
                    return name
        self._count += 1
        name = f"{label}#{self._count}"
        self._labelled.setdefault(label, []).append(name)
        self.constants[name] = array
        self.labels[name] = label
        if key is not None and label == "constant":
            self._numbers[key] = name
        return name

    def drop_constants(self, names: set[str]) -> None:
        """Forgets constants."""
        self.constants = {n: v for n, v in self.constants.items() if n not in names}
        self._numbers = {k: n for k, n in self._numbers.items() if n not in names}

    def ints(self, values: Sequence[int]) -> str:
        """Returns a constant vector of int64."""
        return self.constant(list(values), dtype="int64")

    def is_constant(self, *names: str) -> bool:
        """Returns whether all are constants."""
        return all(name in self.constants for name in names)

    def op(self, op: str, *inputs: str, **attrs: Any) -> str:
        """Adds an operator of one output and returns its name.

        What is computed of constants alone becomes a constant.
        """
        if inputs and self.is_constant(*inputs):
            result = fold(op, [self.constants[name] for name in inputs], attrs)
            if result is not None:
                labels = {self.labels[n] for n in inputs} - {"constant"}
                label = f"{self.scope}/folded" if len(labels) > 1 else "".join(labels)
                return self.constant(result, label or "constant")
        return self.ops(op, *inputs, outputs=1, **attrs)[0]

    def ops(self, op: str, *inputs: str, outputs: int, **attrs: Any) -> list[str]:
        """Adds an operator of several outputs and returns their names."""
        names = [self._new(op) for _ in range(outputs)]
        self.operators.append(Operator(op, list(inputs), names, attrs, self.scope))
        return names

    # Conversions.

    def cast(self, x: str, dtype: str) -> str:
        """Returns `x` as another dtype of the file."""
        return self.op("Cast", x, to=dtype)

    def round(self, x: str, dtype: str) -> str:
        """Returns float32 values rounded to float16 or bfloat16."""
        if x in self.constants:
            return self.op("Cast", x, to=dtype)  # folded: rounds
        return self.op("Cast", self.op("Cast", x, to=dtype), to="float32")

    def transpose(self, x: str, perm: Sequence[int]) -> str:
        """Returns `x` with its dimensions in another order."""
        if list(perm) == sorted(perm):
            return x
        return self.op("Transpose", x, perm=list(perm))

    def unsqueeze(self, x: str, *axes: int) -> str:
        """Returns `x` with new dimensions of size 1."""
        return self.op("Unsqueeze", x, self.ints(axes))

    def squeeze(self, x: str, *axes: int) -> str:
        """Returns `x` without these dimensions of size 1."""
        return self.op("Squeeze", x, self.ints(axes))

    def slice(
        self, x: str, axis: int, start: int | Size, end: int | Size | None, step: int = 1
    ) -> str:
        """Returns a part of `x` along one axis."""
        end = np.iinfo(np.int64).max if end is None else end
        return self.op(
            "Slice", x, self.vector([start]), self.vector([end]), self.ints([axis]),
            self.ints([step]),
        )  # fmt: skip

    # Sizes.

    def size(self, size: Size | int) -> str:
        """Returns a vector of one int64: a size, computed from the shapes of values.

        Raises:
            ValueError: It follows from the unknown dimensions in no way that is known.
        """
        value = size if isinstance(size, int) else fixed(size)
        if value is not None:
            return self.ints([value])
        assert not isinstance(size, int)
        if size not in self._sizes:
            self._sizes[size] = self._computed(size)
        return self._sizes[size]

    def _computed(self, size: Size) -> str:
        scope, self.scope = self.scope, "sizes"
        try:
            if size in self._known:
                name, axis = self._known[size]
                return self.op("Shape", name, start=axis, end=axis + 1)
            found = self._from_one(size) or self._from_two(size)
        finally:
            self.scope = scope
        if found is None:
            raise ValueError(
                f"a size follows from the unknown dimensions in no known way ({size}). Pass an "
                "`input_signature` whose shapes have sizes there"
            )
        return found

    def _from_one(self, size: Size) -> str | None:
        # a size = k * known + c, (known + c) // k, known * known
        for known in list(self._known):
            step = known[1] - known[0]
            if step == 0:
                continue
            k, rest = divmod(size[1] - size[0], step)
            c = size[0] - k * known[0]
            if rest == 0 and k != 0 and all(s == k * n + c for s, n in zip(size, known)):
                found = self.size(known)
                found = self.op("Mul", found, self.ints([k])) if k != 1 else found
                return self.op("Add", found, self.ints([c])) if c else found
        for known in list(self._known):
            for k in range(2, 65):
                for c in range(k * size[0] - known[0], k * size[0] - known[0] + k):
                    if all(s == (n + c) // k for s, n in zip(size, known)):
                        found = self.size(known)
                        found = self.op("Add", found, self.ints([c])) if c else found
                        return self.op("Div", found, self.ints([k]))
        return None

    def _from_two(self, size: Size) -> str | None:
        known = list(self._known)
        for i, a in enumerate(known):
            for b in known[i:]:
                k, rest = divmod(size[0], a[0] * b[0])
                if rest == 0 and k and all(s == k * m * n for s, m, n in zip(size, a, b)):
                    product = self.op("Mul", self.size(a), self.size(b))
                    return self.op("Mul", product, self.ints([k])) if k != 1 else product
                if all(s == m + n for s, m, n in zip(size, a, b)):
                    return self.op("Add", self.size(a), self.size(b))
                if all(s == m - n for s, m, n in zip(size, a, b)):
                    return self.op("Sub", self.size(a), self.size(b))
        return None

    def vector(self, sizes: Sequence[Size | int]) -> str:
        """Returns a vector of int64 of these sizes."""
        values = [s if isinstance(s, int) else fixed(s) for s in sizes]
        if None not in values:
            return self.ints(values)  # type: ignore[arg-type]
        if len(sizes) == 1:
            return self.size(sizes[0])
        parts: list[str] = []
        run: list[int] = []
        for size, value in zip(sizes, values):
            if value is not None:
                run.append(value)
                continue
            parts += [self.ints(run)] if run else []
            run = []
            parts.append(self.size(size))
        parts += [self.ints(run)] if run else []
        return self.op("Concat", *parts, axis=0)

    def reshape(self, x: str, shape: Sequence[Size | int], old: Sequence[Size] = ()) -> str:
        """Returns `x` under another shape; `old` is the one it has, as far as known."""
        sizes = [(s,) if isinstance(s, int) else s for s in shape]
        values = [fixed(s) for s in sizes]
        if values.count(None) <= 1 and 0 not in values:
            return self.op("Reshape", x, self.ints([-1 if v is None else v for v in values]))
        if 0 not in values and x not in self.constants:
            target = [
                0 if v is None and i < len(old) and old[i] == sizes[i] else v
                for i, v in enumerate(values)
            ]
            if target.count(None) <= 1:
                return self.op("Reshape", x, self.ints([-1 if v is None else v for v in target]))
        if 0 in values:
            return self.op("Reshape", x, self.vector(list(shape)), allowzero=1)
        return self.op("Reshape", x, self.vector(list(shape)))

    def zeros(self, shape: Sequence[Size | int], dtype: str, value: float = 0) -> str:
        """Returns a tensor of one value."""
        return self.op("Expand", self.constant(value, dtype=dtype), self.vector(shape))

    def range(self, size: Size | int) -> str:
        """Returns the int64 numbers from 0 to below a size."""
        value = size if isinstance(size, int) else fixed(size)
        if value is not None:
            return self.constant(np.arange(value), dtype="int64")
        zero, one = self.constant(0, dtype="int64"), self.constant(1, dtype="int64")
        return self.op("Range", zero, self.squeeze(self.size(size), 0), one)
