"""einsum: sums of products written with index letters, by transposes, sums and matrix products."""

from __future__ import annotations

import math
from typing import Any

from pronghorn.ops.arguments import TensorLike, apply, as_tensor, sum_dtype
from pronghorn.ops.operation import op
from pronghorn.ops.products import multiply_matrices, product_dtype
from pronghorn.tensor import Tensor

# An operand and the letter of each of its dimensions.
_Term = tuple[Tensor, str]


@op
def einsum(subscripts: str, *operands: TensorLike, **kwargs: Any) -> Tensor:
    """Returns the sum of products that index letters describe (Einstein's convention).

    Operands are taken two at a time from the left; what can be a matrix product is one.

    Args:
        subscripts: the letters of each operand, separated by commas, and after `->` those of the
            result; without `->` the letters that occur once, in alphabetical order. `...` stands
            for any further dimensions.
        *operands: tensors.
        **kwargs: `optimize` is accepted, as NumPy has it; the order of the products is fixed.

    Returns:
        A tensor; int32 for int8 operands.

    Raises:
        ValueError: if the letters do not fit the operands.

    Example:

    >>> ops.einsum("ij,jk->ik", [[1.0, 2.0]], [[3.0], [4.0]]).numpy()
    array([[11.]], dtype=float32)
    """
    unknown = set(kwargs) - {"optimize"}
    if unknown:
        raise TypeError(f"einsum: unexpected keyword arguments. Received: {sorted(unknown)}.")
    tensors = [as_tensor(x) for x in operands]
    inputs, output = _parse(subscripts, tensors)
    dtype = product_dtype(*tensors)
    is_bool = dtype == "bool"
    work = "int32" if is_bool else dtype
    terms = [_diagonals(as_tensor(x, work), letters) for x, letters in zip(tensors, inputs)]
    _check_sizes(subscripts, terms)
    term = terms[0]
    for i, other in enumerate(terms[1:], 2):
        needed = set(output).union(*(letters for _, letters in terms[i:]))
        term = _contract(term, other, needed)
    found, letters = _sum_out(term, set(output))
    if any(c not in letters for c in output):
        raise ValueError(f"einsum: unknown letters in the result. Received: {subscripts!r}.")
    order = [letters.index(c) for c in output]
    if order != list(range(found.ndim)):
        found = apply("transpose", found, axes=order)
    return as_tensor(found, dtype)


def _parse(subscripts: str, tensors: list[Tensor]) -> tuple[list[str], str]:
    """Returns the letters of the operands and of the result; capital Greek ones replace `...`."""
    text = subscripts.replace(" ", "")
    left, arrow, output = text.partition("->")
    inputs = left.split(",")
    if len(inputs) != len(tensors):
        raise ValueError(
            f"einsum: expected {len(inputs)} operands. "
            f"Received: subscripts={subscripts!r} and {len(tensors)} operands."
        )
    widths = [0] * len(tensors)
    for i, (letters, x) in enumerate(zip(inputs, tensors)):
        named = len(letters.replace("...", ""))
        if ("..." not in letters and named != x.ndim) or named > x.ndim:
            raise ValueError(
                "einsum: as many letters as dimensions are expected. "
                f"Received: subscripts={subscripts!r}, operand {i} of shape {x.shape}."
            )
        widths[i] = x.ndim - named
    # The dimensions of `...` broadcast: they are aligned at the end, as in NumPy.
    extra = "".join(chr(0x391 + i) for i in range(max(widths, default=0)))
    inputs = [
        letters.replace("...", extra[len(extra) - width :])
        for letters, width in zip(inputs, widths)
    ]
    if arrow:
        return inputs, output.replace("...", extra)
    counts = "".join(inputs)
    once = sorted(c for c in set(counts) if counts.count(c) == 1 and c not in extra)
    return inputs, extra + "".join(once)


