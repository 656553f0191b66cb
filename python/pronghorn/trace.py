"""Traces: a function of tensors becomes a graph, a graph becomes a program. And the eager tape."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pronghorn import _core
from pronghorn.program import Program
from pronghorn.tensor import Tensor, convert_to_tensor


class _Active(threading.local):
    def __init__(self) -> None:
        self.stack: list[Trace | Tape | None] = []


_active = _Active()


def current() -> Trace | Tape | None:
    """Returns the innermost trace or tape of this thread, if there is one."""
    return _active.stack[-1] if _active.stack else None


def current_trace() -> Trace | None:
    """Returns the trace that this thread is inside, if there is one."""
    found = current()
    return found if isinstance(found, Trace) else None


@contextmanager
def suspended() -> Iterator[None]:
    """Inside it variables are read and assigned at once, whatever trace is around."""
    _active.stack.append(None)
    try:
        yield
    finally:
        _active.stack.pop()


class Trace:
    """Context manager that records what is done with its inputs as a graph.

    Args:
        shapes_only: The graph is only asked for shapes: nothing will be compiled.
        around: The trace whose loop this is the body of: its values may be used, variables are read
            in it and cannot be assigned.

    Example:

    >>> from pronghorn import ops
    >>> from pronghorn.trace import Trace
    >>> with Trace() as trace:
    ...     x = trace.input((2,), "float32")
    ...     program = trace.compile([ops.sum(x * x)])
    >>> float(program(ops.convert_to_tensor([3.0, 4.0]))[0])
    25.0
    """

    def __init__(self, shapes_only: bool = False, around: Trace | None = None) -> None:
        self.shapes_only = shapes_only
        self._around = around
        self._graph: _core.Graph = _core.Graph() if around is None else _core.Graph(around._graph)
        self._read: dict[int, tuple[Any, Tensor]] = {}
        self._written: dict[int, tuple[Any, Tensor]] = {}
        self.created = 0  # variables made inside it
        self.keeps_constants = False  # what is computed of new tensors is recorded, not computed

    def __enter__(self) -> Trace:
        _active.stack.append(self)
        return self

    def __exit__(self, *exc_info: Any) -> None:
        _active.stack.pop()

    def input(self, shape: Sequence[int], dtype: str) -> Tensor:
        """Returns a symbolic tensor that stands for the next input of the program."""
        return self._graph.input(list(shape), dtype)

    def read(self, variable: Any) -> Tensor:
        """Returns the variable's value at this point of the trace."""
        if self._around is not None:
            return self._around.read(variable)
        key = id(variable)
        if key in self._written:
            return self._written[key][1]
        if key not in self._read:
            self._read[key] = (variable, self._graph.variable(variable._memory))
        return self._read[key][1]

    def write(self, variable: Any, value: Tensor) -> None:
        """Records that the variable has that value from here on, and after each run."""
        if self._around is not None:
            raise ValueError(
                f"Variable '{variable.path}': it cannot be assigned inside a loop whose number of "
                "steps depends on data. Make its value one of the loop's variables."
            )
        self._written[id(variable)] = (variable, value)

    @property
    def written(self) -> list[Any]:
        """The variables assigned so far."""
        return [variable for variable, _ in self._written.values()]

    @property
    def used(self) -> list[Any]:
        """The variables read so far."""
        return [variable for variable, _ in self._read.values()]

    def assigned(self) -> dict[int, Tensor]:
        """Returns the values of the variables assigned so far, by `id`."""
        return {key: value for key, (_, value) in self._written.items()}

    def is_leaf(self, tensor: Tensor) -> bool:
        """Returns whether no op of the trace made the tensor."""
        return self._graph.is_leaf(tensor)

    def gradient(
        self, loss: Tensor, targets: Sequence[Any], seed: Tensor | None = None
    ) -> list[Tensor | None]:
        """Returns the gradient of `loss` with respect to each target.

        Args:
            loss: Symbolic tensor; with more than one element their sum is meant.
            targets: Variables (their values when the trace began) or symbolic tensors.
            seed: Gradient that flows into `loss`, of its shape; by default ones.

        Returns:
            One tensor for each target, `None` where `loss` does not depend on it.
        """
        wrt = [t if isinstance(t, Tensor) else self._first_value(t) for t in targets]
        return self._graph.gradient(loss, wrt, seed)

    def _first_value(self, variable: Any) -> Tensor:
        around = self._around
        return self._graph.variable(variable._memory) if around is None else around.read(variable)

    @contextmanager
    def branch(self) -> Iterator[dict[int, tuple[Any, Tensor]]]:
        """Inside it assignments are recorded apart: they end with it and are given to the caller.

        Yields:
            A dict that has the assignments by `id` of the variable when the block has ended.
        """
        before = self._written
        self._written = dict(before)
        assigned: dict[int, tuple[Any, Tensor]] = {}
        try:
            yield assigned
            assigned.update({k: v for k, v in self._written.items() if before.get(k) is not v})
        finally:
            self._written = before

    def apply_programs(
        self, name: str, inputs: Sequence[Tensor], attrs: dict[str, Any], traces: Sequence[Any]
    ) -> list[Tensor]:
        """Adds a node that runs programs. `traces`: pairs of a trace inside this one and outputs.

        Values of this trace that those use become operands, after `inputs`.
        """
        programs = [trace._graph.compile(list(outputs), []) for trace, outputs in traces]
        captures = [c for trace, _ in traces for c in trace._graph.captures]
        found = self._graph.apply_programs(name, [*inputs, *captures], attrs, programs)
        return [found] if isinstance(found, Tensor) else list(found)

    @property
    def capture_count(self) -> int:
        """How many values of the trace around it are used in this one."""
        return len(self._graph.captures)

    def compile(self, outputs: Sequence[Tensor]) -> Program:
        """Returns a program that computes `outputs` and updates the assigned variables."""
        storages = [v._storage for v in [*self.used, *self.written]]
        updates = [(variable._storage, value) for variable, value in self._written.values()]
        return Program(self._graph.compile(list(outputs), updates), storages)

    def print(self) -> str:
        """Returns the graph recorded so far as text, a node a line."""
        return self._graph.print()


