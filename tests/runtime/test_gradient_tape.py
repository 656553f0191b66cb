"""GradientTape, custom_gradient, value_and_grad, minimize: eagerly and inside a traced function."""

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


def test_variables_and_structures(run: Any) -> None:
    a, b, c = keras.Variable(2.0), keras.Variable([1.0, 3.0]), keras.Variable(5.0)

    def f() -> Any:
        with keras.GradientTape() as tape:
            loss = ops.sum(a * b * b)
        return tape.gradient(loss, {"a": a, "others": [b, c]})

    found = run(f)()
    assert float(found["a"]) == 10.0
    np.testing.assert_array_equal(found["others"][0], [4.0, 12.0])
    assert found["others"][1] is None


def test_tensors_need_a_watch(run: Any) -> None:
    def f(x: Any, watched: bool) -> Any:
        with keras.GradientTape() as tape:
            if watched:
                tape.watch(x)
            y = x * x
        return tape.gradient(y, x)

    x = ops.convert_to_tensor(3.0)
    assert float(run(f)(x, True)) == 6.0
    assert run(f)(x, False) is None


def test_what_was_computed_is_a_source(run: Any) -> None:
    v = keras.Variable(3.0)

    def f() -> Any:
        with keras.GradientTape(persistent=True) as tape:
            u = v * 2.0
            y = u * u
        return tape.gradient(y, u), tape.gradient(y, v)

    du, dv = run(f)()
    assert (float(du), float(dv)) == (12.0, 24.0)


def test_variables_that_are_not_watched(run: Any) -> None:
    frozen = keras.Variable(3.0, trainable=False)
    v = keras.Variable(3.0)

    def f() -> Any:
        with keras.GradientTape(persistent=True) as tape:
            y = frozen * v
        with keras.GradientTape(watch_accessed_variables=False) as blind:
            blind.watch(frozen)
            z = frozen * v
        return tape.gradient(y, [frozen, v]), blind.gradient(z, [frozen, v])

    first, second = run(f)()
    assert first[0] is None and float(first[1]) == 3.0
    assert second[1] is None and float(second[0]) == 3.0


def test_output_gradients_and_several_targets(run: Any) -> None:
    x = keras.Variable([1.0, 2.0])

    def f() -> Any:
        with keras.GradientTape(persistent=True) as tape:
            y, z = x * 3.0, x * x
        weighted = tape.gradient(y, x, output_gradients=[1.0, 10.0])
        return weighted, tape.gradient([y, z], x)

    weighted, both = run(f)()
    np.testing.assert_array_equal(weighted, [3.0, 30.0])
    np.testing.assert_array_equal(both, [5.0, 7.0])


def test_second_and_third_derivative(run: Any) -> None:
    x = keras.Variable(2.0)

    def f() -> Any:
        with keras.GradientTape() as third:
            with keras.GradientTape() as second:
                with keras.GradientTape() as first:
                    y = ops.sin(x) * x**3
                dy = first.gradient(y, x)
            d2y = second.gradient(dy, x)
        return dy, d2y, third.gradient(d2y, x)

    s, c = np.sin(2.0), np.cos(2.0)
    expected = (8 * c + 12 * s, 24 * c + 4 * s, 36 * c - 8 * c - 36 * s + 6 * s)
    np.testing.assert_allclose([float(v) for v in run(f)()], expected, rtol=1e-5)


def test_jacobian(run: Any) -> None:
    x = keras.Variable([1.0, 2.0, 3.0])

    def f() -> Any:
        with keras.GradientTape() as tape:
            y = ops.stack([ops.sum(x * x), x[0] * x[2]])
        found = tape.jacobian(y, x)
        with pytest.raises(RuntimeError, match="non-persistent"):
            tape.gradient(y, x)
        return found

    np.testing.assert_array_equal(run(f)(), [[2, 4, 6], [3, 0, 1]])


def test_a_variable_changed_between_tapes(run: Any) -> None:
    v = keras.Variable(1.0)

    def f() -> Any:
        found = []
        for _ in range(3):
            with keras.GradientTape() as tape:
                loss = v * v
            gradient = tape.gradient(loss, v)
            v.assign_sub(0.25 * gradient)
            found.append(gradient)
        return found

    assert [float(g) for g in run(f)()] == [2.0, 1.0, 0.5]
    assert float(v) == 0.125


def test_unconnected_gradients(run: Any) -> None:
    a, b = keras.Variable([1.0, 2.0]), keras.Variable(1.0)

    def f() -> Any:
        with keras.GradientTape(persistent=True) as tape:
            y = b * 2.0
        return tape.gradient(y, a), tape.gradient(y, a, unconnected_gradients="zero")

    nothing, zeros = run(f)()
    assert nothing is None
    np.testing.assert_array_equal(zeros, [0.0, 0.0])


