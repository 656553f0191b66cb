"""What the core must refuse or copy, since running it would read or write foreign memory."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from pronghorn import _core
from pronghorn.tensor import borrow, convert_to_tensor
from pronghorn.trace import Trace

HUGE = [2**31, 2**47, 2**62, 2**63 - 1, -(2**63), -1]


def _tensor(shape: tuple[int, ...], dtype: str = "float32") -> Any:
    return convert_to_tensor(np.ones(shape), dtype)


@pytest.mark.parametrize("name", _core.op_names())
@pytest.mark.parametrize("count", [0, 7])
def test_a_wrong_number_of_operands(name: str, count: int) -> None:
    if name == "concatenate" and count:
        pytest.skip("takes any number")
    with pytest.raises((ValueError, TypeError, RuntimeError)):
        _core.apply(name, [_tensor((2, 2))] * count, {})


@pytest.mark.parametrize("size", HUGE)
@pytest.mark.parametrize(
    "name, dtype, attrs",
    [
        ("broadcast_to", "float32", {"shape": [None, None, 1]}),
        ("pad", "float32", {"low": [None], "high": [None], "value": 0.0}),
        ("pad", "float32", {"low": [0], "high": [0], "interior": [None], "value": 0.0}),
        ("random_uniform", "uint32", {"shape": [None, None, 4], "low": 0.0, "high": 1.0}),
        ("random_uniform", "uint32", {"shape": [None, None, 0], "low": 0.0, "high": 1.0}),
        ("one_hot", "int32", {"depth": None, "dtype": "float32"}),
    ],
)
def test_sizes_that_overflow(size: int, name: str, dtype: str, attrs: dict[str, Any]) -> None:
    def fill(value: Any) -> Any:
        return [size if v is None else v for v in value] if isinstance(value, list) else value

    filled = {k: size if v is None else fill(v) for k, v in attrs.items()}
    if max(2**40, size) == 2**40 and name in ("pad", "one_hot") and size > 0:
        pytest.skip("a size that may exist")
    with pytest.raises((ValueError, RuntimeError)):
        _core.apply(name, [_tensor((2,), dtype)], filled)


@pytest.mark.parametrize("size", HUGE)
@pytest.mark.parametrize("name", ["strides", "dilations", "pads_low", "pads_high"])
def test_windows_that_overflow(size: int, name: str) -> None:
    attrs = {"strides": [1], "dilations": [1], "pads_low": [0], "pads_high": [0], name: [size]}
    if name == "strides" and 0 < size <= 2**47:
        assert _core.apply("conv", [_tensor((1, 5, 1)), _tensor((3, 1, 1))], attrs).shape == (
            1,
            1,
            1,
        )
        return
    if name != "dilations" and size == 2**31:
        return  # may exist
    with pytest.raises((ValueError, RuntimeError)):
        _core.apply("conv", [_tensor((1, 5, 1)), _tensor((3, 1, 1))], attrs)


def test_a_negative_size_of_an_input() -> None:
    with Trace() as trace, pytest.raises(ValueError, match="must not be negative"):
        trace.input((-1, 2), "float32")


@pytest.mark.parametrize(
    "a, b", [((1, 0, 1, 2), (2, 1, 2, 3)), ((0, 4, 2), (1, 2, 3)), ((0, 1, 2), (0, 2, 3))]
)
def test_products_of_no_matrices(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    y = _core.apply("matmul", [_tensor(a), _tensor(b)], {})
    assert y.shape == np.matmul(np.ones(a), np.ones(b)).shape


@pytest.mark.parametrize("name, operands", [("layer_norm", 3), ("rms_norm", 2)])
def test_norms_of_nothing(name: str, operands: int) -> None:
    inputs = [_tensor((3, 0)), _tensor((0,)), _tensor((0,))][:operands]
    _, *moments = _core.apply(name, inputs, {"epsilon": 1e-3})
    assert all(np.isnan(m.numpy()).all() for m in moments)


@pytest.mark.parametrize("shape", [(3, 0), (0, 4), (0, 0)])
@pytest.mark.parametrize("name", ["batch_norm", "matmul", "conv"])
def test_epilogues_of_nothing(name: str, shape: tuple[int, int]) -> None:
    rows, columns = shape
    with Trace() as trace:
        bias = trace.input((columns,), "float32")
        if name == "batch_norm":
            x = trace.input(shape, "float32")
            y = _core.apply(name, [x, bias, bias], {"epsilon": 1e-3})[0]
        elif name == "matmul":
            x = trace.input((rows, 2), "float32")
            y = _core.apply(name, [x, trace.input((2, columns), "float32")], {})
        else:
            x = trace.input((rows, 1, 2), "float32")
            window = {"strides": [1], "dilations": [1], "pads_low": [0], "pads_high": [0]}
            y = _core.apply(name, [x, trace.input((1, 2, columns), "float32")], window)
        program = trace.compile([_core.apply("add", [y, bias])])
    inputs = [_tensor(shape, dtype) for shape, dtype in program.input_types]
    assert program(*inputs)[0].shape == y.shape


def test_argsort_ignores_what_top_k_reads() -> None:
    x = np.array([[3.0, 1.0, 2.0]], np.float32)
    found = _core.apply("argsort", [convert_to_tensor(x)], {"axis": 1, "k": 1}).numpy()
    np.testing.assert_array_equal(found, [[1, 2, 0]])


@pytest.mark.parametrize("dtype", [">f4", ">f8", ">i4", ">i2", ">u8"])
def test_foreign_byte_order(dtype: str) -> None:
    x = np.arange(5, dtype=dtype)
    np.testing.assert_array_equal(convert_to_tensor(x).numpy(), np.arange(5))
    np.testing.assert_array_equal(borrow(x).numpy(), np.arange(5))
    with pytest.raises(ValueError, match=re.escape("byte order")):
        _core.from_numpy(np.arange(5, dtype=">f4"), "float32", False)


def test_unaligned_arrays_are_copied() -> None:
    x = np.zeros(41, np.uint8)[1:].view(np.float32)
    x[:] = np.arange(10)
    tensor = borrow(x)
    assert np.from_dlpack(tensor).ctypes.data % 4 == 0
    x[:] = 0
    np.testing.assert_array_equal(tensor.numpy(), np.arange(10))


class TestRunBatches:
    """Steps beyond the rows, rows in a strided array, results of another dtype."""

    @pytest.fixture
    def program(self) -> Any:
        with Trace() as trace:
            return trace.compile([trace.input((2, 3), "float32") * 2.0])

    rows = np.arange(60, dtype=np.float32).reshape(20, 3)

    @pytest.mark.parametrize(
        "batch_size, first, last",
        [
            (2, -1, 0),
            (2, -3, -1),
            (2, 3, 2),
            (0, 0, 1),
            (-2, 0, 1),
            (2, 0, 11),
            (2, 0, 2**62),
            (2, 2**62, 2**63 - 1),
        ],
    )
    @pytest.mark.parametrize("ordered", [False, True])
    def test_steps_out_of_range(
        self, program: Any, ordered: bool, batch_size: int, first: int, last: int
    ) -> None:
        order = np.arange(20) if ordered else None
        with pytest.raises(ValueError, match="run_batches"):
            program.run_batches([self.rows], order, batch_size, first, last)

    def test_strided_order(self, program: Any) -> None:
        results = np.zeros((10, 3), np.float32)
        program.run_batches([self.rows], np.arange(20)[::2], 2, 0, 5, 0.0, [results])
        np.testing.assert_array_equal(results, 2 * self.rows[::2])

    def test_results_of_another_dtype(self, program: Any) -> None:
        with pytest.raises(ValueError, match="output 0"):
            program.run_batches([self.rows], None, 2, 0, 5, 0.0, [np.zeros((10, 3), np.int32)])

    def test_results_too_small(self, program: Any) -> None:
        with pytest.raises(ValueError, match="output 0"):
            program.run_batches([self.rows], None, 2, 0, 5, 0.0, [np.zeros((9, 3), np.float32)])


def test_python_integers_beyond_int64() -> None:
    with pytest.raises(ValueError, match="int64"):
        convert_to_tensor([2**63])


def test_floats_are_no_indices() -> None:
    assert [10, 20][convert_to_tensor(1)] == 20
    with pytest.raises(TypeError, match="integers"):
        [10, 20][convert_to_tensor(1.0)]


def test_taps_that_a_window_does_not_have() -> None:
    attrs = {"window": [2, 2], "strides": [2, 2], "pads_low": [0, 0], "pads_high": [1, 1]}
    x = convert_to_tensor(np.arange(18, dtype=np.float32).reshape(1, 3, 3, 2), "float32")
    taken = np.array([0, 3, -1, 4, 2**31 - 1, -(2**31), 3, -2], np.int32).reshape(1, 2, 2, 2)
    got = _core.apply("max_pool_take", [x, convert_to_tensor(taken, "int32")], attrs).numpy()
    # Window 0: taps 0 and 3; window 1: none, and one past the last; window 3 reaches outside.
    assert got[0, 0, 0].tolist() == [0.0, 9.0]
    assert got[0, 0, 1, 0] == 0.0
    rest = [got[0, 0, 1, 1], *got[0, 1].reshape(-1)]
    assert np.isnan(rest).all()
    attrs["input_spatial"] = [3, 3]
    dy = convert_to_tensor(np.ones((1, 2, 2, 2), np.float32), "float32")
    dx = _core.apply("max_pool_grad", [dy, convert_to_tensor(taken, "int32")], attrs).numpy()
    assert dx.sum() == 2.0
