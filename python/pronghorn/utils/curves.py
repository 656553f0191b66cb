"""Curves of training, drawn by matplotlib where it is installed."""

from __future__ import annotations

import os
from typing import Any

from pronghorn.saving.atomic_write import atomic_write


def new_figure(what: str, columns: int, width: float, path: Any) -> tuple[Any, list[Any]]:
    """Returns a figure of matplotlib, and its axes in a row.

    Args:
        what: what asks, for the error.
        columns: number of axes.
        width: of one of the axes, in inches.
        path: file that it will be saved to, or `None` for a figure that `pyplot.show()` shows.

    Raises:
        ImportError: matplotlib is not installed.
    """
    try:
        import matplotlib.figure
    except ImportError as e:
        raise ImportError(
            f"{what}: matplotlib is not installed. `pip install 'pronghorn[plot]'`."
        ) from e
    arguments: dict[str, Any] = {
        "figsize": (width * columns, 3.5),
        "layout": "constrained",
    }
    if path is None:
        from matplotlib import pyplot

        figure = pyplot.figure(**arguments)
    else:
        figure = matplotlib.figure.Figure(**arguments)
    return figure, list(figure.subplots(1, columns, squeeze=False)[0])


def save(figure: Any, path: Any) -> None:
    """Saves a figure, if there is a path for it."""
    if path is None:
        return
    import matplotlib

    name, ending = os.path.splitext(os.fspath(path))
    ending = ending or f".{matplotlib.rcParams['savefig.format']}"
    with atomic_write(name + ending) as beside:
        figure.savefig(beside, format=ending[1:])
