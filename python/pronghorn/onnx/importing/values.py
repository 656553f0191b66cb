"""What the names of a graph stand for while the model is built, and sizes that are not known."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from pronghorn.ops.keras_tensor import KerasTensor

# Sizes of real models are products of a few; a file may build longer ones on purpose.
_MOST = 64
_LONGEST = 4_000
_LARGEST = 2**63 - 1


class Dim:
    """A size that the file leaves open: `coefficient * a * b * ... + offset`.

    Equal ones are written alike: `Dim(("batch",)) * 2 == Dim(("batch",), 2)`.

    Args:
        factors: Names of the sizes.
        coefficient: A positive number.
        offset: A number.
    """

    def __init__(self, factors: tuple[str, ...], coefficient: int = 1, offset: int = 0) -> None:
        self.factors = tuple(sorted(factors))
        self.coefficient = coefficient
        self.offset = offset
        if (
            len(factors) > _MOST
            or len(self.key) > _LONGEST
            or max(coefficient, abs(offset)) > _LARGEST
        ):
            raise ValueError(f"the open size '{self.key[:100]}' is too long a product or sum")

    @property
    def key(self) -> str:
        """The size as text."""
        text = "*".join(self.factors)
        text = text if self.coefficient == 1 else f"{self.coefficient}*{text}"
        return f"({text}{self.offset:+})" if self.offset else text

    def __repr__(self) -> str:
        return self.key

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Dim) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def _as_factor(self) -> Dim:
        """Returns the size without an offset: with one it is a factor by itself."""
        return Dim((self.key,)) if self.offset else self

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, Dim):
            a, b = self._as_factor(), other._as_factor()
            return Dim(a.factors + b.factors, a.coefficient * b.coefficient)
        if other == 0:
            return 0
        by = _positive(other)
        return Dim(self.factors, self.coefficient * by, self.offset * by)

    __rmul__ = __mul__

    def __add__(self, other: Any) -> Any:
        if not isinstance(other, Dim):
            return Dim(self.factors, self.coefficient, self.offset + int(other))
        if self.factors != other.factors:
            return Dim((f"({self}+{other})",))
        total = self.coefficient + other.coefficient
        return Dim(self.factors, total, self.offset + other.offset)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        if not isinstance(other, Dim):
            return self + -int(other)
        left = self.coefficient - other.coefficient
        if self.factors != other.factors or left < 0:
            return Dim((f"({self}-{other})",))
        offset = self.offset - other.offset
        return Dim(self.factors, left, offset) if left else offset

    def __rsub__(self, other: Any) -> Any:
        return Dim((f"({other}-{self})",))

    def __floordiv__(self, other: Any) -> Any:
        divisor = other if isinstance(other, Dim) else Dim((), _positive(other))
        if self == divisor:
            return 1
        rest, opaque = list(self.factors), Dim((f"({self}/{other})",))
        if self.offset or divisor.offset or self.coefficient % divisor.coefficient:
            return opaque
        for factor in divisor.factors:
            if factor not in rest:
                return opaque
            rest.remove(factor)
        coefficient = self.coefficient // divisor.coefficient
        return Dim(tuple(rest), coefficient) if rest else coefficient

    def __rfloordiv__(self, other: Any) -> Any:
        return Dim((f"({other}/{self})",))


#: A size: known, or not.
Size = Any


def _positive(x: Any) -> int:
    if int(x) != x or x < 1:
        raise ValueError(f"expected a positive factor of a size. Received: {x}.")
    return int(x)


@dataclasses.dataclass(eq=False)
class Constant:
    """An array known from the file. Dtype `object`: integers, some of them `Dim`.

    Args:
        array: The values.
        name: Name in the file.
        stored: Whether it is an initializer, a weight, rather than computed.
    """

    array: np.ndarray
    name: str = ""
    stored: bool = False

    @property
    def dims(self) -> tuple[Size, ...]:
        """The shape."""
        return self.array.shape


@dataclasses.dataclass(eq=False)
class Filled:
    """One number in a shape that is not all known.

    Args:
        value: NumPy scalar.
        dims: The shape.
    """

    value: Any
    dims: tuple[Size, ...]


@dataclasses.dataclass(eq=False)
class Symbolic:
    """A tensor of the model, in the order of axes in which it was computed.

    Args:
        tensor: The tensor.
        dims: The shape as the file has it.
        axes: For each axis of the file the axis of `tensor`; `None`: `tensor` lacks it, and it has
            size 1.
    """

    tensor: KerasTensor
    dims: tuple[Size, ...]
    axes: tuple[int | None, ...]
    forms: dict[tuple[int, ...], KerasTensor] = dataclasses.field(default_factory=dict)

    @property
    def is_plain(self) -> bool:
        """Whether the axes are those of the file."""
        return self.axes == tuple(range(len(self.dims)))


Value = Constant | Filled | Symbolic


def pack(numbers: Any, dtype: Any = np.int64) -> np.ndarray:
    """Returns sizes as an array: of integers, or of objects where some are not known."""
    array = np.array(numbers, dtype=object)
    return tidy(array, dtype)


def tidy(array: np.ndarray, dtype: Any = np.int64) -> np.ndarray:
    """Returns an array of objects as integers if all are known."""
    if array.dtype == object and any(
        not isinstance(x, Dim) and abs(x) > _LARGEST for x in array.flat
    ):
        raise ValueError("computes a size beyond 2**63")
    if array.dtype == object and not any(isinstance(x, Dim) for x in array.flat):
        return array.astype(dtype)
    return array


def is_partly_known(value: Any) -> bool:
    """Returns whether `value` is a constant with a `Dim` among its integers."""
    return isinstance(value, Constant) and value.array.dtype == object
