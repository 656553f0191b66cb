"""plot_model: what is in the picture, and that nothing in it overlaps."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

import pronghorn as keras
from pronghorn import layers
from pronghorn.utils import plot_model
from pronghorn.utils.model_plot.layer_graph import layer_graph
from pronghorn.utils.model_plot.layout import lay_out


def sequential() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(3, activation="relu", name="first"),
            layers.Dropout(0.5),
            layers.Dense(2, name="last", trainable=False),
        ],
        name="chain",
    )


def branches() -> keras.Model:
    x = keras.Input((4,), name="x")
    y = keras.Input((4,), name="y")
    shared = layers.Dense(4, name="shared")
    a, b = shared(x), shared(y)
    inner = sequential()
    two = keras.Model(inner.inputs, [inner.outputs[0], inner.outputs[0] * 2.0], name="two")
    c, d = two(layers.add([a, b, x]))
    e = inner(layers.concatenate([a, y])[:, :4])
    return keras.Model({"x": x, "y": y}, [layers.concatenate([c, d, e]), shared(a)])


class Subclassed(keras.Model):
    def __init__(self) -> None:
        super().__init__(name="own")
        self.dense = layers.Dense(2)

    def call(self, x: Any) -> Any:
        return self.dense(x)


def subclassed() -> keras.Model:
    model = Subclassed()
    model(keras.ops.ones((1, 3)))
    return model


def _texts(path: Path) -> list[str]:
    root = ElementTree.parse(path).getroot()
    return [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text")]


def test_texts(tmp_path: Path) -> None:
    path = tmp_path / "m.svg"
    assert plot_model(sequential(), path) is None
    assert _texts(path) == ["Dense", "Dropout", "Dense"]
    plot_model(
        sequential(),
        path,
        show_shapes=True,
        show_dtype=True,
        show_layer_names=True,
        show_layer_activations=True,
        show_trainable=True,
    )
    texts = _texts(path)
    assert texts[:6] == [
        "first (Dense)",
        "Activation: relu",
        "Input shape: (None, 4)",
        "Output shape: (None, 3)",
        "Output dtype: float32",
        "Trainable",
    ]
    assert texts[-1] == "Non-trainable"


def test_functional_and_nested(tmp_path: Path) -> None:
    model = branches()
    path = tmp_path / "m.svg"
    plot_model(model, path, show_layer_names=True, show_shapes=True)
    texts = _texts(path)
    assert {"x (InputLayer)", "y (InputLayer)", "shared (Dense)", "two (Functional)"} <= set(texts)
    assert texts.count("shared (Dense)") == 1 and "first (Dense)" not in texts
    assert "Output shape: [(None, 2), (None, 2)]" in texts
    plot_model(model, path, show_layer_names=True, expand_nested=True)
    texts = _texts(path)
    assert texts.count("first (Dense)") == 2 and "two (Functional)" not in texts
    assert {"two", "chain"} <= set(texts)  # titles of the groups


def test_subclassed_and_time_distributed(tmp_path: Path) -> None:
    path = tmp_path / "m.svg"
    plot_model(subclassed(), path, show_layer_names=True)
    assert _texts(path) == ["own (Subclassed)"]
    model = keras.Sequential([keras.Input((5, 3)), layers.TimeDistributed(layers.Dense(2))])
    plot_model(model, path)
    assert _texts(path) == ["TimeDistributed(Dense)"]


def _far_residual() -> keras.Model:
    x = h = keras.Input((3,))
    for _ in range(6):
        h = layers.Dense(3)(h)
    wide = [layers.Dense(i + 1)(h) for i in range(5)]
    return keras.Model(x, [layers.add([x, h]), layers.concatenate(wide)])


@pytest.mark.parametrize("rankdir", ["TB", "BT", "LR", "RL"])
@pytest.mark.parametrize("build", [sequential, branches, subclassed, _far_residual])
def test_layout(build: Any, rankdir: str) -> None:
    graph = layer_graph(build(), expand_nested=True)
    layout = lay_out(graph, lambda node: (40.0 + 7 * len(node.layer.name), 20.0), rankdir)
    groups = {id(node) for node in layout.groups}
    for key, box in layout.boxes.items():
        assert box.x >= -1e-6 and box.x + box.width <= layout.width + 1e-6, key
        assert box.y >= -1e-6 and box.y + box.height <= layout.height + 1e-6, key
    for (a, one), (b, two) in combinations(layout.boxes.items(), 2):
        if a not in groups and b not in groups:
            apart_x = one.x + one.width <= two.x or two.x + two.width <= one.x
            apart_y = one.y + one.height <= two.y or two.y + two.height <= one.y
            assert apart_x or apart_y
    edges = graph.flat_edges()
    assert len(layout.lines) == len(edges)
    ends = {tuple(line[0] + line[-1]) for line in layout.lines}
    for source, target in edges:
        expected = [
            _middle(layout.boxes[id(source)], rankdir, out=True),
            _middle(layout.boxes[id(target)], rankdir, out=False),
        ]
        assert any(
            abs(end[0] - expected[0][0])
            + abs(end[1] - expected[0][1])
            + abs(end[2] - expected[1][0])
            + abs(end[3] - expected[1][1])
            < 1e-6
            for end in ends
        )


def _middle(box: Any, rankdir: str, out: bool) -> tuple[float, float]:
    far = out == (rankdir in ("TB", "LR"))
    if rankdir in ("TB", "BT"):
        return box.x + box.width / 2, box.y + (box.height if far else 0)
    return box.x + (box.width if far else 0), box.y + box.height / 2


def test_layers_follow_the_direction() -> None:
    graph = layer_graph(sequential())
    for rankdir, sign in (("TB", 1), ("BT", -1), ("LR", 1), ("RL", -1)):
        boxes = lay_out(graph, lambda node: (50.0, 20.0), rankdir).boxes
        places = [
            boxes[id(n)].y if rankdir in ("TB", "BT") else boxes[id(n)].x for n in graph.nodes
        ]
        assert places == sorted(places, reverse=sign < 0)


@pytest.mark.parametrize("splines", ["ortho", "line", "polyline", "curved", "spline"])
def test_png_and_splines(tmp_path: Path, splines: str) -> None:
    image = pytest.importorskip("PIL.Image", reason="pillow is missing: pip install pillow")
    sizes = []
    for dpi in (50, 100):
        plot_model(branches(), tmp_path / "m.png", expand_nested=True, dpi=dpi, splines=splines)
        with image.open(tmp_path / "m.png") as picture:
            sizes.append(picture.size)
            colors = {color for _, color in picture.getcolors(1 << 20)}
            assert {(255, 255, 255), (0x20, 0x20, 0x20)} <= colors
    assert abs(sizes[1][0] - 2 * sizes[0][0]) <= 1
    plot_model(branches(), tmp_path / "m.svg", rankdir="LR", splines=splines)
    ElementTree.parse(tmp_path / "m.svg")


def test_names_are_escaped(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((1,)), layers.Dense(1, name="a<b>&c")], name="<&>")
    outer = keras.Sequential([keras.Input((1,)), model])
    plot_model(outer, tmp_path / "m.svg", show_layer_names=True, expand_nested=True)
    assert _texts(tmp_path / "m.svg") == ["<&>", "a<b>&c (Dense)"]


def test_refusals(tmp_path: Path) -> None:
    path = tmp_path / "m.svg"
    cases: list[tuple[dict[str, Any], str]] = [
        (
            {"to_file": "m.dot"},
            "plot_model: to_file must end with .svg or .png. Received: to_file='m.dot'.",
        ),
        (
            {"rankdir": "XY"},
            "plot_model: rankdir must be one of ('TB', 'BT', 'LR', 'RL'). Received: rankdir='XY'.",
        ),
        (
            {"splines": "true"},
            "plot_model: splines must be one of ('ortho', 'polyline', 'line', 'curved', 'spline')"
            ". Received: splines='true'.",
        ),
        ({"dpi": 0}, "plot_model: dpi must be a positive number. Received: dpi=0."),
        ({"subgraph": True}, "plot_model: unknown arguments. Received: ['subgraph']."),
    ]
    for arguments, message in cases:
        with pytest.raises(ValueError) as info:
            plot_model(sequential(), **{"to_file": path, **arguments})
        assert str(info.value) == message
    with pytest.raises(ValueError, match=r"has not yet been built.*Received: Subclassed 'own'\."):
        plot_model(Subclassed(), path)
    assert not path.exists()


def test_png_without_pillow(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['PIL'] = None\n"
        "import pronghorn as keras\n"
        "model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])\n"
        f"keras.utils.plot_model(model, {str(tmp_path / 'm.svg')!r})\n"
        "try: keras.utils.plot_model(model, 'm.png')\n"
        "except ImportError as e: print(e)\n"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout == (
        "plot_model: a .png file needs pillow, which is not installed. "
        "`pip install 'pronghorn[plot]'`, or write an .svg file. Received: to_file='m.png'.\n"
    )


def test_what_is_no_model_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="plot_model: expected a model. Received: model=3"):
        keras.utils.plot_model(3, tmp_path / "m.svg")
