"""Functions applied along the first axis: map, scan, associative_scan, vectorized_map.

The number of rows is known, so a trace has the steps one after another and gradients flow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pronghorn import tree
from pronghorn.ops.arguments import as_tensor
from pronghorn.ops.joining import concatenate, stack
from pronghorn.ops.operation import op
from pronghorn.ops.reshaping import flip, moveaxis, reshape
from pronghorn.tensor import Tensor


def _check_callable(name: str, function: Any) -> None:
    if not callable(function):
        raise TypeError(f"{name}: `f` should be a callable. Received: f={function!r}.")


def _rows(name: str, xs: Any, axis: int = 0) -> tuple[Any, int]:
    """Returns `xs` as tensors and how many rows they have."""
    tensors = tree.map_structure(as_tensor, xs)
    leaves = tree.flatten(tensors)
    if any(leaf.ndim == 0 for leaf in leaves):
        raise ValueError(f"{name}: expected tensors of rank 1 or more. Received: a scalar.")
    sizes = {leaf.shape[axis] for leaf in leaves}
    if len(sizes) != 1:
        raise ValueError(
            f"{name}: all tensors must have the same number of rows, the first dimension. "
            f"Received: shapes={[leaf.shape for leaf in leaves]}."
        )
    return tensors, sizes.pop()


def _row(xs: Any, i: int) -> Any:
    return tree.map_structure(lambda leaf: leaf[i], xs)


def _stack_rows(rows: list[Any]) -> Any:
    return tree.map_structure(
        lambda *leaves: None if leaves[0] is None else stack([as_tensor(v) for v in leaves]), *rows
    )


@op
def map(f: Callable[..., Any], xs: Any) -> Any:
    """Applies a function to each row and stacks the results.

    Args:
        f: takes a row, of the structure of `xs`, and returns a tensor or structure.
        xs: tensors with rows along axis 0, or a structure of them.

    Returns:
        What `f` returns, with a new axis 0.

    Raises:
        TypeError: if `f` is not callable.
        ValueError: if numbers of rows differ, or there is none.

    Example:

    >>> ops.map(lambda row: ops.sum(row), [[1.0, 2.0], [3.0, 4.0]]).numpy()
    array([3., 7.], dtype=float32)
    """
    _check_callable("map", f)
    is_plain = isinstance(xs, list) and not any(hasattr(x, "shape") for x in tree.flatten(xs))
    tensors, count = _rows("map", as_tensor(xs) if is_plain else xs)
    if count == 0:
        raise ValueError("map: expected at least one row. Received: 0 rows.")
    return _stack_rows([f(_row(tensors, i)) for i in range(count)])


@op
def vectorized_map(function: Callable[..., Any], elements: Any) -> Any:
    """Applies a function to each row and stacks the results, as `map` does.

    Args:
        function: takes a row and returns a tensor or structure.
        elements: tensors with rows along axis 0, or a structure of them.

    Returns:
        What `function` returns, with a new axis 0.

    Raises:
        TypeError: if `function` is not callable.
        ValueError: if numbers of rows differ, or there is none.

    Example:

    >>> ops.vectorized_map(lambda row: row * 2.0, ops.ones((2, 3))).shape
    (2, 3)
    """
    return map(function, elements)


@op
def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
) -> tuple[Any, Any]:
    """Goes through the rows with a carried value: `carry, y = f(carry, x)`.

    Args:
        f: takes the carried value and a row, and returns the next carried value and an output.
        init: the first carried value, a tensor or structure.
        xs: tensors with rows along axis 0, or a structure of them; `None`: `f` is given `None`.
        length: number of steps, needed without `xs`.
        reverse: goes from the last row to the first; outputs stay at the place of their row.
        unroll: how many steps other libraries trace at once; here all, for any value.

    Returns:
        The last carried value, and the outputs stacked along a new axis 0.

    Raises:
        TypeError: if `f` is not callable.
        ValueError: if there is neither `xs` nor `length`, they differ, `unroll` is not positive, or
            the carried value changes its structure, shape or dtype.

    Example:

    >>> last, sums = ops.scan(lambda c, x: (c + x, c + x), 0.0, ops.convert_to_tensor([1.0, 2.0]))
    >>> sums.numpy()
    array([1., 3.], dtype=float32)
    """
    _check_callable("scan", f)
    if not isinstance(unroll, int) or (unroll < 1 and unroll is not False):
        raise ValueError(
            f"scan: `unroll` must be a positive integer or boolean. Received: unroll={unroll}."
        )
    if xs is None:
        if length is None:
            raise ValueError("scan: Got no `xs` to scan over and `length` not provided.")
        rows, count = None, int(length)
    else:
        rows, count = _rows("scan", xs)
        if length is not None and int(length) != count:
            raise ValueError(
                f"scan: `length` must be the number of rows. Received: length={length}, "
                f"{count} rows."
            )
    carry = tree.map_structure(lambda v: None if v is None else as_tensor(v), init)
    outputs = []
    for i in reversed(range(count)) if reverse else range(count):
        found = f(carry, None if rows is None else _row(rows, i))
        if not isinstance(found, tuple) or len(found) != 2:
            raise ValueError(
                f"scan: `f` must return a carried value and an output. Received: {found!r}."
            )
        _check_carry(carry, found[0])
        carry = tree.map_structure(lambda v: None if v is None else as_tensor(v), found[0])
        outputs.append(found[1])
    if reverse:
        outputs.reverse()
    return carry, (_stack_rows(outputs) if outputs else None)


def _check_carry(before: Any, after: Any) -> None:
    try:
        tree.assert_same_structure(before, after)
    except (TypeError, ValueError) as e:
        raise ValueError(
            f"scan: the carried value must keep its structure. Received: {before!r}, then "
            f"{after!r}."
        ) from e
    for a, b in zip(tree.flatten(before), tree.flatten(after)):
        if a is not None and b is not None and a.shape != as_tensor(b).shape:
            raise ValueError(
                f"scan: the carried value must keep its shapes. Received: {a.shape}, then "
                f"{as_tensor(b).shape}."
            )


@op
def associative_scan(
    f: Callable[[Any, Any], Any], elems: Any, reverse: bool = False, axis: int = 0
) -> Any:
    """Returns all partial results of an associative function along an axis.

    Args:
        f: takes two structures like `elems`, of some of the rows, and combines them row by row;
            `f(a, f(b, c))` must equal `f(f(a, b), c)`.
        elems: tensors with the same size along `axis`, or a structure of them.
        reverse: combines from the last row to the first.
        axis: the axis.

    Returns:
        A structure like `elems`: row i combines rows 0 to i. Combined in a tree, so that there are
        about 2 log2(n) calls of `f` (Blelloch, "Prefix Sums and Their Applications", 1990).

    Raises:
        TypeError: if `f` is not callable.
        ValueError: if sizes along `axis` differ.

    Example:

    >>> ops.associative_scan(lambda a, b: a + b, ops.arange(5)).numpy()
    array([ 0,  1,  3,  6, 10], dtype=int32)
    """
    _check_callable("associative_scan", f)
    tensors, _ = _rows("associative_scan", elems, axis)
    moved = [moveaxis(leaf, axis, 0) for leaf in tree.flatten(tensors)]
    if reverse:
        moved = [flip(leaf, 0) for leaf in moved]

    def combine(a: list[Tensor], b: list[Tensor]) -> list[Tensor]:
        found = f(_packed(a), _packed(b))
        return [moveaxis(as_tensor(leaf), axis, 0) for leaf in tree.flatten(found)]

    def _packed(leaves: list[Tensor]) -> Any:
        return tree.pack_sequence_as(tensors, [moveaxis(leaf, 0, axis) for leaf in leaves])

    found = _prefixes(combine, moved)
    if reverse:
        found = [flip(leaf, 0) for leaf in found]
    return _packed(found)


def _prefixes(
    combine: Callable[[list[Tensor], list[Tensor]], list[Tensor]], elems: list[Tensor]
) -> list[Tensor]:
    count = elems[0].shape[0]
    if count < 2:
        return elems
    pairs = combine([e[0 : count - 1 : 2] for e in elems], [e[1::2] for e in elems])
    odd = _prefixes(combine, pairs)  # of rows 1, 3, ...
    if count % 2 == 0:
        rest = combine([e[:-1] for e in odd], [e[2::2] for e in elems]) if count > 2 else None
    else:
        rest = combine(odd, [e[2::2] for e in elems])
    found = []
    for k, whole in enumerate(elems):
        even = whole[:1] if rest is None else concatenate([whole[:1], rest[k]], axis=0)
        found.append(_interleave(even, odd[k]))
    return found


def _interleave(even: Tensor, odd: Tensor) -> Tensor:
    """Returns even[0], odd[0], even[1], ...; `even` may have one row more."""
    n = odd.shape[0]
    joined = reshape(stack([even[:n], odd], axis=1), (2 * n, *odd.shape[1:]))
    return joined if even.shape[0] == n else concatenate([joined, even[n:]], axis=0)
