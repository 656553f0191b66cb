"""Drawing of a laid out graph: as SVG text, or into a PNG file by way of pillow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import escape

from pronghorn.utils.model_plot.labels import FONT_SIZE, TITLE_SIZE, Label
from pronghorn.utils.model_plot.layout import TITLE, Layout

BORDER = 12.0  # around the picture, points
_FRAME = "#404040"
_GROUP = "#f3f3f3"
_ARROW = 7.0  # length of an arrow's head
_POINTS_PER_INCH = 72.0


def _path(line: list[tuple[float, float]], splines: str, sideways: bool) -> list[Any]:
    """Returns the points of an edge: with right angles, straight, or those of cubic curves."""
    points = [line[0]]
    for (x0, y0), (x1, y1) in zip(line, line[1:]):
        if splines == "curved":
            half_x, half_y = (x0 + x1) / 2, (y0 + y1) / 2
            controls = [(half_x, y0), (half_x, y1)] if sideways else [(x0, half_y), (x1, half_y)]
            points += [*controls, (x1, y1)]
            continue
        if splines == "ortho" and abs(x0 - x1) > 0.5 and abs(y0 - y1) > 0.5:
            if sideways:
                points += [((x0 + x1) / 2, y0), ((x0 + x1) / 2, y1)]
            else:
                points += [(x0, (y0 + y1) / 2), (x1, (y0 + y1) / 2)]
        points.append((x1, y1))
    return points


def _arrow(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    tip = points[-1]
    before = next((p for p in reversed(points[:-1]) if p != tip), (tip[0], tip[1] - 1))
    dx, dy = tip[0] - before[0], tip[1] - before[1]
    length = (dx * dx + dy * dy) ** 0.5
    dx, dy = dx / length * _ARROW, dy / length * _ARROW
    back = (tip[0] - dx, tip[1] - dy)
    return [tip, (back[0] - dy / 3, back[1] + dx / 3), (back[0] + dy / 3, back[1] - dx / 3)]


def _cells(label: Label, box: Any) -> Iterator[tuple[Any, float, float, float, float]]:
    height = box.height / len(label.rows)
    for i, row in enumerate(label.rows):
        width = box.width / len(row)
        for j, cell in enumerate(row):
            yield cell, box.x + j * width, box.y + i * height, width, height


def draw_svg(layout: Layout, labels: dict[int, Label], splines: str, sideways: bool) -> str:
    """Returns an SVG document, with lengths in points."""
    width, height = layout.width + 2 * BORDER, layout.height + 2 * BORDER
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.1f}pt" height="{height:.1f}pt" '
        f'viewBox="{-BORDER} {-BORDER} {width:.1f} {height:.1f}" '
        f'font-family="Helvetica, Arial, sans-serif" font-size="{FONT_SIZE}">',
        f'<rect x="{-BORDER}" y="{-BORDER}" width="{width:.1f}" height="{height:.1f}" '
        'fill="#ffffff"/>',
    ]
    for node in sorted(layout.groups, key=lambda node: len(node.path)):
        box = layout.boxes[id(node)]
        parts.append(_svg_rect(box.x, box.y, box.width, box.height, _GROUP))
        parts.append(
            f'<text x="{box.x + 6:.1f}" y="{box.y + TITLE - 5:.1f}" font-size="{TITLE_SIZE}">'
            f"{escape(node.layer.name)}</text>"
        )
    for line in layout.lines:
        points = _path(line, splines, sideways)
        texts = [f"{x:.1f},{y:.1f}" for x, y in points]
        if splines == "curved":
            d = f"M{texts[0]} " + " ".join(
                "C" + " ".join(texts[i : i + 3]) for i in range(1, len(texts), 3)
            )
        else:
            d = "M" + " L".join(texts)
        head = " ".join(f"{x:.1f},{y:.1f}" for x, y in _arrow(points))
        parts.append(f'<path d="{d}" fill="none" stroke="{_FRAME}"/>')
        parts.append(f'<polygon points="{head}" fill="{_FRAME}"/>')
    for key, label in labels.items():
        for cell, x, y, w, h in _cells(label, layout.boxes[key]):
            parts.append(_svg_rect(x, y, w, h, cell.fill))
            parts.append(
                f'<text x="{x + w / 2:.1f}" y="{y + h / 2 + FONT_SIZE * 0.35:.1f}" '
                f'text-anchor="middle" fill="{cell.color}">{escape(cell.text)}</text>'
            )
    parts.append("</svg>\n")
    return "\n".join(parts)


def _svg_rect(x: float, y: float, width: float, height: float, fill: str) -> str:
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
        f'fill="{fill}" stroke="{_FRAME}"/>'
    )


def draw_png(
    layout: Layout, labels: dict[int, Label], splines: str, sideways: bool, path: Any, dpi: float
) -> None:
    """Writes a PNG file."""
    from PIL import Image, ImageDraw, ImageFont

    scale = dpi / _POINTS_PER_INCH
    size = (
        max(1, round((layout.width + 2 * BORDER) * scale)),
        max(1, round((layout.height + 2 * BORDER) * scale)),
    )
    image = Image.new("RGB", size, "#ffffff")
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(FONT_SIZE * scale)
    line_width = max(1, round(scale))

    def at(x: float, y: float) -> tuple[float, float]:
        return ((x + BORDER) * scale, (y + BORDER) * scale)

    def rectangle(x: float, y: float, width: float, height: float, fill: str) -> None:
        corners = [at(x, y), at(x + width, y + height)]
        draw.rectangle(corners, fill=fill, outline=_FRAME, width=line_width)

    for node in sorted(layout.groups, key=lambda node: len(node.path)):
        box = layout.boxes[id(node)]
        rectangle(box.x, box.y, box.width, box.height, _GROUP)
        title = ImageFont.load_default(TITLE_SIZE * scale)
        draw.text(at(box.x + 6, box.y + TITLE - 5), node.layer.name, "#000000", title, anchor="ls")
    for line in layout.lines:
        points = _path(line, splines, sideways)
        drawn = _flattened(points) if splines == "curved" else points
        draw.line([at(x, y) for x, y in drawn], fill=_FRAME, width=line_width)
        draw.polygon([at(x, y) for x, y in _arrow(points)], fill=_FRAME)
    for key, label in labels.items():
        for cell, x, y, w, h in _cells(label, layout.boxes[key]):
            rectangle(x, y, w, h, cell.fill)
            draw.text(at(x + w / 2, y + h / 2), cell.text, cell.color, font, anchor="mm")
    image.save(path, format="PNG", dpi=(dpi, dpi))


def _flattened(points: list[tuple[float, float]], pieces: int = 16) -> list[tuple[float, float]]:
    """Returns points on cubic curves, given by their ends and controls."""
    found = [points[0]]
    for i in range(1, len(points), 3):
        a, (b, c, d) = points[i - 1], points[i : i + 3]
        for step in range(1, pieces + 1):
            t = step / pieces
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
            found.append(
                (
                    sum(w * p[0] for w, p in zip(weights, (a, b, c, d))),
                    sum(w * p[1] for w, p in zip(weights, (a, b, c, d))),
                )
            )
    return found


def pillow_width(text: str) -> float:
    """Returns the width of a text in points, in the font of `draw_png`."""
    from PIL import ImageFont

    return float(ImageFont.load_default(FONT_SIZE * 4).getlength(text)) / 4
