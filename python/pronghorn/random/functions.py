"""Random numbers: uniform, normal, integers, categories, dropout, shuffling.

Each number is a function of key and position (Philox4x32-10), so results do not depend on the
number of threads or on the machine's vector width.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn import config, dtypes
from pronghorn.ops.arguments import (
    TensorLike,
    apply,
    as_float,
    as_tensor,
    concrete,
    normalize_axis,
    static_shape,
)
from pronghorn.ops.operation import op
from pronghorn.random.seed_generator import draw_key
from pronghorn.tensor import Tensor, convert_to_tensor

SMALLEST = float(np.finfo(np.float32).tiny)


def float_dtype(dtype: Any, name: str) -> str:
    """Returns the name of a float dtype, by default `config.floatx()`.

    Raises:
        ValueError: if it is not a float one.
    """
    found = dtypes.standardize_dtype(config.floatx() if dtype is None else dtype)
    if not dtypes.is_float_dtype(found):
        raise ValueError(
            f"`keras.random.{name}` requires a floating point `dtype`. Received: dtype={found} "
        )
    return dtypes.tensor_dtype(found)


def _is_number(x: Any) -> bool:
    return isinstance(x, (int, float, np.number)) and not isinstance(x, bool)


def _moved(x: Tensor, scale: TensorLike, shift: TensorLike) -> Tensor:
    """Returns x * scale + shift."""
    scaled = apply("multiply", x, as_tensor(as_tensor(scale), "float32"))
    return apply("add", scaled, as_tensor(as_tensor(shift), "float32"))


@op
def uniform(
    shape: Any,
    minval: TensorLike = 0.0,
    maxval: TensorLike = 1.0,
    dtype: Any = None,
    seed: Any = None,
) -> Tensor:
    """Returns random numbers, equally likely everywhere in an interval.

    Args:
        shape: the shape of the result.
        minval: the lower end, which is included.
        maxval: the upper end, which is not.
        dtype: a float dtype; by default `config.floatx()`.
        seed: an integer (the same numbers each time), a SeedGenerator, or `None` for the global
            one.

    Returns:
        A float tensor.

    Raises:
        ValueError: if the dtype is not a float one.

    Example:

    >>> import pronghorn as keras
    >>> keras.random.uniform((2, 3), seed=1).shape
    (2, 3)
    """
    name = float_dtype(dtype, "uniform")
    sizes, key = static_shape(shape, "uniform"), draw_key(seed)
    if _is_number(minval) and _is_number(maxval):
        found = apply("random_uniform", key, shape=sizes, low=float(minval), high=float(maxval))
    else:
        found = apply("random_uniform", key, shape=sizes, low=0.0, high=1.0)
        low = as_tensor(as_tensor(minval), "float32")
        found = _moved(found, apply("subtract", as_tensor(as_tensor(maxval), "float32"), low), low)
    return as_tensor(found, name)


def _normal(
    core: str, shape: Any, mean: TensorLike, stddev: TensorLike, dtype: Any, seed: Any
) -> Tensor:
    name = float_dtype(dtype, core.removeprefix("random_"))
    sizes, key = static_shape(shape, core.removeprefix("random_")), draw_key(seed)
    if _is_number(mean) and _is_number(stddev):
        found = apply(core, key, shape=sizes, mean=float(mean), stddev=float(stddev))
    else:
        found = _moved(apply(core, key, shape=sizes, mean=0.0, stddev=1.0), stddev, mean)
    return as_tensor(found, name)


@op
def normal(
    shape: Any,
    mean: TensorLike = 0.0,
    stddev: TensorLike = 1.0,
    dtype: Any = None,
    seed: Any = None,
) -> Tensor:
    """Returns random numbers of a normal distribution.

    Args:
        shape: the shape of the result.
        mean: the mean.
        stddev: the standard deviation.
        dtype: a float dtype; by default `config.floatx()`.
        seed: an integer, a SeedGenerator, or `None` for the global one.

    Returns:
        A float tensor.

    Raises:
        ValueError: if the dtype is not a float one.

    Example:

    >>> import pronghorn as keras
    >>> keras.random.normal((2, 3), seed=1).shape
    (2, 3)
    """
    return _normal("random_normal", shape, mean, stddev, dtype, seed)


@op
def truncated_normal(
    shape: Any,
    mean: TensorLike = 0.0,
    stddev: TensorLike = 1.0,
    dtype: Any = None,
    seed: Any = None,
) -> Tensor:
    """Returns random numbers of a normal distribution, none beyond two standard deviations.

    Args:
        shape: the shape of the result.
        mean: the mean.
        stddev: the standard deviation before numbers are left out.
        dtype: a float dtype; by default `config.floatx()`.
        seed: an integer, a SeedGenerator, or `None` for the global one.

    Returns:
        A float tensor.

    Raises:
        ValueError: if the dtype is not a float one.

    Example:

    >>> import pronghorn as keras
    >>> keras.random.truncated_normal((2, 3), seed=1).shape
    (2, 3)
    """
    return _normal("random_truncated_normal", shape, mean, stddev, dtype, seed)


@op
def randint(
    shape: Any, minval: TensorLike, maxval: TensorLike, dtype: Any = "int32", seed: Any = None
) -> Tensor:
    """Returns random integers, equally likely in an interval (to 1 part in 2**32 / its length).

    Args:
        shape: the shape of the result.
        minval: the smallest integer.
        maxval: the end, which is not included.
        dtype: an integer dtype.
        seed: an integer, a SeedGenerator, or `None` for the global one.

    Returns:
        An integer tensor.

    Raises:
        ValueError: if the dtype is not an integer one.

    Example:

    >>> import pronghorn as keras
    >>> keras.random.randint((2, 3), 0, 10, seed=1).dtype
    'int32'
    """
    name = dtypes.standardize_dtype(dtype)
    if not dtypes.is_int_dtype(name):
        raise ValueError(
            f"`keras.random.randint` requires an integer `dtype`. Received: dtype={name} "
        )
    name = dtypes.tensor_dtype(name)
    bits = apply("random_bits", draw_key(seed), shape=static_shape(shape, "randint"))
    low = as_tensor(as_tensor(minval), "int64")
    span = apply("subtract", as_tensor(as_tensor(maxval), "int64"), low)
    span = apply("maximum", span, as_tensor(1, "int64"))
    offset = apply("mod", as_tensor(bits, "int64"), span)
    return as_tensor(apply("add", offset, low), name)


def _gumbel(shape: list[int], seed: Any) -> Tensor:
    """Returns random numbers of the Gumbel distribution, -log(-log(u))."""
    u = apply("random_uniform", draw_key(seed), shape=shape, low=SMALLEST, high=1.0)
    found = apply("log", apply("negative", apply("log", u)))
    return apply("negative", found)


@op
def categorical(
    logits: TensorLike, num_samples: int, dtype: Any = "int32", seed: Any = None
) -> Tensor:
    """Returns random class numbers with given log-probabilities.

    Args:
        logits: shape `(batch, classes)`; they need not be normalized.
        num_samples: how many samples for each row.
        dtype: an integer dtype.
        seed: an integer, a SeedGenerator, or `None` for the global one.

    Returns:
        An integer tensor of shape `(batch, num_samples)`.

    Raises:
        ValueError: if the rank is not 2.

    Example:

    >>> import pronghorn as keras
    >>> keras.random.categorical([[0.0, 0.0]], 3, seed=1).shape
    (1, 3)
    """
    x = as_float(logits)
    if x.ndim != 2:
        raise ValueError(
            "`logits` should be a 2-D tensor with shape [batch_size, num_classes]. "
            f"Received: logits={logits}"
        )
    rows, classes = x.shape
    x = apply("reshape", as_tensor(x, "float32"), shape=[rows, 1, classes])
    noisy = apply("add", x, _gumbel([rows, int(num_samples), classes], seed))
    found = apply("argmax", noisy, axis=2, keepdims=False)
    return as_tensor(found, dtypes.tensor_dtype(dtype))


@op
def dropout(inputs: TensorLike, rate: float, noise_shape: Any = None, seed: Any = None) -> Tensor:
    """Returns the tensor with random elements set to 0 and the others scaled up.

    Args:
        inputs: a tensor.
        rate: the fraction of elements that are dropped, in [0, 1].
        noise_shape: the shape of the random decisions, broadcast to `inputs`; `None` in it stands
            for the size of `inputs`.
        seed: an integer, a SeedGenerator, or `None` for the global one.

    Returns:
        A float tensor of the same shape.

    Raises:
        ValueError: if the rate or the shape is not valid.

    Example:

    >>> import pronghorn as keras
    >>> keras.random.dropout([1.0, 1.0], 0.5, seed=1).shape
    (2,)
    """
    x = as_float(inputs)
    rate = float(rate)
    if not rate >= 0.0:
        raise ValueError(f"dropout: `rate` must be in [0, 1]. Received: rate={rate}.")
    if rate >= 1.0:
        zero = as_tensor(0.0, x.dtype)
        return apply("broadcast_to", zero, shape=list(x.shape))
    if rate == 0.0:
        return x
    key = draw_key(seed)
    if noise_shape is None:
        return apply("dropout", x, key, rate=rate)
    given = list(noise_shape)
    offset = x.ndim - len(given)
    if offset < 0:
        raise ValueError(
            "Argument `noise_shape` must not have more dimensions than `inputs`. "
            f"Received: inputs.shape={x.shape}, noise_shape={noise_shape}."
        )
    shape = [x.shape[i + offset] if n is None else int(n) for i, n in enumerate(given)]
    if any(n not in (1, x.shape[i + offset]) for i, n in enumerate(shape)):
        raise ValueError(
            "Argument `noise_shape` must broadcast to `inputs`. "
            f"Received: inputs.shape={x.shape}, noise_shape={noise_shape}."
        )
    ones = apply("broadcast_to", as_tensor(1.0, x.dtype), shape=shape)
    return apply("multiply", x, apply("dropout", ones, key, rate=rate))


@op
def shuffle(x: TensorLike, axis: int = 0, seed: Any = None) -> Tensor:
    """Returns the slices along a dimension in random order.

    Args:
        x: a tensor.
        axis: the dimension.
        seed: an integer, a SeedGenerator, or `None` for the global one.

    Returns:
        A tensor of the same shape.

    Example:

    >>> import pronghorn as keras
    >>> sorted(keras.random.shuffle([1, 2, 3], seed=1).numpy().tolist())
    [1, 2, 3]
    """
    x = as_tensor(x)
    axis = normalize_axis(axis, x.ndim, "shuffle")
    bits = apply("random_bits", draw_key(seed), shape=[x.shape[axis]])
    order = apply("argsort", bits, axis=0)
    return apply("gather", x, order, axis=axis)


def _numpy_generator(seed: Any, name: str) -> np.random.Generator:
    key = concrete(draw_key(seed), name, "seed")
    return np.random.Generator(np.random.Philox(key=int(key[0]), counter=[0, 0, 0, int(key[1])]))


def _sampled(values: np.ndarray, dtype: str) -> Tensor:
    return as_tensor(convert_to_tensor(np.asarray(values, np.float32)), dtype)


@op
def binomial(
    shape: Any, counts: TensorLike, probabilities: TensorLike, dtype: Any = None, seed: Any = None
) -> Tensor:
    """Returns how many of a number of trials succeed, at random.

    They are drawn by NumPy: this cannot be part of a traced function.

    Args:
        shape: the shape of the result.
        counts: the number of trials.
        probabilities: the probability that a trial succeeds.
        dtype: a float dtype; by default `config.floatx()`.
        seed: an integer, a SeedGenerator, or `None` for the global one.

    Returns:
        A float tensor.

    Example:

    >>> import pronghorn as keras
    >>> keras.random.binomial((2,), 5, 0.5, seed=1).shape
    (2,)
    """
    name = float_dtype(dtype, "binomial")
    size = tuple(static_shape(shape, "binomial"))
    n = concrete(counts, "binomial", "counts").astype(np.int64)
    p = concrete(probabilities, "binomial", "probabilities").astype(np.float64)
    return _sampled(_numpy_generator(seed, "binomial").binomial(n, p, size=size), name)
