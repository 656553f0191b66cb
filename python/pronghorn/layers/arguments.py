"""Checks of the constructor arguments of layers, with errors in the user's words.

Every function takes the layer (or its class name) that asks, so that the message names it, and
returns the value in the form that the layer stores.
"""

from __future__ import annotations

import difflib
import numbers
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

Shape = tuple[int | None, ...]

SPATIAL_NAMES = {1: ("steps",), 2: ("height", "width"), 3: ("depth", "height", "width")}


def owner_name(owner: Any) -> str:
    """Returns `"Conv2D 'conv_1'"` for a named layer, and a string as it is."""
    if isinstance(owner, str):
        return owner
    name = getattr(owner, "name", None)
    cls = type(owner).__name__
    return f"{cls} '{name}'" if name else cls


def is_integer(value: Any) -> bool:
    """Returns whether `value` is an integer; booleans are not."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def truth(owner: Any, argument: str, value: Any) -> bool:
    """Returns a flag as a `bool`: `True`, `False`, or the numbers 1 and 0.

    Raises:
        ValueError: It is something else, such as a text.
    """
    if not isinstance(value, (numbers.Integral, np.bool_)) or value not in (0, 1):
        raise ValueError(
            f"{owner_name(owner)}: `{argument}` must be True or False. "
            f"Received: {argument}={value!r}."
        )
    return bool(value)


def positive_integer(owner: Any, argument: str, value: Any) -> int:
    """Returns `value` as an int of 1 or more.

    Args:
        owner: Layer, or class name, that the error names.
        argument: Name of the argument.
        value: What the user gave.

    Raises:
        ValueError: If `value` is not an integer or is below 1.
    """
    if not is_integer(value) or value < 1:
        raise ValueError(
            f"{owner_name(owner)}: {argument} must be a positive integer. "
            f"Received: {argument}={value!r}."
        )
    return int(value)


def strictly_positive(owner: Any, argument: str, value: Any) -> int:
    """Returns the number of filters (or the like) of a convolution as an int of 1 or more.

    Args:
        owner: Layer, or class name, that the error names.
        argument: Name of the argument.
        value: What the user gave.

    Raises:
        ValueError: If `value` is not an integer or is below 1.
    """
    if not is_integer(value) or value < 1:
        raise ValueError(
            f"{owner_name(owner)}: Invalid value for argument `{argument}`. Expected a strictly "
            f"positive value. Received {argument}={value!r}."
        )
    return int(value)


def integer_tuple(
    owner: Any, argument: str, value: Any, n: int, *, allow_zero: bool = False
) -> tuple[int, ...]:
    """Returns `value`, one integer or `n` of them, as a tuple of `n` ints.

    Args:
        owner: Layer, or class name, that the error names.
        argument: Name of the argument.
        value: What the user gave.
        n: Number of elements.
        allow_zero: Whether 0 is accepted.

    Raises:
        ValueError: If there are not `n` integers, or one of them is too small.
    """
    start = (
        f"{owner_name(owner)}: The `{argument}` argument must be a tuple of {n} integers. "
        f"Received {argument}={value!r}"
    )
    if is_integer(value):
        values: tuple[Any, ...] = (value,) * n
    elif isinstance(value, Iterable) and not isinstance(value, (str, bytes, dict)):
        values = tuple(value)
    else:
        raise ValueError(start + ".")
    if len(values) != n or not all(is_integer(v) for v in values):
        raise ValueError(start + ".")
    low = 0 if allow_zero else 1
    bad = {int(v) for v in values if v < low}
    if bad:
        relation = ">= 0" if allow_zero else "> 0"
        raise ValueError(f"{start}, including values {bad} that do not satisfy `value {relation}`.")
    return tuple(int(v) for v in values)


def one_of(owner: Any, argument: str, value: Any, allowed: Sequence[str]) -> str:
    """Returns `value` in lower case if it is one of `allowed`.

    Args:
        owner: Layer, or class name, that the error names.
        argument: Name of the argument.
        value: What the user gave.
        allowed: Accepted names, in lower case.

    Raises:
        ValueError: For any other value; the message suggests the nearest name.
    """
    name = value.lower() if isinstance(value, str) else None
    if name in allowed:
        return str(name)
    near = difflib.get_close_matches(name, allowed, 1) if name is not None else []
    hint = f" Did you mean {near[0]!r}?" if near else ""
    names = ", ".join(repr(a) for a in allowed)
    raise ValueError(
        f"{owner_name(owner)}: The `{argument}` argument must be one of {names}. "
        f"Received: {argument}={value!r}.{hint}"
    )


def side_pairs(owner: Any, argument: str, value: Any, n: int) -> tuple[tuple[int, int], ...]:
    """Returns the amounts before and after each of `n` dimensions.

    Args:
        owner: Layer, or class name, that the error names.
        argument: `"padding"` or `"cropping"`.
        value: One integer for all sides, `n` integers for both sides of each dimension, or `n`
            pairs.
        n: Number of dimensions.

    Raises:
        ValueError: If `value` has another form or a negative amount.
    """
    if is_integer(value):
        if value < 0:
            raise ValueError(
                f"{owner_name(owner)}: `{argument}` cannot be negative. "
                f"Received: {argument}={value}."
            )
        return ((int(value), int(value)),) * n
    if not isinstance(value, (list, tuple)):
        raise ValueError(
            f"{owner_name(owner)}: `{argument}` should be an integer, a tuple of {n} integers or a "
            f"tuple of {n} pairs of integers. Received: {argument}={value!r} of type "
            f"{type(value).__name__}."
        )
    count = {1: "one", 2: "two", 3: "three"}[n]
    if len(value) != n:
        raise ValueError(
            f"{owner_name(owner)}: `{argument}` should have {count} elements. "
            f"Received: {argument}={value!r}."
        )
    pairs = []
    for entry in value:
        pair = integer_tuple(owner, argument, entry, 2, allow_zero=True)
        pairs.append((pair[0], pair[1]))
    return tuple(pairs)


def shape_tuple(shape: Any) -> Shape:
    """Returns a shape as a tuple of ints and `None`."""
    return tuple(None if d is None else int(d) for d in shape)


def reject_quantization(owner: Any, **options: Any) -> None:
    """Raises for options of quantization that are set: weights are not quantized in this library.

    Args:
        owner: Layer, or class name, that the error names.
        **options: The options by name.

    Raises:
        NotImplementedError: If one of them is not `None`.
    """
    for name, value in options.items():
        if value is not None:
            raise NotImplementedError(
                f"{owner_name(owner)}: quantization is not supported. "
                f"Received: {name}={value!r}. Leave {name}=None."
            )
