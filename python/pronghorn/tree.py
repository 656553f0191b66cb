"""Nested structures: flatten, map and rebuild lists, tuples, dicts and deques of leaves.

Dicts are visited in sorted key order, `OrderedDict`s in their own. `None` is a leaf. Subclasses of
list and dict, and of set (containers that track attributes), are structures; a plain set is not.
"""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterable, Iterator
from typing import Any

__all__ = [
    "MAP_TO_NONE",
    "assert_same_paths",
    "assert_same_structure",
    "flatten",
    "flatten_with_path",
    "is_nested",
    "lists_to_tuples",
    "map_shape_structure",
    "map_structure",
    "map_structure_up_to",
    "pack_sequence_as",
    "traverse",
]

_NOT_NODE, _SEQUENCE, _NAMED_TUPLE, _DICT, _ORDERED_DICT, _SET, _DEQUE = range(7)
_DICT_TYPES = (dict, collections.OrderedDict, collections.defaultdict)
_kinds: dict[type, int] = {list: _SEQUENCE, tuple: _SEQUENCE, dict: _DICT}


class MAP_TO_NONE:
    """What the function given to `traverse` returns to put `None` in a place."""


def _kind(x: Any) -> int:
    kind = _kinds.get(type(x))
    if kind is None:
        kind = _kinds[type(x)] = _find_kind(type(x))
    return kind


def _find_kind(cls: type) -> int:
    if issubclass(cls, tuple):
        return _NAMED_TUPLE if hasattr(cls, "_fields") else _SEQUENCE
    if issubclass(cls, list):
        return _SEQUENCE
    if issubclass(cls, collections.OrderedDict):
        return _ORDERED_DICT
    if issubclass(cls, dict):
        return _DICT
    if issubclass(cls, collections.deque):
        return _DEQUE
    if issubclass(cls, set) and cls is not set:
        return _SET
    return _NOT_NODE


def _keys(x: Any, kind: int) -> list[Any]:
    if kind == _ORDERED_DICT:
        return list(x)
    try:
        return sorted(x)
    except TypeError:
        return sorted(x, key=lambda k: (type(k).__qualname__, str(k)))


def _children(x: Any, kind: int) -> list[Any]:
    if kind in (_DICT, _ORDERED_DICT):
        return [x[k] for k in _keys(x, kind)]
    return list(x)


def _rebuild(x: Any, kind: int, children: list[Any]) -> Any:
    cls = type(x)
    if kind == _NAMED_TUPLE:
        return cls(*children)
    if kind == _DEQUE:
        return cls(children, x.maxlen)
    if kind in (_DICT, _ORDERED_DICT):
        found = dict(zip(_keys(x, kind), children))
        ordered = {k: found[k] for k in x}
        if isinstance(x, collections.defaultdict):
            return cls(x.default_factory, ordered)
        return cls(ordered)
    return cls(children)


def is_nested(structure: Any) -> bool:
    """Returns whether `structure` is a structure and not a leaf.

    Args:
        structure: anything.

    Returns:
        A bool.

    Example:

    >>> is_nested([1, 2]), is_nested("ab")
    (True, False)
    """
    return _kind(structure) != _NOT_NODE


def flatten(structure: Any) -> list[Any]:
    """Returns the leaves of a structure in order.

    Args:
        structure: a structure or a leaf.

    Returns:
        A list of leaves.

    Example:

    >>> flatten({"b": [2, 3], "a": 1})
    [1, 2, 3]
    """
    leaves: list[Any] = []
    _flatten_into(structure, leaves)
    return leaves


def _flatten_into(x: Any, leaves: list[Any]) -> None:
    kind = _kind(x)
    if kind == _NOT_NODE:
        leaves.append(x)
        return
    for child in _children(x, kind):
        _flatten_into(child, leaves)


def flatten_with_path(structure: Any) -> list[tuple[tuple[Any, ...], Any]]:
    """Returns the leaves of a structure with the keys and indices that lead to each.

    Args:
        structure: a structure or a leaf.

    Returns:
        A list of `(path, leaf)`, `path` being a tuple.

    Example:

    >>> flatten_with_path({"a": [5]})
    [(('a', 0), 5)]
    """
    found: list[tuple[tuple[Any, ...], Any]] = []

    def visit(x: Any, path: tuple[Any, ...]) -> None:
        kind = _kind(x)
        if kind == _NOT_NODE:
            found.append((path, x))
            return
        children = _children(x, kind)
        is_dict = kind in (_DICT, _ORDERED_DICT)
        for key, child in zip(_keys(x, kind) if is_dict else range(len(children)), children):
            visit(child, (*path, key))

    visit(structure, ())
    return found


