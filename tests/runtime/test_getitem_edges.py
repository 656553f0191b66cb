"""`tensor[key]` selects what NumPy selects."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from pronghorn.tensor import convert_to_tensor

X = np.arange(120, dtype=np.float32).reshape(2, 3, 4, 5)
PAIR = np.array([[0, -1]])
KEYS = [1, slice(None, None, -1), slice(1, None, 2), PAIR, np.array(1), None, Ellipsis]


def _selects(key: tuple[object, ...]) -> bool:
    try:
        return X[key] is not None
    except IndexError:
        return False


@pytest.mark.parametrize("length", [1, 2, 3, 4])
def test_every_mix_of_keys(length: int) -> None:
    x = convert_to_tensor(X)
    for key in itertools.product(KEYS, repeat=length):
        if sum(k is Ellipsis for k in key) <= 1 and _selects(key):
            np.testing.assert_array_equal(x[key].numpy(), X[key], err_msg=str(key))


def test_an_index_beyond_int32_is_out_of_range() -> None:
    with pytest.raises(IndexError, match="out of range"):
        convert_to_tensor([1.0, 2.0])[np.array([2**32 + 1])]
