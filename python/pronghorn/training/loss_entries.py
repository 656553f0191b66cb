"""Which loss goes to which part of the outputs: `compile(loss=..., loss_weights=...)` taken apart.

A loss stands at a node of the outputs' structure. A list beside a single output, or beside a
container of another type, holds several losses for it.
"""

from __future__ import annotations

import difflib
from typing import Any, NamedTuple

from pronghorn import tree
from pronghorn.losses import Loss

Path = tuple[Any, ...]


class LossEntry(NamedTuple):
    """A loss at `path` of the outputs: `spec` is what the user gave for it."""

    path: Path
    name: str
    spec: Any
    weight: float | None


class LossEntries:
    """Takes a structure of losses apart.

    Args:
        y_pred: the outputs.
        names: the model's names of its outputs, in flat order, or `None`.
    """

    def __init__(self, y_pred: Any, names: list[str] | None) -> None:
        self._y_pred = y_pred
        count = len(tree.flatten(y_pred))
        self._names = list(names) if names is not None and len(names) == count else None

    def collect(self, spec: Any, weights: Any) -> list[LossEntry]:
        """The losses with their places, names and weights.

        Raises:
            ValueError: a key that names no output, or a list of another length.
        """
        nested = tree.is_nested(self._y_pred)
        if nested and _is_loss(spec):
            # One loss for all outputs.
            spec = tree.map_structure(lambda _: spec, self._y_pred)
            if isinstance(weights, (list, tuple)) and isinstance(self._y_pred, dict):
                weights = dict(zip(sorted(self._y_pred), weights, strict=False))
        if isinstance(spec, dict):
            count = len([one for one in tree.flatten(spec) if one is not None])
            _check_length(weights, count, "loss")
        found: list[LossEntry] = []
        self._visit(spec, weights, self._y_pred, (), 0, found)
        return found

    def _visit(
        self, spec: Any, weight: Any, pred: Any, path: Path, first: int, found: list[LossEntry]
    ) -> None:
        # `first`: flat number of the first output below `pred`.
        if spec is None:
            return
        if _is_loss(spec):
            weight = self._single_weight(weight, first)
            number = float(weight) if weight is not None else None
            found.append(LossEntry(path, self._name(path, pred, first, spec), spec, number))
        elif isinstance(spec, dict):
            self._visit_dict(spec, weight, pred, path, first, found)
        elif isinstance(spec, (list, tuple)):
            if _matches(spec, pred):
                self._visit_items(spec, weight, pred, path, first, found)
            else:
                _check_length(weight, len(spec), "loss")
                for i, one in enumerate(spec):
                    own = weight[i] if isinstance(weight, (list, tuple)) else weight
                    self._visit(one, own, pred, path, first, found)
        else:
            raise ValueError(f"loss: expected a loss, a name or a function. Received: {spec!r}.")

    def _visit_items(
        self, spec: Any, weight: Any, pred: Any, path: Path, first: int, found: list[LossEntry]
    ) -> None:
        keys = sorted(pred) if isinstance(pred, dict) else list(range(len(pred)))
        if len(spec) != len(keys):
            raise ValueError(
                f"loss: expected {len(keys)} entries, one for each output "
                f"{self._names or keys}. Received: loss={spec!r}."
            )
        _check_length(weight, len(keys), "output")
        places: dict[Any, int] = {}
        numbers: list[int] = []
        for i, key in enumerate(keys):
            if self._names is not None and not tree.is_nested(pred[key]):
                places[self._names[first]] = i
            numbers.append(first)
            first += len(tree.flatten(pred[key]))
        if isinstance(pred, dict):
            places.update({key: i for i, key in enumerate(keys)})
        if isinstance(weight, dict):
            # By the names of the outputs, beside a list of losses.
            for key in weight:
                if places and key not in places:
                    raise ValueError(unknown_key("loss_weights", key, list(weight), list(places)))
            by_number = {places[key]: value for key, value in weight.items() if key in places}
            weight = [by_number.get(i) for i in range(len(keys))]
        for i, key in enumerate(keys):
            self._visit(spec[i], _part(weight, key, i), pred[key], (*path, key), numbers[i], found)

    def _visit_dict(
        self, spec: Any, weight: Any, pred: Any, path: Path, first: int, found: list[LossEntry]
    ) -> None:
        # Key of the user -> key of the container, and flat number of its first output.
        places: dict[Any, tuple[Any, int]] = {}
        keys = sorted(pred) if isinstance(pred, dict) else []
        if isinstance(pred, (list, tuple)):
            keys = list(range(len(pred)))
        numbers: dict[Any, int] = {}
        at = first
        for key in keys:
            if self._names is not None and not tree.is_nested(pred[key]):
                places.setdefault(self._names[at], (key, at))
            numbers[key] = at
            at += len(tree.flatten(pred[key]))
        if isinstance(pred, dict):
            places.update({key: (key, number) for key, number in numbers.items()})
        if not tree.is_nested(pred):
            known = [self._names[first]] if self._names is not None else list(spec)[:1]
            places = dict.fromkeys(known, (None, first))
        for key in spec:
            if key not in places:
                error = KeyError if isinstance(pred, dict) else ValueError
                raise error(unknown_key("loss", key, list(spec), list(places)))
        if isinstance(weight, dict):
            for key in weight:
                if key not in places:
                    raise ValueError(unknown_key("loss_weights", key, list(weight), list(places)))
        for key in spec:
            inner, number = places[key]
            below = pred if inner is None else pred[inner]
            own = weight.get(key) if isinstance(weight, dict) else weight
            if isinstance(weight, (list, tuple)):
                start, count = number - first, len(tree.flatten(below))
                own = weight[start : start + count] if tree.is_nested(below) else weight[start]
            where = path if inner is None else (*path, inner)
            self._visit(spec[key], own, below, where, number, found)

    def _single_weight(self, weight: Any, first: int) -> Any:
        """The weight of a single loss, which may stand in a list or dict of one."""
        if isinstance(weight, (list, tuple)):
            _check_length(weight, 1, "loss")
            return weight[0]
        if isinstance(weight, dict):
            known = [self._names[first]] if self._names is not None else list(weight)[:1]
            for key in weight:
                if key not in known:
                    raise ValueError(unknown_key("loss_weights", key, list(weight), known))
            return next(iter(weight.values()), None)
        return weight

    def _name(self, path: Path, pred: Any, first: int, spec: Any) -> str:
        parts: list[str] = []
        node = self._y_pred
        for key in path:
            if isinstance(node, dict):
                parts.append(str(key))
            node = node[key]
        leaves = len(tree.flatten(pred))
        if path and isinstance(_parent(self._y_pred, path), dict):
            return "/".join(parts)
        if isinstance(pred, dict):
            return "/".join([*parts, "_".join(str(key) for key in sorted(pred))])
        if self._names is not None:
            return "/".join([*parts, "_".join(self._names[first : first + leaves])])
        # Outputs without names are told apart by their losses.
        label = spec if isinstance(spec, str) else getattr(spec, "name", None)
        return str(label or getattr(spec, "__name__", type(spec).__name__))


