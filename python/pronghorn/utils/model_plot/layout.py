"""Layout of a LayerGraph: ranks by longest path, crossings reduced by barycenters, groups as boxes.

The method is that of Sugiyama, Tagawa, Toda (1981), without its optimal placement: each rank is
placed under the mean of its neighbours, and pushed apart where boxes would overlap.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from pronghorn.utils.model_plot.layer_graph import LayerGraph, LayerNode

RANK_GAP = 36.0  # between ranks, points
SIDE_GAP = 24.0  # between boxes of a rank
MARGIN = 14.0  # between a group's frame and what is inside
TITLE = 18.0  # height of a group's name
_SWEEPS = 8


@dataclass
class Box:
    """A rectangle: left, top, width and height, in points."""

    x: float
    y: float
    width: float
    height: float


@dataclass
class Layout:
    """Where everything is, in points from the top left corner.

    `boxes`: of the layers and of the groups, by `id` of the node. `lines`: for each edge a list of
    points.
    """

    width: float = 0.0
    height: float = 0.0
    boxes: dict[int, Box] = field(default_factory=dict)
    groups: list[LayerNode] = field(default_factory=list)
    lines: list[list[tuple[float, float]]] = field(default_factory=list)


# A place in a rank: a node, or a bend of an edge that passes the rank.
_Slot = int


class _Ranks:
    """The slots of a graph by rank, in the order from left to right."""

    def __init__(self, graph: LayerGraph) -> None:
        self.graph = graph
        numbers = {id(node): i for i, node in enumerate(graph.nodes)}
        pairs = [(numbers[id(a.node)], numbers[id(b.node)]) for a, b in graph.edges]
        rank = [0] * len(graph.nodes)
        # Sources are before targets, but where a layer or a model inside is called again.
        for a, b in sorted(pairs):
            if a < b:
                rank[b] = max(rank[b], rank[a] + 1)
        self.rank = rank
        self.chains: list[list[_Slot]] = []  # for each edge its slots, from source to target
        for a, b in pairs:
            chain = [a]
            for between in range(rank[a] + 1, rank[b]):
                self.rank.append(between)
                chain.append(len(self.rank) - 1)
            self.chains.append([*chain, b])
        self.rows: list[list[_Slot]] = [[] for _ in range(max(self.rank, default=0) + 1)]
        for slot, row in enumerate(self.rank):
            self.rows[row].append(slot)
        self.above: dict[_Slot, list[_Slot]] = {slot: [] for slot in range(len(self.rank))}
        self.below: dict[_Slot, list[_Slot]] = {slot: [] for slot in range(len(self.rank))}
        for chain in self.chains:
            for a, b in zip(chain, chain[1:]):
                if self.rank[a] < self.rank[b]:
                    self.above[b].append(a)
                    self.below[a].append(b)

    def order(self) -> None:
        """Puts each slot near the mean of its neighbours, downwards and upwards in turn."""
        place = {slot: float(i) for row in self.rows for i, slot in enumerate(row)}
        for sweep in range(_SWEEPS):
            down = sweep % 2 == 0
            near = self.above if down else self.below
            for row in self.rows if down else reversed(self.rows):
                keys = {s: _mean([place[n] for n in near[s]], place[s]) for s in row}
                row.sort(key=lambda slot, keys=keys: keys[slot])  # type: ignore[misc]
                place.update({slot: float(i) for i, slot in enumerate(row)})

    def columns(self, widths: list[float]) -> list[float]:
        """Returns the centre of each slot."""
        x = [0.0] * len(self.rank)
        for row in self.rows:
            left = 0.0
            for slot in row:
                x[slot] = left + widths[slot] / 2
                left += widths[slot] + SIDE_GAP
        for sweep in range(2 * _SWEEPS):
            down = sweep % 2 == 0
            near = self.above if down else self.below
            for row in self.rows if down else reversed(self.rows):
                wanted = [_mean([x[n] for n in near[s]], x[s]) for s in row]
                for slot, centre in zip(row, _apart(wanted, [widths[s] for s in row])):
                    x[slot] = centre
        left = min((x[s] - widths[s] / 2 for s in range(len(x))), default=0.0)
        return [value - left for value in x]


def _mean(values: list[float], default: float) -> float:
    return sum(values) / len(values) if values else default


def _apart(wanted: list[float], widths: list[float]) -> list[float]:
    """Returns centres near the wanted ones, in that order and without overlap.

    Neighbours that would overlap are joined to blocks, whose place is the mean of what their
    members want.
    """
    blocks: list[tuple[list[int], float, float]] = []  # members, mean left edge, width
    for i, centre in enumerate(wanted):
        members, left, width = [i], centre - widths[i] / 2, widths[i]
        while blocks and blocks[-1][1] + blocks[-1][2] + SIDE_GAP > left:
            others, other_left, other_width = blocks.pop()
            shifted = left - other_width - SIDE_GAP
            left = (other_left * len(others) + shifted * len(members)) / (
                len(others) + len(members)
            )
            width += other_width + SIDE_GAP
            members = others + members
        blocks.append((members, left, width))
    centres = [0.0] * len(wanted)
    for members, left, _ in blocks:
        for i in members:
            centres[i] = left + widths[i] / 2
            left += widths[i] + SIDE_GAP
    return centres


def lay_out(
    graph: LayerGraph, size_of: Callable[[LayerNode], tuple[float, float]], rankdir: str
) -> Layout:
    """Returns where the boxes and lines of a graph are.

    Args:
        graph: the graph.
        size_of: width and height of a layer's box.
        rankdir: "TB" from top to bottom, "BT", "LR" or "RL".
    """
    across = rankdir in ("LR", "RL")
    layout = _lay_out(graph, size_of, rankdir)
    backwards = rankdir in ("BT", "RL")
    extent = layout.height
    for box in layout.boxes.values():
        if backwards:
            box.y = extent - box.y - box.height
        if across:
            box.x, box.y, box.width, box.height = box.y, box.x, box.height, box.width
    for line in layout.lines:
        for i, (x, y) in enumerate(line):
            y = extent - y if backwards else y
            line[i] = (y, x) if across else (x, y)
    if across:
        layout.width, layout.height = layout.height, layout.width
    return layout


def _lay_out(
    graph: LayerGraph, size_of: Callable[[LayerNode], tuple[float, float]], rankdir: str
) -> Layout:
    # Ranks go downwards here; the picture will be turned or put upside down.
    across = rankdir in ("LR", "RL")
    inner: dict[int, Layout] = {}
    widths: list[float] = []
    heights: list[float] = []
    for node in graph.nodes:
        if node.inner is not None:
            found = inner[id(node)] = _lay_out(node.inner, size_of, rankdir)
            width, height = found.width + 2 * MARGIN, found.height + 2 * MARGIN
            width, height = (width + TITLE, height) if across else (width, height + TITLE)
        else:
            width, height = size_of(node)
            width, height = (height, width) if across else (width, height)
        widths.append(width)
        heights.append(height)
    ranks = _Ranks(graph)
    ranks.order()
    slot_widths = widths + [0.0] * (len(ranks.rank) - len(widths))
    centres = ranks.columns(slot_widths)
    layout = Layout()
    tops: list[float] = []
    y = 0.0
    row_heights = []
    for row in ranks.rows:
        row_height = max((heights[s] for s in row if s < len(heights)), default=0.0)
        tops.append(y)
        row_heights.append(row_height)
        y += row_height + RANK_GAP
    layout.height = y - RANK_GAP
    layout.width = max((centres[s] + slot_widths[s] / 2 for s in range(len(centres))), default=0.0)
    for i, node in enumerate(graph.nodes):
        rank = ranks.rank[i]
        top = tops[rank] + (row_heights[rank] - heights[i]) / 2
        box = Box(centres[i] - widths[i] / 2, top, widths[i], heights[i])
        layout.boxes[id(node)] = box
        if node.inner is not None:
            dx = box.x + MARGIN + (TITLE if across else 0.0)
            dy = box.y + MARGIN + (TITLE if rankdir == "TB" else 0.0)
            _move_into(layout, inner[id(node)], dx, dy)
            layout.groups.append(node)
    for (source, target), chain in zip(graph.edges, ranks.chains):
        first, last = layout.boxes[id(source.layer)], layout.boxes[id(target.layer)]
        line = [(first.x + first.width / 2, first.y + first.height)]
        for slot in chain[1:-1]:
            top = tops[ranks.rank[slot]]
            line.append((centres[slot], top))
            line.append((centres[slot], top + row_heights[ranks.rank[slot]]))
        line.append((last.x + last.width / 2, last.y))
        layout.lines.append(line)
    return layout


def _move_into(layout: Layout, inner: Layout, dx: float, dy: float) -> None:
    for key, box in inner.boxes.items():
        layout.boxes[key] = Box(box.x + dx, box.y + dy, box.width, box.height)
    layout.lines += [[(x + dx, y + dy) for x, y in line] for line in inner.lines]
    layout.groups += inner.groups
