"""Attributes of nodes: their types, defaults and bounds."""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn.onnx.importing.file import Node

#: Strides, dilations, pads, sizes of windows: no network has more.
MOST = 2**20


def number(node: Node, name: str, default: float) -> float:
    """Returns an attribute of one float."""
    found = node.attributes.get(name, default)
    if not isinstance(found, float):
        raise ValueError(f"attribute '{name}': expected a float. Received: {found!r:.100}.")
    return found


def integer(node: Node, name: str, default: int) -> int:
    """Returns an attribute of one integer."""
    found = node.attributes.get(name, default)
    if not isinstance(found, int):
        raise ValueError(f"attribute '{name}': expected an integer. Received: {found!r:.100}.")
    return found


def flag(node: Node, name: str, default: int = 0) -> bool:
    """Returns an attribute of 0 or 1."""
    found = integer(node, name, default)
    if found not in (0, 1):
        raise ValueError(f"attribute '{name}': expected 0 or 1. Received: {found}.")
    return bool(found)


def text(node: Node, name: str, default: str) -> str:
    """Returns an attribute of text."""
    found = node.attributes.get(name, default)
    if not isinstance(found, str):
        raise ValueError(f"attribute '{name}': expected text. Received: {found!r:.100}.")
    return found


def integers(node: Node, name: str) -> list[int] | None:
    """Returns an attribute of several integers; None where there is none."""
    found = node.attributes.get(name)
    if found is None:
        return None
    if not isinstance(found, list) or not all(isinstance(x, int) for x in found):
        raise ValueError(f"attribute '{name}': expected integers. Received: {found!r:.100}.")
    return list(found)


def numbers(node: Node, name: str) -> list[float]:
    """Returns an attribute of several floats; none where there is none."""
    found = node.attributes.get(name, [])
    if not isinstance(found, list) or not all(isinstance(x, float) for x in found):
        raise ValueError(f"attribute '{name}': expected floats. Received: {found!r:.100}.")
    return list(found)


def window(node: Node, name: str, count: int, default: int | None, least: int = 1) -> list[int]:
    """Returns an attribute with a number for each of `count` axes, at least `least`, at most 2**20.

    Raises:
        ValueError: If it is not such, or is left out and has no default.
    """
    found = integers(node, name)
    if found is None and default is not None:
        return [default] * count
    if found is None or len(found) != count or any(not least <= x <= MOST for x in found):
        raise ValueError(
            f"attribute '{name}': expected {count} integers from {least} to {MOST}. "
            f"Received: {found!r:.100}."
        )
    return found


def axis(node: Node, rank: int, default: int = 0, name: str = "axis") -> int:
    """Returns an attribute that is an axis, counted from the front."""
    return normalized_axis(integer(node, name, default), rank)


def normalized_axis(found: int, rank: int) -> int:
    """Returns an axis counted from the front.

    Raises:
        ValueError: If there is no such axis.
    """
    if not -rank <= found < rank:
        raise ValueError(f"expected an axis from {-rank} to {rank - 1}. Received: {found}.")
    return found % rank if rank else 0


def normalized_axes(found: list[int], rank: int) -> list[int]:
    """Returns axes counted from the front, each once."""
    axes = [normalized_axis(a, rank) for a in found]
    if len(set(axes)) < len(axes):
        raise ValueError(f"expected different axes. Received: {found}.")
    return axes


def array(node: Node, name: str) -> np.ndarray | None:
    """Returns an attribute that is a tensor; None where there is none."""
    found: Any = node.attributes.get(name)
    if found is not None and not isinstance(found, np.ndarray):
        raise ValueError(f"attribute '{name}': expected a tensor. Received: {found!r:.100}.")
    return found


def refuse_others(node: Node, **expected: Any) -> None:
    """Raises ValueError unless attributes that the importer does not take are at their defaults.

    Args:
        node: The node.
        **expected: The default of each.
    """
    for name, default in expected.items():
        found = node.attributes.get(name, default)
        if found != default:
            raise ValueError(
                f"attribute '{name}': only {default!r} is taken. Received: {found!r:.100}."
            )
