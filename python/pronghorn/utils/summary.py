"""`Model.summary`: a table of the layers with output shapes and numbers of parameters."""

from __future__ import annotations

import io
import re
import shutil
from typing import Any

from pronghorn.array_in_file import item_size
from pronghorn.ops.keras_tensor import KerasTensor

_DTYPE_BITS = {"bool": 8, "bfloat16": 16}
# Right ends of the columns as fractions of the width, and the width where there is room for it.
_SEQUENTIAL = ([0.45, 0.80, 1.0], 88)
_GRAPH = ([0.3, 0.56, 0.74, 1.0], 108)
_TRAINABLE_WIDTH = 12
_NESTED_PREFIX = "   "


def count_params(weights: list[Any]) -> int:
    """Returns the number of scalars in `weights`."""
    return sum(_size(w) for w in weights)


def _size(weight: Any) -> int:
    size = 1
    for dim in weight.shape:
        size *= int(dim)
    return size


def weight_memory_size(weights: list[Any]) -> int:
    """Returns the number of bytes that `weights` take."""
    return sum(_size(w) * item_size(w.dtype) for w in weights)


def readable_memory_size(size: float) -> str:
    """Returns a number of bytes as text, such as `"1.50 KB"`."""
    for unit in ("B", "KB", "MB", "GB", "TB"):
        if size < 1024:
            return f"{size:.2f} {unit}"
        size /= 1024
    return f"{size:.2f} PB"


def format_layer_shape(layer: Any) -> str:
    """Returns the output shape of a layer as text, `"?"` where it is unknown."""
    if not layer._inbound_nodes and not getattr(layer, "_build_shapes_dict", None):
        return "?"
    if layer._inbound_nodes:
        shapes = [
            ", ".join(str(tuple(x.shape)) for x in node.outputs)
            if len(node.outputs) == 1
            else _structure_text([tuple(x.shape) for x in node.outputs])
            for node in layer._inbound_nodes[:1]
        ]
        return shapes[0]
    try:
        if getattr(layer, "_functional", None) is not None:
            output = layer.output_shape
        else:
            output = layer.compute_output_shape(**layer._build_shapes_dict)
    except NotImplementedError:
        return "?"
    except TypeError:
        try:
            output = layer.compute_output_shape(next(iter(layer._build_shapes_dict.values())))
        except (NotImplementedError, TypeError):
            return "?"
    if isinstance(output, KerasTensor):
        output = output.shape
    return _structure_text(output)


def _structure_text(shapes: Any) -> str:
    if isinstance(shapes, (list, tuple)) and all(d is None or isinstance(d, int) for d in shapes):
        return str(tuple(shapes))
    if isinstance(shapes, dict):
        return "{" + ", ".join(f"{k}: {_structure_text(v)}" for k, v in shapes.items()) + "}"
    return "[" + ", ".join(_structure_text(s) for s in shapes) + "]"