def test_stop_recording_and_reset() -> None:
    x = keras.Variable(3.0)
    with keras.GradientTape(persistent=True) as tape:
        y = x * x
        with tape.stop_recording():
            z = x * y
        w = y * 2.0
        assert tape.watched_variables() == (x,)
    assert float(tape.gradient(w, x)) == 12.0
    assert tape.gradient(z, x) is None
    with keras.GradientTape() as tape:
        y = x * x
        tape.reset()
        z = x * 2.0
    assert float(tape.gradient(z, x)) == 2.0


def test_misuse_is_refused() -> None:
    x = keras.Variable(3.0)
    with keras.GradientTape() as tape:
        y = x * x
        with pytest.raises(ValueError, match="recording already"):
            tape.__enter__()
        with pytest.raises(ValueError, match="expected a tensor or variable"):
            tape.watch("x")
        with pytest.raises(ValueError, match="floats only"):
            tape.watch(ops.arange(3))
    with pytest.raises(ValueError, match="unconnected_gradients"):
        tape.gradient(y, x, unconnected_gradients="no")
    assert float(tape.gradient(y, x)) == 6.0
    with pytest.raises(RuntimeError, match="non-persistent"):
        tape.gradient(y, x)
    with pytest.raises(RuntimeError, match="nothing was recorded"):
        keras.GradientTape().gradient(y, x)
    with keras.GradientTape(persistent=True) as tape:
        y = x * x
    with pytest.raises(ValueError, match="variables or tensors as sources"):
        tape.gradient(y, 3.0)
    with pytest.raises(ValueError, match="float target"):
        tape.gradient(ops.cast(y, "int32"), x)
    with pytest.raises(ValueError, match="shapes of the targets"):
        tape.gradient(y, x, output_gradients=[[1.0, 2.0]])


class TestMinimize:
    def test_callable_and_tape(self, run: Any) -> None:
        v = keras.Variable(1.0)
        sgd = keras.optimizers.SGD(0.1)
        sgd.build([v])
        run(lambda: sgd.minimize(lambda: v * v, [v]))()
        np.testing.assert_allclose(float(v), 0.8, rtol=1e-6)

        def with_tape() -> None:
            with keras.GradientTape() as tape:
                loss = v * v
            sgd.minimize(loss, lambda: [v], tape=tape)

        run(with_tape)()
        np.testing.assert_allclose(float(v), 0.64, rtol=1e-6)
        assert int(sgd.iterations) == 2

    def test_a_tensor_needs_its_tape(self) -> None:
        with pytest.raises(ValueError, match="GradientTape"):
            keras.optimizers.SGD().minimize(ops.ones(()), [])

    def test_no_path_to_a_variable(self) -> None:
        v, other = keras.Variable(1.0), keras.Variable(1.0, name="other")
        with pytest.raises(ValueError, match="other"):
            keras.optimizers.SGD().minimize(lambda: v * v, [other])


class TestValueAndGrad:
    def test_arguments(self, run: Any) -> None:
        def f(x: Any, y: Any) -> Any:
            return ops.sum(x["a"] * y)

        value, (dx, dy) = run(keras.value_and_grad(f, argnums=(0, 1)))(
            {"a": np.float32([1, 2])}, np.float32([3, 4])
        )
        assert float(value) == 11.0
        np.testing.assert_array_equal(dx["a"], [3, 4])
        np.testing.assert_array_equal(dy, [1, 2])

    def test_variables_and_aux(self) -> None:
        v = keras.Variable(3.0)
        f = keras.value_and_grad(lambda x: (v * x, "aux"), has_aux=True, variables=[v])
        (value, extra), (dv,) = f(2.0)
        assert (float(value), extra, float(dv)) == (6.0, "aux", 2.0)
        gradient, extra = keras.grad(lambda x: (v * x, "aux"), has_aux=True)(2.0)
        assert (float(gradient), extra) == (3.0, "aux")

    def test_errors(self) -> None:
        with pytest.raises(TypeError, match="callable"):
            keras.grad(3)
        with pytest.raises(ValueError, match="argnums"):
            keras.grad(lambda x: x, argnums=1)(2.0)
        with pytest.raises(ValueError, match="scalar"):
            keras.grad(lambda x: x)([1.0, 2.0])
        with pytest.raises(ValueError, match="floats only"):
            keras.grad(lambda x: ops.sum(x))(3)