def pack_sequence_as(structure: Any, flat_sequence: Iterable[Any]) -> Any:
    """Puts leaves into the form of a structure; the reverse of `flatten`.

    Args:
        structure: the structure to imitate.
        flat_sequence: its new leaves in order.

    Returns:
        A structure like the first argument.

    Raises:
        TypeError: if `flat_sequence` is not iterable.
        ValueError: if the numbers of leaves differ.

    Example:

    >>> pack_sequence_as({"a": 0, "b": [0]}, [1, 2])
    {'a': 1, 'b': [2]}
    """
    if not isinstance(flat_sequence, Iterable):
        raise TypeError(
            "pack_sequence_as: expected an Iterable of leaves. "
            f"Received: flat_sequence={flat_sequence!r}."
        )
    leaves = list(flat_sequence)
    expected = len(flatten(structure))
    if len(leaves) != expected:
        word = "few" if len(leaves) < expected else "many"
        raise ValueError(
            f"pack_sequence_as: Too {word} leaves for the structure; "
            f"leaves expected: {expected}. Received: {len(leaves)} leaves."
        )
    return _pack(structure, iter(leaves))


def _pack(x: Any, leaves: Iterator[Any]) -> Any:
    kind = _kind(x)
    if kind == _NOT_NODE:
        return next(leaves)
    return _rebuild(x, kind, [_pack(child, leaves) for child in _children(x, kind)])


def map_structure(func: Callable[..., Any], *structures: Any, none_is_leaf: bool = True) -> Any:
    """Applies a function to the leaves that stand in the same place of one or more structures.

    Args:
        func: called with one leaf of each structure.
        *structures: structures of the same form; dict types may differ from each other.
        none_is_leaf: whether `func` is called with `None` leaves; else they are kept.

    Returns:
        A structure like the first one, with the results as leaves.

    Raises:
        TypeError: if `func` is not callable.
        ValueError: if there is no structure or the forms differ.

    Example:

    >>> map_structure(lambda a, b: a + b, {"x": 1}, {"x": 2})
    {'x': 3}
    """
    if not callable(func):
        raise TypeError(f"map_structure: `func` must be callable. Received: func={func!r}.")
    if not structures:
        raise ValueError("map_structure: Must provide at least one structure.")
    return _map(func, structures, none_is_leaf, exact=True)


def map_structure_up_to(shallow_structure: Any, func: Callable[..., Any], *structures: Any) -> Any:
    """Applies a function as `map_structure` does, down to the leaves of a shallow structure only.

    Args:
        shallow_structure: says where to stop.
        func: called with what each structure has at a leaf of the shallow one.
        *structures: structures that have the form of the shallow one, or deeper.

    Returns:
        A structure like `shallow_structure`.

    Raises:
        TypeError: if `func` is not callable.
        ValueError: if there is no structure or the forms differ.

    Example:

    >>> map_structure_up_to([0, 0], len, [[1, 2], [3]])
    [2, 1]
    """
    if not callable(func):
        raise TypeError(f"map_structure_up_to: `func` must be callable. Received: func={func!r}.")
    if not structures:
        raise ValueError("map_structure_up_to: Must provide at least one structure.")
    return _map(
        lambda _, *leaves: func(*leaves), (shallow_structure, *structures), True, exact=False
    )


def _map(
    func: Callable[..., Any], structures: tuple[Any, ...], none_is_leaf: bool, exact: bool
) -> Any:
    first = structures[0]
    kind = _kind(first)
    if kind == _NOT_NODE:
        if exact and any(_kind(s) != _NOT_NODE for s in structures[1:]):
            raise ValueError(
                "Structures don't have the same nested structure. "
                f"Received: a leaf and {next(s for s in structures if is_nested(s))!r}."
            )
        if first is None and not none_is_leaf:
            for other in structures[1:]:
                if other is not None:
                    raise ValueError(f"Expected None, got {other!r}.")
            return None
        return func(*structures)
    if len(structures) == 1:
        lists = [(child,) for child in _children(first, kind)]
    else:
        for other in structures[1:]:
            _check_same_node(first, other, kind)
        columns = [_children_like(first, s, kind) for s in structures]
        lists = list(zip(*columns))
    return _rebuild(first, kind, [_map(func, row, none_is_leaf, exact) for row in lists])


def _children_like(first: Any, other: Any, kind: int) -> list[Any]:
    if kind in (_DICT, _ORDERED_DICT):
        return [other[k] for k in _keys(first, kind)]
    return list(other)


def _type_name(x: Any) -> str:
    name = type(x).__name__
    return f"namedtuple {name}" if _kind(x) == _NAMED_TUPLE else name


