"""cond, switch, while_loop, fori_loop, map, scan, associative_scan: eagerly and in a trace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import ops


def _eagerly(f: Callable[..., Any]) -> Callable[..., Any]:
    return f


@pytest.fixture(params=[_eagerly, keras.function], ids=["eager", "function"])
def run(request: pytest.FixtureRequest) -> Any:
    return request.param


class TestCond:
    def test_results_and_gradient(self, run: Any) -> None:
        v = keras.Variable([1.0, -2.0])

        def f(flag: Any) -> Any:
            with keras.GradientTape() as tape:
                y = ops.cond(flag, lambda: {"y": v * 2.0}, lambda: {"y": v * v})["y"]
            return y, tape.gradient(y, v)

        g = run(f)
        for flag, y, dv in ((True, [2, -4], [2, 2]), (False, [1, 4], [2, -4])):
            found = g(np.array(flag))
            np.testing.assert_array_equal(found[0], y)
            np.testing.assert_array_equal(found[1], dv)

    def test_assignments_belong_to_their_branch(self, run: Any) -> None:
        a, b = keras.Variable(1.0), keras.Variable(1.0)

        def f(x: Any) -> Any:
            def yes() -> Any:
                a.assign_add(x)
                return a * 1.0

            def no() -> Any:
                b.assign(x)
                return b * 1.0

            return ops.cond(x > 0, yes, no)

        g = run(f)
        assert float(g(np.float32(2))) == 3.0
        assert (float(a), float(b)) == (3.0, 1.0)
        assert float(g(np.float32(-5))) == -5.0
        assert (float(a), float(b)) == (3.0, -5.0)

    def test_nested(self, run: Any) -> None:
        def sign(x: Any) -> Any:
            return ops.cond(
                x > 0, lambda: 1, lambda: ops.cond(ops.equal(x, 0), lambda: 0, lambda: -1)
            )

        g = run(sign)
        assert [int(g(np.float32(x))) for x in (3, 0, -3)] == [1, 0, -1]

    def test_none_results(self, run: Any) -> None:
        assert run(lambda x: ops.cond(x > 0, lambda: None, lambda: None))(np.float32(1)) is None

    def test_errors(self) -> None:
        with pytest.raises(TypeError, match="true_fn"):
            ops.cond(True, 1, lambda: 2)
        with pytest.raises(ValueError, match="scalar"):
            ops.cond([True, False], lambda: 1, lambda: 2)
        x = np.array(True)
        with pytest.raises(ValueError, match="same structure"):
            keras.function(lambda p: ops.cond(p, lambda: (1, 2), lambda: 2))(x)
        with pytest.raises(ValueError, match="same structure"):
            keras.function(lambda p: ops.cond(p, lambda: None, lambda: 2))(x)
        with pytest.raises(ValueError, match="shapes and dtypes"):
            keras.function(lambda p: ops.cond(p, lambda: ops.ones(2), lambda: 2.0))(x)


def test_switch(run: Any) -> None:
    branches = [lambda x, y: x + y, lambda x, y: x * y, lambda x, y: x - y]
    f = run(lambda i, x: ops.switch(i, branches, x, 3.0))
    found = [float(f(np.int32(i), np.float32(5))) for i in (-1, 0, 1, 2, 7)]
    assert found == [8.0, 8.0, 15.0, 2.0, 2.0]
    with pytest.raises(ValueError, match="at least one branch"):
        ops.switch(0, [])


class TestWhileLoop:
    def test_newton(self, run: Any) -> None:
        scale = keras.Variable(1.0)

        def f(a: Any) -> Any:
            def far(x: Any, n: Any) -> Any:
                return ops.abs(x * x - a) > 1e-5 * a * scale

            _, n = found = ops.while_loop(far, lambda x, n: ((x + a / x) / 2.0, n + 1), (a, 0))
            return found[0], n

        g = run(f)
        for a in (2.0, 9.0, 10000.0):
            root, n = g(np.float32(a))
            np.testing.assert_allclose(float(root), np.sqrt(a), rtol=1e-5)
            assert 2 < int(n) < 20
        assert int(g(np.float32(1.0))[1]) == 0

    def test_structures_and_limits(self, run: Any) -> None:
        def f(n: Any) -> Any:
            state = [{"i": 0, "x": ops.zeros((3,))}]
            return ops.while_loop(
                lambda s: s["i"] < n,
                lambda s: [{"i": s["i"] + 1, "x": s["x"] + ops.cast(s["i"], "float32")}],
                state,
                maximum_iterations=4,
            )

        g = run(f)
        for n, steps, total in ((0, 0, 0), (3, 3, 3), (9, 4, 6)):
            (found,) = g(np.int32(n))
            assert int(found["i"]) == steps
            np.testing.assert_array_equal(found["x"], [total] * 3)

    def test_one_variable(self, run: Any) -> None:
        f = run(lambda n: ops.while_loop(lambda x: x < n, lambda x: x * 2, ops.cast(1, "int32")))
        assert int(f(np.int32(100))) == 128

    def test_nested_loops(self, run: Any) -> None:
        def f(n: Any) -> Any:
            def outer(i: Any, total: Any) -> Any:
                _, inner = ops.while_loop(
                    lambda j, s: j < i, lambda j, s: (j + 1, s + i * n), (0, total)
                )
                return i + 1, inner

            return ops.while_loop(lambda i, t: i < n, outer, (0, 0))[1]

        g = run(f)
        for n in (0, 1, 4):
            assert int(g(np.int32(n))) == sum(i * i * n for i in range(n))

    def test_errors(self) -> None:
        with pytest.raises(TypeError, match="cond"):
            ops.while_loop(1, lambda x: x, (1,))
        n = np.int32(3)
        with pytest.raises(ValueError, match="keep their shapes and dtypes"):
            keras.function(lambda n: ops.while_loop(lambda i: i < n, lambda i: i * 1.5, 0))(n)
        with pytest.raises(ValueError, match="structure of `loop_vars`"):
            keras.function(lambda n: ops.while_loop(lambda i: i < n, lambda i: (i, i), (0,)))(n)
        v = keras.Variable(1.0)

        def assigns(n: Any) -> Any:
            def body(i: Any) -> Any:
                v.assign_add(1.0)
                return i + 1

            return ops.while_loop(lambda i: i < n, body, 0)

        with pytest.raises(ValueError, match="cannot be assigned inside a loop"):
            keras.function(assigns)(n)

        def gradient(n: Any) -> Any:
            with keras.GradientTape() as tape:
                y = ops.while_loop(lambda x: x < n, lambda x: x * v * 2.0, v * 1.0)
            return tape.gradient(y, v)

        with pytest.raises(ValueError, match="has no gradient"):
            keras.function(gradient)(np.float32(3))

    def test_eager_gradient(self) -> None:
        v = keras.Variable(2.0)
        with keras.GradientTape() as tape:
            y = ops.while_loop(lambda x: x < 10.0, lambda x: x * v, v * 1.0)
        assert float(tape.gradient(y, v)) == 32.0


def test_fori_loop(run: Any) -> None:
    f = run(lambda n, x: ops.fori_loop(1, n, lambda i, v: v * i, x))
    assert int(f(np.int32(6), np.int32(1))) == 120
    assert int(f(np.int32(1), np.int32(7))) == 7

    def known(x: Any) -> Any:
        with keras.GradientTape() as tape:
            tape.watch(x)
            y = ops.fori_loop(0, 3, lambda i, v: v * x, x)
        return tape.gradient(y, x)

    assert float(run(known)(np.float32(2) if run is not _eagerly else ops.ones(()) * 2)) == 32.0


def test_map_and_vectorized_map(run: Any) -> None:
    x = np.arange(12, dtype=np.float32).reshape(3, 4)
    for function in (ops.map, ops.vectorized_map):

        def f(x: Any, function: Any = function) -> Any:
            return function(lambda r: {"sum": ops.sum(r["a"]), "twice": r["a"] * 2.0}, {"a": x})

        found = run(f)(x)
        np.testing.assert_array_equal(found["sum"], x.sum(1))
        np.testing.assert_array_equal(found["twice"], x * 2)
    with pytest.raises(ValueError, match="same number of rows"):
        ops.map(lambda r: r, [np.ones(2), np.ones(3)])
    with pytest.raises(ValueError, match="at least one row"):
        ops.map(lambda r: r, np.ones((0, 2)))
    with pytest.raises(ValueError, match="rank 1"):
        ops.map(lambda r: r, np.float32(2))


@pytest.mark.parametrize("reverse", [False, True])
def test_scan(run: Any, reverse: bool) -> None:
    w = keras.Variable(0.5)
    x = np.arange(1, 5, dtype=np.float32)

    def f(x: Any) -> Any:
        with keras.GradientTape() as tape:
            last, ys = ops.scan(lambda c, v: (c * w + v, c), 1.0, x, reverse=reverse)
            loss = ops.sum(ys) + last
        return last, ys, tape.gradient(loss, w)

    last, ys, dw = run(f)(x)
    carry, expected = 1.0, []
    for v in reversed(x) if reverse else x:
        expected.append(carry)
        carry = carry * 0.5 + v
    if reverse:
        expected.reverse()
    np.testing.assert_allclose(ys, expected)
    np.testing.assert_allclose(float(last), carry)

    def loss_of(w: float) -> float:
        carry, total = 1.0, 0.0
        for v in reversed(x) if reverse else x:
            total += carry
            carry = carry * w + v
        return total + carry

    np.testing.assert_allclose(float(dw), (loss_of(0.5001) - loss_of(0.4999)) / 2e-4, rtol=1e-3)


def test_scan_forms_and_errors() -> None:
    last, ys = ops.scan(lambda c, _: (c + 1, None), 0, length=3)
    assert int(last) == 3 and ys is None
    for wrong, match in (
        ({}, "length"),
        ({"xs": np.ones(3), "length": 2}, "number of rows"),
        ({"xs": np.ones(3), "unroll": 0}, "unroll"),
    ):
        with pytest.raises(ValueError, match=match):
            ops.scan(lambda c, x: (c, x), 0.0, **wrong)
    with pytest.raises(ValueError, match="must return a carried value"):
        ops.scan(lambda c, x: c, 0.0, np.ones(3))
    with pytest.raises(ValueError, match="keep its shapes"):
        ops.scan(lambda c, x: (ops.stack([c, c]), x), 0.0, np.ones(3))
    with pytest.raises(ValueError, match="keep its structure"):
        ops.scan(lambda c, x: ((c, c), x), 0.0, np.ones(3))


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 8, 13])
@pytest.mark.parametrize("reverse", [False, True])
def test_associative_scan(run: Any, n: int, reverse: bool) -> None:
    x = np.random.default_rng(n).normal(size=(2, n, 2, 2)).astype(np.float32)
    f = run(lambda x: ops.associative_scan(lambda a, b: ops.matmul(a, b), x, reverse, axis=1))
    found = f(x).numpy()
    for k in range(2):
        rows = x[k][::-1] if reverse else x[k]
        expected = [rows[0]]
        for row in rows[1:]:
            expected.append(expected[-1] @ row)
        if reverse:
            expected.reverse()
        np.testing.assert_allclose(found[k], expected, rtol=1e-4, atol=1e-5)


def test_functional_models() -> None:
    x = keras.Input((3,))
    y = ops.cond(keras.ops.convert_to_tensor(True), lambda: 1.0, lambda: 2.0) * x
    z = ops.scan(lambda c, r: (c + r, c), ops.zeros((4, 2)), ops.ones((5, 4, 2)))[1]
    assert y.shape == (None, 3) and z.shape == (5, 4, 2)
    w = ops.while_loop(lambda v: ops.sum(v) < 10.0, lambda v: v * 2.0, x)
    model = keras.Model(x, w)
    np.testing.assert_array_equal(
        model.predict(np.ones((1, 3), np.float32), verbose=0), [[4, 4, 4]]
    )
