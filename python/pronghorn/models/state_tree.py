"""The variables of a model as nested dicts, by the parts of their paths."""

from __future__ import annotations

import warnings
from typing import Any

_GROUPS = (
    "trainable_variables",
    "non_trainable_variables",
    "optimizer_variables",
    "metrics_variables",
)


def _variables(model: Any, group: str) -> list[Any]:
    if group != "optimizer_variables":
        return list(getattr(model, group))
    optimizer = getattr(model, "optimizer", None)
    return [] if optimizer is None else list(optimizer.variables)


def get_state_tree(model: Any, value_format: str = "backend_tensor") -> dict[str, Any]:
    """Returns the variables of a model. See `Model.get_state_tree`.

    Raises:
        ValueError: The format is unknown, or two variables have the same path.
    """
    if value_format not in ("backend_tensor", "numpy_array"):
        raise ValueError(
            "Invalid `value_format` argument. Expected one of {'numpy_array', 'backend_tensor'}. "
            f"Received: value_format={value_format}"
        )
    tree = {}
    for group in _GROUPS:
        branch: dict[str, Any] = {}
        for variable in _variables(model, group):
            *parents, name = variable.path.split("/")
            node = branch
            for parent in parents:
                node = node.setdefault(parent, {})
            if name in node:
                raise ValueError(
                    "The following variable path is found twice in the model: "
                    f"'{variable.path}'. `get_state_tree()` can only be called when all variable "
                    "paths are unique. Make sure to give unique names to your layers (and other "
                    "objects)."
                )
            node[name] = variable.value if value_format == "backend_tensor" else variable.numpy()
        tree[group] = branch
    return tree


def set_state_tree(model: Any, state_tree: dict[str, Any]) -> None:
    """Sets variables of a model. See `Model.set_state_tree`."""
    for group, branch in state_tree.items():
        if group not in _GROUPS:
            raise ValueError(f"set_state_tree: expected one of {_GROUPS}. Received: key={group!r}.")
        values = dict(_paths(branch, ""))
        variables = {v.path: v for v in _variables(model, group)}
        for path, value in values.items():
            if path in variables:
                variables[path].assign(value)
            else:
                warnings.warn(f"set_state_tree: the model has no variable '{path}'.", stacklevel=3)


def _paths(branch: dict[str, Any], prefix: str) -> Any:
    for name, value in branch.items():
        if isinstance(value, dict):
            yield from _paths(value, f"{prefix}{name}/")
        else:
            yield f"{prefix}{name}", value
