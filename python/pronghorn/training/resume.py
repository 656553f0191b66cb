"""What a run of `fit` must remember to go on later as if it had never stopped.

`state_variables` lists everything that steps change; a `ResumePoint` is where a run was. `fit`
looks at `model._resume` once its callbacks have been told that training begins.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pronghorn import tree
from pronghorn.optimizers import Optimizer
from pronghorn.random.seed_generator import global_seed_generator
from pronghorn.variable import Variable


@dataclass
class ResumePoint:
    """Where a run goes on.

    `epoch`: the epoch to run next, from 0. `history`, `epochs`, `epochs_of`: of the `History` so
    far. `metrics`: values of `model.metrics_variables` in the middle of an epoch. `callbacks`: the
    class of each callback that keeps something, and what. `is_stopped`: whether a callback had
    ended training.
    """

    epoch: int = 0
    history: dict[str, list[Any]] = field(default_factory=dict)
    epochs: list[int] = field(default_factory=list)
    epochs_of: dict[str, list[int]] = field(default_factory=dict)
    metrics: list[np.ndarray] = field(default_factory=list)
    callbacks: list[tuple[str, dict[str, Any] | None]] = field(default_factory=list)
    is_stopped: bool = False

    def restore_history(self, history: Any) -> None:
        """Puts the epochs so far into a `History` that begins."""
        history.history = {name: list(values) for name, values in self.history.items()}
        history.epoch = list(self.epochs)
        history._epochs_of = {name: list(epochs) for name, epochs in self.epochs_of.items()}

    def restore_callbacks(self, callbacks: Iterable[Any]) -> None:
        """Gives callbacks what they kept: the first of a class what the first of it kept."""
        kept = list(self.callbacks)
        for callback in callbacks:
            name = type(callback).__name__
            found = next((entry for entry in kept if entry[0] == name), None)
            if found is not None:
                kept.pop(next(i for i, entry in enumerate(kept) if entry is found))
                if found[1] is not None:
                    callback.restore_state(found[1])

    def restore_metrics(self, model: Any) -> None:
        """Sets the metrics of an epoch that goes on."""
        for variable, value in zip(model.metrics_variables, self.metrics):
            variable.assign(value)


def state_variables(model: Any) -> dict[str, list[Variable]]:
    """All variables that training changes, each once, by what they belong to."""
    groups: dict[str, list[Variable]] = {
        "metrics": model.metrics_variables,
        "model": list(model.variables),
        "optimizers": [],
    }
    for value in model.__dict__.values():
        if isinstance(value, Optimizer):
            groups["optimizers"] += value.variables
    for layer in model._flatten_layers():
        # The state of a stateful layer is no weight, and it outlives a batch.
        groups["model"] += [
            state
            for state in tree.flatten(getattr(layer, "states", None))
            if isinstance(state, Variable)
        ]
    groups["generator"] = [global_seed_generator().state]
    seen: set[int] = set()
    for name, variables in groups.items():
        groups[name] = []
        for variable in variables:
            if id(variable) not in seen:
                seen.add(id(variable))
                groups[name].append(variable)
    return groups
