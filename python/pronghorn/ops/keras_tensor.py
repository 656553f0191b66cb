"""KerasTensor: the placeholder with a shape and a dtype that functional models are built with.

Every operation on a KerasTensor gives another one that remembers where it came from
(`_keras_history`). Its operators are the functions of `pronghorn.ops`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from pronghorn.naming import auto_name

Shape = tuple[int | None, ...]


class KerasHistory(NamedTuple):
    """Which output of which call of which operation a KerasTensor is."""

    operation: Any
    node_index: int
    tensor_index: int


def _op(name: str) -> Callable[..., Any]:
    from pronghorn import ops

    return getattr(ops, name)  # type: ignore[no-any-return]


class KerasTensor:
    """Symbolic tensor of a functional model: a shape (`None` where unknown) and a dtype.

    `keras.Input` makes one; layers and the functions of `pronghorn.ops` called on it return
    others. It holds no values.

    Args:
        shape: Tuple of ints and `None`.
        dtype: Dtype name.
        sparse: Not supported: must be False.
        ragged: Not supported: must be False.
        record_history: Whether operations on the tensor are recorded, so that it can be used in a
            functional model.
        name: Optional name.

    Example:

    >>> import pronghorn as keras
    >>> x = keras.KerasTensor((None, 3), "float32")
    >>> (x + 1).shape
    (None, 3)
    """

    _keras_mask: Any
    _keras_history: KerasHistory

    def __init__(
        self,
        shape: Any,
        dtype: Any = "float32",
        sparse: bool = False,
        ragged: bool = False,
        record_history: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if kwargs:
            raise TypeError(f"KerasTensor: unexpected keyword arguments. Received: {kwargs}")
        if sparse:
            raise ValueError(
                "KerasTensor: sparse tensors are not supported. Received: sparse=True."
            )
        if ragged:
            raise ValueError(
                "KerasTensor: ragged tensors are not supported. Received: ragged=True."
            )
        self._shape = standardize_shape(shape)
        self._dtype = _standardize_dtype(dtype)
        self.name = name or auto_name(type(self).__name__)
        self.record_history = record_history

    @property
    def shape(self) -> Shape:
        """Tuple of ints and `None`."""
        return self._shape

    @shape.setter
    def shape(self, value: Any) -> None:
        raise AttributeError("KerasTensor: the shape is fixed. Use `ops.reshape` for another one.")

    @property
    def dtype(self) -> str:
        """Dtype name."""
        return self._dtype

    @dtype.setter
    def dtype(self, value: Any) -> None:
        raise AttributeError("KerasTensor: the dtype is fixed. Use `ops.cast` for another one.")

    @property
    def sparse(self) -> bool:
        """Always False."""
        return False

    @property
    def ragged(self) -> bool:
        """Always False."""
        return False

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self._shape)

    @property
    def is_symbolic(self) -> bool:
        """Always True."""
        return True

    @property
    def T(self) -> Any:
        """The transposed tensor."""
        return _op("transpose")(self)

    def reshape(self, newshape: Any) -> Any:
        """Returns the tensor reshaped to `newshape`."""
        return _op("reshape")(self, newshape)

    def squeeze(self, axis: Any = None) -> Any:
        """Returns the tensor without its dimensions of length 1."""
        return _op("squeeze")(self, axis)

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise ValueError(_NO_VALUES.format(what="converted to a NumPy array"))

    def __tf_tensor__(self, *args: Any, **kwargs: Any) -> Any:
        raise ValueError(_NO_VALUES.format(what="converted to a TensorFlow tensor"))

    def __jax_array__(self) -> Any:
        raise ValueError(_NO_VALUES.format(what="converted to a JAX array"))

    def __int__(self) -> int:
        raise self._no_scalar("int")

    def __float__(self) -> float:
        raise self._no_scalar("float")

    def __index__(self) -> int:
        raise self._no_scalar("int")

    def __bool__(self) -> bool:
        raise TypeError("A symbolic KerasTensor cannot be used as a boolean.")

    def _no_scalar(self, kind: str) -> Exception:
        if self._shape:
            return TypeError(
                f"Only scalar arrays can be converted to Python {kind}s. "
                f"Received: shape={self._shape}"
            )
        return ValueError(_NO_VALUES.format(what=f"converted to a Python {kind}"))

    def __iter__(self) -> Any:
        raise NotImplementedError("Iterating over a symbolic KerasTensor is not supported.")

    def __len__(self) -> int:
        if not self._shape:
            raise TypeError("A scalar KerasTensor has no length.")
        if self._shape[0] is None:
            raise TypeError(
                "The length of a KerasTensor with an unknown first dimension is unknown."
            )
        return self._shape[0]

    def __repr__(self) -> str:
        return (
            f"<KerasTensor shape={self._shape}, dtype={self._dtype}, sparse={self.sparse}, "
            f"ragged={self.ragged}, name={self.name}>"
        )

    def __hash__(self) -> int:
        return id(self)

    def __getstate__(self) -> dict[str, Any]:
        # A copy belongs to no graph.
        state = dict(self.__dict__)
        for key in ("_keras_history", "_keras_mask"):
            state.pop(key, None)
        return state

    def __getitem__(self, key: Any) -> Any:
        from pronghorn.ops.symbolic import get_item

        return get_item(self, key)

    def __round__(self, ndigits: int | None = None) -> Any:
        return _op("round")(self, decimals=ndigits or 0)

    def __abs__(self) -> Any:
        return _op("absolute")(self)

    def __neg__(self) -> Any:
        return _op("negative")(self)

    def __invert__(self) -> Any:
        return _op("logical_not")(self)

    def __add__(self, other: Any) -> Any:
        return _op("add")(self, other)

    def __radd__(self, other: Any) -> Any:
        return _op("add")(other, self)

    def __sub__(self, other: Any) -> Any:
        return _op("subtract")(self, other)

    def __rsub__(self, other: Any) -> Any:
        return _op("subtract")(other, self)

    def __mul__(self, other: Any) -> Any:
        return _op("multiply")(self, other)

    def __rmul__(self, other: Any) -> Any:
        return _op("multiply")(other, self)

    def __matmul__(self, other: Any) -> Any:
        return _op("matmul")(self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return _op("matmul")(other, self)

    def __truediv__(self, other: Any) -> Any:
        return _op("divide")(self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return _op("divide")(other, self)

    def __floordiv__(self, other: Any) -> Any:
        return _op("floor_divide")(self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return _op("floor_divide")(other, self)

    def __mod__(self, other: Any) -> Any:
        return _op("mod")(self, other)

    def __rmod__(self, other: Any) -> Any:
        return _op("mod")(other, self)

    def __pow__(self, other: Any) -> Any:
        return _op("power")(self, other)

    def __rpow__(self, other: Any) -> Any:
        return _op("power")(other, self)

    def __ne__(self, other: object) -> Any:
        return _op("not_equal")(self, other)

    def __lt__(self, other: Any) -> Any:
        return _op("less")(self, other)

    def __le__(self, other: Any) -> Any:
        return _op("less_equal")(self, other)

    def __gt__(self, other: Any) -> Any:
        return _op("greater")(self, other)

    def __ge__(self, other: Any) -> Any:
        return _op("greater_equal")(self, other)

    def __and__(self, other: Any) -> Any:
        return _op("logical_and")(self, other)

    def __rand__(self, other: Any) -> Any:
        return _op("logical_and")(other, self)

    def __or__(self, other: Any) -> Any:
        return _op("logical_or")(self, other)

    def __ror__(self, other: Any) -> Any:
        return _op("logical_or")(other, self)

    def __xor__(self, other: Any) -> Any:
        return _op("logical_xor")(self, other)

    def __rxor__(self, other: Any) -> Any:
        return _op("logical_xor")(other, self)


_NO_VALUES = (
    "A KerasTensor is symbolic: it's a placeholder for a shape and a dtype. It doesn't have any "
    "actual numerical value. It cannot be {what}. Use it with layers and the functions of "
    "`pronghorn.ops` only."
)


def standardize_shape(shape: Any) -> Shape:
    """Returns `shape` as a tuple of ints and `None`, or raises if it is not a shape."""
    if shape is None:
        raise ValueError("Undefined shapes are not supported.")
    if isinstance(shape, (str, bytes)) or not hasattr(shape, "__iter__"):
        raise ValueError(f"Cannot convert '{shape}' to a shape.")
    dims: list[int | None] = []
    for dim in shape:
        if dim is None:
            dims.append(None)
            continue
        if isinstance(dim, bool) or not hasattr(dim, "__index__"):
            raise ValueError(
                f"Cannot convert '{shape}' to a shape. Found invalid entry '{dim}' of type "
                f"'{type(dim)}'."
            )
        size = int(dim)
        if size < 0:
            raise ValueError(
                f"Cannot convert '{shape}' to a shape. Negative dimensions are not allowed."
            )
        dims.append(size)
    return tuple(dims)


def _standardize_dtype(dtype: Any) -> str:
    from pronghorn.dtypes import standardize_dtype

    return standardize_dtype(dtype)


def is_keras_tensor(x: Any) -> bool:
    """Returns whether `x` is a KerasTensor."""
    return isinstance(x, KerasTensor)
