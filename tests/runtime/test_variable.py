from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from pronghorn import ops
from pronghorn.trace import Tape, Trace
from pronghorn.variable import AutocastScope, Variable


def test_value_is_a_snapshot() -> None:
    v = Variable(np.ones(2))
    before = v.value
    v.assign([5, 6])
    assert before.numpy().tolist() == [1, 1]
    assert v.numpy().tolist() == [5, 6]


def test_assign_casts_and_checks_the_shape() -> None:
    v = Variable([1.0, 2.0], name="v")
    v.assign(np.array([3, 4]))
    assert v.dtype == "float32" and v.numpy().tolist() == [3, 4]
    with pytest.raises(ValueError, match="shape of the target variable.*Target variable: v"):
        v.assign([1.0, 2.0, 3.0])
    assert v.numpy().tolist() == [3, 4]
    assert v.assign_add([1, 1]).numpy().tolist() == [4, 5]
    assert v.assign_sub(1 * np.ones(2)).numpy().tolist() == [3, 4]


def test_a_trace_reads_what_it_wrote_and_assigns_when_it_runs() -> None:
    v = Variable(1.0)
    with Trace() as trace:
        x = trace.input((), "float32")
        before = v + 0.0
        v.assign(v * x)
        after = v + 0.0
        program = trace.compile([before, after])
    assert float(v) == 1
    assert [float(t) for t in program(np.float32(3))] == [1, 3]
    assert [float(t) for t in program(np.float32(3))] == [3, 9]
    assert float(v) == 9


def test_variables_made_inside_a_trace_are_real() -> None:
    with Trace():
        v = Variable(lambda shape, dtype: ops.ones(shape, dtype), shape=(2,))
    assert v.numpy().tolist() == [1, 1]


def test_a_traced_value_cannot_leave_its_trace() -> None:
    v = Variable(1.0)
    with Trace() as trace:
        x = trace.input((), "float32")
    with pytest.raises(ValueError, match="can only be assigned inside the trace"):
        v.assign(x)


def test_gradient_of_a_tape_uses_the_value_that_was_read() -> None:
    v = Variable(3.0)
    with Tape() as tape:
        loss = v * v
        v.assign(100.0)
    (gradient,) = tape.gradient(loss, [v])
    assert gradient is not None and float(gradient) == 6


def test_autocast() -> None:
    v, kept = Variable([1.0]), Variable([1.0], autocast=False)
    with AutocastScope("float16"):
        assert (v.value.dtype, v.dtype) == ("float16", "float16")
        assert kept.value.dtype == "float32"
    with pytest.raises(ValueError, match="expected a float dtype"):
        AutocastScope("int32")


def test_arguments_are_checked() -> None:
    with pytest.raises(ValueError, match="`shape` argument should be specified"):
        Variable(lambda shape, dtype: ops.zeros(shape, dtype))
    with pytest.raises(ValueError, match="cannot contain character `/`"):
        Variable(1.0, name="a/b")
    with pytest.raises(ValueError, match="aggregation"):
        Variable(1.0, aggregation="median")
    with pytest.raises(ValueError, match="regularizer"):
        Variable(1.0).regularizer = 3
    with pytest.raises(TypeError, match=r"float\(\).*shape=\(2,\)"):
        float(Variable([1.0, 2.0]))


def test_copies_have_memory_of_their_own() -> None:
    v = Variable([1.0], name="v")
    for other in (copy.deepcopy(v), pickle.loads(pickle.dumps(v))):
        other.assign([2.0])
        assert v.numpy().tolist() == [1] and other.path == v.path
