"""Merge: what the elementwise merging layers share."""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn import ops
from pronghorn.layers.arguments import Shape, owner_name
from pronghorn.layers.layer import Layer


def is_shape(value: Any) -> bool:
    """Returns whether `value` is one shape, not a list of shapes."""
    return not value or not isinstance(value[0], (tuple, list))


def broadcast_shapes(owner: Any, a: Shape, b: Shape) -> Shape:
    """Returns the shape that two shapes broadcast to; an unknown size stays unknown.

    Raises:
        ValueError: If two sizes differ and neither is 1.
    """
    if len(a) < len(b):
        a, b = b, a
    output = list(a[: len(a) - len(b)])
    for m, n in zip(a[len(a) - len(b) :], b):
        if m is None or n is None:
            output.append(None)
        elif m == 1 or n == 1 or m == n:
            output.append(max(m, n) if 0 not in (m, n) else 0)
        else:
            raise ValueError(
                f"{owner_name(owner)}: Inputs have incompatible shapes. "
                f"Received shapes {a} and {b} (without the batch axis)."
            )
    return tuple(output)


class Merge(Layer):
    """Elementwise combination of a list of tensors; a subclass has `merge`.

    Inputs of a lower rank get axes of size 1 after their batch axis; then the usual broadcasting
    applies.

    Args:
        **kwargs: `name`, `dtype`, `trainable`.
    """

    # What a masked element of one input counts as; `None`: its own value.
    masked_value: str | None = None

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def merge(self, inputs: list[Any]) -> Any:
        """Returns the combination of the tensors, which have one rank."""
        raise NotImplementedError

    def check_count(self, count: int) -> None:
        """Raises if the layer does not take `count` inputs."""
        if count < 1:
            raise ValueError(
                f"{owner_name(self)}: A merge layer should be called on a list of at least 1 "
                f"input. "
                f"Received {count} inputs."
            )

    def build(self, input_shape: Any) -> None:  # type: ignore[override]
        """Checks the shapes of the inputs. There are no weights."""
        if input_shape is None or (input_shape and is_shape(input_shape)):
            raise ValueError(
                f"{owner_name(self)}: A merge layer should be called on a list of inputs. "
                f"Received: input_shape={input_shape} (not a list of shapes)."
            )
        self.check_count(len(input_shape))
        self.compute_output_shape(input_shape)
        self.built = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """Returns the combination of the list of tensors `inputs`."""
        if not isinstance(inputs, (list, tuple)):
            raise ValueError(
                f"{owner_name(self)}: A merge layer should be called on a list of inputs. "
                f"Received: inputs={inputs} (not a list of tensors)."
            )
        self.check_count(len(inputs))
        rank = max(len(x.shape) for x in inputs)
        tensors = []
        for i, x in enumerate(inputs):
            if mask is not None and mask[i] is not None and self.masked_value is not None:
                x = self._replace_masked(x, mask[i])
            if len(x.shape) != rank and len(x.shape) > 0:
                shape = (x.shape[0], *(1,) * (rank - len(x.shape)), *x.shape[1:])
                x = ops.reshape(x, shape)
            tensors.append(x)
        output = self.merge(tensors)
        if self.masked_value is None or mask is None or any(m is None for m in mask):
            return output
        keep = expand_mask(self.compute_mask(inputs, mask), len(output.shape))
        return ops.where(keep, output, ops.zeros_like(output))

    def _replace_masked(self, x: Any, mask: Any) -> Any:
        limits: Any
        if self.masked_value == "one":
            value: Any = 1
        else:
            floating = "float" in x.dtype
            if x.dtype == "bfloat16":
                limits = (-3.38e38, 3.38e38)
            else:
                info = np.finfo(x.dtype) if floating else np.iinfo(x.dtype)
                limits = (info.min, info.max)
            value = limits[0] if self.masked_value == "lowest" else limits[1]
        fill = ops.full_like(x, value)
        return ops.where(expand_mask(mask, len(x.shape)), x, fill)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Returns true where any input's mask is true; `None` unless all inputs have one."""
        if mask is None:
            return None
        check_mask_list(self, inputs, mask)
        if any(m is None for m in mask):
            return None
        output = mask[0]
        for m in mask[1:]:
            output = ops.logical_or(output, m)
        return output

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Returns the shape that the inputs broadcast to."""
        shapes = [tuple(s) for s in input_shape if s is not None]
        batches = {s[0] for s in shapes if s} - {None}
        if len(batches) > 1:
            raise ValueError(
                f"{owner_name(self)}: Cannot merge tensors with different batch sizes. "
                f"Received tensors with shapes {shapes}."
            )
        if any(not s for s in shapes):
            raise ValueError(
                f"{owner_name(self)}: expected tensors with a batch axis. "
                f"Received tensors with shapes {shapes}."
            )
        output = shapes[0][1:]
        for shape in shapes[1:]:
            output = broadcast_shapes(self, output, shape[1:])
        return (batches.pop() if batches else None, *output)


def expand_mask(mask: Any, rank: int) -> Any:
    """Returns a boolean mask with axes of size 1 added at the end up to `rank`."""
    mask = ops.cast(mask, "bool")
    for _ in range(rank - len(mask.shape)):
        mask = ops.expand_dims(mask, axis=-1)
    return mask


def check_mask_list(owner: Any, inputs: Any, mask: Any) -> None:
    """Raises unless `inputs` and `mask` are lists of one length."""
    if not isinstance(mask, (tuple, list)):
        raise ValueError(f"{owner_name(owner)}: `mask` should be a list. Received: mask={mask}.")
    if not isinstance(inputs, (tuple, list)):
        raise ValueError(
            f"{owner_name(owner)}: `inputs` should be a list. Received: inputs={inputs}."
        )
    if len(mask) != len(inputs):
        raise ValueError(
            f"{owner_name(owner)}: The lists `inputs` and `mask` should have the same length. "
            f"Received: {len(inputs)} inputs, {len(mask)} masks."
        )
