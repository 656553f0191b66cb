"""The outputs of a model, flat and named, and how losses, metrics, targets and weights are "
"spread over them."""

from __future__ import annotations

from typing import Any

from pronghorn import tree
from pronghorn.training.loss_entries import unknown_key


class Outputs:
    """Names and nesting of `y_pred`.

    Args:
        y_pred: the model's outputs: one tensor, or a nested structure of tensors.
        names: the model's names of its outputs, or `None`.
    """

    def __init__(self, y_pred: Any, names: list[str] | None) -> None:
        self.nested = tree.is_nested(y_pred)
        self.count = len(tree.flatten(y_pred)) if self.nested else 1
        self.is_dict = isinstance(y_pred, dict)
        if self.is_dict and self.count == len(y_pred):
            self.names = [str(key) for key in sorted(y_pred)]
        elif names is not None and len(names) == self.count:
            self.names = list(names)
        else:
            self.names = [f"output_{number}" for number in range(self.count)]
        # Names of one's own are shown; made-up ones are not.
        self.named = self.is_dict or (names is not None and len(names) == self.count)
        self._model_names = list(names or [])

    def flatten(self, values: Any, what: str) -> list[Any]:
        """One value for each output, from `y_true` or `y_pred`.

        Raises:
            ValueError: another number of values, or a name that is no output's.
        """
        if not self.nested:
            if isinstance(values, dict) and len(values) == 1:
                return list(values.values())
            if isinstance(values, (list, tuple)) and len(values) == 1:
                return [values[0]]
            return [values]
        if isinstance(values, dict):
            missing = [name for name in self.names if name not in values]
            if not missing:
                return [values[name] for name in self.names]
            if len(values) != self.count or not set(values) <= set(self._model_names):
                raise ValueError(
                    f"{what}: expected a value for each output, {self.names}. "
                    f"Received: keys {sorted(map(str, values))}."
                )
            return [values[name] for name in self._model_names]
        flat = tree.flatten(values) if tree.is_nested(values) else [values]
        if len(flat) != self.count:
            raise ValueError(
                f"{what}: expected {self.count} arrays, one for each output {self.names}. "
                f"Received: {len(flat)}."
            )
        return flat

    def targets(self, y_true: Any, wanted: list[bool]) -> list[Any]:
        """One target for each output; those that are not wanted may be left out of a list."""
        if self.nested and not isinstance(y_true, dict) and not all(wanted):
            flat = tree.flatten(y_true)
            if len(flat) == sum(wanted):
                left = iter(flat)
                return [next(left) if needed else None for needed in wanted]
        return self.flatten(y_true, "y")

    def spread(self, values: Any, what: str) -> list[Any]:
        """One entry for each output, from an argument of `compile`.

        `None` and single values go to all outputs, lists are taken in order, dicts by name.

        Raises:
            ValueError: a list of another length, or an unknown name.
        """
        if isinstance(values, dict):
            self.check_keys(values, what)
            by_name = {str(key): value for key, value in values.items()}
            # Names of the model's outputs are accepted for the keys of a dict output, too.
            aliases = self._model_names if len(self._model_names) == self.count else self.names
            return [
                by_name.get(name, by_name.get(alias))
                for name, alias in zip(self.names, aliases, strict=True)
            ]
        if isinstance(values, (list, tuple)):
            flat = list(values) if len(values) == self.count else tree.flatten(values)
            if len(flat) != self.count:
                raise ValueError(
                    f"{what}: expected {self.count} entries, one for each output {self.names}. "
                    f"Received: {what}={values!r}."
                )
            return flat
        return [values] * self.count

    def check_keys(self, values: dict[Any, Any], what: str) -> None:
        """Raises for a key that names no output."""
        if self.count == 1 and not self.named and len(values) == 1:
            raise ValueError(
                f"{what}: the output has no name to look up. Received: {what}={values!r}. "
                "Pass the value itself."
            )
        known = [*self.names, *self._model_names]
        for key in values:
            if str(key) not in known:
                raise ValueError(unknown_key(what, key, list(values), self.names))


def spread_sample_weight(outputs: Outputs, sample_weight: Any) -> list[Any]:
    """The sample weights of each output; one array counts for all of them."""
    if sample_weight is None:
        return [None] * outputs.count
    if isinstance(sample_weight, dict):
        outputs.check_keys(sample_weight, "sample_weight")
        return [sample_weight.get(name) for name in outputs.names]
    if isinstance(sample_weight, (list, tuple)):
        flat = list(sample_weight)
        if len(flat) == 1:
            flat = flat * outputs.count
        if len(flat) != outputs.count:
            raise ValueError(
                f"sample_weight: expected 1 or {outputs.count} arrays, one for each output "
                f"{outputs.names}. Received: {len(flat)}."
            )
        return flat
    return [sample_weight] * outputs.count
