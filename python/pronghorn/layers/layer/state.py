"""What all parts of a layer share: its attributes, how they are tracked, locked and copied."""

from __future__ import annotations

import sys
from typing import Any

from pronghorn.layers.layer.changes import changes
from pronghorn.layers.layer.tracking import Tracker, relink
from pronghorn.ops.operation import Operation
from pronghorn.variable import Variable

_KINDS = ("trainable_variables", "non_trainable_variables", "metrics", "layers", "seed_generators")


def _is_trainable_variable(x: Any) -> bool:
    return isinstance(x, Variable) and x.trainable


def _is_variable(x: Any) -> bool:
    return isinstance(x, Variable)


def _is_metric(x: Any) -> bool:
    return _is_instance(x, "pronghorn.metrics.metric", "Metric")


def _is_layer(x: Any) -> bool:
    return isinstance(x, LayerState) and not _is_metric(x)


def _is_seed_generator(x: Any) -> bool:
    return _is_instance(x, "pronghorn.random.seed_generator", "SeedGenerator")


def _is_instance(x: Any, module: str, name: str) -> bool:
    """As `isinstance`, of a class in a module that imports this one: not loaded, no instance."""
    cls = getattr(sys.modules.get(module), name, None)
    return cls is not None and isinstance(x, cls)


class LayerState(Operation):
    """The attributes of a layer, and the tracking of those that hold state."""

    _tracker: Tracker
    _trainable_variables: list[Variable]
    _non_trainable_variables: list[Variable]
    _layers: list[Any]
    _metrics: list[Any]
    _seed_generators: list[Any]
    _losses: list[Any]
    _build_shapes_dict: dict[str, Any] | None
    _path: str | None
    _parent_path: str | None
    _trainable: bool
    _dtype_policy: Any
    _initialized: bool
    activity_regularizer: Any
    autocast: bool
    built: bool
    input_spec: Any
    name: str
    supports_masking: bool

    def _initialize_tracker(self) -> None:
        if "_tracker" in self.__dict__:
            return
        tests = (_is_trainable_variable, _is_variable, _is_metric, _is_layer, _is_seed_generator)
        stores: list[list[Any]] = [[] for _ in _KINDS]
        tracker = Tracker(
            {kind: (test, store) for kind, test, store in zip(_KINDS, tests, stores)},
            exclusions={"non_trainable_variables": ["trainable_variables"]},
        )
        for kind, store in zip(_KINDS, stores):
            object.__setattr__(self, f"_{kind}", store)
        object.__setattr__(self, "_tracker", tracker)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in _NO_BEHAVIOUR and self.__dict__.get(name, _MISSING) is not value:
            self._note_change()
        if type(value) not in _PLAIN:
            tracker = self.__dict__.get("_tracker")
            if tracker is None:
                self._initialize_tracker()
                tracker = self._tracker
            value = tracker.track(value)
        super().__setattr__(name, value)

    @property
    def _own_policy(self) -> Any:
        """The dtype policy; out of a map of policies, the one for the layer's path."""
        policy = self._dtype_policy
        if policy._is_map and self._path:
            return policy[self._path]
        return policy

    def _note_change(self) -> None:
        """Says that a call may give something else than before with the same weights."""
        self.__dict__["_change"] = changes.note()

    def __delattr__(self, name: str) -> None:
        self._note_change()
        value = self.__dict__.get(name)
        tracker = self.__dict__.get("_tracker")
        if value is not None and tracker is not None:
            self._untrack_all(tracker, value)
        super().__delattr__(name)

    def _untrack_all(self, tracker: Tracker, value: Any) -> None:
        if isinstance(value, (list, tuple, set)):
            for x in value:
                self._untrack_all(tracker, x)
        elif isinstance(value, dict):
            for x in value.values():
                self._untrack_all(tracker, x)
        else:
            tracker.untrack(value)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        tracker = self.__dict__.get("_tracker")
        if tracker is not None:
            for value in list(self.__dict__.values()):
                relink(value, tracker)

    def _track_variable(self, variable: Variable) -> None:
        kind = "trainable_variables" if variable.trainable else "non_trainable_variables"
        self._tracker.add(kind, variable)
        if variable.trainable and not self.__dict__.get("_trainable", True):
            variable.trainable = False

    def _untrack_variable(self, variable: Variable) -> None:
        self._tracker.untrack(variable)

    def _lock_state(self) -> None:
        """Forbids new variables and sublayers."""
        if self._tracker.locked_by is None:
            self._tracker.lock()

    def _check_super_called(self) -> None:
        if "_initialized" not in self.__dict__:
            raise RuntimeError(
                f"In layer '{type(self).__name__}', you forgot to call `super().__init__()` as "
                "the first statement in the `__init__()` method. Go add it!"
            )

    def _flatten_layers(self, include_self: bool = True, recursive: bool = True) -> list[Any]:
        """Returns the layers inside this one, each once, outer ones first."""
        found: list[Any] = []
        seen: set[int] = set()

        def visit(layer: Any, depth: int) -> None:
            if id(layer) in seen:
                return
            seen.add(id(layer))
            if depth or include_self:
                found.append(layer)
            if recursive or depth == 0:
                for inner in layer._layers:
                    visit(inner, depth + 1)

        visit(self, 0)
        return found


_PLAIN = frozenset({int, float, str, bool, type(None)})
_MISSING = object()
# Attributes that training sets and no call reads.
_NO_BEHAVIOUR = frozenset(
    {"history", "stop_training", "stop_evaluating", "stop_predicting", "_called", "_evaluation"}
)
