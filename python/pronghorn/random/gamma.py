"""Random numbers of the gamma and beta distributions.

Candidates of Marsaglia and Tsang, "A simple method for generating gamma variables", 2000, of which
one is rejected with probability below 0.05: the first accepted one of `_CANDIDATES` is taken. That
none is accepted has a probability below 1e-15. So the functions are programs without loops, and a
number depends on key and position only.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn.ops.arguments import TensorLike, apply, as_tensor, static_shape
from pronghorn.ops.operation import op
from pronghorn.random.functions import SMALLEST, float_dtype
from pronghorn.random.seed_generator import draw_key
from pronghorn.tensor import Tensor, convert_to_tensor

_CANDIDATES = 12


def _log_gamma(key: Tensor, alpha: Tensor, sizes: list[int]) -> Tensor:
    """Returns logarithms of gamma numbers of a shape; they do not underflow for a small alpha."""
    from pronghorn.ops import numpy as knp

    def other_key(n: int) -> Tensor:
        # Far from the counters of other calls.
        return apply("add", key, convert_to_tensor(np.array([0, n << 30], np.uint32)))

    alpha = apply("broadcast_to", alpha, shape=sizes)
    # gamma(alpha) = gamma(alpha + 1) u^(1 / alpha)
    d = knp.where(alpha < 1.0, alpha + 1.0, alpha) - 1.0 / 3.0
    c = 1.0 / knp.sqrt(9.0 * d)
    many = [_CANDIDATES, *sizes]
    x = apply("random_normal", key, shape=many, mean=0.0, stddev=1.0)
    u = apply("random_uniform", other_key(1), shape=many, low=SMALLEST, high=1.0)
    root = 1.0 + c * x
    log_v = 3.0 * knp.log(knp.maximum(root, SMALLEST))
    accepted = knp.logical_and(
        root > 0.0, knp.log(u) < 0.5 * x * x + d - d * knp.exp(log_v) + d * log_v
    )
    first = knp.argmax(as_tensor(accepted, "int32"), axis=0, keepdims=True)
    found = knp.log(d) + knp.squeeze(knp.take_along_axis(log_v, first, axis=0), 0)
    u = apply("random_uniform", other_key(2), shape=sizes, low=SMALLEST, high=1.0)
    result: Tensor = knp.where(alpha < 1.0, found + knp.log(u) / alpha, found)
    return result


@op
def gamma(shape: Any, alpha: TensorLike, dtype: Any = None, seed: Any = None) -> Tensor:
    """Returns random numbers of the gamma distribution with scale 1.

    Args:
        shape: the shape of the result.
        alpha: the shape parameter, positive.
        dtype: a float dtype; by default `config.floatx()`.
        seed: an integer, a SeedGenerator, or `None` for the global one.

    Returns:
        A float tensor.

    Raises:
        ValueError: if the dtype is not a float one.

    Example:

    >>> import pronghorn as keras
    >>> keras.random.gamma((2,), 1.0, seed=1).shape
    (2,)
    """
    name, sizes = float_dtype(dtype, "gamma"), static_shape(shape, "gamma")
    a = as_tensor(as_tensor(alpha), "float32")
    return as_tensor(apply("exp", _log_gamma(draw_key(seed), a, sizes)), name)


@op
def beta(
    shape: Any, alpha: TensorLike, beta: TensorLike, dtype: Any = None, seed: Any = None
) -> Tensor:
    """Returns random numbers of the beta distribution.

    Args:
        shape: the shape of the result.
        alpha: the first shape parameter, positive.
        beta: the second shape parameter, positive.
        dtype: a float dtype; by default `config.floatx()`.
        seed: an integer, a SeedGenerator, or `None` for the global one.

    Returns:
        A float tensor.

    Raises:
        ValueError: if the dtype is not a float one.

    Example:

    >>> import pronghorn as keras
    >>> keras.random.beta((2,), 1.0, 2.0, seed=1).shape
    (2,)
    """
    name, sizes = float_dtype(dtype, "beta"), static_shape(shape, "beta")
    both = [
        apply("broadcast_to", as_tensor(as_tensor(p), "float32"), shape=[1, *sizes])
        for p in (alpha, beta)
    ]
    a = apply("concatenate", *both, axis=0)
    logs = _log_gamma(draw_key(seed), a, [2, *sizes])
    # a / (a + b)
    return as_tensor(apply("sigmoid", logs[0] - logs[1]), name)
