"""Dtype names, promotion, and the dtypes of results."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pronghorn import backend, config, ops
from pronghorn.dtypes import TENSOR_DTYPES, result_type, standardize_dtype, tensor_dtype

FLOATS = ("float16", "bfloat16", "float32")
INTS = ("uint8", "uint16", "uint32", "int8", "int16", "int32")


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (None, "float32"),
        (float, "float32"),
        (int, "int32"),
        (bool, "bool"),
        ("int", "int32"),
        (np.float64, "float64"),
        (np.dtype("uint8"), "uint8"),
        ("bfloat16", "bfloat16"),
        (str, "string"),
    ],
)
def test_standardize(given: Any, name: str) -> None:
    assert standardize_dtype(given) == name


@pytest.mark.parametrize("wrong", ["float", "double", "nope", 3, object()])
def test_standardize_refuses(wrong: Any) -> None:
    with pytest.raises(ValueError, match="Invalid dtype"):
        standardize_dtype(wrong)


# The corners of the JAX lattice; NumPy's rules differ in most of them.
@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (("bool", "bool"), "bool"),
        (("bool", int), "int32"),
        (("bool", float), "float32"),
        (("uint8", "int8"), "int16"),
        (("uint16", "int16"), "int32"),
        (("uint32", "int32"), "int32"),
        (("uint8", int), "uint8"),
        (("int8", float), "float32"),
        (("int32", "float16"), "float16"),
        (("int32", "bfloat16"), "bfloat16"),
        (("float16", "bfloat16"), "float32"),
        (("bfloat16", float), "bfloat16"),
        (("float16", float), "float16"),
        (("float64", "float32"), "float32"),
        (("int64", "int32"), "int64"),
        (("int64", "float32"), "float32"),
        ((int, float), "float32"),
        ((None,), "float32"),
        ((), "float32"),
    ],
)
def test_promotion(given: tuple[Any, ...], wanted: str) -> None:
    assert result_type(*given) == wanted
    assert result_type(*reversed(given)) == wanted


def test_promotion_is_a_lattice() -> None:
    for a in TENSOR_DTYPES:
        assert result_type(a, a) == a
        for b in TENSOR_DTYPES:
            assert result_type(a, b) == result_type(b, a)
            assert result_type(a, result_type(a, b)) == result_type(a, b)


def test_floatx_decides_weak_floats() -> None:
    try:
        config.set_floatx("bfloat16")
        assert result_type("int32", float) == "bfloat16"
        assert ops.zeros((1,)).dtype == "bfloat16"
    finally:
        config.set_floatx("float32")


def test_what_tensors_cannot_be() -> None:
    assert tensor_dtype("float64") == "float32"
    for name in ("complex64", "string", "float8_e5m2"):
        with pytest.raises(ValueError, match="Unsupported dtype"):
            tensor_dtype(name)
    with pytest.raises(ValueError, match="float8"):
        result_type("float8_e4m3fn", "float32")


@pytest.mark.parametrize("dtype", [*INTS, "bool", "int64", *FLOATS])
def test_result_dtypes(dtype: str) -> None:
    x = ops.ones((2, 2), dtype)
    is_float = dtype in FLOATS
    as_float = dtype if is_float else "float32"
    wide = (
        dtype if is_float or dtype == "int64" else ("uint32" if dtype.startswith("u") else "int32")
    )
    number = "int32" if dtype == "bool" else dtype
    for name in ("exp", "sqrt", "sin", "mean", "var", "median", "floor", "sigmoid", "softmax"):
        assert getattr(ops, name)(x).dtype == as_float, name
    for name in ("sum", "prod", "trace"):
        assert getattr(ops, name)(x).dtype == wide, name
    for name in ("max", "min", "abs", "sort", "transpose", "ravel", "tril"):
        assert getattr(ops, name)(x).dtype == dtype, name
    for name in ("square", "cumsum", "relu"):
        assert getattr(ops, name)(x).dtype == number, name
    for name in ("argmax", "argsort", "count_nonzero"):
        assert getattr(ops, name)(x).dtype == "int32", name
    for name in ("isnan", "any", "logical_not"):
        assert getattr(ops, name)(x).dtype == "bool", name
    assert ops.divide(x, x).dtype == as_float
    assert ops.add(x, 1).dtype == number
    assert ops.add(x, 1.0).dtype == as_float
    assert ops.equal(x, x).dtype == "bool"


@pytest.mark.parametrize("a", [*INTS, *FLOATS])
@pytest.mark.parametrize("b", [*INTS, *FLOATS])
def test_two_dtypes(a: str, b: str) -> None:
    x, y = ops.ones((2, 2), a), ops.ones((2, 2), b)
    assert ops.add(x, y).dtype == result_type(a, b)
    assert ops.concatenate([x, y]).dtype == result_type(a, b)
    wanted = "int32" if a == b == "int8" else result_type(a, b)
    assert ops.matmul(x, y).dtype == wanted
    assert (np.asarray(ops.cast(ops.matmul(x, y), "float32")) == 2).all()


def test_settings() -> None:
    for setter, getter, value, wrong in (
        (config.set_floatx, config.floatx, "float16", "float64"),
        (config.set_image_data_format, config.image_data_format, "channels_first", "nchw"),
    ):
        before = getter()
        try:
            setter(value)
            assert getter() == value
            with pytest.raises(ValueError, match="eceived"):
                setter(wrong)
            assert getter() == value
        finally:
            setter(before)
    before_epsilon = config.epsilon()
    try:
        config.set_epsilon(1e-3)
        assert backend.epsilon() == 1e-3
    finally:
        config.set_epsilon(before_epsilon)
    with pytest.raises(ValueError, match="positive"):
        config.set_num_threads(0)
    assert config.num_threads() >= 1
    assert config.is_flash_attention_enabled()
    config.disable_flash_attention()
    assert not config.is_flash_attention_enabled()
    config.enable_flash_attention()
    assert config.is_flash_attention_enabled()
    with pytest.raises(ValueError, match="pronghorn"):
        config.set_backend("torch")
