"""The loss of a compiled model: one loss an output, weighted and added up."""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn import losses as losses_module
from pronghorn import ops, tree
from pronghorn.losses import Loss, LossFunctionWrapper
from pronghorn.metrics import Mean
from pronghorn.tensor import Tensor
from pronghorn.training.loss_entries import LossEntries, LossEntry, pick, unknown_key


class CompileLoss:
    """What `compile(loss=..., loss_weights=...)` means, once the outputs are known.

    Args:
        loss: a loss, a name, a function, or a list or dict of them, one for each output.
        loss_weights: a number, or a list or dict of them.
        output_names: the model's names of its outputs, or `None`.
    """

    def __init__(
        self, loss: Any, loss_weights: Any = None, output_names: list[str] | None = None
    ) -> None:
        _check_weights(loss_weights)
        self._loss = loss
        self._loss_weights = loss_weights
        self._output_names = output_names
        self.built = False
        self.metrics: list[Mean] = []
        self.losses: list[Loss] = []
        # Of what each loss gets, `None` where that is a structure.
        self.output_shapes: list[tuple[int, ...] | None] = []
        self._entries: list[LossEntry] = []

    def build(self, y_true: Any, y_pred: Any) -> None:
        """Gives each output its losses, and trackers where there are several."""
        count = len(tree.flatten(y_pred))
        names = self._output_names
        self._names = list(names) if names is not None and len(names) == count else None
        self._entries = LossEntries(y_pred, self._names).collect(self._loss, self._loss_weights)
        if not self._entries:
            raise ValueError("compile: expected a loss for at least one output. Received: none.")
        self.losses = [
            get_loss(entry.spec, self._target(y_true, y_pred, entry), self._part(y_pred, entry))
            for entry in self._entries
        ]
        if len(self._entries) > 1:
            self.metrics = [Mean(name=name) for name in dict.fromkeys(self._tracker_names())]
        self.built = True

    def _tracker_names(self) -> list[str]:
        # Several losses of one output share a tracker; outputs without names do not share one.
        names: list[str] = []
        owners: dict[str, tuple[Any, ...]] = {}
        for entry in self._entries:
            name, number = f"{entry.name}_loss", 1
            while owners.setdefault(name, entry.path) != entry.path:
                name = f"{entry.name}_loss_{number}"
                number += 1
            names.append(name)
        return names

    @staticmethod
    def _part(y_pred: Any, entry: LossEntry) -> Any:
        for key in entry.path:
            y_pred = y_pred[key]
        return y_pred

    def _target(self, y_true: Any, y_pred: Any, entry: LossEntry) -> Any:
        if not tree.is_nested(y_pred):
            # A structure of one is taken for its content.
            if isinstance(y_true, (list, tuple, dict)) and len(y_true) == 1:
                (y_true,) = y_true.values() if isinstance(y_true, dict) else y_true
            return y_true
        y_true = self._complete(y_true, y_pred)
        target = pick(y_true, y_pred, entry.path, self._names)
        if target is None or (entry.path and target is y_true):
            raise ValueError(
                f"y: expected a target for output '{entry.name}'. Received: y of type "
                f"{type(y_true).__name__} with {len(tree.flatten(y_true))} arrays."
            )
        return target

    def _complete(self, y_true: Any, y_pred: Any) -> Any:
        """`y_true` with `None` for outputs that have no loss, where a list leaves them out."""
        keys = sorted(y_pred) if isinstance(y_pred, dict) else list(range(len(y_pred)))
        if isinstance(y_true, dict):
            return y_true
        if len(keys) == 1 and not isinstance(y_true, (list, tuple)):
            return [y_true]
        values = list(y_true) if isinstance(y_true, (list, tuple)) else [y_true]
        if len(values) == len(keys):
            return y_true if isinstance(y_true, tuple) else values
        used = {entry.path[0] for entry in self._entries if entry.path}
        if len(values) == len(used):
            left = iter(values)
            return [next(left) if key in used else None for key in keys]
        raise ValueError(
            f"y: expected {len(keys)} arrays, one for each output {self._names or keys}. "
            f"Received: {len(values)}."
        )

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The weighted sum of the losses, a scalar; records each one where there are several."""
        if not self.built:
            self.build(y_true, y_pred)
        values = []
        shapes: list[tuple[int, ...] | None] = []
        by_name: dict[str, Any] = {}
        names = self._tracker_names()
        for loss, entry, name in zip(self.losses, self._entries, names, strict=True):
            y_p = self._part(y_pred, entry)
            y_t = self._target(y_true, y_pred, entry)
            s_w = _weight(sample_weight, y_pred, entry, self._names)
            shapes.append(None if tree.is_nested(y_p) else tuple(y_p.shape))
            _check_shape(loss, y_t, y_p)
            value = ops.cast(loss(y_t, y_p, s_w), "float32")
            by_name[name] = ops.add(by_name[name], value) if name in by_name else value
            values.append(value if entry.weight is None else ops.multiply(value, entry.weight))
        rows = tree.flatten(y_pred)[0].shape[0]
        for tracker in self.metrics:
            tracker.update_state(by_name[tracker.name], sample_weight=rows)
        self.output_shapes = shapes
        self._y_pred = tree.map_structure(lambda _: 0, y_pred)
        total = values[0]
        for value in values[1:]:
            total = ops.add(total, value)
        return total

    def check_targets(self, y_true: Any, shapes: list[tuple[int, ...] | None]) -> None:
        """Raises for targets (NumPy arrays) that the losses cannot take, before a kernel runs."""
        for loss, entry, shape in zip(self.losses, self._entries, shapes, strict=True):
            check = getattr(loss, "check_targets", None)
            if check is None or shape is None:
                continue
            target = self._target(y_true, self._y_pred, entry)
            try:
                check(target, shape)
            except ValueError as error:
                if len(self._entries) == 1:
                    raise
                raise ValueError(f"output '{entry.name}': {error}") from None


def _weight(sample_weight: Any, y_pred: Any, entry: LossEntry, names: list[str] | None) -> Any:
    if not isinstance(sample_weight, (list, tuple, dict)):
        return sample_weight
    if isinstance(sample_weight, dict):
        count = len(tree.flatten(y_pred))
        known = [*(names or []), *(y_pred if isinstance(y_pred, dict) else [])]
        for key in sample_weight:
            if key not in known and (count > 1 or known):
                raise ValueError(unknown_key("sample_weight", key, list(sample_weight), known))
        if count == 1 and len(sample_weight) == 1:
            return next(iter(sample_weight.values()))
    elif len(sample_weight) == 1:
        return sample_weight[0]
    elif tree.is_nested(y_pred) and len(sample_weight) != len(y_pred):
        raise ValueError(
            f"sample_weight: expected 1 or {len(y_pred)} arrays, one for each output. "
            f"Received: {len(sample_weight)}."
        )
    found = pick(sample_weight, y_pred, entry.path, names)
    return None if isinstance(found, (list, tuple, dict)) else found


def _check_shape(loss: Loss, y_true: Any, y_pred: Any) -> None:
    check = getattr(loss, "check_targets", None)
    if check is None or tree.is_nested(y_true) or tree.is_nested(y_pred):
        return
    target, output = tuple(y_true.shape), tuple(y_pred.shape)
    if isinstance(y_true, Tensor) and not y_true.is_symbolic:
        check(np.asarray(y_true), output)  # run_eagerly
    else:
        # While tracing there are no values yet: zeros of the shape of the targets stand for them.
        check(np.broadcast_to(np.zeros((), "int32"), target), output)
    if target and output and target[0] != output[0] and 1 not in (target[0], output[0]):
        raise ValueError(
            f"Loss '{loss.name}': expected a target for each sample. "
            f"Received: y_true.shape={target}, output shape={output}."
        )


def get_loss(spec: Any, y_true: Any, y_pred: Any) -> Loss:
    """The loss object of one output; "crossentropy" is resolved by the shapes."""
    if isinstance(spec, Loss):
        return spec
    if isinstance(spec, str) and spec.lower() in ("crossentropy", "ce"):
        from pronghorn.training.compile_metrics import crossentropy_kind

        spec = f"{crossentropy_kind(y_true, y_pred)}_crossentropy"
    found = losses_module.get(spec)
    if isinstance(found, Loss):
        return found
    if isinstance(found, type) and issubclass(found, Loss):
        return found()
    name = getattr(found, "__name__", type(found).__name__)
    return LossFunctionWrapper(found, name=name)


def _check_weights(loss_weights: Any) -> None:
    for weight in tree.flatten(loss_weights) if loss_weights is not None else []:
        if weight is not None and not isinstance(weight, (int, float)):
            raise ValueError(
                "compile: loss_weights must be numbers, in a list or dict like the outputs. "
                f"Received: loss_weights={loss_weights!r}."
            )
