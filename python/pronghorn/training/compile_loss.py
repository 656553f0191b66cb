"""The loss of a compiled model: one loss an output, weighted and added up."""

from __future__ import annotations

from typing import Any

from pronghorn import losses as losses_module
from pronghorn import ops, tree
from pronghorn.losses import Loss, LossFunctionWrapper
from pronghorn.metrics import Mean
from pronghorn.training.outputs import Outputs, spread_sample_weight


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
        self.losses: list[Loss | None] = []
        self.output_shapes: list[tuple[int, ...]] = []

    def build(self, y_true: Any, y_pred: Any) -> None:
        """Gives each output its loss, its weight and, where there are several, a tracker."""
        outputs = Outputs(y_pred, self._output_names)
        specs = outputs.spread(self._loss, "loss")
        if all(spec is None for spec in specs):
            raise ValueError(
                "compile: expected a loss for at least one output. Received: loss=None."
            )
        self._weights = outputs.spread(self._loss_weights, "loss_weights")
        targets = outputs.targets(y_true, [spec is not None for spec in specs])
        predictions = tree.flatten(y_pred)
        self.losses = [
            get_loss(spec, y_t, y_p)
            for spec, y_t, y_p in zip(specs, targets, predictions, strict=True)
        ]
        if sum(loss is not None for loss in self.losses) > 1:
            self.metrics = [Mean(name=name) for name in self._tracker_names(outputs, specs)]
        self.outputs = outputs
        self.built = True

    def _tracker_names(self, outputs: Outputs, specs: list[Any]) -> list[str]:
        names: list[str] = []
        for output, spec, loss in zip(outputs.names, specs, self.losses, strict=True):
            if loss is None:
                continue
            # Outputs without names of their own are told apart by their losses.
            base = output if outputs.named else (spec if isinstance(spec, str) else loss.name)
            name, number = f"{base}_loss", 1
            while name in names:
                name = f"{base}_loss_{number}"
                number += 1
            names.append(name)
        return names

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The weighted sum of the losses, a scalar; records each one where there are several."""
        if not self.built:
            self.build(y_true, y_pred)
        targets = self._targets(y_true)
        predictions = tree.flatten(y_pred)
        weights = spread_sample_weight(self.outputs, sample_weight)
        self.output_shapes = [tuple(y_p.shape) for y_p in predictions]
        values = []
        trackers = iter(self.metrics)
        for loss, weight, y_t, y_p, s_w in zip(
            self.losses, self._weights, targets, predictions, weights, strict=True
        ):
            if loss is None:
                continue
            value = ops.cast(loss(y_t, y_p, s_w), "float32")
            if self.metrics:
                next(trackers).update_state(value, sample_weight=y_p.shape[0])
            values.append(value if weight is None else ops.multiply(value, weight))
        total = values[0]
        for value in values[1:]:
            total = ops.add(total, value)
        return total

    def _targets(self, y_true: Any) -> list[Any]:
        return self.outputs.targets(y_true, [loss is not None for loss in self.losses])

    def check_targets(self, y_true: Any, y_pred_shapes: list[tuple[int, ...]]) -> None:
        """Raises for targets (NumPy arrays) that the losses cannot take, before a kernel runs."""
        if not self.built:
            return
        targets = self._targets(y_true)
        for name, loss, y_t, shape in zip(
            self.outputs.names, self.losses, targets, y_pred_shapes, strict=True
        ):
            check = getattr(loss, "check_targets", None)
            if check is None or y_t is None:
                continue
            try:
                check(y_t, shape)
            except ValueError as error:
                if self.outputs.count == 1:
                    raise
                raise ValueError(f"output '{name}': {error}") from None


def get_loss(spec: Any, y_true: Any, y_pred: Any) -> Loss | None:
    """The loss object of one output; "crossentropy" is resolved by the shapes."""
    if spec is None or isinstance(spec, Loss):
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
