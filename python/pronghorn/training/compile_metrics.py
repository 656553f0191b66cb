"""The metrics of a compiled model: lists of metrics for each output, with and without sample "
"weights."""

from __future__ import annotations

from typing import Any

from pronghorn import metrics as metrics_module
from pronghorn import tree
from pronghorn.metrics import MeanMetricWrapper, Metric
from pronghorn.naming import to_snake_case
from pronghorn.training.outputs import Outputs, spread_sample_weight

_ACCURACY = ("accuracy", "acc")
_CROSSENTROPY = ("crossentropy", "ce")


def target_kind(y_true: Any, y_pred: Any) -> str:
    """ "binary", "sparse_categorical" or "categorical", by the shapes of targets and outputs."""
    true_shape, pred_shape = tuple(y_true.shape), tuple(y_pred.shape)
    if pred_shape[-1:] == (1,) or not pred_shape:
        return "binary"
    if len(true_shape) < len(pred_shape) or true_shape[-1:] == (1,):
        return "sparse_categorical"
    return "categorical"


def crossentropy_kind(y_true: Any, y_pred: Any) -> str:
    """The prefix of the cross-entropy that "crossentropy" stands for."""
    return target_kind(y_true, y_pred)


def get_metric(spec: Any, y_true: Any, y_pred: Any) -> Metric | None:
    """The metric object that an entry of `compile(metrics=...)` stands for."""
    if spec is None or isinstance(spec, Metric):
        return spec
    name = str(spec).lower()
    if name in _ACCURACY:
        found = metrics_module.get(f"{target_kind(y_true, y_pred)}_accuracy")
    elif name in _CROSSENTROPY:
        found = metrics_module.get(f"{target_kind(y_true, y_pred)}_crossentropy")
    else:
        found = metrics_module.get(spec)
    if isinstance(found, type) and issubclass(found, Metric):
        found = found()
    if isinstance(found, Metric):
        if isinstance(spec, str):
            found.name = spec
        return found
    label = spec if isinstance(spec, str) else getattr(spec, "name", None)
    if label is None:
        label = to_snake_case(getattr(spec, "__name__", type(spec).__name__))
    return MeanMetricWrapper(found, name=label)


def check_metric_names(metrics: Any) -> None:
    """Raises for an unknown name or an entry that is no metric, as soon as `compile` sees it."""
    if metrics is None:
        return
    if not isinstance(metrics, (list, tuple, dict)):
        raise ValueError(
            "compile: metrics must be a list, or a dict of lists by output name. "
            f"Received: metrics={metrics!r}."
        )
    for leaf in tree.flatten(metrics):
        if isinstance(leaf, str):
            if leaf.lower() not in (*_ACCURACY, *_CROSSENTROPY):
                metrics_module.get(leaf)
        elif leaf is not None and not isinstance(leaf, Metric) and not callable(leaf):
            raise ValueError(
                f"compile: a metric must be a Metric, a name or a function. Received: {leaf!r}."
            )


