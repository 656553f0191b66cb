"""The steps that become programs: train, test and predict, with the loss and metrics they "
"compute."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from typing import Any

from pronghorn import ops, tree
from pronghorn.gradient_tape import GradientTape
from pronghorn.ops.keras_tensor import KerasTensor
from pronghorn.trace import suspended
from pronghorn.training.building import build_lock
from pronghorn.training.compile_loss import CompileLoss
from pronghorn.training.compile_metrics import CompileMetrics
from pronghorn.training.data_adapters.batch import map_leaves, unpack_x_y_sample_weight


class StepsMixin:
    """The part of `Trainer` that may be overridden to train otherwise."""

    optimizer: Any
    _compile_loss: CompileLoss | None
    _compile_metrics: CompileMetrics | None
    _loss_tracker: Any

    def train_step(self, data: Any) -> dict[str, Any]:
        """One step of `fit`: forward pass, loss, gradient, update, metrics.

        It is traced into one program, unless the model runs eagerly. Override it to train
        otherwise; what it does with Python happens once, when it is traced.

        Args:
            data: a batch, `x`, `(x, y)` or `(x, y, sample_weight)`.

        Returns:
            A dict of names to values, for the logs.
        """
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        variables = self.trainable_variables  # type: ignore[attr-defined]
        with GradientTape() as tape:
            y_pred = self._call_model(x, training=True)
            loss = self._loss_of(x, y, y_pred, sample_weight, training=True)
            scaled = loss if self.optimizer is None else self.optimizer.scale_loss(loss)
        self._track_loss(loss, x)
        if variables:
            if self.optimizer is None:
                raise ValueError(
                    f"{type(self).__name__}: fit needs an optimizer. Received: "
                    f"compile(optimizer=None)."
                )
            gradients = tape.gradient(scaled, variables)
            self.optimizer.apply(gradients, variables)
        else:
            warnings.warn(
                f"{type(self).__name__}: the model has no trainable weights.", stacklevel=2
            )
        return self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)

    def test_step(self, data: Any) -> dict[str, Any]:
        """One step of `evaluate`: forward pass, loss, metrics.

        Args:
            data: a batch, `x`, `(x, y)` or `(x, y, sample_weight)`.

        Returns:
            A dict of names to values, for the logs.
        """
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        y_pred = self._call_model(x, training=False)
        loss = self._loss_of(x, y, y_pred, sample_weight, training=False)
        self._track_loss(loss, x)
        return self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)

    def predict_step(self, data: Any) -> Any:
        """One step of `predict`: the forward pass.

        Args:
            data: a batch, `x` or `(x, ...)`.

        Returns:
            The outputs.
        """
        x, _, _ = unpack_x_y_sample_weight(data)
        return self._call_model(x, training=False)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """The total loss of a batch: that of `compile`, plus what layers and regularizers add.

        Args:
            x: the inputs.
            y: the targets.
            y_pred: the outputs.
            sample_weight: the weights of the samples, or `None`.
            training: whether `fit` or `evaluate` asks.

        Returns:
            A scalar tensor.

        Raises:
            ValueError: there is no loss at all.

        Example:
            >>> import pronghorn as keras
            >>> class Penalized(keras.Model):
            ...     def compute_loss(self, x=None, y=None, y_pred=None, **kwargs):
            ...         return keras.ops.mean(keras.ops.square(y_pred - y)) + 0.1
        """
        parts = []
        if self._compile_loss is not None:
            if y is None:
                raise ValueError(
                    f"{type(self).__name__}: the loss needs targets. Received: y=None. "
                    "Pass y, or compile without a loss and add losses in the layers."
                )
            parts.append(self._compile_loss(y, y_pred, sample_weight))
        parts.extend(ops.sum(ops.cast(part, "float32")) for part in self.losses)  # type: ignore[attr-defined]
        if not parts:
            if training:
                raise ValueError(
                    f"{type(self).__name__}: no loss to compute. Received: compile(loss=None). "
                    "Provide a `loss` argument in `compile()`, or add losses in the layers."
                )
            return ops.convert_to_tensor(0.0)
        total = parts[0]
        for part in parts[1:]:
            total = ops.add(total, part)
        return total

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> dict[str, Any]:
        """Updates the metrics with a batch and gives their values.

        Args:
            x: the inputs.
            y: the targets.
            y_pred: the outputs.
            sample_weight: the weights of the samples, or `None`.

        Returns:
            A dict of names to values, by default that of `get_metrics_result`.
        """
        del x
        if self._compile_metrics is not None and y is not None:
            self._compile_metrics.update_state(y, y_pred, sample_weight)
        return self.get_metrics_result()  # type: ignore[attr-defined,no-any-return]

    # What the steps are made of.

    def _call_model(self, x: Any, training: bool) -> Any:
        if getattr(self, "_call_has_training_arg", True):
            return self(x, training=training)  # type: ignore[operator]
        return self(x)  # type: ignore[operator]

    def _loss_of(self, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: bool) -> Any:
        # An override written before `training` was there does not take it.
        arguments = {"x": x, "y": y, "y_pred": y_pred, "sample_weight": sample_weight}
        parameters = inspect.signature(self.compute_loss).parameters.values()
        if any(p.name == "training" or p.kind is p.VAR_KEYWORD for p in parameters):
            arguments["training"] = training
        return self.compute_loss(**arguments)

    def _track_loss(self, loss: Any, x: Any) -> None:
        rows = next((leaf.shape[0] for leaf in tree.flatten(x) if leaf is not None), 1)
        self._loss_tracker.update_state(loss, sample_weight=rows)

    # What the programs ask of the model.

    def _prepare(self, batch: Callable[[], Any], mode: str) -> None:
        """Builds the model for a batch like `batch()`, and the optimizer, where that is to do."""
        if not self._is_callable():
            return
        if self._has_unbuilt_layers():
            x = unpack_x_y_sample_weight(batch())[0]
            specs = map_leaves(lambda array: KerasTensor(array.shape, array.dtype.name), x)
            with build_lock(), suspended():
                try:
                    if self._has_unbuilt_layers():
                        self._call_model(specs, training=mode == "train")
                finally:
                    self._clear_losses()  # type: ignore[attr-defined]
        if mode == "train" and self.optimizer is not None:
            with build_lock():
                self.optimizer.build(self.trainable_variables)  # type: ignore[attr-defined]

    def _is_callable(self) -> bool:
        # A model of several networks may have a train_step and no call().
        owner = getattr(type(self).call, "__qualname__", "")  # type: ignore[attr-defined]
        return owner not in ("Model.call", "Layer.call")

    def _has_unbuilt_layers(self) -> bool:
        return any(not layer.built for layer in self._flatten_layers())  # type: ignore[attr-defined]

    def _trainable_signature(self) -> tuple[int, ...]:
        return tuple(map(id, self.trainable_variables))  # type: ignore[attr-defined]

    def _makes_own_logs(self, mode: str) -> bool:
        cls: Any = type(self)
        return bool(
            getattr(cls, f"{mode}_step") is not getattr(StepsMixin, f"{mode}_step")
            or cls.compute_metrics is not StepsMixin.compute_metrics
        )

    def _check_targets(self, data: Any, output_shapes: list[tuple[int, ...] | None]) -> None:
        """Raises for targets that the losses cannot take."""
        y = unpack_x_y_sample_weight(data)[1]
        if self._compile_loss is not None and y is not None:
            self._compile_loss.check_targets(y, output_shapes)
