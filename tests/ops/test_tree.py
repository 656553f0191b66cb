"""Nested structures: order of leaves, types of nodes, refusals."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque, namedtuple
from typing import Any

import pytest

from pronghorn import tree

Point = namedtuple("Point", ["x", "y"])


class Tracked(list):  # type: ignore[type-arg]
    """A list that tracks attributes, as layers use."""


CASES: list[tuple[Any, list[Any]]] = [
    (1, [1]),
    ("ab", ["ab"]),
    (None, [None]),
    ([], []),
    ([1, (2, [3])], [1, 2, 3]),
    ({"b": 2, "a": 1}, [1, 2]),
    (OrderedDict([("b", 2), ("a", 1)]), [2, 1]),
    (defaultdict(list, {"b": 2, "a": 1}), [1, 2]),
    (Point(y=2, x=1), [1, 2]),
    (deque([1, 2]), [1, 2]),
    (Tracked([1, 2]), [1, 2]),
    ({1: "x", "a": "y"}, ["x", "y"]),
]


@pytest.mark.parametrize(("structure", "leaves"), CASES)
def test_flatten_and_pack(structure: Any, leaves: list[Any]) -> None:
    assert tree.flatten(structure) == leaves
    again = tree.pack_sequence_as(structure, leaves)
    assert again == structure
    assert type(again) is type(structure)
    assert [leaf for _, leaf in tree.flatten_with_path(structure)] == leaves


def test_pack_keeps_what_containers_are() -> None:
    found = tree.pack_sequence_as(defaultdict(list, {"a": 0}), [1])
    assert found.default_factory is list
    assert tree.pack_sequence_as(deque([0], maxlen=3), [1]).maxlen == 3
    assert list(tree.pack_sequence_as({"b": 0, "a": 0}, [1, 2])) == ["b", "a"]


def test_map() -> None:
    assert tree.map_structure(lambda x, y: x + y, {"a": [1]}, {"a": [2]}) == {"a": [3]}
    assert tree.map_structure(lambda x: x, [None], none_is_leaf=False) == [None]
    assert tree.map_structure_up_to([0, 0], len, [[1, 2], (3,)]) == [2, 1]
    assert tree.map_structure(lambda a, b: a - b, {"a": 3}, OrderedDict(a=1)) == {"a": 2}


def test_traverse() -> None:
    seen: list[Any] = []
    tree.traverse(seen.append, [1, (2,)])
    assert seen == [[1, (2,)], 1, (2,), 2]
    seen.clear()
    tree.traverse(seen.append, [1, (2,)], top_down=False)
    assert seen == [1, 2, (2,), [1, (2,)]]
    replaced = tree.traverse(lambda x: tree.MAP_TO_NONE if x == 1 else None, [1, 2])
    assert replaced == [None, 2]


def test_shapes_are_leaves() -> None:
    assert tree.map_shape_structure(len, {"a": (None, 3), "b": [(1,), [2, 2]]}) == {
        "a": 2,
        "b": [1, 2],
    }


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: tree.pack_sequence_as([0, 0], [1]), ValueError, "few"),
        (lambda: tree.pack_sequence_as([0], [1, 2]), ValueError, "many"),
        (lambda: tree.pack_sequence_as([0], 1), TypeError, "Iterable"),
        (lambda: tree.map_structure(lambda *a: a, [1], (1,)), ValueError, "list"),
        (lambda: tree.map_structure(lambda *a: a, [1], [1, 2]), ValueError, "arity"),
        (lambda: tree.map_structure(lambda *a: a, {"a": 1}, {"b": 1}), ValueError, "key"),
        (lambda: tree.map_structure(lambda *a: a, 1, [1]), ValueError, "nested structure"),
        (lambda: tree.map_structure(lambda *a: a, [1], Tracked([1])), ValueError, "list"),
        (lambda: tree.map_structure(lambda *a: a), ValueError, "at least one"),
        (lambda: tree.map_structure("f", [1]), TypeError, "callable"),
        (lambda: tree.assert_same_structure(Point(1, 2), (1, 2)), ValueError, "namedtuple"),
        (lambda: tree.assert_same_paths([1, 2], [1]), ValueError, "same paths"),
        (lambda: tree.traverse("f", [1]), TypeError, "callable"),
    ],
)
def test_refusals(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()
