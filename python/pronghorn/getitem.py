"""`tensor[key]`: slices, integers, `...`, `None`, index arrays and masks, in terms of core ops."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from pronghorn import _core
from pronghorn._core import Tensor

#: Index arrays are int32.
_MOST = np.iinfo(np.int32).max


def get_item(self: Tensor, key: Any) -> Tensor:
    """Returns the part of a tensor that NumPy's indexing rules select.

    Raises:
        IndexError: A constant index is out of range, or there are too many.
        TypeError: A mask or several index arrays are given and the tensor is symbolic.
    """
    keys = list(key) if isinstance(key, tuple) else [key]
    keys = [_simple(k) for k in keys]
    if any(isinstance(k, np.ndarray) and k.dtype == bool for k in keys):
        return _by_mask(self, keys)
    leads = _new_dimensions_lead(keys)
    keys = _expand_ellipsis(keys, self.ndim)
    arrays = [i for i, k in enumerate(keys) if isinstance(k, (np.ndarray, Tensor))]
    basic = [slice(None) if i in arrays else k for i, k in enumerate(keys)]
    result = _basic(self, basic)
    if not arrays:
        return result
    # Integers drop a dimension and None adds one: where each array's dimension is now.
    axes = [sum(1 for k in keys[:i] if not isinstance(k, int)) for i in arrays]
    if len(arrays) > 1:
        return _by_arrays(result, [keys[i] for i in arrays], axes, leads)
    index = keys[arrays[0]]
    taken = _take(result, index, axes[0])
    rank = len(index.shape)
    if not leads or not axes[0] or not rank:
        return taken
    first = list(range(axes[0], axes[0] + rank))
    order = first + [i for i in range(taken.ndim) if i not in first]
    found: Tensor = _core.apply("transpose", [taken], {"axes": order})
    return found


def _simple(key: Any) -> Any:
    """A key as int, slice, None, Ellipsis, integer or bool array, or Tensor of indices."""
    if (
        key is None
        or key is Ellipsis
        or isinstance(key, (int, np.integer))
        and not isinstance(key, bool)
    ):
        return int(key) if isinstance(key, (int, np.integer)) else key
    if isinstance(key, slice):
        return slice(_bound(key.start), _bound(key.stop), _bound(key.step))
    if hasattr(key, "_read"):  # a Variable
        key = key._read()
    if isinstance(key, Tensor):
        if key.is_symbolic:
            return key
        key = key.numpy()
    array = np.asarray(key)
    if array.dtype == bool:
        return array
    if array.dtype.kind not in "iu" and array.size:
        raise IndexError(
            "tensor[...]: indices must be integers, slices, masks, None or '...'. "
            f"Received: {key!r}."
        )
    if array.size and (array.max() > _MOST or array.min() < -_MOST):
        raise IndexError(f"tensor[...]: index out of range. Received: {key!r}.")
    return array.astype(np.int32)


def _bound(x: Any) -> int | None:
    return None if x is None else operator.index(x)


def _new_dimensions_lead(keys: list[Any]) -> bool:
    """Whether anything, an empty '...' too, is between index arrays or integers."""
    at = [i for i, k in enumerate(keys) if isinstance(k, (int, np.ndarray, Tensor))]
    return bool(at) and at[-1] - at[0] >= len(at)


def _expand_ellipsis(keys: list[Any], ndim: int) -> list[Any]:
    used = sum(1 for k in keys if k is not None and k is not Ellipsis)
    if used > ndim:
        raise IndexError(f"tensor[...]: too many indices. Received: {used} for rank {ndim}.")
    places = [i for i, k in enumerate(keys) if k is Ellipsis]
    if len(places) > 1:
        raise IndexError("tensor[...]: expected at most one '...'.")
    at = places[0] if places else len(keys)
    return keys[:at] + [slice(None)] * (ndim - used) + keys[at + 1 :]


def _basic(x: Tensor, keys: list[Any]) -> Tensor:
    begin, end, strides, flips, shape = [], [], [], [], []
    axis = 0
    for k in keys:
        if k is None:
            shape.append(1)
            continue
        size = x.shape[axis]
        if isinstance(k, int):
            if not -size <= k < size:
                raise IndexError(
                    f"tensor[...]: index out of range. Received: index={k}, axis={axis}, "
                    f"shape={x.shape}."
                )
            first, step, count = k % size, 1, 1
        else:
            first, _, step = k.indices(size)
            count = len(range(*k.indices(size)))
            if step < 0:  # the same elements in ascending order, flipped afterwards
                first, step = first + (count - 1) * step, -step
                flips.append(axis)
            shape.append(count)
        first = first if count else 0
        begin.append(first)
        end.append(first + (count - 1) * step + 1 if count else first)
        strides.append(step)
        axis += 1
    whole = all(b == 0 and s == 1 for b, s in zip(begin, strides)) and end == list(x.shape)
    if not whole:
        x = _core.apply("slice", [x], {"begin": begin, "end": end, "strides": strides})
    if flips:
        x = _core.apply("flip", [x], {"axes": flips})
    if tuple(shape) == x.shape:
        return x
    reshaped: Tensor = _core.apply("reshape", [x], {"shape": shape})
    return reshaped


def _indices(index: Any, size: int, axis: int) -> Tensor:
    if isinstance(index, Tensor):
        return index
    if index.size and (index.max() >= size or index.min() < -size):
        wrong = index[(index >= size) | (index < -size)].flat[0]
        raise IndexError(
            f"tensor[...]: index out of range. Received: index={wrong}, axis={axis}, size={size}."
        )
    return _core.from_numpy(np.asarray(index, order="C"), "int32", True)


def _take(x: Tensor, index: Any, axis: int) -> Tensor:
    found: Tensor = _core.apply("gather", [x, _indices(index, x.shape[axis], axis)], {"axis": axis})
    return found


def _by_arrays(x: Tensor, arrays: list[Any], axes: list[int], leads: bool) -> Tensor:
    """Several index arrays, broadcast: one index into their flattened dimensions.

    Args:
        x: What is indexed.
        arrays: The arrays.
        axes: The axis of `x` that each selects from.
        leads: Whether the arrays' dimensions come first, not in the place of the axes.
    """
    if any(isinstance(a, Tensor) for a in arrays):
        raise TypeError(
            "tensor[...]: several traced index arrays are not supported. Received: "
            f"{len(arrays)} arrays. Use `ops.take` with one flat index."
        )
    rest = [i for i in range(x.ndim) if i not in axes]
    at = 0 if leads else axes[0]
    order = rest[:at] + axes + rest[at:]
    moved = x
    if order != list(range(x.ndim)):
        moved = _core.apply("transpose", [x], {"axes": order})
    sizes = [x.shape[a] for a in axes]
    flat = np.zeros((), np.int64)
    for array, size, axis in zip(np.broadcast_arrays(*arrays), sizes, axes):
        _indices(array, size, axis)
        flat = flat * size + array % size
    shape = [*moved.shape[:at], int(np.prod(sizes)), *moved.shape[at + len(axes) :]]
    flattened = _core.apply("reshape", [moved], {"shape": shape})
    return _take(flattened, np.asarray(flat, np.int32), at)


def _by_mask(x: Tensor, keys: list[Any]) -> Tensor:
    if x.is_symbolic:
        raise TypeError(
            "tensor[mask]: the size of the result depends on values, which a traced function "
            f"cannot have. Received: shape={x.shape}. Use `ops.where`."
        )
    keys = [k.numpy() if isinstance(k, Tensor) else k for k in keys]
    selected = np.asarray(x._to_numpy(False)[tuple(keys)], order="C")
    return _core.from_numpy(selected, x.dtype, True)
