"""OpCase: everything that tests and benches need to know about one use of an op of the core.

`reference` is the op in NumPy: it takes float64 arrays (integers and bools as they are) and the
attributes by name, and returns an array or a tuple of arrays.
"""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

from pronghorn import _core
from pronghorn.tensor import Tensor, convert_to_tensor

#: Relative spacing of numbers near 1.
EPSILON = {"float32": 2.0**-23, "float16": 2.0**-10, "bfloat16": 2.0**-7}


@dataclasses.dataclass(frozen=True)
class Arg:
    """An input: uniform numbers in [low, high) (integers: their range), or given values."""

    shape: tuple[int, ...]
    dtype: str = "float32"
    low: float = -2.0
    high: float = 2.0
    values: Any = None

    def make(self, rng: np.random.Generator, dtype: str) -> np.ndarray:
        """Returns an array: of float32 numbers that `dtype` can hold, for float dtypes."""
        if self.values is not None:
            return np.asarray(self.values, _numpy_dtype(dtype))
        if dtype == "bool":
            return rng.integers(0, 2, self.shape).astype(bool)
        if "int" in dtype:
            low = max(int(self.low), np.iinfo(dtype).min)
            return rng.integers(low, int(self.high), self.shape).astype(dtype)
        values = rng.uniform(self.low, self.high, self.shape).astype(np.float32)
        if dtype != "float32":
            values = convert_to_tensor(_core.apply("cast", [tensor(values)], {"dtype": dtype}))
            values = _core.apply("cast", [values], {"dtype": "float32"}).numpy()
        return values


def _numpy_dtype(dtype: str) -> Any:
    return np.float32 if dtype in EPSILON else np.dtype(dtype)


def tensor(array: np.ndarray) -> Tensor:
    """Returns an array as a tensor of the same dtype."""
    return convert_to_tensor(np.asarray(array))


@dataclasses.dataclass(frozen=True)
class ErrorCase:
    """Inputs or attributes that the op must refuse, and what its message says."""

    inputs: tuple[Arg, ...]
    attrs: dict[str, Any]
    error: type[Exception] | tuple[type[Exception], ...]
    match: str


@dataclasses.dataclass(frozen=True)
class OpCase:
    """One use of an op.

    Attributes:
        op: name in the core.
        reference: see above.
        inputs: the inputs.
        attrs: the attributes.
        dtypes: float dtypes that float inputs are tested in.
        gradient: which inputs to differentiate; `None` for every float one, `()` for none.
        reduction: how many terms a result sums, for tolerances.
        factor: rounding errors of a single operation, in units of the last place.
        scale: magnitude of the terms, if it is not that of results and inputs.
        errors: calls that must fail.
        bench: shapes of the inputs for benches, a tuple for each.
        name: what tells this case from others of the op.
    """

    op: str
    reference: Callable[..., Any]
    inputs: tuple[Arg, ...]
    attrs: dict[str, Any] = dataclasses.field(default_factory=dict)
    dtypes: tuple[str, ...] = ("float32",)
    gradient: tuple[int, ...] | None = None
    reduction: int = 1
    factor: float = 4.0
    scale: float | None = None
    errors: tuple[ErrorCase, ...] = ()
    bench: tuple[tuple[tuple[int, ...], ...], ...] = ()
    name: str = ""

    @property
    def id(self) -> str:
        return f"{self.op}-{self.name}" if self.name else self.op

    def arrays(self, dtype: str = "float32") -> list[np.ndarray]:
        """Returns the inputs, the same ones every time; floats as float32."""
        rng = np.random.default_rng(zlib.crc32(self.id.encode()))
        return [a.make(rng, dtype if a.dtype == "float32" else a.dtype) for a in self.inputs]

    def tensors(self, arrays: list[np.ndarray], dtype: str = "float32") -> list[Tensor]:
        """Returns arrays as tensors, float32 ones cast to `dtype`."""
        found = [tensor(a) for a in arrays]
        if dtype == "float32":
            return found
        return [
            _core.apply("cast", [t], {"dtype": dtype}) if t.dtype == "float32" else t for t in found
        ]

    def run(self, tensors: list[Tensor]) -> list[Tensor]:
        """Calls the op and returns its outputs."""
        found = _core.apply(self.op, tensors, self.attrs)
        return list(found) if isinstance(found, (tuple, list)) else [found]

    def expected(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        """Returns the outputs of the reference in float64."""
        wide = [a.astype(np.float64) if a.dtype.kind == "f" else a for a in arrays]
        with np.errstate(all="ignore"):
            found = self.reference(*wide, **self.attrs)
        return [np.asarray(y) for y in (found if isinstance(found, tuple) else (found,))]

    def differentiable(self) -> list[int]:
        """Returns the positions of the inputs to differentiate."""
        if self.gradient is not None:
            return list(self.gradient)
        return [i for i, a in enumerate(self.inputs) if a.dtype == "float32"]

    def tolerance(self, arrays: list[np.ndarray], expected: np.ndarray, dtype: str) -> float:
        """Returns c * eps * reduction length * magnitude of what is summed."""
        scale = self.scale
        if scale is None:
            finite = expected[np.isfinite(expected)]
            scale = float(np.abs(finite).max()) if finite.size else 1.0
            if self.reduction > 1:
                sizes = [np.abs(a).max() for a in arrays if a.dtype.kind == "f" and a.size]
                scale = max(scale / self.reduction, float(np.prod(sizes)))
        # narrow dtypes are computed in float32 and rounded once
        rounding = 2.0 * EPSILON[dtype] * self.reduction**0.5 if dtype != "float32" else 0.0
        return (self.factor * EPSILON["float32"] * self.reduction + rounding) * scale
