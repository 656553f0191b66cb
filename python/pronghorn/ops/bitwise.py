"""Bitwise functions of integers."""

from __future__ import annotations

from pronghorn.ops.arguments import TensorLike, apply, as_tensor, is_float, promote
from pronghorn.ops.broadcasting import broadcasting_op
from pronghorn.ops.operation import op
from pronghorn.tensor import Tensor


def _integers(name: str, *xs: TensorLike) -> list[Tensor]:
    """Returns tensors of one integer or bool dtype (an integer one for shifts)."""
    found = promote(*xs)
    if is_float(found[0]):
        raise TypeError(
            f"{name}: expected integers. Received: "
            + ", ".join(f"dtype={getattr(x, 'dtype', type(x).__name__)}" for x in xs)
            + "."
        )
    if "shift" in name and found[0].dtype == "bool":
        found = [as_tensor(x, "int32") for x in found]
    return found


@broadcasting_op
def bitwise_and(x: TensorLike, y: TensorLike) -> Tensor:
    """Returns the bits that are set in both elements.

    Args:
        x: an integer or bool tensor.
        y: the like; its shape broadcasts with that of `x`.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        TypeError: for floats.

    Example:

    >>> ops.bitwise_and([6], [3]).numpy()
    array([2], dtype=int32)
    """
    return apply("bitwise_and", *_integers("bitwise_and", x, y))


@broadcasting_op
def bitwise_or(x: TensorLike, y: TensorLike) -> Tensor:
    """Returns the bits that are set in at least one of both elements.

    Args:
        x: an integer or bool tensor.
        y: the like; its shape broadcasts with that of `x`.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        TypeError: for floats.

    Example:

    >>> ops.bitwise_or([6], [3]).numpy()
    array([7], dtype=int32)
    """
    return apply("bitwise_or", *_integers("bitwise_or", x, y))


@broadcasting_op
def bitwise_xor(x: TensorLike, y: TensorLike) -> Tensor:
    """Returns the bits that are set in exactly one of both elements.

    Args:
        x: an integer or bool tensor.
        y: the like; its shape broadcasts with that of `x`.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        TypeError: for floats.

    Example:

    >>> ops.bitwise_xor([6], [3]).numpy()
    array([5], dtype=int32)
    """
    return apply("bitwise_xor", *_integers("bitwise_xor", x, y))


@broadcasting_op
def bitwise_left_shift(x: TensorLike, y: TensorLike) -> Tensor:
    """Shifts the bits of `x` to the left by `y`, filling with zeros.

    Args:
        x: an integer tensor.
        y: the like; its shape broadcasts with that of `x`.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        TypeError: for floats.

    Example:

    >>> ops.bitwise_left_shift([3], [2]).numpy()
    array([12], dtype=int32)
    """
    return apply("left_shift", *_integers("bitwise_left_shift", x, y))


@broadcasting_op
def bitwise_right_shift(x: TensorLike, y: TensorLike) -> Tensor:
    """Shifts the bits of `x` to the right by `y`; signed numbers keep their sign.

    Args:
        x: an integer tensor.
        y: the like; its shape broadcasts with that of `x`.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        TypeError: for floats.

    Example:

    >>> ops.bitwise_right_shift([12], [2]).numpy()
    array([3], dtype=int32)
    """
    return apply("right_shift", *_integers("bitwise_right_shift", x, y))


@broadcasting_op
def left_shift(x: TensorLike, y: TensorLike) -> Tensor:
    """Shifts the bits of `x` to the left by `y`, filling with zeros.

    Args:
        x: an integer tensor.
        y: the like; its shape broadcasts with that of `x`.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        TypeError: for floats.

    Example:

    >>> ops.left_shift([3], [2]).numpy()
    array([12], dtype=int32)
    """
    return apply("left_shift", *_integers("left_shift", x, y))


@broadcasting_op
def right_shift(x: TensorLike, y: TensorLike) -> Tensor:
    """Shifts the bits of `x` to the right by `y`; signed numbers keep their sign.

    Args:
        x: an integer tensor.
        y: the like; its shape broadcasts with that of `x`.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        TypeError: for floats.

    Example:

    >>> ops.right_shift([12], [2]).numpy()
    array([3], dtype=int32)
    """
    return apply("right_shift", *_integers("right_shift", x, y))


@op
def bitwise_not(x: TensorLike) -> Tensor:
    """Returns the elements with every bit inverted.

    Args:
        x: an integer or bool tensor.

    Returns:
        A tensor of the same shape and dtype.

    Raises:
        TypeError: for floats.

    Example:

    >>> ops.bitwise_not([0]).numpy()
    array([-1], dtype=int32)
    """
    return apply("bitwise_not", *_integers("bitwise_not", x))


@op
def bitwise_invert(x: TensorLike) -> Tensor:
    """Returns the elements with every bit inverted; the same as `bitwise_not`.

    Args:
        x: an integer or bool tensor.

    Returns:
        A tensor of the same shape and dtype.

    Raises:
        TypeError: for floats.

    Example:

    >>> ops.bitwise_invert([0]).numpy()
    array([-1], dtype=int32)
    """
    return apply("bitwise_not", *_integers("bitwise_invert", x))
