"""Tensors stored in an ONNX file, as arrays: declared shapes are compared with the bytes first."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

MAX_RANK = 16

# TensorProto.DataType -> the name of the dtype in NumPy.
DTYPES = {
    1: "float32",
    2: "uint8",
    3: "int8",
    4: "uint16",
    5: "int16",
    6: "int32",
    7: "int64",
    9: "bool",
    10: "float16",
    11: "float64",
    12: "uint32",
    16: "bfloat16",
}
# The repeated field that holds the numbers where there are no raw bytes.
_FIELDS = {
    1: "float_data",
    2: "int32_data",
    3: "int32_data",
    4: "int32_data",
    5: "int32_data",
    6: "int32_data",
    7: "int64_data",
    9: "int32_data",
    10: "int32_data",
    11: "double_data",
    12: "uint64_data",
    16: "int32_data",
}


def dtype_name(code: int, owner: str) -> str:
    """Returns the dtype of an ONNX code.

    Args:
        code: `TensorProto.DataType`.
        owner: What has the dtype, for errors.

    Raises:
        ValueError: If tensors of the library cannot have it.
    """
    name = DTYPES.get(code)
    if name is None:
        from onnx import TensorProto

        known = TensorProto.DataType.items()
        received = next((n for n, c in known if c == code), str(code))
        raise ValueError(
            f"{owner}: expected one of {', '.join(DTYPES.values())}. Received: dtype {received}."
        )
    return name


def item_size(name: str) -> int:
    """Returns the bytes of a number of a dtype."""
    return 2 if name == "bfloat16" else int(np.dtype(name).itemsize)


def check_tensor(tensor: Any, owner: str) -> None:
    """Raises ValueError unless a TensorProto holds in itself the numbers that it declares.

    Args:
        tensor: The TensorProto.
        owner: What it is, for errors.
    """
    if tensor.data_location == 1 or len(tensor.external_data):
        raise ValueError(
            f"{owner} is refused: its numbers are in another file (external data), and no path of "
            "a file is followed. Save the model in one file."
        )
    if tensor.HasField("segment"):
        raise ValueError(f"{owner} is refused: it is a segment of a tensor.")
    name = dtype_name(tensor.data_type, owner)
    dims = tuple(tensor.dims)
    if len(dims) > MAX_RANK:
        raise ValueError(f"{owner} is refused: rank {len(dims)}, at most {MAX_RANK} are read.")
    if any(d < 0 for d in dims):
        raise ValueError(f"{owner} is refused: it declares shape {dims}.")
    count = math.prod(dims)
    fields = ("float_data", "int32_data", "int64_data", "double_data", "uint64_data", "string_data")
    if tensor.HasField("raw_data"):
        received = len(tensor.raw_data)
        expected = count * item_size(name)
        if received != expected or any(len(getattr(tensor, f)) for f in fields):
            raise ValueError(
                f"{owner} is refused: it declares shape {dims} of {name}, {expected} bytes, and "
                f"holds {received}."
            )
        return
    field = _FIELDS[tensor.data_type]
    received = len(getattr(tensor, field))
    if received != count or any(len(getattr(tensor, f)) for f in fields if f != field):
        raise ValueError(
            f"{owner} is refused: it declares shape {dims}, {count} numbers, and holds {received}."
        )


def tensor_array(tensor: Any, owner: str, checked: bool = False) -> np.ndarray:
    """Returns the numbers of a TensorProto.

    Args:
        tensor: The TensorProto.
        owner: What it is, for errors.
        checked: Whether it went through `check_tensor`.

    Raises:
        ValueError: As `check_tensor`.
    """
    if not checked:
        check_tensor(tensor, owner)
    name = dtype_name(tensor.data_type, owner)
    dims = tuple(tensor.dims)
    if name == "bfloat16":
        import ml_dtypes  # comes with onnx

        dtype = np.dtype(ml_dtypes.bfloat16)
    else:
        dtype = np.dtype(name)
    if tensor.HasField("raw_data"):
        raw: np.ndarray = np.frombuffer(
            tensor.raw_data, dtype.newbyteorder("<") if name != "bfloat16" else dtype
        )
        raw = raw.astype(dtype, copy=False)
        return raw.reshape(dims)
    numbers: np.ndarray = np.array(getattr(tensor, _FIELDS[tensor.data_type]))
    if name in ("float16", "bfloat16"):  # the bits are stored as integers
        numbers = numbers.astype(np.uint16).view(dtype)
    return numbers.astype(dtype, copy=False).reshape(dims)
