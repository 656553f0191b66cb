"""custom_gradient: eagerly and inside a traced function."""

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


def test_custom_gradient(run: Any) -> None:
    @ops.custom_gradient
    def clipped(x: Any) -> Any:
        return x * 1.0, lambda upstream: ops.clip(upstream, -0.5, 0.5)

    x = keras.Variable([1.0, 2.0])

    def f(scale: Any) -> Any:
        with keras.GradientTape() as tape:
            y = ops.sum(clipped(x) * scale) + ops.sum(clipped(x * 2.0) * 0.25)
        return tape.gradient(y, x)

    np.testing.assert_allclose(run(f)(np.float32(7.0)), [1.0, 1.0])
    np.testing.assert_allclose(run(f)(np.float32(-7.0)), [0.0, 0.0])


def test_custom_gradient_of_several_arguments_and_results(run: Any) -> None:
    @ops.custom_gradient
    def f(a: Any, n: Any, b: Any) -> Any:
        def gradient(d_sum: Any, d_product: Any) -> Any:
            return d_sum + d_product * b, None, 10.0 * d_product * a

        return (a + b, a * b), gradient

    a, b = keras.Variable(2.0), keras.Variable(3.0)

    def g() -> Any:
        with keras.GradientTape() as tape:
            total, product = f(a, 4, b)
            y = total + 2.0 * product
        return tape.gradient(y, [a, b])

    assert [float(d) for d in run(g)()] == [7.0, 40.0]


def test_custom_gradient_has_a_gradient(run: Any) -> None:
    @ops.custom_gradient
    def cube(x: Any) -> Any:
        return x * x * x, lambda upstream: upstream * 3.0 * x * x

    x = keras.Variable(2.0)

    def f() -> Any:
        with keras.GradientTape() as outer:
            with keras.GradientTape() as inner:
                y = cube(x)
            dy = inner.gradient(y, x)
        return dy, outer.gradient(dy, x)

    assert [float(d) for d in run(f)()] == [12.0, 12.0]


def test_custom_gradient_errors() -> None:
    with pytest.raises(TypeError, match="callable"):
        ops.custom_gradient(3)
    with pytest.raises(ValueError, match="to return"):
        ops.custom_gradient(lambda x: x)(ops.ones(2))

    @ops.custom_gradient
    def two(x: Any, y: Any) -> Any:
        return x * y, lambda upstream: upstream

    @ops.custom_gradient
    def shape(x: Any) -> Any:
        return x * 2.0, lambda upstream: ops.ones((3,))

    with keras.GradientTape():
        with pytest.raises(ValueError, match="one gradient for each argument"):
            two(ops.ones(2), ops.ones(2))
        with pytest.raises(ValueError, match="shape of its argument"):
            shape(ops.ones(2))
