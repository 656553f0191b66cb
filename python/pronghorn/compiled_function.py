"""function: a Python function of tensors, traced once per signature and then run compiled."""

from __future__ import annotations

import functools
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, overload

import numpy as np

from pronghorn import tree
from pronghorn.ops.symbolic import any_symbolic_tensors
from pronghorn.program import Program
from pronghorn.tensor import Tensor, borrow
from pronghorn.trace import Trace, current
from pronghorn.variable import Variable

_MOST_SIGNATURES = 64
_PLAIN = frozenset({int, float, bool, str, bytes, type(None)})


class _Compiled:
    """One signature: the program, and how its outputs become the function's result."""

    def __init__(
        self, program: Program, structure: Any, constants: list[Any] | None, kept: Any
    ) -> None:
        self.program = program
        self._structure = structure
        # By leaf of the result; where it is _OUTPUT the program's next. None: the output itself.
        self._constants = constants
        self._kept = kept  # objects whose id is part of the signature

    def __call__(self, tensors: list[Any]) -> Any:
        return self.result(self.program(*tensors))

    def result(self, found: list[Tensor]) -> Any:
        """Returns the function's result, of the program's outputs."""
        if self._constants is None:
            return found[0]
        outputs = iter(found)
        leaves = [next(outputs) if c is _OUTPUT else c for c in self._constants]
        return tree.pack_sequence_as(self._structure, leaves)


_OUTPUT = object()


class Function:
    """A function that runs as a compiled program. Made by `pronghorn.function`.

    Args:
        python_function: What is traced.
    """

    def __init__(self, python_function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, python_function, updated=())
        self.python_function = python_function
        self._compiled: OrderedDict[Hashable, _Compiled] = OrderedDict()
        # Of the last call that was given tensors and nothing else: its program knows whether it
        # suits the next ones, in less time than a key takes.
        self._latest: _Compiled | None = None
        self._lock = threading.RLock()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if current() is not None:
            return self.python_function(*args, **kwargs)
        latest = self._latest
        if latest is not None and not kwargs:
            found = latest.program.run_direct(args)
            if found is not None:
                return latest.result(found)
        if any_symbolic_tensors(args, kwargs):
            return self.python_function(*args, **kwargs)
        key, tensors = _flat_signature(args) if not kwargs else (None, [])
        is_flat = key is not None
        if not is_flat:
            key, tensors = _signature(args, kwargs)
        compiled = self._compiled.get(key)
        if compiled is None:
            compiled = self._compile(key, args, kwargs)
        if is_flat and len(tensors) == len(args):
            self._latest = compiled
        return compiled(tensors)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        # One for each instance, which owns it.
        name = f"_function_{self.python_function.__name__}"
        bound = vars(instance).get(name)
        if bound is None or bound.python_function.__func__ is not self.python_function:
            bound = Function(self.python_function.__get__(instance, owner))
            vars(instance)[name] = bound
        return bound

    @property
    def signature_count(self) -> int:
        """For how many signatures there is a program."""
        return len(self._compiled)

    def __repr__(self) -> str:
        name = getattr(self.python_function, "__qualname__", repr(self.python_function))
        return f"<pronghorn.function {name}>"

    def __reduce__(self) -> Any:
        # A decorated function of a module goes by its name, as functions do.
        name = getattr(self.python_function, "__qualname__", "")
        found: Any = sys.modules.get(getattr(self.python_function, "__module__", ""))
        for part in name.split("."):
            found = getattr(found, part, None)
        return name if found is self else (Function, (self.python_function,))

    def _compile(self, key: Hashable, args: Any, kwargs: Any) -> _Compiled:
        with self._lock:
            if key in self._compiled:
                return self._compiled[key]
            with Trace() as trace:
                kept: list[Any] = []

                def symbolic(leaf: Any) -> Any:
                    if _is_data(leaf):
                        tensor = borrow(leaf)
                        return trace.input(tensor.shape, tensor.dtype)
                    kept.append(leaf)
                    return leaf

                args, kwargs = tree.map_structure(symbolic, (args, kwargs), none_is_leaf=True)
                result = self.python_function(*args, **kwargs)
                compiled = self._finish(trace, result, kept)
            if trace.created and self._compiled:
                raise ValueError(
                    f"{self!r}: variables may be made only when it is first traced, since each "
                    f"trace would make others. Received: {trace.created} new variables with "
                    "another signature. Make them outside of the function."
                )
            if len(self._compiled) >= _MOST_SIGNATURES:
                self._compiled.popitem(last=False)
            self._compiled[key] = compiled
            return compiled

    def _finish(self, trace: Trace, result: Any, kept: list[Any]) -> _Compiled:
        outputs: list[Tensor] = []
        constants = []
        for leaf in tree.flatten(result):
            if isinstance(leaf, Variable):
                leaf = leaf.value
            if isinstance(leaf, Tensor) and leaf.is_symbolic:
                outputs.append(leaf)
                constants.append(_OUTPUT)
            else:
                constants.append(leaf)
        program = trace.compile(outputs)
        if len(outputs) == 1 and result is outputs[0]:
            return _Compiled(program, None, None, kept)
        structure = tree.map_structure(lambda _: 0, result)
        return _Compiled(program, structure, constants, kept)


