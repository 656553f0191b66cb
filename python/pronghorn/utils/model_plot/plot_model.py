"""plot_model: a picture of a model's layers."""

from __future__ import annotations

import os
import sys
from typing import Any

from pronghorn.saving.atomic_write import atomic_write
from pronghorn.utils.model_plot.drawing import draw_png, draw_svg, pillow_width
from pronghorn.utils.model_plot.labels import helvetica_width, make_label
from pronghorn.utils.model_plot.layer_graph import layer_graph
from pronghorn.utils.model_plot.layout import lay_out

_RANKDIRS = ("TB", "BT", "LR", "RL")
_SPLINES = {
    "ortho": "ortho",
    "polyline": "line",
    "line": "line",
    "curved": "curved",
    "spline": "curved",
}


def plot_model(
    model: Any,
    to_file: Any = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: float = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
    **kwargs: Any,
) -> Any:
    """Draws the layers of a model and how they are connected.

    A subclassed model is one box. Graphviz is not needed.

    Args:
        model: a built model.
        to_file: path of the file, `.svg` or `.png`. PNG needs pillow
            (`pip install 'pronghorn[plot]'`).
        show_shapes: whether shapes of inputs and outputs are written.
        show_dtype: whether dtypes of outputs are written.
        show_layer_names: whether names are written beside the classes.
        rankdir: direction of the layers: "TB" from top to bottom, "LR" from left to right, "BT",
            "RL".
        expand_nested: whether models inside the model are drawn as groups of their layers.
        dpi: dots an inch of a PNG.
        show_layer_activations: whether the activations of layers are written.
        show_trainable: whether it is written if a layer with weights is trained.
        splines: form of the lines: "ortho", "line", "polyline", "curved" or "spline".
        **kwargs: none is supported.

    Returns:
        In a notebook the picture, which it then shows; else `None`.

    Raises:
        ValueError: the model is not built, or an argument is none of those above.
        ImportError: pillow is needed and not installed.

    Example:

    >>> import os
    >>> import tempfile
    >>> import pronghorn as keras
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    >>> path = os.path.join(tempfile.mkdtemp(), "model.svg")
    >>> keras.utils.plot_model(model, path, show_shapes=True)
    >>> os.path.exists(path)
    True
    """
    if kwargs:
        raise ValueError(f"plot_model: unknown arguments. Received: {sorted(kwargs)}.")
    path = os.fspath(to_file)
    extension = os.path.splitext(str(path))[1].lower()
    if extension not in (".svg", ".png"):
        raise ValueError(
            f"plot_model: to_file must end with .svg or .png. Received: to_file={str(path)!r}."
        )
    if rankdir not in _RANKDIRS:
        raise ValueError(
            f"plot_model: rankdir must be one of {_RANKDIRS}. Received: rankdir={rankdir!r}."
        )
    if splines not in _SPLINES:
        raise ValueError(
            f"plot_model: splines must be one of {tuple(_SPLINES)}. Received: splines={splines!r}."
        )
    if isinstance(dpi, bool) or not isinstance(dpi, (int, float)) or not dpi > 0:
        raise ValueError(f"plot_model: dpi must be a positive number. Received: dpi={dpi!r}.")
    if not hasattr(model, "layers"):
        raise ValueError(f"plot_model: expected a model. Received: model={model!r}.")
    graph = layer_graph(model, expand_nested)
    if extension == ".png":
        try:
            import PIL  # noqa: F401
        except ImportError as e:
            raise ImportError(
                "plot_model: a .png file needs pillow, which is not installed. "
                "`pip install 'pronghorn[plot]'`, or write an .svg file. "
                f"Received: to_file={str(path)!r}."
            ) from e
    labels = {
        id(node): make_label(
            node.layer,
            show_shapes,
            show_dtype,
            show_layer_names,
            show_layer_activations,
            show_trainable,
        )
        for node in graph.flat_nodes()
    }
    width = helvetica_width if extension == ".svg" else pillow_width
    layout = lay_out(graph, lambda node: labels[id(node)].size(width), rankdir)
    sideways = rankdir in ("LR", "RL")
    with atomic_write(str(path)) as beside:
        if extension == ".svg":
            with open(beside, "w", encoding="utf-8") as file:
                file.write(draw_svg(layout, labels, _SPLINES[splines], sideways))
        else:
            draw_png(layout, labels, _SPLINES[splines], sideways, beside, dpi)
    return _shown(str(path), extension)


def _shown(path: str, extension: str) -> Any:
    if "ipykernel" not in sys.modules:
        return None
    from IPython import display

    return display.SVG(path) if extension == ".svg" else display.Image(path)
