from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pronghorn.tensor import convert_to_tensor
from pronghorn.trace import Trace

ARRAY = np.arange(60, dtype=np.float32).reshape(3, 4, 5)
INDEX = np.array([[0, 2], [1, -1]])
MASK = ARRAY > 30

KEYS = [
    0, -1, slice(None), slice(1, None), slice(None, None, 2), slice(None, None, -1),
    slice(3, 0, -2), slice(5, 1), ..., None, (0, 1), (..., 0), (0, ..., 2),
    (None, 1, None, ..., None),
    (slice(None), 2), (slice(1), slice(2, None), slice(None, None, -2)), (1, 2, 3),
    INDEX, (slice(None), INDEX), (0, INDEX), (INDEX, 0), (INDEX, INDEX),
    (slice(None), INDEX, INDEX),
    (INDEX, slice(None), INDEX), [0, 2], np.int64(1), convert_to_tensor([0, 1]),
]  # fmt: skip


def _plain(key: Any) -> Any:
    return np.asarray(key) if hasattr(key, "numpy") else key


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_as_numpy(key: Any) -> None:
    expected = ARRAY[_plain(key)]
    np.testing.assert_array_equal(convert_to_tensor(ARRAY)[key].numpy(), expected)
    with Trace() as trace:
        x = trace.input(ARRAY.shape, "float32")
        y = x[key]
        assert y.shape == expected.shape
        program = trace.compile([y])
    np.testing.assert_array_equal(program(ARRAY)[0].numpy(), expected)


@given(arrays.basic_indices(ARRAY.shape, allow_newaxis=True, allow_ellipsis=True))
def test_basic_indices_as_numpy(key: Any) -> None:
    np.testing.assert_array_equal(convert_to_tensor(ARRAY)[key].numpy(), ARRAY[key])


@given(st.data())
def test_an_index_array_as_numpy(data: st.DataObject) -> None:
    axis = data.draw(st.integers(0, 2))
    n = ARRAY.shape[axis]
    index = data.draw(arrays.arrays(np.int64, st.integers(0, 4), elements=st.integers(-n, n - 1)))
    key = (slice(None),) * axis + (index,)
    np.testing.assert_array_equal(convert_to_tensor(ARRAY)[key].numpy(), ARRAY[key])


def test_masks_select_eagerly_only() -> None:
    np.testing.assert_array_equal(convert_to_tensor(ARRAY)[MASK].numpy(), ARRAY[MASK])
    with Trace() as trace:
        x = trace.input(ARRAY.shape, "float32")
        with pytest.raises(TypeError, match=r"tensor\[mask\]: the size of the result depends"):
            x[MASK]


@pytest.mark.parametrize("key", [3, -4, (0, 4), [0, 3], (0, 0, 0, 0), (..., ...), 1.5, [0.5]])
def test_wrong_keys(key: Any) -> None:
    with pytest.raises((IndexError, TypeError)):
        convert_to_tensor(ARRAY)[key]


def test_iteration_and_length() -> None:
    tensor = convert_to_tensor(ARRAY)
    assert len(tensor) == 3
    assert [row.shape for row in tensor] == [(4, 5)] * 3
    with pytest.raises(TypeError, match="rank 0"):
        len(convert_to_tensor(1.0))