def recorded(x: Tensor) -> Tensor:
    """Returns a new tensor, as a value of the trace around it if that keeps constants."""
    trace = current_trace()
    return x if trace is None or not trace.keeps_constants else trace._graph.constant(x)


class Tape:
    """Context manager that records eager ops, to take gradients of their results.

    Variables read while the tape records keep their values for the gradient. Inside another tape
    that tape records, too, what computes the gradients.
    """

    def __init__(self) -> None:
        self._tape = _core.Tape()
        self._around: Tape | None = None
        self._values: dict[int, tuple[Any, Tensor]] = {}
        self._first: dict[int, tuple[Any, Tensor]] = {}

    def __enter__(self) -> Tape:
        around = current()
        self._around = around if isinstance(around, Tape) else None
        _active.stack.append(self)
        self._tape.start()
        return self

    def __exit__(self, *exc_info: Any) -> None:
        self._tape.stop()
        _active.stack.pop()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Inside it nothing is recorded."""
        self._tape.stop()
        try:
            yield
        finally:
            self._tape.start()

    def read(self, variable: Any) -> Tensor:
        """Returns the variable's value, the same tensor until it is assigned."""
        key = id(variable)
        if key not in self._values:
            around = self._around
            value = _core.copy(variable._storage) if around is None else around.read(variable)
            self._values[key] = (variable, value)
            self._first.setdefault(key, self._values[key])
        return self._values[key][1]

    def write(self, variable: Any, value: Tensor) -> None:
        """Assigns at once and remembers the new value as a recorded tensor."""
        if self._around is None:
            variable._store(value)
        else:
            self._around.write(variable, value)
        self._values[id(variable)] = (variable, value)

    @property
    def used(self) -> list[Any]:
        """The variables read so far."""
        return [variable for variable, _ in self._first.values()]

    def is_leaf(self, tensor: Tensor) -> bool:
        """Returns whether no recorded op made the tensor."""
        return self._tape.is_leaf(tensor)

    def gradient(
        self, target: Any, sources: Sequence[Any], seed: Tensor | None = None
    ) -> list[Tensor | None]:
        """Returns the gradient of `target` with respect to each source.

        Args:
            target: Tensor computed while the tape recorded; with more than one element their sum
                is meant.
            sources: Variables (their values when first read) or tensors.
            seed: Gradient that flows into `target`, of its shape; by default ones.

        Returns:
            One tensor for each source, `None` where `target` does not depend on it.
        """
        tensors = []
        for source in sources:
            if isinstance(source, Tensor):
                tensors.append(source)
            else:
                found = self._first.get(id(source))
                tensors.append(source._storage if found is None else found[1])
        return self._tape.gradient(convert_to_tensor(target), tensors, seed)
