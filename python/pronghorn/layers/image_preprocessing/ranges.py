"""Checks of the ranges that random layers draw from."""

from __future__ import annotations

from typing import Any

from pronghorn.layers.arguments import owner_name


def number_range(
    owner: Any,
    argument: str,
    value: Any,
    low: float,
    high: float,
    single: str = "symmetric",
    open_low: bool = False,
) -> tuple[float, float]:
    """Returns the ends of a range, from two numbers or from one.

    Args:
        owner: the layer (or its class name) for errors.
        argument: its name.
        value: two numbers, or one.
        low: the smallest number that is allowed.
        high: the largest.
        single: what one number v means: `"symmetric"` from -v to v, `"from_low"` from `low` to v,
            `"both"` the pair (v, v).
        open_low: whether `low` itself is not allowed.

    Raises:
        ValueError: for anything else.
    """
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    if len(values) == 2 and low == 0 and values[0] == -values[1] < 0:
        values = (0.0, values[1])  # what files of Keras hold for one number
    fits = len(values) == (2 if isinstance(value, (tuple, list)) else 1)
    for v in values:
        number = isinstance(v, (int, float)) and not isinstance(v, bool)
        if not number or not low <= v <= high or (open_low and v == low):
            fits = False
    if not fits:
        bracket = "(" if open_low else "["
        raise ValueError(
            f"{owner_name(owner)}: The `{argument}` argument should be a number (or a list of two "
            f"numbers) in the range {bracket}{low}, {high}]. Received: {argument}={value}"
        )
    if len(values) == 2:
        return min(values), max(values)
    if single == "from_low":
        return low, values[0]
    if single == "both":
        return values[0], values[0]
    return max(-abs(values[0]), low), abs(values[0])


def value_range_pair(owner: Any, value: Any) -> list[float]:
    """Returns the range of pixel values as `[low, high]`.

    Raises:
        ValueError: unless it is a pair of two different numbers.
    """
    if (
        not isinstance(value, (tuple, list))
        or len(value) != 2
        or any(isinstance(v, bool) or not isinstance(v, (int, float)) for v in value)
        or value[0] == value[1]
    ):
        raise ValueError(
            f"{owner_name(owner)}: The `value_range` argument should be a list of two numbers. "
            f"Received: value_range={value}"
        )
    return sorted(value)
