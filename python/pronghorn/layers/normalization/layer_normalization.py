"""LayerNormalization: normalizes each sample over its features."""

from __future__ import annotations

from typing import Any

from pronghorn import ops
from pronghorn.layers.normalization.base_normalization import (
    BaseNormalization,
    resolve_axes,
    to_float32,
    weight_shape,
)


class LayerNormalization(BaseNormalization):
    """Normalizes each sample over the given axes, then scales and shifts it.

    With mean m and (biased) variance v over `axis`, for each sample by itself:
    `y = gamma * (x - m) / sqrt(v + epsilon) + beta`. Source: Ba et al., "Layer Normalization",
    2016, equation 4.

    Args:
        axis: Axis or axes to normalize over; `gamma` and `beta` have their sizes.
        epsilon: Small number added to the variance.
        center: Whether to add `beta`.
        scale: Whether to multiply by `gamma`.
        beta_initializer: Initializer of `beta`.
        gamma_initializer: Initializer of `gamma`.
        beta_regularizer: Regularizer of `beta`.
        gamma_regularizer: Regularizer of `gamma`.
        beta_constraint: Constraint of `beta`, applied after each update.
        gamma_constraint: Constraint of `gamma`.
        **kwargs: `name`, `dtype`, `trainable`. The deprecated `rms_scaling=True` leaves out the
            subtraction of the mean and `beta`: `y = gamma * x / sqrt(v + epsilon)`.

    Input shape:
        Any; the sizes along `axis` must be known.

    Output shape:
        Same as the input.

    Raises:
        TypeError: If `axis` is not an int or a list of ints.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> keras.layers.LayerNormalization()(np.array([[1.0, 3.0]])).numpy().round(2).tolist()
    [[-1.0, 1.0]]
    """

    def __init__(
        self,
        axis: Any = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        rms_scaling = kwargs.pop("rms_scaling", False)
        super().__init__(
            epsilon,
            center,
            scale,
            beta_initializer,
            gamma_initializer,
            beta_regularizer,
            gamma_regularizer,
            beta_constraint,
            gamma_constraint,
            **kwargs,
        )
        if isinstance(axis, (list, tuple)):
            axis = list(axis)
        elif not isinstance(axis, int):
            raise TypeError(
                "LayerNormalization: Expected an int or a list/tuple of ints for the argument "
                f"'axis', but received: {axis!r}. Received: axis={axis!r}."
            )
        self.axis = axis
        self.rms_scaling = rms_scaling
        self.autocast = False

    def build(self, input_shape: Any) -> None:  # type: ignore[override]
        """Creates `gamma` and `beta` with the sizes along `axis`."""
        self.axis = [self.axis] if isinstance(self.axis, int) else sorted(self.axis)
        shape = weight_shape(self, self.axis, input_shape)
        self.add_gamma(shape)
        if not self.rms_scaling:
            self.add_beta(shape)
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Returns the normalized input."""
        axes = resolve_axes(self, self.axis, len(inputs.shape))
        x = to_float32(inputs)
        if self.rms_scaling:
            variance = ops.var(x, axis=axes, keepdims=True)
            y = ops.multiply(x, ops.rsqrt(ops.add(variance, self.epsilon)))
            if self.gamma is not None:
                sizes = [n if a in axes else 1 for a, n in enumerate(x.shape)]
                y = ops.multiply(y, ops.reshape(self.gamma, sizes))
        else:
            y = ops.layer_normalization(
                x, gamma=self.gamma, beta=self.beta, axis=list(axes), epsilon=self.epsilon
            )
        return ops.cast(y, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "axis": self.axis,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "rms_scaling": self.rms_scaling,
            **self.affine_config(),
        }
