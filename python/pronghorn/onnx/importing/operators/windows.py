"""Windows of convolution and pooling: sizes, steps, and pads against those of layers."""

from __future__ import annotations

import dataclasses

from pronghorn.onnx.importing import attributes
from pronghorn.onnx.importing.file import Node
from pronghorn.onnx.importing.values import Size


@dataclasses.dataclass
class Window:
    """How windows lie on the axes of an image.

    Args:
        kernel: Sizes.
        strides: Steps.
        dilations: Distances between the places of a window.
        pads: Rows in front and behind, for each axis; None: as the output needs, split evenly with
            the larger half in front (`SAME_LOWER`) or behind (`SAME_UPPER`).
        lower: Whether the larger half is in front.
    """

    kernel: list[int]
    strides: list[int]
    dilations: list[int]
    pads: list[tuple[int, int]] | None
    lower: bool = False

    def explicit_pads(self, sizes: list[Size]) -> list[tuple[int, int]]:
        """Returns the pads for axes of known sizes.

        Raises:
            ValueError: If they depend on a size that is open.
        """
        if self.pads is not None:
            return self.pads
        found = []
        for i, size in enumerate(sizes):
            total = self._same_total(i, size)
            if total is None:
                raise ValueError(f"with auto_pad on the open size '{size}': give input_shapes")
            first, second = total // 2, total - total // 2
            found.append((second, first) if self.lower else (first, second))
        return found

    def padding(self, sizes: list[Size]) -> str | None:
        """Returns the `padding` of a layer with the same pads, or None if there is none."""
        if self.pads is None and not self.lower:
            return "same"
        if self.pads is not None and not any(p for pair in self.pads for p in pair):
            return "valid"
        pads: list[tuple[int, int]] | None = self.pads
        for i, size in enumerate(sizes):
            total = self._same_total(i, size)
            if total is None:
                return None
            pair = pads[i] if pads is not None else (total - total // 2, total // 2)
            if pair != (total // 2, total - total // 2):
                return None
        return "same"

    def _same_total(self, i: int, size: Size) -> int | None:
        """Returns the rows that `same` adds, None if they depend on an open size."""
        reach = self.reach(i)
        if self.strides[i] == 1:
            return reach - 1
        if not isinstance(size, int):
            return None
        outputs = -(-size // self.strides[i])
        return max(0, (outputs - 1) * self.strides[i] + reach - size)

    def reach(self, i: int) -> int:
        """Returns the rows that a window spans."""
        return (self.kernel[i] - 1) * self.dilations[i] + 1


def window_of(node: Node, kernel: list[int]) -> Window:
    """Returns the window of a node, from its attributes.

    Args:
        node: The node.
        kernel: Sizes of the window.
    """
    rank = len(kernel)
    strides = attributes.window(node, "strides", rank, 1)
    dilations = attributes.window(node, "dilations", rank, 1)
    auto = attributes.text(node, "auto_pad", "NOTSET")
    if auto == "VALID":
        return Window(kernel, strides, dilations, [(0, 0)] * rank)
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        return Window(kernel, strides, dilations, None, auto == "SAME_LOWER")
    if auto != "NOTSET":
        raise ValueError(f"attribute 'auto_pad': unknown. Received: {auto!r:.100}.")
    pads = attributes.window(node, "pads", 2 * rank, 0, least=0)
    return Window(kernel, strides, dilations, list(zip(pads[:rank], pads[rank:])))
