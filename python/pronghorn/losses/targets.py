"""Checks of targets against an output's shape, made on arrays before any kernel runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Shape = tuple[int | None, ...]


def _shapes(y_true: np.ndarray, output_shape: Shape) -> str:
    return f"Received: y_true.shape={tuple(y_true.shape)}, output shape={tuple(output_shape)}."


def _same(a: Any, b: Any) -> bool:
    return a is None or b is None or a == b


def _align(y_true: np.ndarray, output_shape: Shape) -> tuple[Shape, Shape]:
    target, output = tuple(y_true.shape), tuple(output_shape)
    if len(target) + 1 == len(output) and output[-1] == 1:
        output = output[:-1]
    elif len(output) + 1 == len(target) and target[-1] == 1:
        target = target[:-1]
    return target, output


def check_broadcast(name: str, y_true: np.ndarray, output_shape: Shape, **options: Any) -> None:
    """Raises ValueError unless targets and output broadcast: losses of one value per element."""
    target, output = _align(y_true, output_shape)
    pairs = zip(reversed(target[1:]), reversed(output[1:]))
    if len(target) != len(output) or any(not _same(t, o) and 1 not in (t, o) for t, o in pairs):
        raise ValueError(
            f"Loss '{name}': targets must have the shape of the output. "
            f"{_shapes(y_true, output_shape)}"
        )


def check_same_shape(name: str, y_true: np.ndarray, output_shape: Shape, **options: Any) -> None:
    """Raises ValueError unless targets have the shape of the output: losses of distributions."""
    target, output = _align(y_true, output_shape)
    if len(target) == len(output) and all(_same(t, o) for t, o in zip(target[1:], output[1:])):
        return
    hint = ""
    if name.startswith("categorical") and len(target) in (len(output) - 1, len(output)):
        hint = (
            " For integer labels use sparse_categorical_crossentropy, or make them one-hot "
            "with to_categorical."
        )
    raise ValueError(
        f"Loss '{name}': targets must have the shape of the output. "
        f"{_shapes(y_true, output_shape)}{hint}"
    )


def check_labels(
    name: str,
    y_true: np.ndarray,
    output_shape: Shape,
    axis: int = -1,
    ignore_class: int | None = None,
    **options: Any,
) -> None:
    """Raises ValueError unless targets are labels in [0, classes), one per row of the output."""
    rank = len(output_shape)
    axis = axis % rank
    expected = output_shape[:axis] + output_shape[axis + 1 :]
    shape = tuple(y_true.shape)
    if len(shape) == rank and shape[-1] == 1:
        shape = shape[:-1]
    if len(shape) != len(expected) or not all(map(_same, shape[1:], expected[1:])):
        hint = ""
        if len(y_true.shape) == rank and rank > 1 and _same(y_true.shape[axis], output_shape[axis]):
            hint = " For one-hot targets use categorical_crossentropy."
        raise ValueError(
            f"Loss '{name}': expected integer labels of shape {('batch', *expected[1:])}. "
            f"{_shapes(y_true, output_shape)}{hint}"
        )
    classes = output_shape[axis]
    if classes is None or y_true.size == 0:
        return
    if not np.issubdtype(y_true.dtype, np.number) and y_true.dtype != np.bool_:
        raise ValueError(f"Loss '{name}': labels must be numbers. Received: dtype={y_true.dtype}.")
    inside = (y_true >= 0) & (y_true < classes)
    if np.issubdtype(y_true.dtype, np.floating):
        inside &= y_true == np.floor(y_true)
    if ignore_class is not None:
        inside |= y_true == ignore_class
    if inside.all():
        return
    first = np.unravel_index(int(np.argmin(inside)), y_true.shape)
    index = ", ".join(str(int(i)) for i in first)
    raise ValueError(
        f"Loss '{name}': labels must be whole numbers in [0, {classes}), as the output has "
        f"{classes} classes. Received: y_true[{index}]={y_true[first].item()}."
    )


Check = Callable[..., None]
