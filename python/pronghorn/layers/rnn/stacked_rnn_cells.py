"""StackedRNNCells: several cells as one."""

from __future__ import annotations

from typing import Any

from pronghorn import ops, tree
from pronghorn.layers.layer import Layer


class StackedRNNCells(Layer):
    """Cell that gives the output of each of its cells to the next one.

    Args:
        cells: List of cells.
        **kwargs: `name`, `dtype`, `trainable`.

    Call arguments:
        inputs: `(batch, features)`, the input of one step.
        states: List of the states of the cells.
        training: Passed to the cells.

    Raises:
        ValueError: If a cell lacks `call` or `state_size`.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> cells = [keras.layers.LSTMCell(8), keras.layers.GRUCell(4)]
    >>> keras.layers.RNN(keras.layers.StackedRNNCells(cells))(np.ones((2, 5, 3))).shape
    (2, 4)
    """

    def __init__(self, cells: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not cells:
            raise ValueError(
                f"StackedRNNCells: expected at least one cell. Received: cells={cells}."
            )
        for cell in cells:
            for what in ("call", "state_size"):
                if what not in dir(cell):
                    kind = "method" if what == "call" else "attribute"
                    raise ValueError(
                        f"StackedRNNCells: All cells must have a `{what}` {kind}. "
                        f"Received cell without a `{what}`: {cell}"
                    )
        self.cells = cells

    @property
    def state_size(self) -> list[Any]:
        """The sizes of the states of the cells."""
        return [c.state_size for c in self.cells]

    @property
    def output_size(self) -> Any:
        """The size of the last cell's output."""
        return _output_size(self.cells[-1])

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """Returns the initial states of the cells."""
        states: list[Any] = []
        for cell in self.cells:
            if hasattr(cell, "get_initial_state"):
                states.append(cell.get_initial_state(batch_size=batch_size))
            else:
                states.append(
                    tree.map_structure(
                        lambda n: ops.zeros((batch_size, n), dtype=self.compute_dtype),
                        cell.state_size,
                    )
                )
        return states

    def call(self, inputs: Any, states: Any, training: bool = False, **kwargs: Any) -> Any:
        """Returns the last cell's output and the states of all cells."""
        new_states = []
        for cell, state in zip(self.cells, states):
            given = dict(kwargs)
            if isinstance(cell, Layer) and cell._call_has_training_arg:
                given["training"] = training
            nested = tree.is_nested(state)
            call = cell if callable(cell) else cell.call
            inputs, new = call(inputs, list(state) if nested else [state], **given)
            new = list(new) if tree.is_nested(new) else [new]
            new_states.append(new if nested else new[0])
        return inputs, new_states

    def build(self, input_shape: Any) -> None:  # type: ignore[override]
        """Builds the cells."""
        for cell in self.cells:
            if isinstance(cell, Layer) and not cell.built:
                cell.build(input_shape)
                cell.built = True
            input_shape = (tree.flatten(input_shape)[0], _output_size(cell))
        self.built = True

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        from pronghorn.saving import serialize_keras_object

        return {**super().get_config(), "cells": [serialize_keras_object(c) for c in self.cells]}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """Returns a cell of the cells that `config` describes."""
        from pronghorn.saving import deserialize_keras_object

        config = dict(config)
        cells = [
            deserialize_keras_object(c, custom_objects=custom_objects) for c in config.pop("cells")
        ]
        return cls(cells, **config)


def _output_size(cell: Any) -> Any:
    size = getattr(cell, "output_size", None)
    if size is not None:
        return size
    return cell.state_size[0] if isinstance(cell.state_size, (list, tuple)) else cell.state_size
