"""GroupNormalization: normalizes groups of channels of each sample."""

from __future__ import annotations

from typing import Any

from pronghorn import ops
from pronghorn.layers.arguments import is_integer, owner_name
from pronghorn.layers.input_spec import InputSpec
from pronghorn.layers.normalization.base_normalization import BaseNormalization, to_float32


class GroupNormalization(BaseNormalization):
    """Splits the channels into groups and normalizes each group of each sample.

    With mean m and (biased) variance v over all positions and the channels of a group:
    `y = gamma * (x - m) / sqrt(v + epsilon) + beta`, with one `gamma` and `beta` per channel. One
    group is layer normalization over all axes; one channel per group is instance normalization.
    Source: Wu and He, "Group Normalization", 2018, equation 7.

    Args:
        groups: Number of groups, which divides the number of channels; -1 for one per channel.
        axis: The axis of the channels.
        epsilon: Small number added to the variance.
        center: Whether to add `beta`.
        scale: Whether to multiply by `gamma`.
        beta_initializer: Initializer of `beta`.
        gamma_initializer: Initializer of `gamma`.
        beta_regularizer: Regularizer of `beta`.
        gamma_regularizer: Regularizer of `gamma`.
        beta_constraint: Constraint of `beta`, applied after each update.
        gamma_constraint: Constraint of `gamma`.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        `(batch, ..., channels)`, or as `axis` says; the number of channels must be known.

    Output shape:
        Same as the input.

    Raises:
        ValueError: If `groups` is wrong or does not divide the number of channels.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> layer = keras.layers.GroupNormalization(groups=2)
    >>> layer(np.array([[1.0, 3.0, 10.0, 30.0]])).numpy().round(2).tolist()
    [[-1.0, 1.0, -1.0, 1.0]]
    """

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
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
        if not is_integer(groups) or (groups < 1 and groups != -1):
            raise ValueError(
                "GroupNormalization: Received an invalid value for argument `groups`, expected a "
                "positive integer (or `-1` for instance normalization). "
                f"Received: groups={groups!r}."
            )
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
        self.groups = groups
        self.axis = axis
        self.autocast = False

    def build(self, input_shape: Any) -> None:  # type: ignore[override]
        """Creates `gamma` and `beta`, one number per channel."""
        rank = len(input_shape)
        if not -rank <= self.axis < rank or self.axis % rank == 0:
            raise ValueError(
                f"{owner_name(self)}: axis must be an axis of the input after the batch axis. "
                f"Received: axis={self.axis}, input_shape={tuple(input_shape)}."
            )
        channels = input_shape[self.axis]
        if channels is None:
            raise ValueError(
                f"{owner_name(self)}: Axis {self.axis} of input tensor should have a defined "
                f"dimension but the layer received an input with shape {tuple(input_shape)}."
            )
        if self.groups == -1:
            self.groups = channels
        if channels < self.groups:
            raise ValueError(
                f"{owner_name(self)}: Number of groups ({self.groups}) cannot be more than the "
                f"number of channels ({channels})."
            )
        if channels % self.groups:
            raise ValueError(
                f"{owner_name(self)}: Number of groups ({self.groups}) must be a multiple of the "
                f"number of channels ({channels}), that is, divide it."
            )
        self.add_gamma((channels,))
        self.add_beta((channels,))
        self.input_spec = InputSpec(ndim=rank, axes={self.axis: channels})
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Returns the normalized input."""
        x = to_float32(inputs)
        shape = tuple(x.shape)
        rank = len(shape)
        axis = self.axis % rank
        channels = shape[axis]
        grouped_shape = (*shape[:axis], self.groups, channels // self.groups, *shape[axis + 1 :])
        grouped = ops.reshape(x, grouped_shape)
        reduced = [a for a in range(1, rank + 1) if a != axis]
        mean, variance = ops.moments(grouped, axes=reduced, keepdims=True)
        grouped = ops.multiply(
            ops.subtract(grouped, mean), ops.rsqrt(ops.add(variance, self.epsilon))
        )
        y = ops.reshape(grouped, shape)
        per_channel = [channels if a == axis else 1 for a in range(rank)]
        if self.gamma is not None:
            y = ops.multiply(y, ops.reshape(self.gamma, per_channel))
        if self.beta is not None:
            y = ops.add(y, ops.reshape(self.beta, per_channel))
        return ops.cast(y, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "groups": self.groups,
            "axis": self.axis,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            **self.affine_config(),
        }
