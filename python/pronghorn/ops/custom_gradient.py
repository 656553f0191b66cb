"""custom_gradient: a function whose gradient is written down by its caller."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from pronghorn import tree
from pronghorn.dtypes import is_float_dtype
from pronghorn.ops.arguments import apply, apply_many, as_tensor
from pronghorn.ops.core import stop_gradient
from pronghorn.tensor import Tensor
from pronghorn.trace import current


def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator of a function that returns its result and a function for its gradient.

    Args:
        f: takes tensors and returns `(result, grad)`. `grad(*upstream)`, or `grad(*args,
            upstream=None)`, is given the gradients of the loss with respect to the results, and
            returns those with respect to the arguments of `f`: one for each tensor, `None` where
            there is none. It must compute them with `pronghorn.ops`.

    Returns:
        A function with the arguments of `f` that returns the result.

    Raises:
        TypeError: if `f` is not callable.
        ValueError: when called, if `f` does not return two things, or `grad` not one gradient for
            each argument.

    Example:

    >>> import pronghorn as keras
    >>> @ops.custom_gradient
    ... def log1pexp(x):
    ...     e = ops.exp(x)
    ...     def grad(*args, upstream=None):
    ...         if upstream is None:
    ...             (upstream,) = args
    ...         return ops.multiply(upstream, 1.0 - 1.0 / ops.add(1, e))
    ...     return ops.log(1 + e), grad
    >>> x = keras.Variable(100.0)
    >>> with keras.GradientTape() as tape:
    ...     y = log1pexp(x)
    >>> float(tape.gradient(y, x))
    1.0
    """
    if not callable(f):
        raise TypeError(f"custom_gradient: expected a callable. Received: f={f!r}.")

    @functools.wraps(f)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        found = f(*args, **kwargs)
        if not isinstance(found, tuple) or len(found) != 2 or not callable(found[1]):
            raise ValueError(
                f"custom_gradient: expected `{_name(f)}` to return (result, gradient function). "
                f"Received: {type(found).__name__}."
            )
        result, gradient = found
        if current() is None:  # nobody can ask for a gradient
            return result
        return _attach(f, result, gradient, args)

    return wrapper


def _name(f: Any) -> str:
    return str(getattr(f, "__name__", f))


def _attach(
    f: Callable[..., Any], result: Any, gradient: Callable[..., Any], args: tuple[Any, ...]
) -> Any:
    outputs = [as_tensor(y) for y in tree.flatten(result)]
    sources = [as_tensor(x) for x in tree.flatten(args)]
    # They stand for gradients not known yet: the core repeats what is computed from them.
    upstream = [stop_gradient(y) for y in outputs]
    found = _call_gradient(gradient, upstream)
    gradients = list(found) if isinstance(found, (tuple, list)) else [found]
    if len(gradients) != len(sources):
        raise ValueError(
            f"custom_gradient: expected the gradient function of `{_name(f)}` to return one "
            f"gradient for each argument. Received: {len(gradients)} gradients, "
            f"{len(sources)} arguments."
        )
    pairs = []
    for source, part in zip(sources, gradients):
        if part is None or not is_float_dtype(source.dtype):
            continue
        part = as_tensor(part, source.dtype)
        if part.shape != source.shape:
            raise ValueError(
                f"custom_gradient: expected a gradient of the shape of its argument from the "
                f"gradient function of `{_name(f)}`. Received: {part.shape} for an argument of "
                f"shape {source.shape}."
            )
        pairs.append((source, part))
    operands = [*outputs, *upstream, *(s for s, _ in pairs), *(g for _, g in pairs)]
    if len(outputs) == 1:
        attached = [apply("custom_gradient", *operands, outputs=1)]
    else:
        attached = list(apply_many("custom_gradient", *operands, outputs=len(outputs)))
    return tree.pack_sequence_as(result, attached)


def _call_gradient(gradient: Callable[..., Any], upstream: list[Tensor]) -> Any:
    parameters = inspect.signature(gradient).parameters
    if "upstream" in parameters and len(upstream) == 1:
        return gradient(upstream=upstream[0])
    return gradient(*upstream)
