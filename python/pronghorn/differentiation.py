"""value_and_grad, grad: functions that return the gradient of another function."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from pronghorn import ops, tree
from pronghorn.gradient_tape import GradientTape
from pronghorn.variable import Variable


def value_and_grad(
    fun: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    variables: Sequence[Variable] | None = None,
) -> Callable[..., Any]:
    """Returns a function that computes `fun` and its gradient.

    Args:
        fun: returns a scalar tensor, with `has_aux` a pair of it and anything else.
        argnums: which positional arguments the gradient is taken of; structures of float tensors.
        has_aux: whether `fun` returns a pair.
        variables: take the gradient of these variables in place of arguments.

    Returns:
        A function with the arguments of `fun` that returns `(value, gradient)`. The gradient has
        the structure of the argument, of a tuple of them if `argnums` is a sequence, or of
        `variables`. What the value does not depend on gets zeros; a variable gets `None`.

    Raises:
        TypeError: `fun` is not callable.
        ValueError: When called: an argument is missing or not float, or the value no scalar.

    Example:

    >>> import pronghorn as keras
    >>> value, gradient = keras.value_and_grad(lambda x: keras.ops.sum(x * x))([1.0, 2.0])
    >>> float(value), gradient[0].numpy().item(), gradient[1].numpy().item()
    (5.0, 2.0, 4.0)
    """
    if not callable(fun):
        raise TypeError(f"value_and_grad: expected a callable. Received: fun={fun!r}.")

    @functools.wraps(fun)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        numbers = (argnums,) if isinstance(argnums, int) else tuple(argnums)
        if variables is None and any(not -len(args) <= k < len(args) for k in numbers):
            raise ValueError(
                f"value_and_grad: argnums must name positional arguments. "
                f"Received: argnums={argnums}, {len(args)} positional arguments."
            )
        found = list(args)
        if variables is None:
            for k in numbers:
                found[k] = tree.map_structure(_as_source, args[k])
        with GradientTape() as tape:
            if variables is None:
                for k in numbers:
                    tape.watch(found[k])
            else:
                tape.watch(list(variables))
            result = fun(*found, **kwargs)
            value, extra = result if has_aux else (result, None)
        value = ops.convert_to_tensor(value)
        if value.size != 1:
            raise ValueError(
                f"value_and_grad: expected a scalar. Received: a value of shape={value.shape}."
            )
        if variables is not None:
            gradient = tape.gradient(value, list(variables))
        else:
            sources = found[numbers[0]] if isinstance(argnums, int) else _pick(found, numbers)
            gradient = tape.gradient(value, sources, unconnected_gradients="zero")
        return ((value, extra), gradient) if has_aux else (value, gradient)

    return wrapper


def grad(
    fun: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    variables: Sequence[Variable] | None = None,
) -> Callable[..., Any]:
    """Returns a function that computes the gradient of `fun`.

    Args:
        fun: returns a scalar tensor, with `has_aux` a pair of it and anything else.
        argnums: which positional arguments the gradient is taken of.
        has_aux: whether `fun` returns a pair.
        variables: take the gradient of these variables in place of arguments.

    Returns:
        A function with the arguments of `fun` that returns the gradient, as `value_and_grad` does;
        with `has_aux` a pair of it and what `fun` returned besides.

    Raises:
        TypeError: `fun` is not callable.

    Example:

    >>> import pronghorn as keras
    >>> float(keras.grad(keras.grad(lambda x: x * x * x))(2.0))
    12.0
    """
    both = value_and_grad(fun, argnums, has_aux, variables)

    @functools.wraps(fun)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        value, gradient = both(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return wrapper


def _as_source(leaf: Any) -> Any:
    return leaf if isinstance(leaf, Variable) else ops.convert_to_tensor(leaf)


def _pick(args: Sequence[Any], numbers: Sequence[int]) -> tuple[Any, ...]:
    return tuple(args[k] for k in numbers)