def _is_data(leaf: Any) -> bool:
    return isinstance(leaf, (Tensor, np.ndarray, np.generic))


def _flat_signature(args: tuple[Any, ...]) -> tuple[Hashable, list[Any]]:
    """Returns key and tensors where all arguments are tensors, arrays or plain values."""
    key: list[Any] = []
    tensors: list[Any] = []
    for x in args:
        cls = type(x)
        if cls is Tensor or cls is np.ndarray:
            key.append((x.shape, x.dtype))
            tensors.append(x)
        elif cls in _PLAIN:
            key.append((cls, x))
        else:
            return None, []
    return tuple(key), tensors


def _signature(args: Any, kwargs: Any) -> tuple[Hashable, list[Any]]:
    leaves: list[Hashable] = []
    tensors: list[Any] = []

    def add(leaf: Any) -> int:
        if _is_data(leaf):
            leaves.append((leaf.shape, leaf.dtype))
            tensors.append(leaf)
        elif type(leaf) in _PLAIN:
            leaves.append((type(leaf), leaf))
        else:
            leaves.append((type(leaf), id(leaf)))
        return 0

    structure = tree.map_structure(add, (args, kwargs), none_is_leaf=True)
    return (repr(structure), tuple(leaves)), tensors


@overload
def function(func: Callable[..., Any]) -> Function: ...


@overload
def function(func: None = None) -> Callable[[Callable[..., Any]], Function]: ...


def function(func: Callable[..., Any] | None = None) -> Any:
    """Makes a function of tensors run as one compiled program.

    It is traced when it is first called with arguments of a signature: the shapes and dtypes of
    tensors and arrays, and the values of everything else. Later calls run the program: no Python
    inside, no step of its own for each op. Variables are read and updated by the program; what else
    the function does with Python happens when it is traced only. Inside another trace or an eager
    `GradientTape` the function is called as it is.

    Args:
        func: The function, or a method; without it a decorator is returned.

    Returns:
        A callable with the same arguments and results; arrays and variables come back as tensors.

    Raises:
        TypeError: `func` is not callable.
        ValueError: When called: variables are made in another than the first trace.

    Example:

    >>> import pronghorn as keras
    >>> w = keras.Variable([1.0, 2.0])
    >>> @keras.function
    ... def step(x):
    ...     w.assign_sub(0.5 * x)
    ...     return keras.ops.sum(w)
    >>> float(step(keras.ops.ones((2,))))
    2.0
    """
    if func is None:
        return function
    if not callable(func):
        raise TypeError(f"function: expected a callable. Received: func={func!r}.")
    return func if isinstance(func, Function) else Function(func)
