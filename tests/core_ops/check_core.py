"""Checks of one op of the core against a NumPy reference in float64.

`check` compares the results, the bits for 1, 2 and 3 threads, and the first and second gradients
along random directions with central differences of the reference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from pronghorn import _core
from pronghorn.tensor import Tensor

EPS = float(np.finfo(np.float32).eps)
INTEGERS = ["uint8", "uint16", "uint32", "int8", "int16", "int32", "int64"]
DTYPES = ["bool", *INTEGERS, "float16", "float32"]


def tensor(array: Any) -> Tensor:
    array = np.asarray(array, order="C")
    return _core.from_numpy(array, str(array.dtype), True)


def apply(name: str, inputs: Sequence[Any], **attrs: Any) -> tuple[np.ndarray, ...]:
    """Runs the op on arrays; its results as a tuple of arrays."""
    result = _core.apply(name, [tensor(x) for x in inputs], attrs)
    return tuple(y.numpy() for y in (result if isinstance(result, tuple) else (result,)))


@contextmanager
def threads(n: int) -> Iterator[None]:
    before = _core.num_threads()
    _core.set_num_threads(n)
    try:
        yield
    finally:
        _core.set_num_threads(before)


def random(rng: np.random.Generator, shape: Sequence[int], dtype: str = "float32") -> np.ndarray:
    if dtype == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    if dtype.startswith("float"):
        return rng.standard_normal(shape).astype(dtype)
    return rng.integers(0, 100, shape).astype(dtype)


def as_tuple(x: Any) -> tuple[Any, ...]:
    return x if isinstance(x, tuple) else (x,)


def widened(x: np.ndarray) -> np.ndarray:
    return x.astype(np.float64) if x.dtype == np.float32 else x


def check(
    name: str,
    inputs: Sequence[np.ndarray],
    reference: Callable[..., Any],
    *,
    ulps: float = 8,
    magnitude: float | None = None,
    grads: Sequence[int] = (),
    twice: bool = True,
    **attrs: Any,
) -> None:
    """Checks one call.

    Args:
        name: The op.
        inputs: Its operands; float32 ones reach the reference as float64.
        reference: Function of the operands.
        ulps: Allowed error, in units of eps * magnitude; 0: the same bits.
        magnitude: By default the largest finite absolute value of the results.
        grads: Operands whose gradients are checked.
        twice: Whether second gradients are checked too.
        **attrs: Of the op.
    """
    results = []
    for n in (1, 2, 3):
        with threads(n):
            results.append(apply(name, inputs, **attrs))
    got = results[0]
    for other in results[1:]:
        for a, b in zip(got, other, strict=True):
            assert a.tobytes() == b.tobytes(), f"{name}: bits depend on the number of threads"
    wanted = as_tuple(reference(*[widened(x) for x in inputs]))
    for k, (a, w) in enumerate(zip(got, wanted, strict=False)):
        w = np.asarray(w)
        assert a.shape == w.shape, f"{name}: output {k}"
        if a.dtype == np.float32 and ulps > 0:
            finite = np.abs(w[np.isfinite(w)])
            scale = magnitude if magnitude is not None else max(1.0, finite.max(initial=0.0))
            np.testing.assert_allclose(
                a, w, rtol=0, atol=ulps * EPS * scale, err_msg=f"{name}: output {k}"
            )
        else:
            np.testing.assert_array_equal(a, w.astype(a.dtype), err_msg=f"{name}: output {k}")
    if grads:
        check_gradients(name, inputs, reference, got, grads, twice, attrs)


def check_gradients(
    name: str,
    inputs: Sequence[np.ndarray],
    reference: Callable[..., Any],
    results: Sequence[np.ndarray],
    wrt: Sequence[int],
    twice: bool,
    attrs: dict[str, Any],
) -> None:
    rng = np.random.default_rng(1)
    seeds = [rng.standard_normal(y.shape).astype(np.float32) for y in results]

    def loss(*operands: np.ndarray) -> float:
        outputs = as_tuple(reference(*operands))
        terms = zip(outputs, seeds, results, strict=False)
        return sum(float(np.sum(y * s)) for y, s, r in terms if r.dtype == np.float32)

    graph = _core.Graph()
    values = [graph.input(list(x.shape), str(x.dtype)) for x in inputs]

    def dot(value: Any, array: np.ndarray) -> Any:
        product = _core.apply("multiply", [value, graph.constant(tensor(array))], {})
        axes = list(range(array.ndim))
        return _core.apply("reduce_sum", [product], {"axes": axes, "keepdims": False})

    def total(terms: Sequence[Any]) -> Any:
        result = terms[0]
        for term in terms[1:]:
            result = _core.apply("add", [result, term], {})
        return result

    outputs = as_tuple(_core.apply(name, values, attrs))
    floats = [
        (y, s) for y, s, r in zip(outputs, seeds, results, strict=True) if r.dtype == np.float32
    ]
    first = graph.gradient(total([dot(y, s) for y, s in floats]), [values[i] for i in wrt])
    assert all(g is not None for g in first), f"{name}: no gradient"
    along = [rng.standard_normal(inputs[i].shape).astype(np.float32) for i in wrt]
    slope = total([dot(g, d) for g, d in zip(first, along, strict=True)])
    across = [rng.standard_normal(inputs[i].shape).astype(np.float32) for i in wrt]
    programs = [slope]
    if twice:
        second = graph.gradient(slope, [values[i] for i in wrt])
        parts = [dot(g, d) for g, d in zip(second, across, strict=True) if g is not None]
        if parts:
            programs.append(total(parts))
    program = graph.compile([*programs, *first], [])
    got = [y.numpy() for y in program.run([tensor(x) for x in inputs])]

    def at(a: float, b: float) -> float:
        moved = [widened(x) for x in inputs]
        for k, i in enumerate(wrt):
            moved[i] = moved[i] + a * along[k] + b * across[k]
        return loss(*moved)

    h = 1e-5
    wanted = (at(h, 0) - at(-h, 0)) / (2 * h)
    products = [np.abs(g * d).sum() for g, d in zip(got[len(programs) :], along, strict=True)]
    tolerance = 1e-4 * (1 + abs(wanted)) + 64 * EPS * float(sum(products))
    assert abs(float(got[0]) - wanted) <= tolerance, f"{name}: gradient {got[0]}, wanted {wanted}"
    if twice:
        h = 1e-3
        wanted = (at(h, h) - at(h, -h) - at(-h, h) + at(-h, -h)) / (4 * h * h)
        curvature = float(got[1]) if len(programs) > 1 else 0.0
        assert abs(curvature - wanted) <= 2e-3 * max(1.0, abs(wanted)), (
            f"{name}: second gradient {curvature}, wanted {wanted}"
        )
