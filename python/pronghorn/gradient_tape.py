"""GradientTape: the gradient of what is computed inside it, eagerly or in a trace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pronghorn import ops, tree
from pronghorn.dtypes import is_float_dtype
from pronghorn.tensor import Tensor
from pronghorn.trace import Tape, Trace, current_trace
from pronghorn.variable import Variable

_UNCONNECTED = ("none", "zero")


class GradientTape:
    """Records what is computed inside it, to take gradients.

    Run eagerly, ops are recorded one by one and `gradient` computes at once. Inside
    `pronghorn.function` or a `train_step` the same code becomes part of the compiled program.
    Trainable variables are watched when they are used; tensors are after `watch`. Reverse mode:
    Griewank and Walther, "Evaluating Derivatives", chapter 3.

    Args:
        persistent: Whether `gradient` may be called more than once.
        watch_accessed_variables: Whether trainable variables need no `watch`.

    Example:

    >>> import pronghorn as keras
    >>> x = keras.Variable(3.0)
    >>> with keras.GradientTape() as tape:
    ...     y = x * x
    >>> float(tape.gradient(y, x))
    6.0
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        self._persistent = bool(persistent)
        self._watches_variables = bool(watch_accessed_variables)
        self._recorder: Trace | Tape | None = None
        self._is_open = False
        self._is_used = False
        self._watched: dict[int, Any] = {}
        self._assigned: dict[int, Tensor] = {}  # in a trace: before the tape began

    def __enter__(self) -> GradientTape:
        if self._is_open:
            raise ValueError("GradientTape: it is recording already.")
        # Entered again it goes on recording, unless that was elsewhere.
        trace = current_trace()
        recorder = self._recorder if isinstance(self._recorder, Trace) else None
        if self._recorder is None or recorder is not trace:
            self._start(trace)
        if isinstance(self._recorder, Tape):
            self._recorder.__enter__()
        self._is_open = True
        return self

    def __exit__(self, *exc_info: Any) -> None:
        self._is_open = False
        if isinstance(self._recorder, Tape):
            self._recorder.__exit__(*exc_info)

    def _start(self, trace: Trace | None) -> None:
        self._recorder = Tape() if trace is None else trace
        self._assigned = {} if trace is None else trace.assigned()

    def watch(self, tensor: Any) -> None:
        """Makes `gradient` take these tensors or variables as sources.

        Args:
            tensor: A float tensor or variable, or a structure of them.

        Raises:
            ValueError: Something else is given.
        """
        for leaf in tree.flatten(tensor):
            if not isinstance(leaf, (Tensor, Variable)):
                raise ValueError(
                    f"GradientTape.watch: expected a tensor or variable. "
                    f"Received: tensor={leaf!r} (of type {type(leaf).__name__})."
                )
            if not is_float_dtype(leaf.dtype):
                raise ValueError(
                    f"GradientTape.watch: gradients exist for floats only. "
                    f"Received: a tensor of dtype={leaf.dtype}."
                )
            self._watched[id(leaf)] = leaf

    def watched_variables(self) -> tuple[Any, ...]:
        """Returns the variables that were given to `watch`, and the trainable ones used so far."""
        found = [leaf for leaf in self._watched.values() if isinstance(leaf, Variable)]
        if self._watches_variables and self._recorder is not None:
            found += [v for v in self._recorder.used if v.trainable and id(v) not in self._watched]
        return tuple(found)

    @contextmanager
    def stop_recording(self) -> Iterator[None]:
        """Inside it nothing is recorded: gradients do not flow through what is computed there.

        Raises:
            ValueError: The tape is not recording, or records a trace (use `ops.stop_gradient`).
        """
        if not self._is_open or not isinstance(self._recorder, Tape):
            raise ValueError(
                "GradientTape.stop_recording: only inside the tape, run eagerly. In a traced "
                "function use ops.stop_gradient."
            )
        with self._recorder.paused():
            yield

    def reset(self) -> None:
        """Forgets what was recorded.

        Raises:
            ValueError: The tape is not recording.
        """
        if not self._is_open:
            raise ValueError("GradientTape.reset: the tape is not recording.")
        self.__exit__(None, None, None)
        self._recorder, self._watched, self._is_used = None, {}, False
        self.__enter__()

    def gradient(
        self,
        target: Any,
        sources: Any,
        output_gradients: Any = None,
        unconnected_gradients: str = "none",
    ) -> Any:
        """Returns the gradient of `target` with respect to `sources`.

        Args:
            target: Tensor computed inside the tape, or a structure of them (their sum is meant).
            sources: Variable or watched tensor, or a structure of them.
            output_gradients: For each target a tensor of its shape that weights its elements; by
                default ones.
            unconnected_gradients: What to return for a source that `target` does not depend on:
                `"none"`: `None`; `"zero"`: zeros.

        Returns:
            The structure of `sources`, of tensors of their shapes.

        Raises:
            RuntimeError: A tape that is not persistent was asked before.
            ValueError: An argument is of another kind.
        """
        if unconnected_gradients not in _UNCONNECTED:
            raise ValueError(
                f"GradientTape.gradient: expected unconnected_gradients of {_UNCONNECTED}. "
                f"Received: unconnected_gradients={unconnected_gradients!r}."
            )
        recorder = self._take_recorder()
        flat = tree.flatten(sources)
        for source in flat:
            if not isinstance(source, (Tensor, Variable)):
                raise ValueError(
                    "GradientTape.gradient: expected variables or tensors as sources. "
                    f"Received: {source!r} (of type {type(source).__name__})."
                )
        targets = [ops.convert_to_tensor(t) for t in tree.flatten(target)]
        if output_gradients is None:
            seeds: list[Any] = [None] * len(targets)
        else:
            seeds = []
            tree.map_structure_up_to(target, seeds.append, output_gradients)
            seeds = [self._seed(s, t) for s, t in zip(seeds, targets)]
        wanted = [k for k, source in enumerate(flat) if self._is_watched(recorder, source)]
        found: list[Any] = [None] * len(flat)
        for one, seed in zip(targets, seeds):
            if not is_float_dtype(one.dtype):
                raise ValueError(
                    "GradientTape.gradient: expected a float target. "
                    f"Received: a target of dtype={one.dtype}."
                )
            sources_now = [self._value_of(recorder, flat[k]) for k in wanted]
            for k, part in zip(wanted, recorder.gradient(one, sources_now, seed)):
                if part is not None:
                    found[k] = part if found[k] is None else ops.add(found[k], part)
        if unconnected_gradients == "zero":
            found = [ops.zeros_like(s) if g is None else g for s, g in zip(flat, found)]
        return tree.pack_sequence_as(sources, found)

    def jacobian(self, target: Any, sources: Any) -> Any:
        """Returns the gradient of each element of `target` with respect to `sources`.

        Args:
            target: Tensor computed inside the tape.
            sources: Variable or watched tensor, or a structure of them.

        Returns:
            The structure of `sources`, of tensors of shape `target.shape + source.shape`; `None`
            where `target` does not depend on a source.

        Raises:
            RuntimeError: A tape that is not persistent was asked before.
        """
        target = ops.convert_to_tensor(target)
        flat = tree.flatten(sources)
        self._take_recorder()
        persistent, self._persistent = self._persistent, True
        rows: list[list[Any]] = []
        try:
            for k in range(target.size):
                seed = ops.reshape(ops.one_hot(k, target.size, dtype=target.dtype), target.shape)
                rows.append(self.gradient(target, flat, seed))
        finally:
            self._persistent = persistent
        found: list[Tensor | None] = []
        for k, source in enumerate(flat):
            parts = [row[k] for row in rows]
            if not parts or parts[0] is None:
                found.append(None)
            else:
                found.append(ops.reshape(ops.stack(parts), target.shape + tuple(source.shape)))
        return tree.pack_sequence_as(sources, found)

    def _take_recorder(self) -> Trace | Tape:
        if self._recorder is None:
            raise RuntimeError("GradientTape.gradient: nothing was recorded. Use `with tape:`.")
        if self._is_used and not self._persistent:
            raise RuntimeError(
                "A non-persistent GradientTape can only be used to compute one set of gradients. "
                "Make it with GradientTape(persistent=True)."
            )
        self._is_used = True
        return self._recorder

    def _seed(self, seed: Any, target: Tensor) -> Tensor | None:
        if seed is None:
            return None
        found: Tensor = ops.convert_to_tensor(seed, target.dtype)
        if found.shape != target.shape:
            raise ValueError(
                "GradientTape.gradient: expected output gradients of the shapes of the targets. "
                f"Received: {found.shape} for a target of shape {target.shape}."
            )
        return found

    def _is_watched(self, recorder: Trace | Tape, source: Any) -> bool:
        if id(source) in self._watched:
            return True
        if isinstance(source, Variable):
            return self._watches_variables and source.trainable
        return not recorder.is_leaf(source)

    def _value_of(self, recorder: Trace | Tape, source: Any) -> Any:
        # In a trace a variable is what it was when the tape began.
        if isinstance(source, Variable) and isinstance(recorder, Trace):
            return self._assigned.get(id(source), source)
        return source
