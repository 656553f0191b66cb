"""PReLU: rectified linear unit with a trained slope for negative inputs."""

from __future__ import annotations

from typing import Any

from pronghorn import activations, constraints, initializers, ops, regularizers
from pronghorn.layers.arguments import owner_name
from pronghorn.layers.input_spec import InputSpec
from pronghorn.layers.layer import Layer


class PReLU(Layer):
    """Parametric rectified linear unit: `x` for `x >= 0`, `alpha * x` for `x < 0`, `alpha` trained.

    `alpha` has the shape of one sample, with size 1 along `shared_axes`. Source: He et al.,
    "Delving Deep into Rectifiers", 2015, equation 1.

    Args:
        alpha_initializer: Initializer of `alpha`.
        alpha_regularizer: Regularizer of `alpha`.
        alpha_constraint: Constraint of `alpha`, applied after each update.
        shared_axes: Axes, counted from 1 (0 is the batch), along which one `alpha` serves all
            positions: `[1, 2]` after a 2D convolution gives one slope per channel.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        `(batch, ...)`; the sizes of axes that are not shared must be known.

    Output shape:
        Same as the input.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> layer = keras.layers.PReLU(alpha_initializer=keras.initializers.Constant(0.5))
    >>> layer(np.array([[-2.0, 4.0]])).numpy().tolist()
    [[-1.0, 4.0]]
    """

    def __init__(
        self,
        alpha_initializer: Any = "Zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        if shared_axes is not None and not isinstance(shared_axes, (list, tuple)):
            shared_axes = [shared_axes]
        self.shared_axes = None if shared_axes is None else list(shared_axes)

    def build(self, input_shape: Any) -> None:  # type: ignore[override]
        """Creates `alpha` for inputs of `input_shape`."""
        shape = list(input_shape[1:])
        for axis in self.shared_axes or ():
            if axis == 0 or not -len(shape) <= axis <= len(shape):
                raise ValueError(
                    f"{owner_name(self)}: shared_axes must be axes of the input after the batch "
                    f"axis. Received: shared_axes={self.shared_axes}, "
                    f"input_shape={tuple(input_shape)}."
                )
            shape[axis - 1 if axis > 0 else axis] = 1
        if None in shape:
            raise ValueError(
                f"{owner_name(self)}: axes of the input that are not shared must have known sizes. "
                f"Received: input_shape={tuple(input_shape)}, shared_axes={self.shared_axes}. "
                "Add the unknown axes to shared_axes."
            )
        self.alpha = self.add_weight(
            name="alpha",
            shape=tuple(shape),
            initializer=self.alpha_initializer,
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
        )
        known = {i: d for i, d in enumerate(shape, 1) if i not in (self.shared_axes or ())}
        if not any(axis < 0 for axis in self.shared_axes or ()):
            self.input_spec = InputSpec(ndim=len(input_shape), axes=known)
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Returns `max(inputs, 0) + alpha * min(inputs, 0)`."""
        negative = ops.multiply(ops.negative(self.alpha), activations.relu(ops.negative(inputs)))
        return ops.add(activations.relu(inputs), negative)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Returns `input_shape`."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "alpha_initializer": initializers.serialize(self.alpha_initializer),
            "alpha_regularizer": regularizers.serialize(self.alpha_regularizer),
            "alpha_constraint": constraints.serialize(self.alpha_constraint),
            "shared_axes": self.shared_axes,
        }
