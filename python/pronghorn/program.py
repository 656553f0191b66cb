"""Program: a compiled trace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pronghorn import _core
from pronghorn.tensor import Tensor, borrow


class Program:
    """What a trace computes, compiled: one flat list of steps that runs without Python.

    Made by `Trace.compile`. Runs update the variables that were assigned during the trace.

    Args:
        core: The compiled graph.
        variables: What it reads and writes; kept alive.
    """

    def __init__(self, core: _core.Program, variables: list[Any]) -> None:
        self._core = core
        self._variables = variables
        self.run_direct: Callable[[tuple[Any, ...]], list[Tensor] | None] = core.run_direct
        """Runs on a tuple of arrays or tensors as they are; `None` where one is not of its input's
        shape and dtype, or not contiguous."""

    def __call__(self, *inputs: Any) -> list[Tensor]:
        """Runs once.

        Args:
            *inputs: Tensors or C-contiguous arrays of the shapes and dtypes of the trace's inputs.

        Returns:
            The outputs.

        Raises:
            ValueError: Number, shape or dtype of the inputs differ from the trace's.
        """
        found = self.run_direct(inputs)
        return self._core.run([borrow(x) for x in inputs]) if found is None else found

    @property
    def run_to_array(self) -> Callable[[Any], Any]:
        """Runs a program of one input and one output: array or tensor in, new array out.

        Gives `None` where the argument is not of the input's shape and dtype, or not contiguous.

        Raises:
            ImportError: The output is bfloat16 and ml_dtypes is missing.
        """
        run = self._core.run_to_array
        if self.output_types[0][1] != "bfloat16":
            return run
        import ml_dtypes

        def run_bfloat16(x: Any) -> Any:
            found = run(x)
            return None if found is None else found.view(ml_dtypes.bfloat16)

        return run_bfloat16

    @property
    def run_to_tensor(self) -> Callable[[Any], Tensor | None]:
        """As `run_to_array`, with a tensor as the result."""
        return self._core.run_to_tensor

    def run_batches(
        self,
        sources: list[Any],
        order: Any,
        batch_size: int,
        first: int,
        last: int,
        time_limit: float = 0.0,
        outputs: list[Any] | None = None,
    ) -> int:
        """Runs steps `first` to `last - 1`, each on the next batch of rows, without Python.

        Args:
            sources: One array for each input: the rows, along axis 0.
            order: int64 array of row numbers, step `i` takes `order[i * batch_size:]`; `None`: rows
                follow one another.
            batch_size: Rows of a batch.
            first: First step.
            last: Step to stop before.
            time_limit: Seconds after which it returns early; 0: none.
            outputs: One array for each output, in which step `i` writes its rows at
                `i * batch_size`; `None`: outputs are dropped.

        Returns:
            The next step to run.
        """
        return self._core.run_batches(
            [borrow(s) for s in sources], order, batch_size, first, last, time_limit, outputs or []
        )

    @property
    def arena_bytes(self) -> int:
        """Memory that a run needs for what is computed on the way."""
        return self._core.arena_bytes

    @property
    def kept_bytes(self) -> int:
        """Memory of values computed once, until a variable that they depend on changes."""
        return self._core.kept_bytes

    @property
    def input_types(self) -> list[tuple[tuple[int, ...], str]]:
        """Shape and dtype of each input."""
        return self._core.input_types

    @property
    def output_types(self) -> list[tuple[tuple[int, ...], str]]:
        """Shape and dtype of each output."""
        return self._core.output_types

    def print(self) -> str:
        """Returns the optimized graph as text, a node a line."""
        return self._core.print()


def random_order(key: Tensor, rows: int) -> Any:
    """Returns the numbers from 0 to `rows - 1` in a random order, for `Program.run_batches`.

    Args:
        key: What a `SeedGenerator` gave; the same key gives the same order.
        rows: How many numbers.

    Returns:
        int64 array `(rows,)`.
    """
    seed, stream = key._to_numpy(False).tolist()
    return _core.random_permutation(seed, stream, rows)


def run_alone() -> None:
    """Makes the ops that the calling thread runs take no other threads, from now on."""
    _core.run_alone()
