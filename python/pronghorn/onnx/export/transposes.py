"""Moves transposes towards the outputs and removes those that undo one another.

Each image operator comes with a transpose before and after it. A transpose is moved behind
functions of elements, concatenation, padding, slices and reductions, until it meets the next one:
a network of convolutions is left with those at its ends.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pronghorn.onnx.export.writer import Operator, Writer

_UNARY = frozenset(
    [
        "Relu", "Sigmoid", "Tanh", "Exp", "Log", "Sqrt", "Reciprocal", "Neg", "Abs", "Sign", "Erf",
        "Softplus", "Floor", "Ceil", "Round", "Sin", "Cos", "Tan", "Asin", "Acos", "Atan", "Sinh",
        "Cosh", "Asinh", "Acosh", "Atanh", "Not", "Cast", "Gelu", "IsNaN", "IsInf", "Identity",
    ]
)  # fmt: skip
_BROADCAST = frozenset(
    [
        "Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Where", "Equal", "Less", "Greater",
        "LessOrEqual", "GreaterOrEqual", "And", "Or", "Xor", "Mod", "Clip",
    ]
)  # fmt: skip
_REDUCTIONS = frozenset(["ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd"])

_Rule = Callable[["_Pass", Operator], bool]


class _Pass:
    def __init__(self, w: Writer) -> None:
        self.w = w
        self.done: list[Operator] = []
        self.alias: dict[str, str] = {}
        self.source: dict[str, tuple[str, list[int]]] = {}  # of what a transpose makes
        self.made: dict[tuple[str, tuple[int, ...]], str] = {}
        self.ranks: dict[str, int] = {n: t.rank for n, t in w.types.items()}
        self.count = 0

    def run(self, operators: list[Operator]) -> list[Operator]:
        for operator in operators:
            operator.inputs = [self.alias.get(n, n) for n in operator.inputs]
            rule = _rule(operator.op)
            if rule is None or not rule(self, operator):
                self.done.append(operator)
        return self.done

    def new(self, hint: str) -> str:
        self.count += 1
        return f"{hint}_t{self.count}"

    def rank(self, name: str) -> int | None:
        if name in self.w.constants:
            return int(self.w.constants[name].ndim)
        if name in self.source:
            return len(self.source[name][1])
        return self.ranks.get(name)

    def transposed(self, x: str, perm: list[int], scope: str) -> str:
        """The name of `x` with that order, through a transpose that exists or a new one."""
        if x in self.source:
            x, before = self.source[x]
            perm = [before[p] for p in perm]
        if perm == sorted(perm):
            return x
        if x in self.w.constants:
            value = np.ascontiguousarray(self.w.constants[x].transpose(perm))
            return self.w.constant(value, self.w.labels[x])
        key = x, tuple(perm)
        if key not in self.made:
            name = self.new("Transpose")
            self.done.append(Operator("Transpose", [x], [name], {"perm": perm}, scope))
            self.made[key] = name
            self.source[name] = x, perm
            self.ranks[name] = len(perm)
        return self.made[key]

    def give(self, operator: Operator, perm: list[int], rank: int | None = None) -> None:
        """Adds an operator whose outputs are to be transposed to be what they were."""
        results = operator.outputs
        operator.outputs = [self.new(operator.op) for _ in results]
        self.done.append(operator)
        for old, new in zip(results, operator.outputs):
            self.ranks[new] = len(perm) if rank is None else rank
            self.alias[old] = self.transposed(new, perm, operator.scope)
            if old in self.w.types:
                self.w.types.setdefault(self.alias[old], self.w.types[old])

    def common(self, names: list[str]) -> list[int] | None:
        """The order in which operands are transposed, if moving it behind the operator pays."""
        perms = [self.source[n][1] for n in names if n in self.source]
        if not perms or any(p != perms[0] for p in perms):
            return None
        perm = perms[0]
        for name in names:
            if name in self.source or name in self.w.constants:
                continue
            rank = self.rank(name)
            if rank == 0:
                continue
            key = name, tuple(_inverse(perm))
            if rank != len(perm) or (key not in self.made and not self.is_small(name, perm)):
                return None
        return perm

    def is_small(self, name: str, perm: list[int]) -> bool:
        """Whether all dimensions that a transpose moves but one have a single element."""
        type_ = self.w.types.get(name)
        if type_ is None:
            return False
        moved = [s for i, s in enumerate(type_.shape) if perm[i] != i]
        return sum(set(s) != {1} for s in moved) <= 1

    def before(self, name: str, perm: list[int], scope: str) -> str:
        """An operand as it is before the transpose by `perm`."""
        if name in self.source and self.source[name][1] == perm:
            return self.source[name][0]
        rank = self.rank(name)
        if rank == 0:
            return name
        if name in self.w.constants and rank is not None and rank < len(perm):
            value = self.w.constants[name]
            if value.size == 1:
                return name
            value = value.reshape((1,) * (len(perm) - rank) + value.shape)
            name = self.w.constant(value, self.w.labels[name])
        return self.transposed(name, _inverse(perm), scope)


def _inverse(perm: list[int]) -> list[int]:
    return [perm.index(i) for i in range(len(perm))]


def _transpose(p: _Pass, operator: Operator) -> bool:
    name = p.transposed(operator.inputs[0], operator.attrs["perm"], operator.scope)
    p.alias[operator.outputs[0]] = name
    return True


def _unary(p: _Pass, operator: Operator) -> bool:
    found = p.source.get(operator.inputs[0])
    if found is None:
        return False
    operator.inputs = [found[0]]
    p.give(operator, found[1])
    return True


def _broadcast(p: _Pass, operator: Operator) -> bool:
    perm = p.common(operator.inputs)
    if perm is None:
        return False
    operator.inputs = [p.before(n, perm, operator.scope) for n in operator.inputs]
    p.give(operator, perm)
    return True


def _concat(p: _Pass, operator: Operator) -> bool:
    perm = p.common(operator.inputs)
    if perm is None or any(p.rank(n) != len(perm) for n in operator.inputs):
        return False
    operator.inputs = [p.before(n, perm, operator.scope) for n in operator.inputs]
    operator.attrs = {"axis": perm[operator.attrs["axis"]]}
    p.give(operator, perm)
    return True


def _reduction(p: _Pass, operator: Operator) -> bool:
    found = p.source.get(operator.inputs[0])
    if found is None:
        return False
    x, perm = found
    axes = [int(a) for a in p.w.constants[operator.inputs[1]]]
    if _global_pooling(p, operator, x, perm, axes):
        return True
    operator.inputs = [x, p.w.ints([perm[a] for a in axes])]
    if operator.attrs["keepdims"]:
        p.give(operator, perm)
        return True
    kept = [perm[i] for i in range(len(perm)) if i not in axes]
    p.give(operator, [sorted(kept).index(k) for k in kept], len(kept))
    return True


_GLOBAL = {"ReduceMean": "GlobalAveragePool", "ReduceMax": "GlobalMaxPool"}


def _global_pooling(p: _Pass, operator: Operator, x: str, perm: list[int], axes: list[int]) -> bool:
    """A mean or maximum over all pixels of an image with channels first."""
    rank = len(perm)
    type_ = p.w.types.get(operator.outputs[0])
    if (
        operator.op not in _GLOBAL
        or not 3 <= rank <= 5
        or perm != [0, *range(2, rank), 1]
        or sorted(axes) != list(range(1, rank - 1))
        or type_ is None
        or "float" not in type_.dtype
    ):
        return False
    name = _GLOBAL[operator.op]
    if operator.attrs["keepdims"]:
        operator.op, operator.inputs, operator.attrs = name, [x], {}
        p.give(operator, perm)
        return True
    pooled = p.new(name)
    p.done.append(Operator(name, [x], [pooled], {}, operator.scope))
    operator.op, operator.inputs, operator.attrs = "Flatten", [pooled], {"axis": 1}
    p.done.append(operator)
    return True


def _pad(p: _Pass, operator: Operator) -> bool:
    found = p.source.get(operator.inputs[0])
    if found is None or operator.inputs[1] not in p.w.constants:
        return False
    x, perm = found
    pads = [int(n) for n in p.w.constants[operator.inputs[1]]]
    rank = len(perm)
    moved = [0] * (2 * rank)
    for axis, source in enumerate(perm):
        moved[source], moved[rank + source] = pads[axis], pads[rank + axis]
    operator.inputs = [x, p.w.ints(moved), *operator.inputs[2:]]
    p.give(operator, perm)
    return True


def _slice(p: _Pass, operator: Operator) -> bool:
    found = p.source.get(operator.inputs[0])
    if found is None:
        return False
    x, perm = found
    axes = [int(a) for a in p.w.constants[operator.inputs[3]]]
    operator.inputs = [
        x, *operator.inputs[1:3], p.w.ints([perm[a] for a in axes]), *operator.inputs[4:],
    ]  # fmt: skip
    p.give(operator, perm)
    return True


def _product(p: _Pass, operator: Operator) -> bool:
    """A product of the channels of an image with a matrix is a convolution of single pixels."""
    found = p.source.get(operator.inputs[0])
    kernel = p.w.constants.get(operator.inputs[1])
    if found is None or kernel is None or kernel.ndim != 2:
        return False
    x, perm = found
    rank = len(perm)
    if not 3 <= rank <= 5 or perm != [0, *range(2, rank), 1]:
        return False
    weights = np.ascontiguousarray(kernel.T).reshape(*kernel.T.shape, *(1,) * (rank - 2))
    label = p.w.labels[operator.inputs[1]]
    operator.op, operator.inputs = "Conv", [x, p.w.constant(weights, label)]
    operator.attrs = {"kernel_shape": [1] * (rank - 2)}
    p.give(operator, perm)
    return True


def _reshape(p: _Pass, operator: Operator) -> bool:
    target = p.w.constants.get(operator.inputs[1])
    if target is None:
        return False
    sizes = [int(n) for n in target]
    return _from_any_order(p, operator, sizes) or _single_pixel(p, operator, sizes)


def _from_any_order(p: _Pass, operator: Operator, target: list[int]) -> bool:
    """Dimensions of one element may be in any order before a reshape."""
    name = operator.inputs[0]
    type_ = p.w.types.get(name)
    if name not in p.source or type_ is None:
        return False
    x, perm = p.source[name]
    large = [perm[i] for i, size in enumerate(type_.shape) if set(size) != {1}]
    copied = [i for i, n in enumerate(target) if n == 0]
    if large != sorted(large) or any(perm[i] != i for i in copied):
        return False
    operator.inputs = [x, operator.inputs[1]]
    p.done.append(operator)
    return True


def _single_pixel(p: _Pass, operator: Operator, target: list[int]) -> bool:
    """Channels (batch, c) as an image (batch, 1, 1, c) are those of one with channels first."""
    rank = len(target)
    if p.rank(operator.inputs[0]) != 2 or rank < 3 or set(target[1:-1]) != {1} or target[-1] <= 1:
        return False
    if not any(o.op == "Conv" for o in p.done):
        return False
    sizes = p.w.ints([target[0], target[-1], *target[1:-1]])
    operator.inputs = [operator.inputs[0], sizes]
    p.give(operator, [0, *range(2, rank), 1])
    return True


_RULES: dict[str, _Rule] = {
    "Reshape": _reshape,
    "MatMul": _product,
    "Transpose": _transpose,
    "Concat": _concat,
    "Pad": _pad,
    "Slice": _slice,
}


def _rule(op: str) -> _Rule | None:
    if op in _UNARY:
        return _unary
    if op in _BROADCAST:
        return _broadcast
    return _reduction if op in _REDUCTIONS else _RULES.get(op)


def move_transposes(w: Writer, outputs: list[str]) -> list[str]:
    """Rewrites the operators of `w`; returns the names that `outputs` have then."""
    found = _Pass(w)
    w.operators = found.run(w.operators)
    return [found.alias.get(name, name) for name in outputs]
