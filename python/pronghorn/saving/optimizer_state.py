"""The state of an optimizer from a file."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any


def restore_optimizer(optimizer: Any, model: Any, stored: Mapping[str, Any], source: str) -> None:
    """Sets the variables of an optimizer; warns, and changes nothing, where they do not fit.

    Args:
        optimizer: The optimizer of `model`; it is built if it is not.
        model: The model.
        stored: Arrays under `"0"`, `"1"`, ...; files of Keras 2 leave out the learning rate.
        source: What the file is, for the warning.
    """
    if not len(stored):
        return
    if not optimizer.built:
        optimizer.build(model.trainable_variables)
    variables = list(optimizer.variables)
    rate = getattr(optimizer, "_learning_rate", None)
    first = _made_at_once(optimizer)
    if len(stored) == len(first) < len(variables):
        variables = first  # saved before its first step
    elif len(stored) == len(variables) - 1:
        variables = [v for v in variables if v is not rate]
    keys = [str(i) for i in range(len(variables))]
    problem = f"expected {len(variables)} variables, the file has {len(stored)}"
    if len(stored) == len(variables) and all(key in stored for key in keys):
        shapes = [tuple(stored[key].shape) for key in keys]
        wrong = [i for i, v in enumerate(variables) if tuple(v.shape) != shapes[i]]
        if not wrong:
            for variable, key in zip(variables, keys):
                variable.load(stored[key])
            return
        at = wrong[0]
        problem = (
            f"expected shape {tuple(variables[at].shape)} for variable {at}, the file has "
            f"{shapes[at]}"
        )
    warnings.warn(f"{source}: optimizer '{optimizer.name}' starts anew: {problem}.", stacklevel=6)


def _made_at_once(optimizer: Any) -> list[Any]:
    """Returns the variables that an optimizer has before it is built."""
    rate = getattr(optimizer, "_learning_rate", None)
    found = [v for v in optimizer.variables if v is optimizer._iterations or v is rate]
    inner = getattr(optimizer, "inner_optimizer", None)
    return found if inner is None else found + _made_at_once(inner)
