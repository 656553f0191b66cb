"""compile(): the optimizer, losses and metrics of a model, and its metric values."""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn import optimizers, tree
from pronghorn.layers.layer.changes import changes
from pronghorn.metrics import Mean, Metric
from pronghorn.trace import current
from pronghorn.training.compile_loss import CompileLoss
from pronghorn.training.compile_metrics import CompileMetrics, check_metric_names
from pronghorn.training.logs import as_logs
from pronghorn.training.programs import MetricPrograms, ProgramCache

_JIT_COMPILE = ("auto", True, False)


class CompileMixin:
    """The part of `Trainer` that knows what the model is compiled with."""

    optimizer: Any = None
    compiled: bool = False
    _run_eagerly: bool = False
    _jit_compile: Any = "auto"
    _steps_per_execution: int = 1
    _compile_loss: CompileLoss | None = None
    _compile_metrics: CompileMetrics | None = None
    _loss_tracker: Mean | None = None
    _compile_config: dict[str, Any] | None = None
    loss: Any = None

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: bool | str = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Sets what the model is trained with.

        The train step (forward pass, loss, gradient, update, metrics) becomes one program when data
        with its shapes is first seen. Compiling again forgets the programs and the state of the
        optimizer, not the weights.

        Args:
            optimizer: an optimizer, or the name of one.
            loss: a loss, its name or a function `fn(y_true, y_pred)`; a list or dict of them for
                several outputs.
            loss_weights: numbers that the losses of several outputs are multiplied with, in a list
                or dict.
            metrics: list of metrics, names or functions; a list or dict of lists for several
                outputs. "accuracy" and "crossentropy" are resolved by the shapes of targets and
                outputs.
            weighted_metrics: the like, counted with `sample_weight` and `class_weight`.
            run_eagerly: whether Python runs for every batch, op by op, to debug a model.
            steps_per_execution: batches between two calls of batch callbacks.
            jit_compile: accepted, and without effect: steps are always compiled into programs,
                without a compiler on the machine.
            auto_scale_loss: whether the optimizer is wrapped in a `LossScaleOptimizer` where the
                policy is "mixed_float16".

        Raises:
            ValueError: an unknown name, or a value that is no optimizer, loss or metric.

        Example:
            >>> import pronghorn as keras
            >>> model = keras.Sequential([keras.layers.Dense(1)])
            >>> model.compile(optimizer="adam", loss="mean_squared_error", metrics=["mae"])
        """
        if jit_compile not in _JIT_COMPILE:
            raise ValueError(
                f"compile: jit_compile must be True, False or 'auto'. Received: {jit_compile!r}."
            )
        if (
            not isinstance(steps_per_execution, (int, np.integer))
            or isinstance(steps_per_execution, bool)
            or steps_per_execution < 1
        ):
            raise ValueError(
                "compile: steps_per_execution must be a positive integer. "
                f"Received: steps_per_execution={steps_per_execution!r}."
            )
        if run_eagerly and jit_compile is True:
            raise ValueError("compile: run_eagerly=True and jit_compile=True exclude each other.")
        _check_loss_names(loss)
        check_metric_names(metrics)
        check_metric_names(weighted_metrics)
        settings = {
            "optimizer": optimizer,
            "loss": loss,
            "loss_weights": loss_weights,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
            "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution,
            "jit_compile": jit_compile,
        }
        optimizer = optimizers.get(optimizer)
        if auto_scale_loss and optimizer is not None:
            optimizer = self._with_loss_scale(optimizer)
        names = getattr(self, "output_names", None)
        self._put("optimizer", optimizer)
        self._put("loss", loss)
        self._put("loss_weights", loss_weights)
        self._put(
            "_compile_loss", CompileLoss(loss, loss_weights, names) if loss is not None else None
        )
        has_metrics = metrics is not None or weighted_metrics is not None
        compile_metrics = CompileMetrics(metrics, weighted_metrics, names) if has_metrics else None
        self._put("_compile_metrics", compile_metrics)
        self._put("_loss_tracker", Mean(name="loss"))
        self._put("_run_eagerly", bool(run_eagerly))
        self._put("_jit_compile", jit_compile)
        self._put("_steps_per_execution", int(steps_per_execution))
        self._put("_compile_config", settings)
        self._put("stop_training", False)
        self._put("compiled", True)
        self._programs.clear()
        self._put("_evaluation", None)

    def _put(self, name: str, value: Any) -> None:
        # Past the tracking of attributes: an optimizer is not a part of the layer.
        object.__setattr__(self, name, value)

    def _with_loss_scale(self, optimizer: Any) -> Any:
        policy = getattr(self, "dtype_policy", None)
        if getattr(policy, "name", None) != "mixed_float16":
            return optimizer
        wrapper = optimizers.LossScaleOptimizer
        return optimizer if isinstance(optimizer, wrapper) else wrapper(optimizer)

    @property
    def _programs(self) -> ProgramCache:
        # In __dict__ under this name, which copies and pickles of the model leave out.
        cache: ProgramCache | None = self.__dict__.get("_programs")
        if cache is None:
            cache = self.__dict__["_programs"] = ProgramCache()
        if cache.checked_at == changes.count:
            return cache
        cache.checked_at = changes.count
        layers = [(id(layer), layer.name) for layer in self._layers]  # type: ignore[attr-defined]
        if layers != cache.layers:
            cache.clear()
            cache.layers = layers
        return cache

    @property
    def run_eagerly(self) -> bool:
        """Whether Python runs for every batch."""
        return self._run_eagerly

    @run_eagerly.setter
    def run_eagerly(self, value: bool) -> None:
        self._put("_run_eagerly", bool(value))

    @property
    def jit_compile(self) -> Any:
        """The argument of `compile`, which has no effect."""
        return self._jit_compile

    @jit_compile.setter
    def jit_compile(self, value: Any) -> None:
        self._put("_jit_compile", value)

    @property
    def steps_per_execution(self) -> int:
        """Batches between two calls of batch callbacks."""
        return self._steps_per_execution

    @steps_per_execution.setter
    def steps_per_execution(self, value: int) -> None:
        self._put("_steps_per_execution", int(value))

    @property
    def metrics(self) -> list[Metric]:
        """The loss's mean, the metrics and losses of `compile`, and the metrics of the layers."""
        found: list[Metric] = [self._loss_tracker] if self._loss_tracker is not None else []
        if self._compile_metrics is not None:
            found.append(self._compile_metrics)
        if self._compile_loss is not None:
            found.extend(self._compile_loss.metrics)
        for layer in self._flatten_layers():  # type: ignore[attr-defined]
            for metric in getattr(layer, "_metrics", ()):
                if not any(metric is other for other in found):
                    found.append(metric)
        return found

    @property
    def metrics_names(self) -> list[str]:
        """The names of `metrics`."""
        return [metric.name for metric in self.metrics]

    @property
    def metrics_variables(self) -> list[Any]:
        """The variables of `metrics`."""
        return [variable for metric in self.metrics for variable in metric.variables]

    def reset_metrics(self) -> None:
        """Sets the state of all metrics to its start."""
        programs = self._metric_programs()
        if programs is not None:
            programs.reset()
            return
        for metric in self.metrics:
            metric.reset_state()

    def get_metrics_result(self) -> dict[str, Any]:
        """The current values of the metrics.

        Returns:
            A dict of names to values. Override it to report something else from `metrics`.
        """
        results: dict[str, Any] = {}
        for metric in self.metrics:
            if metric is self._compile_metrics and not self._compile_metrics.built:
                continue
            value = metric.result()
            if isinstance(value, dict):
                results.update(value)
            else:
                results[metric.name] = value
        return results

    def _metric_logs(self) -> dict[str, Any]:
        programs = self._metric_programs()
        return as_logs(self.get_metrics_result()) if programs is None else programs.logs()

    def _metric_programs(self) -> MetricPrograms | None:
        # Only for metrics known to be a function of their variables alone.
        cls: Any = type(self)
        if cls.get_metrics_result is not CompileMixin.get_metrics_result:
            return None
        if self._compile_loss is not None and not self._compile_loss.built:
            return None
        cache = self._programs
        if cache.metrics is None:
            metrics = self.metrics
            if self._compile_metrics is not None:
                if not self._compile_metrics.built:
                    return None
                metrics = metrics + self._compile_metrics.metrics
            if not all(type(m).__module__.startswith("pronghorn.") for m in metrics):
                return None
            if current() is not None:
                return None
            cache.metrics = MetricPrograms(self)
        return cache.metrics

    def _are_metric_results(self, logs: dict[str, Any], written: list[Any]) -> bool:
        # A step of one's own may return a loss that it does not tell the metric of that name.
        changed = {id(variable) for variable in written}
        names: set[str] = set()
        for metric in self.metrics:
            if metric.variables and not any(id(v) in changed for v in metric.variables):
                return False
            if metric is self._compile_metrics:
                names.update(self._compile_metrics.names)
            else:
                names.add(metric.name)
        return set(logs) == names

    def _logs_in_order(self, logs: dict[str, Any]) -> Any:
        """What `evaluate` returns: the loss, then the metrics; a number where there is one.

        With several outputs the losses of the outputs come first, then the metrics by name.
        """
        names: list[str] = []
        for metric in self.metrics:
            if metric is self._compile_metrics:
                names.extend(self._compile_metrics.names_without_prefix)
            else:
                names.append(metric.name)
        values = [logs[name] for name in names if name in logs]
        values += [value for name, value in sorted(logs.items()) if name not in names]
        return values[0] if len(values) == 1 else values

    def _assert_compiled(self, method: str) -> None:
        if not self.compiled:
            raise ValueError(
                f"{type(self).__name__} '{getattr(self, 'name', '')}': {method}() needs a "
                f"compiled model. "
                f"You must call `compile()` before using {method}()."
            )

    def get_compile_config(self) -> dict[str, Any] | None:
        """The arguments of `compile`, serialized.

        Returns:
            A dict, or `None` where the model is not compiled.
        """
        if not self.compiled or self._compile_config is None:
            return None
        from pronghorn.saving import serialize_keras_object

        # The optimizer as it is now, also where it was named by a string.
        settings = {**self._compile_config, "optimizer": self.optimizer}
        return {name: serialize_keras_object(value) for name, value in settings.items()}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles the model with what `get_compile_config` gave.

        Args:
            config: the dict.
        """
        from pronghorn.saving import deserialize_keras_object

        self.compile(**deserialize_keras_object(config))
        optimizer = self.optimizer
        if optimizer is not None and getattr(self, "built", False):
            optimizer.build(self.trainable_variables)  # type: ignore[attr-defined]


def _check_loss_names(loss: Any) -> None:
    from pronghorn import losses

    for leaf in tree.flatten(loss) if loss is not None else []:
        if isinstance(leaf, str):
            if leaf.lower() not in ("crossentropy", "ce"):
                losses.get(leaf)
        elif leaf is not None and not callable(leaf):
            raise ValueError(
                f"compile: a loss must be a Loss, a name or a function. Received: loss={leaf!r}."
            )
