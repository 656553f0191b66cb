"""Optimizers and schedules against ten steps that Keras made (tests/golden/make_optimizers.py)."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from pronghorn import Variable, ops, optimizers
from pronghorn.trace import Trace

GOLDEN = Path(__file__).parents[1] / "golden"
sys.path.insert(0, str(GOLDEN))
from optimizer_cases import (  # noqa: E402
    OPTIMIZERS,
    SCHEDULE_STEPS,
    SCHEDULES,
    SHAPES,
    STEPS,
    start_and_gradients,
)

NUMBERS = np.load(GOLDEN / "optimizers.npz")
# An update is about 20 roundings of values up to 3; they add up over the steps.
TOLERANCE = 20 * STEPS * np.finfo(np.float32).eps * 3.0


def _make(name):
    cls, arguments, excluded = OPTIMIZERS[name]
    optimizer = getattr(optimizers, cls)(**arguments)
    if excluded:
        optimizer.exclude_from_weight_decay(**excluded)
    return optimizer


def _row(variables):
    return np.concatenate([np.ravel(v.numpy()) for v in variables])


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_eager_steps(name):
    first, steps = start_and_gradients()
    optimizer = _make(name)
    variables = [Variable(first[n], name=n) for n in SHAPES]
    for grads, expected in zip(steps, NUMBERS[name]):
        optimizer.apply([ops.convert_to_tensor(grads[n]) for n in SHAPES], variables)
        np.testing.assert_allclose(_row(variables), expected, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_traced_steps(name):
    first, steps = start_and_gradients()
    optimizer = _make(name)
    variables = [Variable(first[n], name=n) for n in SHAPES]
    optimizer.build(variables)
    with Trace() as trace:
        inputs = [trace.input(shape, "float32") for shape in SHAPES.values()]
        optimizer.apply(inputs, variables)
        program = trace.compile([])
    for grads, expected in zip(steps, NUMBERS[name]):
        program(*[grads[n] for n in SHAPES])
        np.testing.assert_allclose(_row(variables), expected, rtol=0, atol=TOLERANCE)
    assert int(optimizer._iterations) == STEPS


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules(name):
    cls, arguments, options = SCHEDULES[name]
    schedule = getattr(optimizers.schedules, cls)(*arguments, **options)
    again = optimizers.schedules.deserialize(optimizers.schedules.serialize(schedule))
    for made in (schedule, again):
        rates = [float(made(step)) for step in SCHEDULE_STEPS]
        np.testing.assert_allclose(rates, NUMBERS["schedule_" + name], rtol=2e-6, atol=1e-8)


def test_a_schedule_is_traced_with_the_step():
    schedule = optimizers.schedules.ExponentialDecay(0.1, 7, 0.9)
    optimizer = optimizers.SGD(schedule)
    v = Variable(np.zeros((), "float32"))
    optimizer.build([v])
    with Trace() as trace:
        optimizer.apply([trace.input((), "float32")], [v])
        program = trace.compile([])
    total = 0.0
    for step in range(5):
        program(np.float32(1.0).reshape(()))
        total -= 0.1 * 0.9 ** (step / 7)
        np.testing.assert_allclose(v.numpy(), total, rtol=1e-5)


def test_adam_is_a_short_graph():
    v = Variable(np.zeros((8, 8), "float32"))
    optimizer = optimizers.Adam()
    optimizer.build([v])
    with Trace() as trace:
        optimizer.apply([trace.input((8, 8), "float32")], [v])
        lengths = len(trace.print().splitlines())
    # About 12 nodes for the variable, 12 for the scalars of the step, and constants.
    assert lengths < 60
