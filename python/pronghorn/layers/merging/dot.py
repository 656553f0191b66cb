"""Dot: sums of products of two tensors, sample by sample."""

from __future__ import annotations

import math
from typing import Any

from pronghorn import ops
from pronghorn.layers.arguments import Shape, is_integer, owner_name
from pronghorn.layers.layer import Layer
from pronghorn.layers.merging.base_merge import is_shape


class Dot(Layer):
    """Sums the products of two tensors over one axis of each, sample by sample.

    `y[b, i..., j...] = sum_k x_1[b, i..., k] * x_2[b, j..., k]`, where k runs over the chosen axes
    and i, j over the other ones. Two vectors per sample give `(batch, 1)`.

    Args:
        axes: The axis of both inputs, or a pair with one axis for each; not the batch axis.
        normalize: Whether to scale both inputs to length 1 along the axis first, so that the output
            is the cosine of the angle.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        A list of two tensors `(batch, ...)` of rank 2 or more.

    Output shape:
        `(batch, ...)` with the other axes of the first input, then those of the second.

    Raises:
        TypeError: If `axes` is neither an int nor a pair.
        ValueError: If the sizes of the axes differ.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> keras.layers.Dot(axes=(1, 2))([np.ones((1, 5, 2)), np.ones((1, 3, 5))]).shape
    (1, 2, 3)
    """

    def __init__(self, axes: Any, normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not is_integer(axes):
            if not isinstance(axes, (list, tuple)):
                raise TypeError(
                    "Dot: Invalid type for argument `axes`: it should be a list or an int. "
                    f"Received: axes={axes!r}."
                )
            if len(axes) != 2:
                raise ValueError(
                    "Dot: Invalid format for argument `axes`: it should contain two elements. "
                    f"Received: axes={axes}."
                )
            if not all(is_integer(a) for a in axes):
                raise ValueError(
                    "Dot: Invalid format for argument `axes`: list elements should be integers. "
                    f"Received: axes={axes}."
                )
        self.axes = axes
        self.normalize = normalize
        self.supports_masking = True

    def _resolve_axes(self, shapes: Any) -> tuple[int, int]:
        if not isinstance(shapes, (list, tuple)) or is_shape(shapes) or len(shapes) != 2:
            raise ValueError(
                f"{owner_name(self)}: A `Dot` layer should be called on a list of 2 inputs. "
                f"Received: input_shape={shapes}."
            )
        pair = (self.axes, self.axes) if is_integer(self.axes) else tuple(self.axes)
        received = f"Received: axes={self.axes}, input_shape={[tuple(s) for s in shapes]}."
        axes = []
        for axis, shape in zip(pair, shapes):
            if len(shape) < 2 or not -len(shape) <= axis < len(shape) or axis % len(shape) == 0:
                raise ValueError(
                    f"{owner_name(self)}: each axis must be an axis of its input after the batch "
                    f"axis. {received}"
                )
            axes.append(axis % len(shape))
        a, b = shapes[0][axes[0]], shapes[1][axes[1]]
        if a is not None and b is not None and a != b:
            raise ValueError(
                f"{owner_name(self)}: Incompatible input shapes: axis values {a} (at axis "
                f"{pair[0]}) != {b} (at axis {pair[1]}). {received}"
            )
        return axes[0], axes[1]

    def build(self, input_shape: Any) -> None:  # type: ignore[override]
        """Checks the shapes of the inputs. There are no weights."""
        self._resolve_axes(input_shape)
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Returns the sums of products."""
        x, y = inputs[0], inputs[1]
        axes = self._resolve_axes([x.shape, y.shape])
        if self.normalize:
            x, y = ops.normalize(x, axis=axes[0]), ops.normalize(y, axis=axes[1])
        x_rest = [i for i in range(1, len(x.shape)) if i != axes[0]]
        y_rest = [i for i in range(1, len(y.shape)) if i != axes[1]]
        x_sizes = [x.shape[i] for i in x_rest]
        y_sizes = [y.shape[i] for i in y_rest]
        batch, length = x.shape[0], x.shape[axes[0]]
        rows = ops.reshape(
            ops.transpose(x, (0, *x_rest, axes[0])), (batch, math.prod(x_sizes), length)
        )
        columns = ops.reshape(
            ops.transpose(y, (0, axes[1], *y_rest)), (y.shape[0], length, math.prod(y_sizes))
        )
        return ops.reshape(ops.matmul(rows, columns), (batch, *(x_sizes + y_sizes or [1])))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Returns `None`."""
        return None

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Returns the batch size, the other axes of the first input, those of the second."""
        a, b = self._resolve_axes(input_shape)
        first, second = tuple(input_shape[0]), tuple(input_shape[1])
        rest = first[1:a] + first[a + 1 :] + second[1:b] + second[b + 1 :]
        return (first[0], *(rest or (1,)))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "axes": self.axes, "normalize": self.normalize}


def dot(inputs: Any, axes: Any = -1, **kwargs: Any) -> Any:
    """Returns sums of products of two tensors: `Dot(axes=axes, **kwargs)(inputs)`.

    Args:
        inputs: List of two tensors.
        axes: The axis of both inputs, or a pair with one axis for each.
        **kwargs: Arguments of `Dot`, such as `normalize`.

    Returns:
        The sums of products, sample by sample.
    """
    return Dot(axes=axes, **kwargs)(inputs)
