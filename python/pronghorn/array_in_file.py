"""Arrays of files: their shape and dtype are known, numbers are read when they are asked for."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


class ArrayInFile:
    """Numbers in a file, read when they are asked for: indexed, or as `np.asarray(stored)`.

    Args:
        shape: Shape.
        tensor_dtype: Name of the dtype. Numbers of bfloat16 become NumPy arrays of float32.
    """

    def __init__(self, shape: tuple[int, ...], tensor_dtype: str) -> None:
        self.shape = shape
        self.tensor_dtype = tensor_dtype

    def read_into(self, memory: memoryview) -> None:
        """Fills `memory`, of `nbytes` bytes, with the numbers in this machine's byte order.

        Raises:
            ValueError: If the file is damaged.
        """
        raise NotImplementedError

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Number of bytes."""
        return self.size * item_size(self.tensor_dtype)

    @property
    def dtype(self) -> Any:
        """Dtype of the NumPy array that it becomes."""
        return np.dtype("float32" if self.tensor_dtype == "bfloat16" else self.tensor_dtype)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        if copy is False:
            raise ValueError("An array in a file cannot be had without a copy of its numbers.")
        is_bfloat16 = self.tensor_dtype == "bfloat16"
        array = np.empty(self.shape, "uint16" if is_bfloat16 else self.tensor_dtype)
        self.read_into(array.reshape(-1).view(np.uint8).data)
        if is_bfloat16:
            array = (array.astype(np.uint32) << 16).view(np.float32)
        return array if dtype is None else array.astype(dtype, copy=False)

    def __getitem__(self, key: Any) -> Any:
        return np.asarray(self)[key]

    def __len__(self) -> int:
        return self.shape[0]


def item_size(dtype: str) -> int:
    """Returns the bytes of an element of a dtype of this library or of NumPy."""
    return 2 if dtype == "bfloat16" else int(np.dtype(dtype).itemsize)
