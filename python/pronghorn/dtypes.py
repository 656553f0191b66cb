"""Dtype names and type promotion: `standardize_dtype`, `result_type`, kinds of dtypes.

Promotion follows the JAX lattice with weak Python scalars, as Keras's JAX backend does with 32-bit
defaults: float64 counts as float32, and mixing uint32 with a signed integer gives int32.
"""

from __future__ import annotations

import contextlib
import functools
from typing import Any

from pronghorn import config

with contextlib.suppress(ImportError):
    import ml_dtypes as _  # noqa: F401  gives NumPy the dtype "bfloat16"

FLOAT_DTYPES = ("float16", "bfloat16", "float32")
INT_DTYPES = ("uint8", "uint16", "uint32", "int8", "int16", "int32", "int64")
#: The dtypes a tensor can have.
TENSOR_DTYPES = ("bool", *INT_DTYPES, *FLOAT_DTYPES)
#: The names `standardize_dtype` accepts; those a tensor cannot have are cast or refused on use.
ALLOWED_DTYPES = (
    *TENSOR_DTYPES,
    "float64",
    "uint64",
    "string",
    "float8_e4m3fn",
    "float8_e5m2",
    "complex64",
    "complex128",
)

# Each dtype -> what it promotes to in one step; "int" and "float" are the weak Python scalars.
_PROMOTES_TO: dict[str, tuple[str, ...]] = {
    "bool": ("int",),
    "int": ("uint8", "int8"),
    "uint8": ("int16", "uint16"),
    "int8": ("int16",),
    "uint16": ("int32", "uint32"),
    "int16": ("int32",),
    "uint32": ("int64", "uint64"),
    "int32": ("int64",),
    "uint64": ("float",),
    "int64": ("float",),
    "float": ("float16", "bfloat16", "complex"),
    "float16": ("float32",),
    "bfloat16": ("float32",),
    "float32": ("float64", "complex64"),
    "float64": ("complex128",),
    "complex": ("complex64",),
    "complex64": ("complex128",),
    "complex128": (),
}
_PYTHON_TYPES: dict[Any, str] = {
    bool: "bool",
    int: "int32",
    float: "float32",
    str: "string",
    complex: "complex64",
    "int": "int32",
}
_WEAK: dict[Any, str] = {int: "int", float: "float", complex: "complex"}
_ALLOWED = frozenset(ALLOWED_DTYPES)
_32_BIT = {"float64": "float32", "uint64": "uint32", "complex128": "complex64"}


def standardize_dtype(dtype: Any) -> str:
    """Returns the name of a dtype.

    Args:
        dtype: a name, a Python type (`bool`, `int`, `float`), a NumPy, JAX or PyTorch dtype, or
            `None` for `config.floatx()`.

    Returns:
        The dtype as a string, such as `"float32"`.

    Raises:
        ValueError: if there is no such dtype.

    Example:

    >>> standardize_dtype(float)
    'float32'
    """
    if type(dtype) is str and dtype in _ALLOWED:
        return dtype
    if dtype is None:
        return config.floatx()
    name: Any = dtype
    with contextlib.suppress(TypeError):  # unhashable
        name = _PYTHON_TYPES.get(dtype, dtype)
    if not isinstance(name, str):
        if hasattr(name, "name"):
            name = name.name
        elif hasattr(name, "dtype") and hasattr(name.dtype, "name"):
            name = name.dtype.name
        elif hasattr(name, "__name__"):
            name = name.__name__
        else:
            name = str(name)
    if isinstance(name, str):
        name = name.removeprefix("torch.").removeprefix("jax.numpy.")
        name = "bool" if name == "bool_" else name
        if name in _ALLOWED:
            return str(name)
    raise ValueError(
        f"Invalid dtype: expected one of {', '.join(TENSOR_DTYPES)}. Received: dtype={dtype!r}."
    )


