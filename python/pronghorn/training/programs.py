"""Programs of the train, test and predict steps: traced once per signature, kept on the model.

A signature is the mode, the structure, shapes and dtypes of the batch, and which variables are
trained.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import numpy as np

from pronghorn import tree
from pronghorn.program import Program
from pronghorn.tensor import Tensor, convert_to_tensor
from pronghorn.trace import Trace
from pronghorn.training.building import build_lock
from pronghorn.training.data_adapters.batch import map_leaves
from pronghorn.training.logs import to_number
from pronghorn.variable import Variable


class StepProgram:
    """A traced step.

    `program`: runs it. `structure`, `specs`: predict only, the nesting of the outputs with 0 at its
    leaves, and `(shape, dtype)` of each. `logs()`: what an overridden `train_step` or `test_step`
    returned, kept in variables that the program writes; `None` for the default steps, whose logs
    are the results of the metrics.
    """

    __slots__ = ("_logs", "output_shapes", "program", "specs", "structure")

    def __init__(
        self,
        program: Program,
        structure: Any = None,
        specs: list[tuple[tuple[int, ...], str]] | None = None,
        logs: dict[str, Any] | None = None,
    ) -> None:
        self.program = program
        self.structure = structure
        self.specs = specs or []
        self._logs = logs
        # Of each output, for the check of targets.
        self.output_shapes: list[tuple[int, ...] | None] = []

    def logs(self) -> dict[str, Any] | None:
        """The logs of the step that ran last, where the step made its own."""
        if self._logs is None:
            return None
        return {
            name: value.numpy() if isinstance(value, Variable) else value
            for name, value in self._logs.items()
        }


class MetricPrograms:
    """Reads and resets the metrics of a model: a program each, where op by op would take longer.

    Args:
        model: a model whose metrics are built.
    """

    def __init__(self, model: Any) -> None:
        with Trace() as trace:
            results = sorted(model.get_metrics_result().items())
            program = trace.compile([convert_to_tensor(value) for _, value in results])
        self.names = [name for name, _ in results]
        self._results = program
        with Trace() as trace:
            for metric in model.metrics:
                metric.reset_state()
            self.reset = trace.compile([])

    def logs(self) -> dict[str, Any]:
        """Names and values, sorted."""
        values = zip(self.names, self._results(), strict=True)
        return {name: to_number(value) for name, value in values}


# Programs are kept while they are few or small: data of many shapes must not fill the memory.
_FEW = 8
_MANY = 256
_KEPT_BYTES = 64 << 20  # of their memory


class ProgramCache:
    """The programs of one model, those used last.

    Holds programs and variables only, so that it makes no reference cycle.
    """

    def __init__(self) -> None:
        self.layers: list[tuple[int, str]] = []  # of the model when the programs were traced
        self.checked_at = -1  # number of the last change of any layer that `layers` is known for
        self.steps: dict[Hashable, StepProgram] = {}
        self.single: dict[Hashable, Program] = {}  # see Trainer.predict
        self.last: Callable[[Any], Any] | None = None  # of them the one that ran last
        self.metrics: MetricPrograms | None = None

    def clear(self) -> None:
        """Forgets every program."""
        self.steps.clear()
        self.single.clear()
        self.last = None
        self.metrics = None

    def find(self, mode: str, key: Hashable) -> StepProgram | None:
        """The program for batches with the signature `key`, where there is one."""
        step = self.steps.get((mode, key))
        if step is not None and len(self.steps) > _FEW:
            # The last is the one that was used last.
            self.steps.pop((mode, key), None)
            self.steps[mode, key] = step
        return step

    def get(self, model: Any, mode: str, key: Hashable, data: Any) -> StepProgram:
        """The program for batches like `data`, whose signature is `key`."""
        step = self.find(mode, key)
        if step is not None:
            return step
        with build_lock():
            step = self.find(mode, key)
            if step is None:
                step = trace_step(model, mode, data)
                self._make_room(_memory(step))
                self.steps[mode, key] = step
        return step

    def _make_room(self, size: int) -> None:
        steps = list(self.steps.items())
        used = size + sum(_memory(step) for _, step in steps)
        for key, step in steps[: len(steps) + 1 - _FEW] if len(steps) >= _FEW else []:
            if used <= _KEPT_BYTES and len(self.steps) < _MANY:
                break
            used -= _memory(step)
            self.steps.pop(key, None)
            for short in [k for k, program in self.single.items() if program is step.program]:
                self.single.pop(short, None)
                self.last = None


def _memory(step: StepProgram) -> int:
    return step.program.arena_bytes + step.program.kept_bytes


def trace_step(model: Any, mode: str, data: Any) -> StepProgram:
    """Traces `model.train_step`, `test_step` or `predict_step` on a batch like `data` (arrays)."""
    with Trace() as trace:
        symbolic = map_leaves(lambda array: trace.input(array.shape, array.dtype.name), data)
        try:
            if mode == "predict":
                outputs = model.predict_step(symbolic)
                flat = [convert_to_tensor(value) for value in tree.flatten(outputs)]
                specs = [(tuple(t.shape), t.dtype) for t in flat]
                structure = tree.map_structure(lambda _: 0, outputs)
                step = StepProgram(trace.compile(flat), structure, specs)
            else:
                logs = getattr(model, f"{mode}_step")(symbolic)
                kept = _keep_logs(model, mode, logs, trace)
                step = StepProgram(trace.compile([]), logs=kept)
                if model._compile_loss is not None:
                    step.output_shapes = model._compile_loss.output_shapes
        finally:
            # Losses that layers added belong to this trace.
            model._clear_losses()
    return step


def _keep_logs(model: Any, mode: str, logs: Any, trace: Trace) -> dict[str, Any] | None:
    if not model._makes_own_logs(mode):
        return None
    if not isinstance(logs, dict):
        if logs is None:
            return {}
        raise ValueError(
            f"{type(model).__name__}.{mode}_step: expected a dict of names to values to be "
            f"returned. "
            f"Received: {type(logs).__name__}."
        )
    if model._are_metric_results(logs, trace.written):
        return None
    kept: dict[str, Any] = {}
    for name, value in logs.items():
        for label, leaf in _named_leaves(name, value):
            kept[label] = _keep(leaf)
    return kept


def _named_leaves(name: str, value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [pair for key, leaf in value.items() for pair in _named_leaves(str(key), leaf)]
    return [(name, value)]


def _keep(value: Any) -> Any:
    if isinstance(value, Variable):
        value = value.value
    if not isinstance(value, Tensor):
        return value
    if not value.is_symbolic:
        return value.numpy()
    variable = Variable(
        np.zeros(value.shape, "float32"), dtype=value.dtype, trainable=False, name="log"
    )
    variable.assign(value)
    return variable
