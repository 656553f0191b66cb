from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from pronghorn import ops
from pronghorn.tensor import Tensor, convert_to_tensor
from pronghorn.trace import Trace


@pytest.mark.parametrize(
    ("x", "dtype"),
    [
        (1, "int32"),
        (2**40, "int64"),
        (1.5, "float32"),
        (True, "bool"),
        ([1, 2], "int32"),
        ([1, 2.5], "float32"),
        (np.float64(1), "float32"),
        (np.zeros(2), "float32"),
        (np.zeros(2, np.int64), "int64"),
        (np.zeros(2, np.float16), "float16"),
        (np.zeros(2, np.uint8), "uint8"),
        (np.zeros(2, ">f4"), "float32"),
    ],
)
def test_dtype_of_what_is_converted(x: object, dtype: str) -> None:
    assert convert_to_tensor(x).dtype == dtype


def test_tensors_do_not_share_the_memory_of_arrays() -> None:
    array = np.ones(3, np.float32)
    tensor = convert_to_tensor(array)
    array[:] = 2
    assert tensor.numpy().tolist() == [1, 1, 1]
    tensor.numpy()[:] = 3
    assert tensor.numpy().tolist() == [1, 1, 1]
    assert not np.asarray(tensor).flags.writeable


@pytest.mark.parametrize("shape", [(), (0,), (2, 0, 3), (4,), (2, 3)])
def test_numpy_round_trip(shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    tensor = convert_to_tensor(array)
    assert tensor.shape == shape and tensor.ndim == len(shape) and tensor.size == array.size
    np.testing.assert_array_equal(np.asarray(tensor), array)
    if array.size:
        np.testing.assert_array_equal(np.from_dlpack(tensor), array)
    np.testing.assert_array_equal(np.asarray(memoryview(tensor)), array)


def test_arrays_in_any_layout() -> None:
    array = np.arange(12, dtype=np.float32).reshape(3, 4)
    for view in (array.T, array[::2], array[:, ::-1], np.asfortranarray(array)):
        np.testing.assert_array_equal(convert_to_tensor(view).numpy(), view)
    unaligned = np.frombuffer(b"\0" + array.tobytes(), np.uint8)[1:].view(np.float32)
    np.testing.assert_array_equal(convert_to_tensor(unaligned).numpy(), unaligned)


def test_bfloat16_round_trip() -> None:
    ml_dtypes = pytest.importorskip("ml_dtypes", reason="missing: pip install ml_dtypes")
    array = np.array([1, 2.5, -3], ml_dtypes.bfloat16)
    tensor = convert_to_tensor(array)
    assert tensor.dtype == "bfloat16"
    assert tensor.numpy().dtype == ml_dtypes.bfloat16
    assert pickle.loads(pickle.dumps(tensor)).numpy().tolist() == [1, 2.5, -3]


@pytest.mark.parametrize(
    "x", [np.array([object()]), np.array(["a"]), [[1], [2, 3]], np.array([1 + 2j])]
)
def test_what_is_no_array_of_numbers_is_refused(x: object) -> None:
    with pytest.raises(ValueError, match="expected"):
        convert_to_tensor(x)


def test_scalars() -> None:
    assert float(convert_to_tensor([2.5])) == 2.5
    assert int(convert_to_tensor(3)) == 3
    assert bool(convert_to_tensor(0)) is False
    assert [10, 20][convert_to_tensor(1)] == 20
    with pytest.raises(ValueError, match=r"expected a tensor of one element.*shape=\(2,\)"):
        float(convert_to_tensor([1.0, 2.0]))


def test_operators_and_their_reflections() -> None:
    x = convert_to_tensor([1.0, 2.0])
    assert (2 - x).numpy().tolist() == [1, 0]
    assert (np.float32(2) * x).numpy().tolist() == [2, 4]
    assert isinstance(np.ones(2, np.float32) + x, Tensor)
    assert (-x).numpy().tolist() == [-1, -2]
    assert (x == 1).numpy().tolist() == [True, False]
    assert (x**2 // 3).numpy().tolist() == [0, 1]
    assert (x != None) is True  # noqa: E711
    assert len({x, x}) == 1


def test_copies_and_pickle() -> None:
    x = convert_to_tensor([1.0, 2.0])
    assert copy.deepcopy(x) is x
    assert pickle.loads(pickle.dumps(x)).numpy().tolist() == [1, 2]


def test_symbolic_tensors_have_no_values() -> None:
    with Trace() as trace:
        x = trace.input((2,), "float32")
        assert x.is_symbolic and "symbolic" in repr(x)
        for use in (float, bool, np.asarray, lambda t: t.numpy(), pickle.dumps):
            with pytest.raises(TypeError, match="no values yet"):
                use(x)


def test_values_of_another_trace_are_refused() -> None:
    with Trace() as trace:
        x = trace.input((2,), "float32")
    with Trace() as other:
        y = other.input((2,), "float32")
        with pytest.raises(ValueError, match="symbolic tensor of another trace"):
            ops.add(x, y)
