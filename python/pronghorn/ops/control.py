"""Control flow: conditions and loops, eagerly and where a trace needs them.

In a trace a condition that depends on data computes both branches and selects, so branches must not
differ in what they return. Loops with a known number of steps are unrolled; `while_loop` becomes
one step of the program.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from pronghorn import tree
from pronghorn.ops.arguments import as_tensor
from pronghorn.ops.arithmetic import add, clip
from pronghorn.ops.comparison import equal
from pronghorn.ops.indexing import where
from pronghorn.ops.operation import op
from pronghorn.tensor import Tensor
from pronghorn.trace import Trace, current_trace


@op
def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """Returns the result of one of two functions.

    Args:
        pred: a scalar. In a trace, where its value is not known, both functions are traced; their
            results, and what they assign to variables, are selected by it.
        true_fn: called without arguments if `pred` holds.
        false_fn: else. It returns what `true_fn` returns: structure, shapes and dtypes.

    Returns:
        The result of the function.

    Raises:
        TypeError: if a function is not callable.
        ValueError: in a trace, if the results differ in structure, shape or dtype.

    Example:

    >>> float(ops.cond(ops.convert_to_tensor(True), lambda: 1.0, lambda: 2.0))
    1.0
    """
    for name, function in (("true_fn", true_fn), ("false_fn", false_fn)):
        if not callable(function):
            raise TypeError(f"cond: `{name}` must be callable. Received: {name}={function!r}.")
    test = _scalar_of("cond", "pred", pred)
    if not test.is_symbolic:
        return true_fn() if bool(test) else false_fn()
    return _select("cond", [test], [true_fn, false_fn])


@op
def switch(index: Any, branches: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    """Returns the result of one of several functions.

    Args:
        index: an integer scalar, clipped to the range of `branches`. In a trace, where its value is
            not known, all functions are traced and it selects among their results.
        branches: functions that are called with `operands` and return the same structure.
        *operands: what they are called with.

    Returns:
        The result of `branches[index]`.

    Raises:
        ValueError: if there is no branch; in a trace, if results differ in structure, shape or
            dtype.

    Example:

    >>> float(ops.switch(1, [lambda x: x + 1.0, lambda x: x * 10.0], 3.0))
    30.0
    """
    branches = list(branches)
    if not branches:
        raise ValueError("switch: expected at least one branch. Received: branches=[].")
    chosen = clip(_scalar_of("switch", "index", index), 0, len(branches) - 1)
    if not chosen.is_symbolic:
        return branches[int(chosen)](*operands)
    tests = [equal(chosen, k) for k in range(len(branches) - 1)]
    return _select("switch", tests, [functools.partial(b, *operands) for b in branches])


def _scalar_of(name: str, argument: str, value: Any) -> Tensor:
    found = as_tensor(value)
    if found.size != 1:
        raise ValueError(
            f"{name}: `{argument}` must be a scalar. Received: {argument}.shape={found.shape}."
        )
    return found if found.shape == () else found[(0,) * found.ndim]


def _open_trace(name: str) -> Trace:
    trace = current_trace()
    if trace is None:
        raise ValueError(
            f"{name}: a symbolic tensor was used outside of its trace. "
            "Keep no tensors from inside a traced function."
        )
    return trace


def _select(name: str, tests: list[Tensor], functions: Sequence[Callable[[], Any]]) -> Any:
    """Traces all functions; `tests[k]` selects the k-th, the last is left."""
    trace = _open_trace(name)
    results = []
    assigned = []
    for function in functions:
        with trace.branch() as changes:
            results.append(function())
        assigned.append(changes)
    variables = {key: variable for changes in assigned for key, (variable, _) in changes.items()}
    for key, variable in variables.items():
        values = [c[key][1] if key in c else trace.read(variable) for c in assigned]
        trace.write(variable, _select_value(name, tests, values))
    first = results[0]
    for other in results[1:]:
        try:
            tree.assert_same_structure(first, other)
        except (TypeError, ValueError) as e:
            raise ValueError(
                f"{name}: the branches must return the same structure. "
                f"Received: {first!r} and {other!r}."
            ) from e
    return tree.map_structure(lambda *leaves: _select_value(name, tests, leaves), *results)


def _select_value(name: str, tests: list[Tensor], values: Sequence[Any]) -> Any:
    if all(v is None for v in values):
        return None
    if any(v is None for v in values):
        raise ValueError(
            f"{name}: the branches must return the same structure. Received: None and a value."
        )
    tensors = [as_tensor(v) for v in values]
    first = tensors[0]
    for other in tensors[1:]:
        if (other.shape, other.dtype) != (first.shape, first.dtype):
            raise ValueError(
                f"{name}: the branches must return the same shapes and dtypes. Received: "
                f"{first.shape} {first.dtype} and {other.shape} {other.dtype}."
            )
    found = tensors[-1]
    for test, value in zip(reversed(tests), reversed(tensors[:-1])):
        found = where(as_tensor(test, "bool"), value, found)
    return found


@op
def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    maximum_iterations: int | None = None,
) -> Any:
    """Repeats `loop_vars = body(*loop_vars)` while `cond(*loop_vars)` holds.

    In a trace, where the condition depends on data, the loop is one step of the program; it has no
    gradient, and variables can be read but not assigned in it.

    Args:
        cond: returns a scalar.
        body: returns new loop variables: structure, shapes and dtypes stay.
        loop_vars: a list or tuple of tensors or structures; anything else is one loop variable.
        maximum_iterations: the loop ends after so many steps at the latest.

    Returns:
        The loop variables when the loop has ended.

    Raises:
        TypeError: if `cond` or `body` is not callable.
        ValueError: in a trace, if structure, shape or dtype of a loop variable changes.

    Example:

    >>> i, x = ops.while_loop(lambda i, x: i < 3, lambda i, x: (i + 1, x * 2.0), (0, 1.0))
    >>> float(x)
    8.0
    """
    for name, function in (("cond", cond), ("body", body)):
        if not callable(function):
            raise TypeError(
                f"while_loop: `{name}` must be callable. Received: {name}={function!r}."
            )
    is_sequence = isinstance(loop_vars, (tuple, list))
    values = tuple(loop_vars) if is_sequence else (loop_vars,)
    values = tree.map_structure(as_tensor, values)
    left = float("inf") if maximum_iterations is None else int(maximum_iterations)
    trace = current_trace()
    if trace is not None and trace.shapes_only:
        left = 0  # shapes stay as they are
    while left > 0:
        goes_on = _scalar_of("while_loop", "cond(*loop_vars)", cond(*values))
        if goes_on.is_symbolic:
            values = _traced_while(cond, body, values, left)
            break
        if not bool(goes_on):
            break
        values = tree.map_structure(as_tensor, _next_values(body(*values), is_sequence))
        left -= 1
    if not is_sequence:
        return values[0]
    return list(values) if type(loop_vars) is list else values


def _next_values(found: Any, is_sequence: bool) -> tuple[Any, ...]:
    return tuple(found) if is_sequence and isinstance(found, (tuple, list)) else (found,)


def _traced_while(
    cond: Callable[..., Any], body: Callable[..., Any], values: tuple[Any, ...], left: float
) -> tuple[Any, ...]:
    trace = _open_trace("while_loop")
    states = [*tree.flatten(values), as_tensor(0)]
    test = Trace(trace.shapes_only, around=trace)
    with test:
        inputs = [test.input(s.shape, s.dtype) for s in states]
        goes_on = cond(*tree.pack_sequence_as(values, inputs[:-1]))
        goes_on = as_tensor(_scalar_of("while_loop", "cond(*loop_vars)", goes_on), "bool")
        if left != float("inf"):
            goes_on = where(inputs[-1] < int(left), goes_on, False)
    step = Trace(trace.shapes_only, around=trace)
    with step:
        inputs = [step.input(s.shape, s.dtype) for s in states]
        found = _next_values(body(*tree.pack_sequence_as(values, inputs[:-1])), True)
        try:
            tree.assert_same_structure(values, found)
        except (TypeError, ValueError) as e:
            raise ValueError(
                f"while_loop: `body` must return the structure of `loop_vars`. Received: {found!r}."
            ) from e
        results = [as_tensor(leaf) for leaf in tree.flatten(found)]
        results.append(add(inputs[-1], 1))
    for before, after in zip(states, results):
        if (before.shape, before.dtype) != (after.shape, after.dtype):
            raise ValueError(
                "while_loop: loop variables must keep their shapes and dtypes. Received: "
                f"{before.shape} {before.dtype}, after a step {after.shape} {after.dtype}."
            )
    attrs = {"states": len(states), "condition_operands": test.capture_count}
    ended = trace.apply_programs("while_loop", states, attrs, [(test, [goes_on]), (step, results)])
    packed: tuple[Any, ...] = tree.pack_sequence_as(values, ended[:-1])
    return packed


@op
def fori_loop(lower: Any, upper: Any, body_fun: Callable[..., Any], init_val: Any) -> Any:
    """Repeats `value = body_fun(i, value)` for i from `lower` to `upper - 1`.

    Args:
        lower: an integer.
        upper: an integer. In a trace both may depend on data: then the loop has no gradient.
        body_fun: returns the new value.
        init_val: the first value, a tensor or structure.

    Returns:
        The last value.

    Example:

    >>> int(ops.fori_loop(0, 4, lambda i, total: total + i, 0))
    6
    """
    first = _scalar_of("fori_loop", "lower", lower)
    last = _scalar_of("fori_loop", "upper", upper)
    if first.is_symbolic or last.is_symbolic:
        _, value = while_loop(
            lambda i, _: i < last, lambda i, value: (i + 1, body_fun(i, value)), (first, init_val)
        )
        return value
    value = init_val
    for i in range(int(first), int(last)):
        value = body_fun(as_tensor(i), value)
    return value
