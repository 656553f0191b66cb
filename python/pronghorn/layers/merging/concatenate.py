"""Concatenate: joins tensors along an axis."""

from __future__ import annotations

from typing import Any

from pronghorn import ops
from pronghorn.layers.arguments import Shape, is_integer, owner_name
from pronghorn.layers.layer import Layer
from pronghorn.layers.merging.base_merge import check_mask_list, expand_mask, is_shape


class Concatenate(Layer):
    """Joins a list of tensors along an axis; all other sizes must be equal.

    If any input has a mask, the output has one; inputs without a mask count as kept everywhere.

    Args:
        axis: The axis.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        A list of tensors `(batch, ...)`.

    Output shape:
        The input's shape with the sizes along `axis` added up.

    Raises:
        ValueError: If the other sizes differ, or the axis is out of range.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> keras.layers.Concatenate(axis=1)([np.ones((2, 3, 5)), np.ones((2, 4, 5))]).shape
    (2, 7, 5)
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not is_integer(axis):
            raise TypeError(f"Concatenate: axis must be an integer. Received: axis={axis!r}.")
        self.axis = axis
        self.supports_masking = True

    def _check(self, shapes: Any) -> None:
        if not isinstance(shapes, (list, tuple)) or is_shape(shapes):
            raise ValueError(
                f"{owner_name(self)}: A `Concatenate` layer should be called on a list of at least "
                f"1 input. Received: input_shape={shapes}."
            )
        shapes = [tuple(s) for s in shapes]
        rank = len(shapes[0])
        if any(len(s) != rank for s in shapes):
            self._raise_mismatch(shapes)
        if not -rank <= self.axis < rank:
            raise ValueError(
                f"{owner_name(self)}: axis must be an axis of the inputs. "
                f"Received: axis={self.axis}, input_shape={shapes}."
            )
        axis = self.axis % rank
        for other in range(rank):
            if other != axis and len({s[other] for s in shapes} - {None}) > 1:
                self._raise_mismatch(shapes)

    def _raise_mismatch(self, shapes: Any) -> None:
        raise ValueError(
            f"{owner_name(self)}: A `Concatenate` layer requires inputs with matching shapes "
            f"except for the concatenation axis. Received: input_shape={shapes}, axis={self.axis}."
        )

    def build(self, input_shape: Any) -> None:  # type: ignore[override]
        """Checks the shapes of the inputs. There are no weights."""
        self._check(input_shape)
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Returns the joined tensor."""
        self._check([x.shape for x in inputs])
        return ops.concatenate(list(inputs), axis=self.axis)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Returns the masks joined, or combined by `or` where `axis` is the last one."""
        if mask is None:
            return None
        check_mask_list(self, inputs, mask)
        if all(m is None for m in mask):
            return None
        rank = len(inputs[0].shape)
        axis = self.axis % rank
        parts = []
        for x, m in zip(inputs, mask):
            if m is not None and len(m.shape) == rank:
                m = ops.any(ops.cast(m, "bool"), axis=-1)
            if m is None or len(m.shape) < rank - 1:
                # Sizes may be unknown here, so the mask is broadcast by `and` with ones.
                ones = ops.ones_like(x[..., 0], dtype="bool")
                m = ones if m is None else ops.logical_and(expand_mask(m, rank - 1), ones)
            parts.append(ops.cast(m, "bool"))
        if axis < rank - 1:
            return ops.concatenate(parts, axis=axis)
        output = parts[0]
        for m in parts[1:]:
            output = ops.logical_or(output, m)
        return output

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Returns the input's shape with the sizes along `axis` added up."""
        self._check(input_shape)
        axis = self.axis % len(input_shape[0])
        output: list[int | None] = []
        for i, sizes in enumerate(zip(*input_shape)):
            known = [n for n in sizes if n is not None]
            if i == axis:
                output.append(sum(known) if len(known) == len(sizes) else None)
            else:
                output.append(known[0] if known else None)
        return tuple(output)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "axis": self.axis}


def concatenate(inputs: Any, axis: int = -1, **kwargs: Any) -> Any:
    """Returns tensors joined along an axis: `Concatenate(axis=axis, **kwargs)(inputs)`.

    Args:
        inputs: List of tensors.
        axis: The axis.
        **kwargs: Arguments of `Concatenate`.

    Returns:
        The joined tensor.
    """
    return Concatenate(axis=axis, **kwargs)(inputs)