def is_float_dtype(dtype: Any) -> bool:
    """Returns whether a dtype is a floating point one.

    Args:
        dtype: anything `standardize_dtype` takes.

    Returns:
        `True` for the float dtypes, bfloat16 included.

    Example:

    >>> is_float_dtype("bfloat16")
    True
    """
    return "float" in standardize_dtype(dtype)


def is_int_dtype(dtype: Any) -> bool:
    """Returns whether a dtype is an integer one (bool is not).

    Args:
        dtype: anything `standardize_dtype` takes.

    Returns:
        `True` for the signed and unsigned integers.

    Example:

    >>> is_int_dtype("uint8")
    True
    """
    return "int" in standardize_dtype(dtype)


def tensor_dtype(dtype: Any) -> str:
    """Returns the dtype that a tensor asked for with `dtype` gets: float64 becomes float32.

    Args:
        dtype: anything `standardize_dtype` takes.

    Returns:
        One of `TENSOR_DTYPES`.

    Raises:
        ValueError: if no tensor can have such a dtype.
    """
    name = standardize_dtype(dtype)
    name = _32_BIT.get(name, name)
    if name not in TENSOR_DTYPES:
        raise ValueError(
            f"Unsupported dtype: a tensor has one of {', '.join(TENSOR_DTYPES)}. "
            f"Received: dtype={dtype!r}."
        )
    return name


def result_type(*dtypes: Any) -> str:
    """Returns the dtype of the result of an operation on the given dtypes.

    The Python types `int` and `float` stand for Python scalars: they are weak, that is they take
    the dtype of what they meet unless its kind is lower.

    Args:
        *dtypes: dtypes, the Python types `bool`, `int`, `float`, or `None` for `config.floatx()`.

    Returns:
        The dtype as a string; `config.floatx()` when nothing is given.

    Raises:
        ValueError: for float8 dtypes, which have no implicit conversion, and strings.

    Example:

    >>> result_type("int32", float)
    'float32'
    >>> result_type("bfloat16", float)
    'bfloat16'
    """
    if not dtypes:
        return config.floatx()
    try:
        return _promote(dtypes, config.floatx())
    except TypeError:  # an unhashable dtype object
        return _promote(tuple(standardize_dtype(d) for d in dtypes), config.floatx())


@functools.lru_cache(maxsize=4096)
def _promote(dtypes: tuple[Any, ...], floatx: str) -> str:
    names: list[str] = []
    for dtype in dtypes:
        name = floatx if dtype is None else _WEAK.get(dtype) or standardize_dtype(dtype)
        if name.startswith("float8"):
            raise ValueError(
                "There is no implicit conversions from float8 dtypes: cast explicitly. "
                f"Received: dtypes={dtypes}."
            )
        if name not in _PROMOTES_TO:
            raise ValueError(
                f"{name!r} is not a valid dtype for Keras type promotion. "
                f"Expected one of {', '.join(TENSOR_DTYPES)}. Received: dtypes={dtypes}."
            )
        names.append("float32" if name == "float64" else name)
    found = _least_upper_bound(frozenset(names))
    if found == "int64" and "int64" not in names:
        return "int32"
    if found == "int":
        return "int32"
    if found == "float":
        return floatx
    if found == "complex":
        return "complex64"
    return _32_BIT.get(found, found)


@functools.lru_cache(maxsize=1)
def _upper_bounds() -> dict[str, frozenset[str]]:
    """Returns for each dtype the set of all dtypes it promotes to, itself included."""
    bounds: dict[str, frozenset[str]] = {}

    def visit(name: str) -> frozenset[str]:
        if name not in bounds:
            bounds[name] = frozenset({name}).union(*(visit(n) for n in _PROMOTES_TO[name]))
        return bounds[name]

    for name in _PROMOTES_TO:
        visit(name)
    return bounds


def _least_upper_bound(names: frozenset[str]) -> str:
    bounds = _upper_bounds()
    shared = frozenset.intersection(*(bounds[n] for n in names))
    least = [n for n in shared if shared <= bounds[n]]
    if len(least) != 1:
        raise ValueError(f"{sorted(names)} have no available implicit dtype promotion path.")
    return least[0]