def print_summary(
    model: Any,
    line_length: int | None = None,
    positions: list[float] | None = None,
    print_fn: Any = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Any = None,
) -> None:
    """Prints a summary of a model. See `Model.summary` for the arguments."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Column, Table

    from pronghorn import config

    table_of = _Rows(model, expand_nested, show_trainable)
    fractions, default_width = _SEQUENTIAL if table_of.sequential else _GRAPH
    fractions = list(positions or fractions)
    if show_trainable:
        default_width += _TRAINABLE_WIDTH
        if positions is None or len(positions) == len(table_of.header) - 1:
            fractions = [p * 0.90 for p in fractions] + [1.0]
    width = line_length or min(default_width, shutil.get_terminal_size().columns - 4)
    columns = []
    left = 0
    for (title, justify), fraction in zip(table_of.header, fractions):
        column_width = int(fraction * width) - left
        if column_width < 4:
            raise ValueError("Insufficient console width to print summary.")
        left += column_width
        columns.append(Column(header=f"[bold]{title}[/]", justify=justify, width=column_width))
    table = Table(*columns, width=width, show_lines=True)
    for row in table_of.rows(layer_range):
        table.add_row(*row)

    capture = print_fn is not None or not config.is_interactive_logging_enabled()
    if capture:
        stream = io.StringIO()
        console = Console(file=stream, highlight=False, force_terminal=False, color_system=None)
    else:
        console = Console(highlight=False)
    console.print(f'[bold]Model: "{escape(model.name)}"[/]')
    console.print(table)
    for title, weights in _totals(model):
        total = f"[color(34)]{count_params(weights):,}[/]"
        memory = readable_memory_size(weight_memory_size(weights))
        console.print(f"[bold] {title} params: [/]{total} ({memory})")
    if capture:
        text = stream.getvalue()
        if print_fn is not None:
            print_fn(text)
        else:
            from pronghorn.utils.output import print_msg

            print_msg(text, line_break=False)


def _totals(model: Any) -> list[tuple[str, list[Any]]]:
    totals = [
        ("Total", list(model.weights)),
        ("Trainable", model.trainable_weights),
        ("Non-trainable", model.non_trainable_weights),
    ]
    if getattr(model, "compiled", False):
        optimizer = getattr(model, "optimizer", None)
        if optimizer is not None and getattr(optimizer, "built", False):
            variables = list(optimizer.variables)
            totals[0] = ("Total", totals[0][1] + variables)
            totals.append(("Optimizer", variables))
    return totals


class _Rows:
    """The rows of the table for a model."""

    def __init__(self, model: Any, expand_nested: bool, show_trainable: bool) -> None:
        from pronghorn.models.functional import Functional

        self.expand_nested = expand_nested
        self.show_trainable = show_trainable
        self.nodes: list[Any] = []
        self.layers: list[Any] = list(model.layers)
        self.sequential = True
        if isinstance(model, Functional):
            self.layers = model.operations
            self.nodes = [n for nodes in model._nodes_by_depth.values() for n in nodes]
            self.sequential = _is_chain(model)
        self.header: list[tuple[str, Any]] = [
            ("Layer (type)", "left"),
            ("Output Shape", "left"),
            ("Param #", "right"),
        ]
        if not self.sequential:
            self.header.append(("Connected to", "left"))
        if show_trainable:
            self.header.append(("Trainable", "center"))

    def rows(self, layer_range: Any) -> list[list[str]]:
        """Returns the cells of the chosen layers' rows, as markup."""
        found: list[list[str]] = []
        first, last = _bounds(self.layers, layer_range)
        for layer in self.layers[first:last]:
            self._add(found, layer, 0)
        return found

    def _add(self, rows: list[list[str]], layer: Any, level: int) -> None:
        from rich.markup import escape

        prefix = _NESTED_PREFIX * level + ("└ " if level else "")
        row = [
            f"{prefix}{escape(layer.name)} ([color(33)]{escape(type(layer).__name__)}[/])",
            _highlight_shape(format_layer_shape(layer)),
            _params(layer),
        ]
        if not self.sequential:
            row.append(escape(self._connections(layer)) if not level else "-")
        if self.show_trainable:
            if getattr(layer, "weights", None):
                row.append("[bold color(34)]Y[/]" if layer.trainable else "[bold color(9)]N[/]")
            else:
                row.append("[bold color(9)]-[/]")
        rows.append(row)
        if self.expand_nested:
            for inner in getattr(layer, "layers", None) or ():
                self._add(rows, inner, level + 1)

    def _connections(self, layer: Any) -> str:
        names: list[str] = []
        own = {id(n) for n in self.nodes}
        for node in layer._inbound_nodes:
            if self.nodes and id(node) not in own:
                continue
            for x in node.input_tensors:
                operation, node_index, tensor_index = x._keras_history
                names.append(f"{operation.name}[{node_index}][{tensor_index}]")
        return ", ".join(names) or "-"


def _is_chain(model: Any) -> bool:
    """Returns whether each node has at most one input and each layer is called once."""
    nodes: list[Any] = []
    for at_depth in model._nodes_by_depth.values():
        if len(at_depth) > 1 or (len(at_depth) == 1 and len(at_depth[0].input_tensors) > 1):
            return False
        nodes += at_depth
    ids = {id(n) for n in nodes}
    return all(sum(id(n) in ids for n in layer._inbound_nodes) <= 1 for layer in model.layers)


def _params(layer: Any) -> str:
    if not hasattr(layer, "weights"):
        return _number("0")
    count = count_params(layer.weights)
    if not layer.built and not layer.weights:
        return f"{_number('0')} (unbuilt)"
    return _number(f"{count:,}")


def _number(text: str) -> str:
    return f"[color(34)]{text}[/]"


def _highlight_shape(text: str) -> str:
    from rich.markup import escape

    def color(match: re.Match[str]) -> str:
        word = match.group(0)
        return f"[color(45)]{word}[/]" if word == "None" else f"[color(34)]{word}[/]"

    return re.sub(r"None|\d+", color, escape(text))


def _bounds(layers: list[Any], layer_range: Any) -> tuple[int, int]:
    if layer_range is None:
        return 0, len(layers)
    if len(layer_range) != 2:
        raise ValueError(
            "layer_range must be a list or tuple of length 2. Received: layer_range = "
            f"{layer_range} of length {len(layer_range)}"
        )
    if not (isinstance(layer_range[0], str) and isinstance(layer_range[1], str)):
        raise ValueError(
            f"layer_range should contain string type only. Received: layer_range={layer_range}"
        )
    lower = [i for i, layer in enumerate(layers) if re.match(layer_range[0], layer.name)]
    upper = [i for i, layer in enumerate(layers) if re.match(layer_range[1], layer.name)]
    if not lower or not upper:
        raise ValueError(
            f"Passed layer_names do not match the layer names in the model. Received: {layer_range}"
        )
    if min(lower) > max(upper):
        return min(upper), max(lower) + 1
    return min(lower), max(upper) + 1


__all__ = [
    "count_params",
    "format_layer_shape",
    "print_summary",
    "readable_memory_size",
    "weight_memory_size",
]
