"""The state of optimizers from files of Keras before 2.11, in the order of Keras 3.

Those kept all values of one kind together (the momentums of all weights, then the velocities) where
Keras 3 goes weight by weight, and did not keep the learning rate, which is in the config.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

_FIRST_BY_WEIGHT = (2, 11)
_STEPS = "iter:0"  # of tf.keras; those of Keras were called otherwise
# Attributes that hold one variable for each weight, in the order in which Keras 2 kept them.
_SLOTS = {
    "SGD": ("momentums",),
    "RMSprop": ("_velocities", "_momentums", "_average_gradients"),
    "Adagrad": ("_accumulators",),
    "Adadelta": ("_accumulated_grads", "_accumulated_delta_vars"),
    "Adam": ("_momentums", "_velocities", "_velocity_hats"),
    "Adamax": ("_m", "_u"),
    "Nadam": ("_momentums", "_velocities"),
    "Ftrl": ("_accumulators", "_linears"),
}


def is_by_kind(version: str, names: list[str]) -> bool:
    """Returns whether a file has the state of its optimizer by kind.

    Args:
        version: The version of Keras that wrote it.
        names: The names of the values. Later versions kept the older optimizers under
            `optimizers.legacy`, which are known by them.
    """
    numbers = re.match(r"(\d+)\.(\d+)", version)
    if numbers is None or (int(numbers[1]), int(numbers[2])) < _FIRST_BY_WEIGHT:
        return True
    return bool(names) and _kind(names[0]) == _STEPS


def _kind(name: str) -> str:
    return name.rpartition("/")[2]


def sorted_by_kind(names: list[str], values: list[Any]) -> list[Any]:
    """Returns values by kind where their names tell it: those of Ftrl went weight by weight."""
    if _STEPS not in map(_kind, names):
        return values
    kinds = list(dict.fromkeys(map(_kind, names)))
    order = sorted(range(len(names)), key=lambda i: kinds.index(_kind(names[i])))
    return [values[i] for i in order]


def restored_by_kind(model: Any, values: list[Any]) -> bool:
    """Sets the variables of a model's optimizer from values in the order of Keras before 2.11.

    Args:
        model: The model; its optimizer is built if it is not.
        values: The values in the order of the file.

    Returns:
        Whether they fit; if not, nothing has been changed.
    """
    optimizer = model.optimizer
    if not optimizer.built:
        optimizer.build(model.trainable_variables)
    if type(optimizer).__name__ not in _SLOTS:
        return False
    slots = [
        found
        for name in _SLOTS[type(optimizer).__name__]
        if (found := getattr(optimizer, name, None))
    ]
    scalars = []
    while values and np.ndim(values[0]) == 0:
        scalars.append(values[0])
        values = values[1:]
    variables = [variable for slot in slots for variable in slot]
    # Behind them stand place holders: of Adam without amsgrad, of SGD without momentum.
    if len(values) < len(variables):
        return False
    pairs = list(zip(variables, values))
    if any(tuple(v.shape) != np.shape(value) for v, value in pairs):
        return False
    if scalars:
        pairs.append((optimizer.iterations, scalars[0]))
    product = getattr(optimizer, "_u_product", None)
    if product is not None and len(scalars) > 1:
        pairs.append((product, scalars[1]))
    for variable, value in pairs:
        variable.assign(value)
    return True
