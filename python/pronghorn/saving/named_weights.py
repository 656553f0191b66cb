"""The weights of a model under names that do not change from run to run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pronghorn.array_in_file import ArrayInFile
from pronghorn.saving.state_groups import state_groups


def named_weights(model: Any) -> dict[str, Any]:
    """Returns the weights of a model by name: `layers.dense.kernel`, `layers.dense_1.bias`.

    A name is the place of the layer in the model and the name of the variable, so two models of
    the same architecture have the same names. The state of the optimizer is left out.

    Args:
        model: A built model.

    Raises:
        ValueError: If the model has no weights yet, or a layer has a low-rank update.
    """
    from pronghorn.layers.layer import Layer

    if not model.built:
        raise ValueError(
            f"{type(model).__name__} '{model.name}': expected a built model. Received: one without "
            "weights. Call it on data, or build it, first."
        )
    found: dict[str, Any] = {}
    seen: set[int] = set()
    for group, owner in state_groups(model):
        if not isinstance(owner, Layer):
            continue
        if getattr(owner, "lora_enabled", False):
            raise ValueError(
                f"Layer '{owner.name}' has a low-rank update, which `.weights.h5` merges into its "
                "weight. Received: a format of plain weights."
            )
        for variable in owner._saved_variables():
            if id(variable) in seen:
                continue
            seen.add(id(variable))
            base = ".".join([*group.split("/"), variable.name] if group else [variable.name])
            name, number = base, 1
            while name in found:
                name, number = f"{base}_{number}", number + 1
            found[name] = variable
    return found


def set_named_weights(
    model: Any,
    stored: Mapping[str, ArrayInFile],
    source: str,
    skip_mismatch: bool,
) -> None:
    """Sets the weights of a model by name; all names and shapes are compared first.

    Args:
        model: A built model.
        stored: The arrays of a file.
        source: What the file is, for errors.
        skip_mismatch: Whether weights that are missing or of another shape keep their values.

    Raises:
        ValueError: If names or shapes differ; the model is unchanged then.
    """
    variables = named_weights(model)
    shapes = {name: array.shape for name, array in stored.items()}
    fitting = []
    wrong = []
    for name, variable in variables.items():
        if name in shapes and shapes[name] == tuple(variable.shape):
            fitting.append(name)
        elif name in shapes:
            wrong.append(f"{name} {tuple(variable.shape)} (the file has {shapes[name]})")
        else:
            wrong.append(f"{name} {tuple(variable.shape)} (the file has none)")
    extra = [name for name in shapes if name not in variables]
    if (wrong or extra) and not skip_mismatch:
        parts = []
        if wrong:
            parts.append(f"expected {', '.join(wrong[:5])}")
        if extra:
            parts.append(f"the file has more: {', '.join(extra[:5])}")
        raise ValueError(f"{source} does not fit: {'; '.join(parts)}.")
    for name in fitting:
        variables[name].load(stored[name])


def plain_arrays(model: Any) -> dict[str, Any]:
    """Returns the weights of a model by name as NumPy arrays."""
    return {name: np.asarray(v.numpy()) for name, v in named_weights(model).items()}
