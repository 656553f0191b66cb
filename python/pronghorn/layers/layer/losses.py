"""The part of a layer about losses of its own: those it adds when called, and regularization."""

from __future__ import annotations

from typing import Any

from pronghorn import tree
from pronghorn.layers.layer.state import LayerState
from pronghorn.ops.symbolic import in_symbolic_scope
from pronghorn.tensor import Tensor


class LayerLosses(LayerState):
    """Losses of a layer and of those inside it."""

    def add_loss(self, loss: Any) -> None:
        """Adds a scalar to what training minimizes. To be called in `call`.

        Args:
            loss: Scalar tensor, or a structure of them.

        Raises:
            ValueError: `loss` is no tensor.
        """
        losses = tree.flatten(loss)
        for x in losses:
            if not isinstance(x, Tensor):
                raise ValueError(
                    "`add_loss()` can only be called from inside `build()` or `call()`, on a "
                    f"tensor input. Received invalid value: {x}"
                )
        if not in_symbolic_scope():
            self._note_change()
            self._losses.extend(losses)

    @property
    def losses(self) -> list[Any]:
        """The losses added by the last call, here and in inner layers, and the regularization."""
        layers = self._flatten_layers()
        found = [loss for layer in layers for loss in layer._losses]
        for variable in self.trainable_weights:  # type: ignore[attr-defined]
            if variable.regularizer is not None:
                found.append(variable.regularizer(variable))
        return found

    def _clear_losses(self) -> None:
        for layer in self._flatten_layers():
            if layer._losses:
                layer._losses.clear()