def unknown_key(what: str, key: Any, received: list[Any], known: list[Any]) -> str:
    """The message for a key of `loss`, `metrics` or the like that names no output."""
    near = difflib.get_close_matches(str(key), [str(name) for name in known], 1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    return (
        f"Invalid `{what}`: the key '{key}' in the `{what}` argument, can't be found in either the "
        "model's output names or its keys; it is not the name of an output. "
        f"Expected keys: {known}. Received: {what} with the keys {received}.{hint}"
    )


def pick(values: Any, y_pred: Any, path: Path, names: list[str] | None, first: int = 0) -> Any:
    """The part of targets or weights that belongs to `path` of the outputs."""
    for key in path:
        keys = sorted(y_pred) if isinstance(y_pred, dict) else list(range(len(y_pred)))
        at = keys.index(key)
        if isinstance(values, dict):
            number = first + sum(len(tree.flatten(y_pred[k])) for k in keys[:at])
            name = names[number] if names is not None else None
            values = values[key] if key in values else values.get(name)
        elif isinstance(values, (list, tuple)):
            values = values[at]
        first += sum(len(tree.flatten(y_pred[k])) for k in keys[:at])
        y_pred = y_pred[key]
    return values


def _check_length(weight: Any, count: int, what: str) -> None:
    if isinstance(weight, (list, tuple)) and len(weight) != count:
        raise ValueError(
            f"loss_weights: they must match the number of losses, expected {count} numbers, one "
            f"for each {what}. Received: loss_weights={weight!r}."
        )


def _is_loss(spec: Any) -> bool:
    return isinstance(spec, (str, Loss)) or (callable(spec) and not isinstance(spec, dict))


def _matches(spec: Any, pred: Any) -> bool:
    """Whether a list of losses has one for each part of `pred`."""
    if not tree.is_nested(pred):
        return False
    if type(spec) is type(pred):
        return True
    return not any(isinstance(one, (dict, list, tuple)) for one in spec)


def _part(weight: Any, key: Any, number: int) -> Any:
    if isinstance(weight, dict):
        return weight.get(key)
    return weight[number] if isinstance(weight, (list, tuple)) else weight


def _parent(node: Any, path: Path) -> Any:
    for key in path[:-1]:
        node = node[key]
    return node
