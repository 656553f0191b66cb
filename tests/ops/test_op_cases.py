"""Every op of the core against its cases: values, gradients, inference, threads, passes, errors."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from op_cases import BENCHES, CASES, Bench, OpCase
from op_cases.case import EPSILON, tensor
from pronghorn import _core
from pronghorn.tensor import Tensor
from pronghorn.trace import Trace

TESTS = Path(__file__).parents[1]
STEP = 1e-6  # of central differences in float64: errors of about STEP**2 and 1e-16 / STEP

FORWARD = [(case, dtype) for case in CASES for dtype in case.dtypes]
DIFFERENTIABLE = [case for case in CASES if case.differentiable()]


def ids(values: list[OpCase]) -> list[str]:
    return [case.id for case in values]


def compare(case: OpCase, arrays: list[np.ndarray], outputs: list[Tensor], dtype: str) -> None:
    expected = case.expected(arrays)
    assert len(outputs) >= len(expected)
    for output, wanted in zip(outputs, expected):
        if output.dtype in EPSILON:
            got = _core.apply("cast", [output], {"dtype": "float32"}).numpy().astype(np.float64)
            if wanted.size and np.isnan(wanted).all() and case.op.startswith("random"):
                continue  # no reference: test_random.py looks at the distribution
            tolerance = case.tolerance(arrays, wanted, dtype)
            np.testing.assert_allclose(got, wanted, rtol=0, atol=tolerance)
        else:
            assert output.dtype == wanted.dtype.name
            np.testing.assert_array_equal(output.numpy(), wanted)
        assert output.shape == wanted.shape


def trace_case(case: OpCase, arrays: list[np.ndarray]) -> list[Tensor]:
    with Trace() as trace:
        inputs = [trace.input(a.shape, a.dtype.name) for a in arrays]
        program = trace.compile(case.run(inputs))
    return program(*arrays)


@contextmanager
def threads(count: int) -> Iterator[None]:
    before = _core.num_threads()
    _core.set_num_threads(count)
    try:
        yield
    finally:
        _core.set_num_threads(before)


@contextmanager
def passes_off() -> Iterator[None]:
    _core.set_passes(False)
    _core.clear_eager_cache()
    try:
        yield
    finally:
        _core.set_passes(True)
        _core.clear_eager_cache()


def test_every_op_has_a_case() -> None:
    # while_loop takes programs: test_control.py.
    cases = {case.op for case in CASES} | {"while_loop"}
    assert sorted(set(_core.op_names()) - cases) == []


def test_cases_have_different_names() -> None:
    names = ids(CASES)
    assert sorted({n for n in names if names.count(n) > 1}) == []


@pytest.mark.parametrize(("case", "dtype"), FORWARD, ids=[f"{c.id}-{d}" for c, d in FORWARD])
def test_forward(case: OpCase, dtype: str) -> None:
    arrays = case.arrays(dtype)
    compare(case, arrays, case.run(case.tensors(arrays, dtype)), dtype)


def loss_of(outputs: list[np.ndarray], weights: list[np.ndarray | None]) -> float:
    return float(sum((y * w).sum() for y, w in zip(outputs, weights) if w is not None))


@pytest.mark.parametrize("case", DIFFERENTIABLE, ids=ids(DIFFERENTIABLE))
def test_gradient(case: OpCase) -> None:
    arrays = case.arrays()
    rng = np.random.default_rng(len(case.id))
    expected = case.expected(arrays)
    weights = [rng.uniform(-1, 1, y.shape) if y.dtype.kind == "f" else None for y in expected]
    weights = [None if w is None else w.astype(np.float32).astype(np.float64) for w in weights]
    chosen = case.differentiable()
    with Trace() as trace:
        inputs = [trace.input(a.shape, a.dtype.name) for a in arrays]
        outputs = case.run(inputs)
        loss = None
        for y, w in zip(outputs, weights):
            if w is None:
                continue
            constant = case.tensors([w.astype(np.float32)])[0]
            term = _core.apply("multiply", [y, constant])
            axes = list(range(len(term.shape)))
            term = _core.apply("reduce_sum", [term], {"axes": axes, "keepdims": False})
            loss = term if loss is None else _core.apply("add", [loss, term])
        assert loss is not None
        gradients = trace.gradient(loss, [inputs[i] for i in chosen])
        assert all(g is not None for g in gradients), "an input has no gradient"
        program = trace.compile([g for g in gradients if g is not None])
    found = [g.numpy().astype(np.float64) for g in program(*arrays)]

    wide = [a.astype(np.float64) if a.dtype.kind == "f" else a for a in arrays]
    direction = {i: rng.uniform(-1, 1, arrays[i].shape) for i in chosen}

    def moved(step: float) -> float:
        points = [x + step * direction[i] if i in direction else x for i, x in enumerate(wide)]
        with np.errstate(all="ignore"):
            result = case.reference(*points, **case.attrs)
        results = list(result) if isinstance(result, tuple) else [result]
        return loss_of(results, weights)

    wanted = (moved(STEP) - moved(-STEP)) / (2 * STEP)
    terms = [g * direction[i] for i, g in zip(chosen, found)]
    magnitude = float(sum(np.abs(t).sum() for t in terms))
    size = float(sum(np.abs(y * w).sum() for y, w in zip(expected, weights) if w is not None))
    # rounding of the gradient, and of the difference of two losses in float64
    rounding = 4 * case.factor * EPSILON["float32"] * case.reduction * magnitude
    difference = 2.0**-50 * size / STEP + 1e-7 * magnitude
    got = float(sum(t.sum() for t in terms))
    assert abs(got - wanted) <= rounding + difference + 1e-9
    assert magnitude > 0 or case.op in ("reduce_prod",)


@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
def test_inference_and_tracing(case: OpCase) -> None:
    arrays = case.arrays()
    eager = case.run(case.tensors(arrays))
    with Trace(shapes_only=True) as trace:
        inferred = case.run([trace.input(a.shape, a.dtype.name) for a in arrays])
        assert [(y.shape, y.dtype) for y in inferred] == [(y.shape, y.dtype) for y in eager]
    for traced, y in zip(trace_case(case, arrays), eager):
        np.testing.assert_array_equal(traced.numpy(), y.numpy())


@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
def test_same_bits_for_any_number_of_threads(case: OpCase) -> None:
    arrays = case.arrays()
    results = []
    for count in (1, 2, 3):
        with threads(count):
            results.append([y.numpy() for y in case.run(case.tensors(arrays))])
    for other in results[1:]:
        for a, b in zip(results[0], other):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
def test_without_passes(case: OpCase) -> None:
    arrays = case.arrays()
    with passes_off():
        outputs = trace_case(case, arrays)
        compare(case, arrays, outputs, "float32")


ERRORS = [(case, error) for case in CASES for error in case.errors]


@pytest.mark.parametrize(("case", "error"), ERRORS, ids=[f"{c.id}-{e.match}" for c, e in ERRORS])
def test_errors(case: OpCase, error: object) -> None:
    rng = np.random.default_rng(0)
    tensors = case.tensors([a.make(rng, a.dtype) for a in error.inputs])
    with pytest.raises(error.error, match=error.match):
        _core.apply(case.op, tensors, error.attrs)


# Many shapes are beyond the grain of threads, where work is really divided.
@pytest.mark.parametrize("bench", BENCHES, ids=[b.id for b in BENCHES])
def test_same_bits_for_large_shapes(bench: Bench) -> None:
    rng = np.random.default_rng(1)
    tensors = [tensor(a.make(rng, a.dtype)) for a in bench.inputs]
    results = []
    for count in (1, 3):
        with threads(count):
            found = _core.apply(bench.op, tensors, bench.attrs)
            outputs = found if isinstance(found, (tuple, list)) else [found]
            results.append([y.numpy() for y in outputs])
    for a, b in zip(*results):
        np.testing.assert_array_equal(a, b)


def lower_isas() -> list[str]:
    return [isa for isa in _core.available_isas() if isa != _core.isa()]


@pytest.mark.parametrize("isa", lower_isas())
def test_other_isa(isa: str) -> None:
    """Runs values and gradients in a process that is forced to another instruction set."""
    code = (
        "import sys, pytest; from pronghorn import _core; "
        f"assert _core.isa() == {isa!r}, _core.isa(); "
        "sys.exit(pytest.main(sys.argv[1:]))"
    )
    arguments = ["-q", "-x", "--no-header", "-p", "no:cacheprovider", "-o", "addopts="]
    arguments += ["-k", "forward or gradient or unary or binary", str(Path(__file__))]
    arguments += [str(Path(__file__).with_name("test_special_values.py"))]
    environment = {**os.environ, "PRONGHORN_ISA": isa}
    environment["PYTHONPATH"] = os.pathsep.join(p for p in sys.path if p)
    result = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=environment,
        cwd=TESTS,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-2000:]