class CompileMetrics(Metric):
    """All metrics of `compile(metrics=..., weighted_metrics=...)` behind one metric, whose result
    is a dict.

    Args:
        metrics: a list of metrics, or lists by output; they ignore sample weights.
        weighted_metrics: the like, with sample weights.
        output_names: the model's names of its outputs, or `None`.
    """

    def __init__(
        self, metrics: Any, weighted_metrics: Any, output_names: list[str] | None = None
    ) -> None:
        super().__init__(name="compile_metrics")
        check_metric_names(metrics)
        check_metric_names(weighted_metrics)
        self._user_metrics = metrics
        self._user_weighted_metrics = weighted_metrics
        self._output_names = output_names
        self.built = False
        # (name in the logs, output number, weighted, metric)
        self._wanted: list[bool] = []
        self._entries: list[tuple[str, int, bool, Metric]] = []

    @property
    def metrics(self) -> list[Metric]:
        """The metrics, in the order of the logs; empty before the shapes are known."""
        return [entry[3] for entry in self._entries]

    @property
    def names(self) -> list[str]:
        """The names of the metrics in the logs."""
        return [entry[0] for entry in self._entries]

    @property
    def names_without_prefix(self) -> list[str]:
        """Those of `names` that do not begin with the name of an output."""
        prefixed = self.built and self.outputs.count > 1 and self.outputs.named
        return [] if prefixed else self.names

    @property
    def variables(self) -> list[Any]:
        """The variables of all metrics."""
        return [variable for metric in self.metrics for variable in metric.variables]

    def build(self, y_true: Any, y_pred: Any) -> None:
        """Makes the metrics, now that shapes and names of the outputs are known."""
        outputs = Outputs(y_pred, self._output_names)
        plain = _per_output(outputs, self._user_metrics, "metrics")
        with_weights = _per_output(outputs, self._user_weighted_metrics, "weighted_metrics")
        self._wanted = [bool(a or b) for a, b in zip(plain, with_weights, strict=True)]
        targets = outputs.targets(y_true, self._wanted)
        predictions = tree.flatten(y_pred)
        names: set[str] = set()
        for weighted, spec in ((False, plain), (True, with_weights)):
            for number, entries in enumerate(spec):
                for entry in entries:
                    if targets[number] is None:
                        continue
                    metric = get_metric(entry, targets[number], predictions[number])
                    if metric is None:
                        continue
                    several = outputs.count > 1 and outputs.named
                    prefix = f"{outputs.names[number]}_" if several else ""
                    name = _unique(prefix, metric.name, weighted, names)
                    self._entries.append((name, number, weighted, metric))
        self.outputs = outputs
        self.built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Updates all metrics."""
        if not self.built:
            self.build(y_true, y_pred)
        targets = self.outputs.targets(y_true, self._wanted)
        predictions = tree.flatten(y_pred)
        weights = spread_sample_weight(self.outputs, sample_weight)
        for _, number, weighted, metric in self._entries:
            y_t, y_p = targets[number], predictions[number]
            if weighted and weights[number] is not None:
                metric.update_state(y_t, y_p, sample_weight=weights[number])
            else:
                metric.update_state(y_t, y_p)

    def result(self) -> dict[str, Any]:
        """Names in the logs, and results."""
        if not self.built:
            raise ValueError("CompileMetrics: result() needs data. Call update_state or fit first.")
        results: dict[str, Any] = {}
        for name, _, _, metric in self._entries:
            value = metric.result()
            if isinstance(value, dict):
                results.update(value)
            else:
                results[name] = value
        return results

    def reset_state(self) -> None:
        """Resets all metrics."""
        for metric in self.metrics:
            metric.reset_state()


def _per_output(outputs: Outputs, spec: Any, what: str) -> list[list[Any]]:
    if not spec:
        return [[] for _ in range(outputs.count)]
    if isinstance(spec, dict):
        return [_as_list(entry) for entry in outputs.spread(spec, what)]
    entries = list(spec)
    if outputs.count == 1:
        flat: list[Any] = []
        for entry in entries:
            flat.extend(entry if isinstance(entry, (list, tuple)) else [entry])
        return [flat]
    if len(entries) != outputs.count:
        raise ValueError(
            f"{what}: expected {outputs.count} entries, one for each output {outputs.names}. "
            f"Received: {what}={spec!r}. Use a dict of output names to lists of metrics."
        )
    return [_as_list(entry) for entry in entries]


def _as_list(entry: Any) -> list[Any]:
    if entry is None:
        return []
    return list(entry) if isinstance(entry, (list, tuple)) else [entry]


def _unique(prefix: str, name: str, weighted: bool, taken: set[str]) -> str:
    if weighted and prefix + name in taken:
        name = f"weighted_{name}"
    base = name = prefix + name
    number = 1
    while name in taken:
        name = f"{base}_{number}"
        number += 1
    taken.add(name)
    return name
