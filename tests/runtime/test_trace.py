"""Traces, programs, batches and threads."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from pronghorn import _core, ops
from pronghorn.tensor import convert_to_tensor
from pronghorn.trace import Trace
from pronghorn.variable import Variable


def double() -> object:
    with Trace() as trace:
        x = trace.input((2, 3), "float32")
        return trace.compile([x * 2.0])


def test_program_checks_its_inputs() -> None:
    program = double()
    with pytest.raises(ValueError, match=r"input 0 is float32\(2, 3\). Received: float32\(3, 2\)"):
        program(np.zeros((3, 2), np.float32))
    with pytest.raises(ValueError, match="expected 1 inputs. Received: 2"):
        program(np.zeros((2, 3), np.float32), np.zeros((2, 3), np.float32))
    with pytest.raises(ValueError, match="int32"):
        program(np.zeros((2, 3), np.int32))


def test_run_batches_gathers_rows_and_writes_results() -> None:
    program = double()
    rows = np.arange(18, dtype=np.float32).reshape(6, 3)
    order = np.array([5, 0, 3, 3, 1, 2])
    out = np.zeros((6, 3), np.float32)
    assert program.run_batches([rows], order, 2, 0, 3, outputs=[out]) == 3
    np.testing.assert_array_equal(out, rows[order] * 2)
    out[:] = 0
    assert program.run_batches([rows], None, 2, 1, 3, outputs=[out]) == 3
    np.testing.assert_array_equal(out[2:], rows[2:] * 2)
    assert not out[:2].any()


def test_run_batches_never_reads_outside() -> None:
    program = double()
    rows = np.zeros((4, 3), np.float32)
    with pytest.raises(ValueError, match="at least 6 rows. Received: 4"):
        program.run_batches([rows], None, 2, 0, 3)
    with pytest.raises(ValueError, match="at least 5 rows. Received: 4"):
        program.run_batches([rows], np.array([0, 4]), 2, 0, 1)
    with pytest.raises(ValueError, match="negative row number -1"):
        program.run_batches([rows], np.array([0, -1]), 2, 0, 1)
    with pytest.raises(ValueError, match="must hold rows of"):
        program.run_batches([np.zeros((4, 2), np.float32)], None, 2, 0, 1)
    with pytest.raises(ValueError, match="output 0 must be"):
        program.run_batches([rows], None, 2, 0, 2, outputs=[np.zeros((2, 3), np.float32)])


def test_run_batches_stops_at_its_time_limit() -> None:
    step = Variable(0, dtype="int32")
    with Trace() as trace:
        trace.input((1, 1), "float32")
        step.assign_add(1)
        program = trace.compile([])
    rows = np.zeros((1, 1), np.float32)
    order = np.zeros(5_000_000, np.int64)
    done = program.run_batches([rows], order, 1, 0, len(order), time_limit=0.01)
    assert 0 < done < len(order)
    assert int(step) == done


def test_outputs_that_are_inputs_variables_constants_or_the_same() -> None:
    v = Variable([1.0, 2.0])
    with Trace() as trace:
        x = trace.input((2,), "float32")
        y = x + 1.0
        constant = convert_to_tensor([7.0, 8.0])
        program = trace.compile([x, trace.read(v), constant, y, y, ops.reshape(y, (1, 2))])
    got = [t.numpy().tolist() for t in program(np.array([3, 4], np.float32))]
    assert got == [[3, 4], [1, 2], [7, 8], [4, 5], [4, 5], [[4, 5]]]


def test_threads_share_a_program() -> None:
    with Trace() as trace:
        x = trace.input((64, 64), "float32")
        y = x
        for _ in range(8):
            y = ops.tanh(ops.matmul(y, x) * 0.01)
        program = trace.compile([y])
    inputs = [np.random.default_rng(i).normal(size=(64, 64)).astype("float32") for i in range(4)]
    expected = [program(x)[0].numpy() for x in inputs]
    wrong: list[int] = []

    def work(i: int) -> None:
        for _ in range(50):
            if not np.array_equal(program(inputs[i])[0].numpy(), expected[i]):
                wrong.append(i)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def _product(n: int) -> float:
    x = np.ones((n, n), np.float32)
    return float(ops.matmul(x, x)[0, 0])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_computes() -> None:
    assert _product(512) == 512  # the threads exist before the fork
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map_async(_product, [256, 300]).get(timeout=60) == [256, 300]


@pytest.mark.parametrize("setting", ["bogus", "AVX2"])
def test_an_unknown_isa_is_an_error_of_the_import(setting: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", "import pronghorn; pronghorn.Tensor"],
        capture_output=True,
        text=True,
        env={**os.environ, "PRONGHORN_ISA": setting},
    )
    assert run.returncode != 0
    assert "PRONGHORN_ISA: expected one of baseline" in run.stderr
    assert f"Received: '{setting}'" in run.stderr


@pytest.mark.parametrize("setting", ["0", "two", "2x"])
def test_a_number_of_threads_that_is_none_is_an_error_of_the_import(setting: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", "import pronghorn; pronghorn.Tensor"],
        capture_output=True,
        text=True,
        env={**os.environ, "PRONGHORN_NUM_THREADS": setting},
    )
    assert run.returncode != 0
    assert (
        f"PRONGHORN_NUM_THREADS: expected a number of threads, 1 or more. Received: '{setting}'"
        in (run.stderr)
    )


@pytest.mark.parametrize("isa", _core.available_isas())
def test_the_isa_that_is_asked_for_is_used(isa: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", "from pronghorn import _core; print(_core.isa())"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PRONGHORN_ISA": isa},
    )
    assert run.stdout.strip() == isa


def test_import_is_silent_and_light() -> None:
    code = (
        "import sys, pronghorn as keras\n"
        "from pronghorn import layers\n"
        "keras.Sequential\n"
        "heavy = {'h5py', 'rich', 'pandas', 'matplotlib', 'urllib.request'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_profile_prints_a_table_of_ops() -> None:
    code = "import numpy as np; from pronghorn import ops; ops.matmul(np.eye(3), np.eye(3))"
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PRONGHORN_PROFILE": "1"},
    )
    assert run.stderr.splitlines()[0].split() == (
        ["calls", "total", "ms", "us/call", "%", "op", "->", "type", "of", "its", "result"]
    )
    assert "matmul -> float32(3, 3)" in run.stderr