def _check_sizes(subscripts: str, terms: list[_Term]) -> None:
    sizes: dict[str, int] = {}
    for x, letters in terms:
        for c, n in zip(letters, x.shape):
            if n != 1 and sizes.setdefault(c, n) != n:
                shapes = ", ".join(str(tuple(t.shape)) for t, _ in terms)
                raise ValueError(
                    f"einsum: the sizes of dimension {c!r} must match. "
                    f"Received: subscripts={subscripts!r}, shapes={shapes}."
                )


def _diagonals(x: Tensor, letters: str) -> _Term:
    """Takes the diagonal of dimensions that have the same letter."""
    for c in dict.fromkeys(letters):
        while letters.count(c) > 1:
            i = letters.index(c)
            j = letters.index(c, i + 1)
            n = x.shape[i]
            order = [k for k in range(x.ndim) if k not in (i, j)]
            x = apply("transpose", x, axes=[*order, i, j])
            rest = list(x.shape[:-2])
            x = apply("reshape", x, shape=[*rest, n * n])
            x = apply(
                "slice",
                x,
                begin=[0] * x.ndim,
                end=[*rest, n * n],
                strides=[1] * len(rest) + [n + 1],
            )
            letters = "".join(letters[k] for k in order) + c
    return x, letters


def _sum_out(term: _Term, needed: set[str]) -> _Term:
    x, letters = term
    axes = [i for i, c in enumerate(letters) if c not in needed]
    if axes:
        dtype = x.dtype
        x = as_tensor(x, sum_dtype(dtype))
        x = as_tensor(apply("reduce_sum", x, axes=axes, keepdims=False), dtype)
        letters = "".join(c for c in letters if c in needed)
    return x, letters


def _contract(left: _Term, right: _Term, needed: set[str]) -> _Term:
    """Multiplies two terms and sums over the letters that both have and nobody needs."""
    a, in_a = _sum_out(left, needed | set(right[1]))
    b, in_b = _sum_out(right, needed | set(in_a))
    size_a, size_b = dict(zip(in_a, a.shape)), dict(zip(in_b, b.shape))
    shared = [c for c in in_a if c in in_b]
    stacked = [c for c in shared if c in needed]
    summed = [c for c in shared if c not in needed]
    if any(size_a[c] != size_b[c] for c in summed):  # a size of 1 that broadcasts
        for c in [c for c in summed if size_a[c] != size_b[c]]:
            only = {d for d in in_a if d != c or size_a[c] != 1}
            a, in_a = _sum_out((a, in_a), only)
            only = {d for d in in_b if d != c or size_b[c] != 1}
            b, in_b = _sum_out((b, in_b), only)
        return _contract((a, in_a), (b, in_b), needed)
    free_a = [c for c in in_a if c not in shared]
    free_b = [c for c in in_b if c not in shared]
    letters = "".join([*stacked, *free_a, *free_b])
    m, n = math.prod(size_a[c] for c in free_a), math.prod(size_b[c] for c in free_b)
    k = math.prod(size_a[c] for c in summed)
    stack_a, stack_b = [size_a[c] for c in stacked], [size_b[c] for c in stacked]
    rows = _arranged(a, in_a, [*stacked, *free_a, *summed], [*stack_a, m, k])
    columns = _arranged(b, in_b, [*stacked, *summed, *free_b], [*stack_b, k, n])
    if summed:
        out = multiply_matrices(rows, columns)
    else:
        out = apply("multiply", rows, columns)
    stack = [max(p, q) for p, q in zip(stack_a, stack_b)]
    shape = [*stack, *(size_a[c] for c in free_a), *(size_b[c] for c in free_b)]
    return apply("reshape", out, shape=shape), letters


def _arranged(x: Tensor, letters: str, wanted: list[str], shape: list[int]) -> Tensor:
    order = [letters.index(c) for c in wanted]
    if order != list(range(x.ndim)):
        x = apply("transpose", x, axes=order)
    return apply("reshape", x, shape=shape)
