"""BaseNormalization: the offset and the scale that normalization layers share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pronghorn import constraints, initializers, ops, regularizers
from pronghorn.layers.arguments import Shape, owner_name
from pronghorn.layers.layer import Layer


def resolve_axes(owner: Any, axis: int | Sequence[int], rank: int) -> tuple[int, ...]:
    """Returns the axes counted from 0, in ascending order.

    Raises:
        ValueError: If an axis is out of range or given twice.
    """
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    if any(not -rank <= a < rank for a in axes) or len({a % rank for a in axes}) != len(axes):
        raise ValueError(
            f"{owner_name(owner)}: axis must name different axes of the input. "
            f"Received: axis={axis}, input rank {rank}."
        )
    return tuple(sorted(a % rank for a in axes))


def weight_shape(owner: Any, axis: int | Sequence[int], input_shape: Any) -> tuple[int, ...]:
    """Returns the input's sizes along `axis`, in the order of Keras's weight files.

    That is the order of the axes as given, negative ones first; it differs from their order in the
    input where negative and other axes are mixed.

    Raises:
        ValueError: If an axis is out of range or given twice, or a size is unknown.
    """
    resolve_axes(owner, axis, len(input_shape))
    axes = [axis] if isinstance(axis, int) else sorted(axis)
    sizes = tuple(input_shape[a] for a in axes)
    if None in sizes:
        raise ValueError(
            f"{owner_name(owner)}: the input must have known sizes along the normalized axes. "
            f"Received: input_shape={tuple(input_shape)}, axis={axis}."
        )
    return sizes


class BaseNormalization(Layer):
    """A normalization layer with an optional trained `gamma` (scale) and `beta` (offset).

    Args:
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
    """

    def __init__(
        self,
        epsilon: float,
        center: bool,
        scale: bool,
        beta_initializer: Any,
        gamma_initializer: Any,
        beta_regularizer: Any,
        gamma_regularizer: Any,
        beta_constraint: Any,
        gamma_constraint: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.supports_masking = True
        self.gamma: Any = None
        self.beta: Any = None

    def add_gamma(self, shape: Shape) -> None:
        """Creates `gamma` if the layer scales."""
        if self.scale:
            self.gamma = self.add_weight(
                name="gamma",
                shape=shape,
                initializer=self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
                autocast=False,
            )

    def add_beta(self, shape: Shape) -> None:
        """Creates `beta` if the layer centers."""
        if self.center:
            self.beta = self.add_weight(
                name="beta",
                shape=shape,
                initializer=self.beta_initializer,
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
                autocast=False,
            )

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Returns `input_shape`."""
        return input_shape

    def affine_config(self) -> dict[str, Any]:
        """Returns the constructor arguments about `gamma` and `beta`."""
        return {
            "beta_initializer": initializers.serialize(self.beta_initializer),
            "gamma_initializer": initializers.serialize(self.gamma_initializer),
            "beta_regularizer": regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": constraints.serialize(self.beta_constraint),
            "gamma_constraint": constraints.serialize(self.gamma_constraint),
        }


def to_float32(x: Any) -> Any:
    """Returns `x` in float32: statistics of float16 and bfloat16 need the precision."""
    return x if x.dtype == "float32" else ops.cast(x, "float32")
