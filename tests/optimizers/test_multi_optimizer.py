"""MultiOptimizer and OptimizerMap."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from pronghorn import Variable, name_scope, ops, optimizers
from pronghorn.trace import Trace


def _variables():
    made = []
    for scope in ("dense_1", "dense_2"):
        with name_scope(scope):
            made.append(Variable(np.array([2.0, 2.0], "float32"), name="kernel"))
    return made


def _map():
    chosen = optimizers.OptimizerMap(optimizers.SGD(1.0))
    chosen["^dense_1/"] = optimizers.SGD(0.1)
    return chosen


@pytest.mark.parametrize("traced", [False, True])
def test_each_variable_has_its_optimizer(traced):
    variables = _variables()
    optimizer = optimizers.MultiOptimizer(_map(), loss_scale_factor=2.0)
    grads = [np.array([2.0, 2.0], "float32")] * 2
    optimizer.build(variables)
    if traced:
        with Trace() as trace:
            optimizer.apply([trace.input((2,), "float32") for _ in variables], variables)
            program = trace.compile([])
        program(*grads)
    else:
        optimizer.apply([ops.convert_to_tensor(g) for g in grads], variables)
    np.testing.assert_allclose(variables[0].numpy(), [1.9, 1.9])
    np.testing.assert_allclose(variables[1].numpy(), [1.0, 1.0])
    assert int(optimizer.iterations) == 1
    assert [int(o.iterations) for o in optimizer.optimizers] == [1, 1]
    assert float(optimizer.scale_loss(1.0)) == 2.0


def test_config_and_pickle():
    optimizer = optimizers.MultiOptimizer(_map())
    again = optimizers.deserialize(optimizers.serialize(optimizer))
    assert again.get_config() == optimizer.get_config()
    variables = _variables()
    optimizer.build(variables)
    again, copies = pickle.loads(pickle.dumps((optimizer, variables)))
    again.apply([ops.ones((2,))] * 2, copies)
    np.testing.assert_allclose(copies[0].numpy(), [1.9, 1.9])


def test_errors():
    with pytest.raises(TypeError, match="default_optimizer"):
        optimizers.OptimizerMap(3)
    with pytest.raises(TypeError, match="optimizer_map=3"):
        optimizers.MultiOptimizer(3)
    chosen = _map()
    with pytest.raises(ValueError, match="optimizer must be"):
        chosen["x"] = 3
    with pytest.raises(ValueError, match="regular expressions"):
        chosen["("] = optimizers.SGD()
    with pytest.raises(ValueError, match="cannot be LossScaleOptimizer"):
        chosen["x"] = optimizers.LossScaleOptimizer(optimizers.SGD())
    chosen["kernel"] = optimizers.SGD()
    with pytest.raises(ValueError, match="several patterns"):
        optimizers.MultiOptimizer(chosen).build(_variables())
    optimizer = optimizers.MultiOptimizer(_map())
    with pytest.raises(AttributeError, match="sub-optimizers"):
        optimizer.learning_rate
    with pytest.raises(AttributeError, match="sub-optimizers"):
        optimizer.learning_rate = 0.1
    with pytest.raises(ValueError, match="not an Optimizer"):
        optimizers.MultiOptimizer(lambda v: None).build(_variables())
