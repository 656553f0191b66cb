"""LossScaleOptimizer, eager and traced."""

from __future__ import annotations

import numpy as np
import pytest

from pronghorn import Variable, ops, optimizers
from pronghorn.trace import Trace


def _apply(traced, optimizer, variable, grads):
    if not traced:
        for grad in grads:
            optimizer.apply([ops.convert_to_tensor(grad)], [variable])
        return
    optimizer.build([variable])
    with Trace() as trace:
        optimizer.apply([trace.input(variable.shape, "float32")], [variable])
        program = trace.compile([])
    for grad in grads:
        program(grad)


@pytest.mark.parametrize("traced", [False, True])
def test_finite_steps_update_and_double_the_scale(traced):
    v = Variable(np.array([1.0, 2.0], "float32"))
    optimizer = optimizers.LossScaleOptimizer(
        optimizers.SGD(0.5), initial_scale=4.0, dynamic_growth_steps=2
    )
    _apply(traced, optimizer, v, [np.array([4.0, 8.0], "float32")] * 2)
    np.testing.assert_allclose(v.numpy(), [0.0, 0.0])
    assert float(optimizer.scale_loss(1.0)) == 8.0
    assert int(optimizer.iterations) == 2


@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize("bad", [np.inf, np.nan])
def test_a_step_that_is_not_finite_is_skipped_and_halves_the_scale(traced, bad):
    v = Variable(np.array([1.0, 2.0], "float32"))
    inner = optimizers.Adam(0.5)
    optimizer = optimizers.LossScaleOptimizer(inner, initial_scale=4.0)
    _apply(traced, optimizer, v, [np.array([bad, 1.0], "float32")] * 2)
    np.testing.assert_array_equal(v.numpy(), [1.0, 2.0])
    assert float(optimizer.scale_loss(1.0)) == 1.0
    assert int(inner.iterations) == int(optimizer.iterations) == 0
    assert all(np.isfinite(x.numpy()).all() for x in optimizer.variables)


def test_arguments():
    with pytest.raises(ValueError, match="on the `inner_optimizer`|inner_optimizer"):
        optimizers.LossScaleOptimizer(optimizers.SGD(), clipnorm=1.0)
    with pytest.raises(ValueError, match="`foo`"):
        optimizers.LossScaleOptimizer(optimizers.SGD(), foo=1)
    with pytest.raises(TypeError, match="inner_optimizer"):
        optimizers.LossScaleOptimizer("sgd")


def test_learning_rate_is_that_of_the_inner_optimizer():
    optimizer = optimizers.LossScaleOptimizer(optimizers.SGD(0.5))
    optimizer.learning_rate = 0.25
    assert float(optimizer.inner_optimizer.learning_rate) == 0.25
    assert float(optimizer.learning_rate) == 0.25


def test_config():
    optimizer = optimizers.LossScaleOptimizer(optimizers.SGD(0.5), initial_scale=2.0, name="s")
    again = optimizers.deserialize(optimizers.serialize(optimizer))
    assert again.get_config() == optimizer.get_config()
