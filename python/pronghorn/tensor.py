"""Tensor, and how other things become one.

A tensor has data (NumPy interoperable, immutable) or, inside a trace, stands for a value of the
traced graph (`is_symbolic`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn import _core
from pronghorn._core import Tensor
from pronghorn.dtypes import TENSOR_DTYPES, standardize_dtype, tensor_dtype
from pronghorn.getitem import get_item
from pronghorn.operators import install as install_operators

__all__ = ["Tensor", "borrow", "convert_to_tensor", "is_tensor"]


def is_tensor(x: Any) -> bool:
    """Returns whether `x` is a `Tensor`."""
    return isinstance(x, Tensor)


def convert_to_tensor(x: Any, dtype: Any = None) -> Tensor:
    """Returns a tensor with the values of `x`.

    Args:
        x: Tensor, Variable, NumPy array, Python scalar, nested list, or anything with `__array__`.
        dtype: Dtype of the result. By default that of `x`; Python floats and float64 become
            `float32`, Python integers `int32`.

    Returns:
        A tensor. Memory of arrays is copied.

    Raises:
        ValueError: `x` is no rectangular array of numbers.
    """
    wanted = None if dtype is None else tensor_dtype(standardize_dtype(dtype))
    if isinstance(x, Tensor):
        return x if wanted in (None, x.dtype) else _core.apply("cast", [x], {"dtype": wanted})
    if hasattr(x, "_read"):  # a Variable: its value, in the dtype of the autocast scope
        return convert_to_tensor(x.value, wanted)
    return _from_array(x, wanted, copy=True)


def borrow(x: Any) -> Tensor:
    """Returns a tensor over the memory of a C-contiguous array that stays unchanged meanwhile."""
    return x if isinstance(x, Tensor) else _from_array(x, None, copy=False)


def bfloat16_tensor(bits: Any) -> Tensor:
    """Returns the bfloat16 tensor whose bits an array of uint16 has."""
    return _core.from_numpy(np.asarray(bits, np.uint16, order="C"), "bfloat16", True)


def _from_array(x: Any, dtype: str | None, copy: bool) -> Tensor:
    array = x if isinstance(x, np.ndarray) else _to_array(x)
    if dtype is None:
        dtype = _default_dtype(x, array)
    if dtype == "bfloat16":
        if array.dtype.name == "bfloat16":
            return _core.from_numpy(np.asarray(array, order="C").view(np.uint16), dtype, copy)
        found = _core.from_numpy(np.asarray(array, np.float32, order="C"), "float32", True)
        return _cast(found, dtype)
    if array.dtype.name == "bfloat16":
        found = _core.from_numpy(np.asarray(array, order="C").view(np.uint16), "bfloat16", True)
        return _cast(found, dtype)
    if array.dtype.name != dtype or not array.dtype.isnative:
        with np.errstate(all="ignore"):
            array = array.astype(dtype)
        copy = False
    if not array.flags.c_contiguous:
        array = array.copy()
        copy = False
    return _core.from_numpy(array, dtype, copy)


def _cast(x: Tensor, dtype: str) -> Tensor:
    found: Tensor = _core.apply("cast", [x], {"dtype": dtype})
    return found


def _to_array(x: Any) -> Any:
    if isinstance(x, (list, tuple)) and any(isinstance(e, Tensor) and e.is_symbolic for e in x):
        raise ValueError(
            "convert_to_tensor: a list of traced tensors is no tensor. "
            f"Received: {len(x)} elements. Use `ops.stack`."
        )
    try:
        array = np.asarray(x)
    except (ValueError, TypeError) as e:
        raise ValueError(
            f"convert_to_tensor: expected a rectangular array of numbers. "
            f"Received: {type(x).__name__} ({e})."
        ) from e
    if array.dtype.kind == "V" and array.dtype.name != "bfloat16":
        raise ValueError(f"convert_to_tensor: expected numbers. Received: dtype={array.dtype}.")
    return array


def _default_dtype(x: Any, array: Any) -> str:
    name: str = array.dtype.name
    if not isinstance(x, (np.ndarray, np.generic)) and not hasattr(x, "__array__"):
        if name == "float64":
            return "float32"
        if name in ("int64", "uint64"):
            return _python_int_dtype(array)
    if name in TENSOR_DTYPES:
        return name
    if array.dtype.kind not in "biuf":
        what = "objects" if array.dtype.kind == "O" else f"dtype {array.dtype}"
        first = f" First element: {array.flat[0]!r}." if array.size else ""
        if array.size and isinstance(array.flat[0], (str, bytes)):
            first += (
                " `TextVectorization`, `StringLookup` and `Hashing` make numbers of strings: call "
                "them on the data, before the model."
            )
        raise ValueError(
            f"convert_to_tensor: expected numbers. Received: an array of {what}, "
            f"shape={array.shape}.{first}"
        )
    return tensor_dtype(name)


def _python_int_dtype(array: Any) -> str:
    if array.size and (array.max() > 2**31 - 1 or array.min() < -(2**31)):
        if array.max() > 2**63 - 1:
            raise ValueError(
                f"convert_to_tensor: integers must fit into int64. Received: {array.max()}."
            )
        return "int64"
    return "int32"


def _require_data(x: Tensor, what: str) -> None:
    if x.is_symbolic:
        hint = "Use functions of pronghorn.ops instead, and return what is needed outside"
        if what == "bool()":
            hint = "Use ops.where or ops.cond in place of `if`, ops.while_loop in place of `while`"
        raise TypeError(
            f"{what}: this tensor has no values yet: it stands for a value inside a traced "
            f"function (a model, `fit`). Received: shape={x.shape}, dtype={x.dtype}. "
            f"{hint}; `compile(run_eagerly=True)` lets you look at it."
        )


def _numpy(self: Tensor) -> Any:
    """Returns the values as a NumPy array of its own memory."""
    _require_data(self, "numpy()")
    return _as_bfloat16(self, self._to_numpy(True))


def _array(self: Tensor, dtype: Any = None, copy: bool | None = None) -> Any:
    _require_data(self, "conversion to NumPy")
    array = _as_bfloat16(self, self._to_numpy(bool(copy)))
    return array if dtype is None else array.astype(dtype, copy=False)


def _as_bfloat16(x: Tensor, array: Any) -> Any:
    if x.dtype != "bfloat16":
        return array
    try:
        import ml_dtypes
    except ImportError:
        raise TypeError(
            "numpy(): NumPy has no bfloat16. Received: dtype=bfloat16. "
            "Cast to float32 first, or `pip install ml_dtypes`."
        ) from None
    return array.view(ml_dtypes.bfloat16)


def _repr(self: Tensor) -> str:
    if self.is_symbolic:
        return f"<Tensor shape={self.shape}, dtype={self.dtype}, symbolic>"
    values = np.array2string(self._to_numpy(False), threshold=100, separator=", ")
    return f"<Tensor shape={self.shape}, dtype={self.dtype}, numpy=\n{values}>"


def _scalar(convert: Any) -> Any:
    def method(self: Tensor) -> Any:
        _require_data(self, f"{convert.__name__}()")
        if self.size != 1:
            raise ValueError(
                f"{convert.__name__}(): expected a tensor of one element. "
                f"Received: shape={self.shape}."
            )
        return convert(_as_bfloat16(self, self._to_numpy(False)).reshape(()).item())

    return method


def _format(self: Tensor, spec: str) -> str:
    if not spec:
        return str(self)
    _require_data(self, f"format {spec!r}")
    if self.size != 1:
        raise TypeError(
            f"format {spec!r}: expected a tensor of one element. Received: shape={self.shape}."
        )
    return format(_item(self), spec)


def _index(self: Tensor) -> int:
    if self.dtype != "bool" and "int" not in self.dtype:
        raise TypeError(f"index: expected a tensor of integers. Received: dtype={self.dtype}.")
    return int(_scalar(int)(self))


def _len(self: Tensor) -> int:
    if not self.shape:
        raise TypeError("len(): a tensor of rank 0 has no length.")
    return int(self.shape[0])


def _iter(self: Tensor) -> Any:
    return (self[i] for i in range(_len(self)))


def _item(self: Tensor) -> Any:
    """Returns the one element as a Python number."""
    _require_data(self, "item()")
    return _numpy(self).item()


def _dlpack(self: Tensor, **kwargs: Any) -> Any:
    return _numpy(self).__dlpack__(**kwargs)


def _reduce(self: Tensor) -> Any:
    _require_data(self, "pickle")
    if self.dtype == "bfloat16":
        return (_from_bits, (self._to_numpy(True),))
    return (convert_to_tensor, (_numpy(self),))


def _from_bits(bits: Any) -> Tensor:
    return _core.from_numpy(bits, "bfloat16", True)


_METHODS = {
    "numpy": _numpy,
    "item": _item,
    "__array__": _array,
    "__repr__": _repr,
    "__format__": _format,
    "__bool__": _scalar(bool),
    "__int__": _scalar(int),
    "__float__": _scalar(float),
    "__index__": _index,
    "__len__": _len,
    "__iter__": _iter,
    "__getitem__": get_item,
    "__dlpack__": _dlpack,
    "__dlpack_device__": lambda self: (1, 0),
    "__reduce__": _reduce,
    "__copy__": lambda self: self,
    "__deepcopy__": lambda self, memo: self,
}
for _name, _method in _METHODS.items():
    setattr(Tensor, _name, _method)
install_operators(Tensor)
