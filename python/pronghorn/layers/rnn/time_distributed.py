"""TimeDistributed: one layer applied to every step of a sequence."""

from __future__ import annotations

from typing import Any

from pronghorn import ops
from pronghorn.layers.arguments import owner_name
from pronghorn.layers.core.lambda_layer import Lambda
from pronghorn.layers.core.wrapper import Wrapper
from pronghorn.layers.layer import Layer


class TimeDistributed(Wrapper):
    """Applies a layer to each step, with the same weights.

    Steps are stacked along the batch axis where the layer treats the rows of a batch one by one;
    otherwise they are taken in turn.

    Args:
        layer: The layer.
        **kwargs: `name`, `dtype`, `trainable`.

    Call arguments:
        inputs: `(batch, time, ...)`.
        training: Passed to the layer.
        mask: `(batch, time, ...)`; its steps are passed to the layer if that takes a mask.

    Input shape:
        `(batch, time, ...)`, at least three axes.

    Output shape:
        `(batch, time, ...)`.

    Raises:
        ValueError: If an input has fewer than three axes, or the mask does not fit.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> layer = keras.layers.TimeDistributed(keras.layers.Conv2D(4, 3))
    >>> layer(np.ones((2, 10, 8, 8, 3))).shape
    (2, 10, 6, 6, 4)
    """

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        if not isinstance(layer, Layer):
            raise ValueError(
                "TimeDistributed: Please initialize `TimeDistributed` layer with a "
                f"`keras.layers.Layer` instance. Received: {layer}"
            )
        super().__init__(layer, **kwargs)
        self.supports_masking = True

    def _step_shape(self, input_shape: Any) -> tuple[Any, ...]:
        if not isinstance(input_shape, (tuple, list)) or len(input_shape) < 3:
            raise ValueError(
                f"{owner_name(self)}: `TimeDistributed` Layer should be passed an `input_shape` "
                f"with at least 3 dimensions, received: {input_shape}"
            )
        return (input_shape[0], *input_shape[2:])

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, ...]:
        """Returns the layer's output shape with the time axis."""
        shape = self.layer.compute_output_shape(self._step_shape(input_shape))
        return (shape[0], input_shape[1], *shape[1:])

    def build(self, input_shape: Any = None) -> None:
        """Builds the layer for one step."""
        super().build(self._step_shape(input_shape))

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """Returns the outputs of all steps."""
        shape = tuple(inputs.shape)
        if mask is not None:
            self._check_mask(tuple(mask.shape), shape)
        kwargs = {"training": training} if self.layer._call_has_training_arg else {}
        if not self.layer._call_has_mask_arg:
            mask = None
        if _treats_rows_alone(self.layer):
            if mask is not None:
                kwargs["mask"] = ops.reshape(mask, (-1, *mask.shape[2:]))
            y = self.layer.call(ops.reshape(inputs, (shape[0] * shape[1], *shape[2:])), **kwargs)
            return ops.reshape(y, (*shape[:2], *y.shape[1:]))
        outputs = []
        for t in range(shape[1]):
            if mask is not None:
                kwargs["mask"] = mask[:, t]
            outputs.append(self.layer.call(inputs[:, t], **kwargs))
        return ops.stack(outputs, axis=1)

    def _check_mask(self, mask_shape: tuple[int, ...], shape: tuple[int, ...]) -> None:
        if len(mask_shape) < 2:
            raise ValueError(
                f"{owner_name(self)}: The `mask` passed to the `TimeDistributed` layer must be at "
                "least 2D (e.g., `(batch_size, timesteps)`), but it has "
                f"{len(mask_shape)} dimension(s) with shape {mask_shape}."
            )
        if mask_shape[:2] != shape[:2]:
            raise ValueError(
                f"{owner_name(self)}: The `mask` passed to the `TimeDistributed` layer has a shape "
                f"{mask_shape} that is incompatible with the input shape {shape}. The first two "
                "dimensions of the mask (batch size and timesteps) must match the input's first "
                f"two dimensions. Expected mask shape prefix: {shape[:2]}."
            )


def _treats_rows_alone(layer: Any) -> bool:
    """Whether each row of a batch has the result that it would have in another batch.

    So it is in all layers of this library but those with a state beside weights (batch
    normalization) and those that call a function of the user's.
    """
    for one in layer._flatten_layers():
        own = type(one).__module__.startswith("pronghorn.") and not isinstance(one, Lambda)
        if not own or one._non_trainable_variables:
            return False
    return True
