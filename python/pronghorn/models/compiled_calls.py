"""Calls of a model outside of traces, as programs.

A functional or sequential model of this library's layers computes the same for the same signature
(structure, shapes and dtypes of the inputs, `training`), so the second call of a signature is
traced, and further calls run the program. Everything else runs layer by layer: subclasses with a
`call` of their own, layers and functions of the user, masks, losses that layers add, calls inside
traces, tapes and other calls.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import numpy as np

from pronghorn import trace, tree
from pronghorn.dtypes import TENSOR_DTYPES
from pronghorn.layers.layer import Layer, call_context
from pronghorn.layers.layer.changes import changes
from pronghorn.program import Program
from pronghorn.tensor import Tensor, borrow
from pronghorn.training.building import build_lock
from pronghorn.variable import get_autocast_dtype

_MOST_PROGRAMS = 16
_MOST_BYTES = 64 << 20  # of a program's memory
_MOST_SEEN = 256
_NOT_CALLED = ("_initializer", "_regularizer", "_constraint")  # by a call of a built layer
_TRAINING_ONLY = ("optimizer", "loss", "history", "_compile_loss", "_compile_metrics")
_SCALARS = (bool, int, float, str, bytes, type(None))


class CompiledCall:
    """A program for calls of one signature.

    Args:
        program: Takes the leaves of the inputs, gives those of the outputs.
        structure: The nesting of the outputs, with 0 at its leaves.
    """

    __slots__ = ("program", "structure")

    def __init__(self, program: Program, structure: Any) -> None:
        self.program = program
        self.structure = structure

    def __call__(self, leaves: list[Any]) -> Any:
        return tree.pack_sequence_as(self.structure, self.program(*leaves))


class CallPrograms:
    """The programs of one model's calls, and what holds for them.

    `checked_at`: number of the last change of any layer for which `state` was found to hold.
    `last`: for each value of `training`, the program that ran last, where it has one input and one
    output.
    """

    def __init__(self, state: Hashable) -> None:
        self.checked_at = changes.count
        self.state = state
        self.last: dict[Any, Callable[[Any], Tensor | None]] = {}
        self.programs: dict[Hashable, CompiledCall | None] = {}  # None: runs layer by layer
        self.seen: set[Hashable] = set()

    def keep(self, key: Hashable, call: CompiledCall | None) -> None:
        """Keeps the program of a signature; the oldest goes where there are too many."""
        self.seen.discard(key)
        if len(self.programs) >= _MOST_PROGRAMS:
            self.programs.pop(next(iter(self.programs)), None)
        self.programs[key] = call

    def note_seen(self, key: Hashable) -> None:
        """Records that a call of that signature went well."""
        if len(self.seen) >= _MOST_SEEN:
            self.seen.clear()
        self.seen.add(key)


class CompiledCallsMixin:
    """In front of `Model` among the bases of a model whose `call` is that of a graph."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if len(args) == 1 and not trace._active.stack and call_context.current.context is None:
            training = kwargs.get("training")
            if len(kwargs) == ("training" in kwargs):
                kept: CallPrograms | None = self.__dict__.get("_call_programs")
                if kept is not None and kept.checked_at == changes.count:
                    x = args[0]
                    last = kept.last.get(training)
                    if last is not None and (
                        type(x) is np.ndarray or not hasattr(x, "_keras_mask")
                    ):
                        result = last(x)
                        if result is not None:
                            return result
                call, key, leaves = _find(self, args[0], training)
                if call is not None:
                    return call(leaves)
                result = super().__call__(*args, **kwargs)  # type: ignore[misc]
                # Only what ran layer by layer without an error is compiled.
                kept = self.__dict__.get("_call_programs")
                if key is not None and kept is not None:
                    kept.note_seen(key)
                return result
        return super().__call__(*args, **kwargs)  # type: ignore[misc]


