"""What is written into the box of a layer, and how large the box must be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pronghorn import tree

PADDING = 8.0  # points around a text
LINE = 20.0  # height of a row, points
FONT_SIZE = 13.0  # points
TITLE_SIZE = 11.0  # of the name of a group


@dataclass
class Cell:
    """A text on a background; colors as `#rrggbb`."""

    text: str
    fill: str = "#ffffff"
    color: str = "#000000"


@dataclass
class Label:
    """Rows of cells, which share the width of the box."""

    rows: list[list[Cell]]

    def size(self, text_width: Callable[[str], float]) -> tuple[float, float]:
        """Returns width and height of the box."""
        widths = [
            len(row) * max(text_width(cell.text) + 2 * PADDING for cell in row) for row in self.rows
        ]
        return max(widths), LINE * len(self.rows)


def make_label(
    layer: Any,
    show_shapes: bool,
    show_dtype: bool,
    show_layer_names: bool,
    show_layer_activations: bool,
    show_trainable: bool,
) -> Label:
    """Returns what is written into the box of a layer. For the arguments see `plot_model`."""
    kind = type(layer).__name__
    if kind in ("TimeDistributed", "Bidirectional") and hasattr(layer, "layer"):
        kind = f"{kind}({type(layer.layer).__name__})"
    title = f"{layer.name} ({kind})" if show_layer_names else kind
    rows = [[Cell(title, "#202020", "#ffffff")]]
    activation = getattr(layer, "activation", None)
    if show_layer_activations and activation is not None:
        name = getattr(activation, "__name__", None) or getattr(activation, "name", None)
        rows.append([Cell(f"Activation: {name or type(activation).__name__}")])
    details: list[Cell] = []
    if show_shapes:
        details.append(Cell(f"Input shape: {_tensors(layer, 'input', _shape)}"))
        details.append(Cell(f"Output shape: {_tensors(layer, 'output', _shape)}"))
    if show_dtype:
        details.append(Cell(f"Output dtype: {_tensors(layer, 'output', lambda x: str(x.dtype))}"))
    if details:
        rows.append(details)
    if show_trainable and getattr(layer, "weights", None):
        trainable = bool(layer.trainable_weights)
        text, fill = ("Trainable", "#b7e4c7") if trainable else ("Non-trainable", "#f4b6b6")
        rows.append([Cell(text, fill)])
    return Label(rows)


def _shape(x: Any) -> str:
    return str(tuple(x.shape))


def _tensors(layer: Any, side: str, text: Callable[[Any], str]) -> str:
    """Describes the inputs or outputs of a layer, those of its first call in a graph."""
    found: list[str] = []
    for node in getattr(layer, "_inbound_nodes", [])[:1]:
        tensors = node.input_tensors if side == "input" else node.output_tensors
        found = [text(x) for x in tensors]
    if not found:
        try:
            tensors = getattr(layer, f"{side}s" if hasattr(layer, f"{side}s") else side)
            found = [text(x) for x in tree.flatten(tensors)]
        except (AttributeError, ValueError):
            found = []
    if not found:
        if side == "input" and type(layer).__name__ == "InputLayer":
            return _tensors(layer, "output", text)
        return "?"
    return found[0] if len(found) == 1 else "[" + ", ".join(found) + "]"


# Widths of Helvetica's characters 32 to 126, in thousandths of the font size (Adobe's metrics).
_WIDTHS = (
    "278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 "
    "556 556 556 278 278 584 584 584 556 1015 667 667 722 722 667 611 778 722 278 500 667 556 833 "
    "722 778 667 778 722 667 611 722 667 944 667 667 611 278 278 278 469 556 333 556 556 500 556 "
    "556 278 556 556 222 222 500 222 833 556 556 556 556 333 500 278 556 500 722 500 500 500 334 "
    "260 334 584"
)
_WIDTH_OF = {chr(32 + i): int(width) for i, width in enumerate(_WIDTHS.split())}


def helvetica_width(text: str) -> float:
    """Returns the width of a text in points, at `FONT_SIZE`."""
    return sum(_WIDTH_OF.get(character, 1000) for character in text) * FONT_SIZE / 1000