def _check_same_node(first: Any, other: Any, kind: int) -> None:
    """Raises unless the two nodes have the same type and the same number of children or keys."""
    both_dicts = type(first) in _DICT_TYPES and type(other) in _DICT_TYPES
    if type(first) is not type(other) and not both_dicts:
        raise ValueError(f"Expected an instance of {_type_name(first)}, got {other!r}.")
    if kind in (_DICT, _ORDERED_DICT):
        if not both_dicts and kind == _ORDERED_DICT:
            same = list(first) == list(other)
        else:
            same = first.keys() == other.keys()
        if not same:
            what = "dictionary key mismatch" if both_dicts else "Mismatch custom node data"
            raise ValueError(
                f"{what}; expected key(s): {_keys(first, kind)}, got key(s): {list(other)}."
            )
    elif len(first) != len(other):
        raise ValueError(
            f"{_type_name(first)} arity mismatch; the number of elements is expected to be "
            f"{len(first)}, got {len(other)}: {other!r}."
        )


def assert_same_structure(a: Any, b: Any, check_types: bool | None = None) -> None:
    """Raises unless two structures have the same form.

    Args:
        a: a structure.
        b: a structure; its dict types may differ from those of `a`.
        check_types: deprecated; types are always checked, as with `True`.

    Raises:
        ValueError: if the forms differ.

    Example:

    >>> assert_same_structure([1, (2, 3)], [4, (5, 6)])
    """
    if check_types is False:
        raise ValueError(
            "assert_same_structure: types are always checked. Received: check_types=False. "
            "Use assert_same_paths."
        )
    _map(lambda *_: None, (a, b), True, exact=True)


def assert_same_paths(a: Any, b: Any) -> None:
    """Raises unless two structures have the same paths, whatever the types of their nodes.

    Args:
        a: a structure.
        b: a structure.

    Raises:
        ValueError: if a path of one is missing in the other.

    Example:

    >>> assert_same_paths([1, 2], (3, 4))
    """
    paths_a = {path for path, _ in flatten_with_path(a)}
    paths_b = {path for path, _ in flatten_with_path(b)}
    if paths_a == paths_b:
        return
    message = "`a` and `b` don't have the same paths."
    if paths_a - paths_b:
        message += f"\nPaths in `a` missing in `b`:\n{paths_a - paths_b}"
    if paths_b - paths_a:
        message += f"\nPaths in `b` missing in `a`:\n{paths_b - paths_a}"
    raise ValueError(message)


def traverse(func: Callable[[Any], Any], structure: Any, top_down: bool = True) -> Any:
    """Calls a function on every node and leaf and rebuilds the structure from what it returns.

    Args:
        func: called with a node or leaf. `None` keeps it (and goes into it); anything else takes
            its place, `MAP_TO_NONE` meaning `None`.
        structure: a structure or a leaf.
        top_down: whether a node is visited before its children.

    Returns:
        The new structure.

    Raises:
        TypeError: if `func` is not callable.

    Example:

    >>> traverse(lambda x: 0 if isinstance(x, tuple) else None, [1, (2, 3)])
    [1, 0]
    """
    if not callable(func):
        raise TypeError(f"traverse: `func` must be callable. Received: func={func!r}.")

    def visit(x: Any) -> Any:
        kind = _kind(x)
        if top_down or kind == _NOT_NODE:
            found = func(x)
            if found is not None:
                return None if found is MAP_TO_NONE else found
            if kind == _NOT_NODE:
                return x
        rebuilt = _rebuild(x, kind, [visit(child) for child in _children(x, kind)])
        if top_down:
            return rebuilt
        found = func(rebuilt)
        if found is None:
            return rebuilt
        return None if found is MAP_TO_NONE else found

    return visit(structure)


def lists_to_tuples(structure: Any) -> Any:
    """Returns the structure with every list replaced by a tuple.

    Args:
        structure: a structure or a leaf.

    Returns:
        The new structure.

    Example:

    >>> lists_to_tuples({"a": [1, [2]]})
    {'a': (1, (2,))}
    """

    def convert(x: Any) -> Any:
        return tuple(x) if isinstance(x, list) else None

    return traverse(convert, structure, top_down=False)


def map_shape_structure(func: Callable[[Any], Any], structure: Any) -> Any:
    """Applies a function to every shape of a structure; tuples and lists of sizes are its leaves.

    Args:
        func: called with a shape (a tuple or list of ints and `None`s) or `None`.
        structure: a structure of shapes.

    Returns:
        The structure with the results in place of the shapes.

    Raises:
        TypeError: if `func` is not callable.

    Example:

    >>> map_shape_structure(len, {"x": (32, 4), "y": [(1,)]})
    {'x': 2, 'y': [1]}
    """
    if not callable(func):
        raise TypeError(f"map_shape_structure: `func` must be callable. Received: func={func!r}.")

    def visit(x: Any) -> Any:
        kind = _kind(x)
        is_shape = isinstance(x, (list, tuple)) and all(
            size is None or isinstance(size, int) for size in x
        )
        if kind == _NOT_NODE or is_shape:
            return func(x)
        return _rebuild(x, kind, [visit(child) for child in _children(x, kind)])

    return visit(structure)