def _find(
    model: Any, x: Any, training: Any
) -> tuple[CompiledCall | None, Hashable | None, list[Any]]:
    """The program for a call, if there is one, the key of its signature, and its inputs.

    The key is None where such calls run layer by layer.
    """
    leaves: list[Any] = []
    if not (training is None or training is True or training is False) or model.run_eagerly:
        return None, None, leaves
    if get_autocast_dtype() is not None:
        return None, None, leaves
    if type(x) is np.ndarray and x.dtype == np.float64:
        graph = model.__dict__.get("_functional") or model
        x = x.astype(np.float32) if graph.input_dtype == "float32" else x
    structure = _describe(x, leaves)
    if structure is None:
        return None, None, leaves
    key = training, structure
    kept: CallPrograms | None = model.__dict__.get("_call_programs")
    if kept is None or kept.checked_at != changes.count:
        now = changes.count
        state = _state_of(model)
        if kept is None or kept.state != state:
            kept = model.__dict__["_call_programs"] = CallPrograms(state)
        kept.checked_at = now
    if key not in kept.programs:
        if key not in kept.seen:
            return None, key, leaves
        kept.keep(key, _compile(model, x, training) if _is_pure(model) else None)
    call = kept.programs.get(key)
    if call is not None and call.structure == 0 and len(leaves) == 1 and leaves[0] is x:
        kept.last[training] = call.program.run_to_tensor
    return call, None, leaves


def _describe(x: Any, leaves: list[Any]) -> Hashable:
    """The signature of an argument, or None; adds its tensors and arrays to `leaves`."""
    kind = type(x)
    if kind is Tensor:
        if x.is_symbolic or hasattr(x, "_keras_mask"):
            return None
        leaves.append(x)
        return x.shape, x.dtype
    if kind is np.ndarray:
        if x.dtype.name not in TENSOR_DTYPES or not x.dtype.isnative or x.dtype.kind == "V":
            return None
        leaves.append(x if x.flags.c_contiguous and x.flags.aligned else x.copy())
        return x.shape, x.dtype.name, "array"
    parts: list[Hashable] = []
    if kind is dict:
        for name, value in sorted(x.items()) if all(type(k) is str for k in x) else ():
            parts.append((name, _describe(value, leaves)))
            if parts[-1][1] is None:  # type: ignore[index]
                return None
        return ("dict", *parts) if parts and list(x) == sorted(x) else None
    if kind is list or kind is tuple:
        for value in x:
            parts.append(_describe(value, leaves))
            if parts[-1] is None:
                return None
        return (kind.__name__, *parts) if parts else None
    return None


def _state_of(model: Any) -> Hashable:
    """What changes with the behaviour of the model's layers."""
    return tuple(
        (id(layer), layer.__dict__.get("_change"), layer._tracker.change)
        for layer in model._flatten_layers()
    )


def _is_pure(model: Any) -> bool:
    """Whether calls run no Python but that of this library, and no code that is the user's."""
    return all(_is_own(layer) for layer in model._flatten_layers())


def _is_own(layer: Any) -> bool:
    if not layer.built or layer._losses or layer.activity_regularizer is not None:
        return False
    if not _is_ours(type(layer)):
        return False
    if not all(_is_ours(type(operation)) for operation in getattr(layer, "_operations", ())):
        return False
    return all(
        isinstance(value, _SCALARS)
        or name in _TRAINING_ONLY
        or name.endswith(_NOT_CALLED)
        or not callable(value)
        or _is_ours(value if hasattr(value, "__qualname__") else type(value))
        for name, value in layer.__dict__.items()
    )


def _is_ours(x: Any) -> bool:
    return str(getattr(x, "__module__", None)).startswith("pronghorn.")


def _compile(model: Any, x: Any, training: Any) -> CompiledCall | None:
    """The program of a call; none where it cannot be traced or leaves more behind than outputs."""
    with build_lock(), trace.Trace() as traced:
        try:
            inputs = tree.map_structure(lambda leaf: _input(traced, leaf), x)
            kwargs = {} if training is None else {"training": training}
            outputs = Layer.__call__(model, inputs, **kwargs)
            flat = tree.flatten(outputs)
            left = any(layer._losses for layer in model._flatten_layers())
            if left or not all(type(y) is Tensor and not hasattr(y, "_keras_mask") for y in flat):
                return None
            program = traced.compile(flat)
        except Exception:  # noqa: BLE001  (what fails in a trace runs layer by layer)
            return None
        finally:
            model._clear_losses()
    if program.arena_bytes + program.kept_bytes > _MOST_BYTES:
        return None
    return CompiledCall(program, tree.map_structure(lambda _: 0, outputs))


def _input(traced: trace.Trace, leaf: Any) -> Tensor:
    array = borrow(leaf)
    return traced.input(array.shape, array.dtype)
