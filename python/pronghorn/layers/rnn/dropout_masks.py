"""DropoutMasks: the random masks of a recurrent cell, the same ones for all steps of a call."""

from __future__ import annotations

from typing import Any

from pronghorn import ops, random


class DropoutMasks:
    """Mixed into cells with `dropout`, `recurrent_dropout` and `seed_generator`.

    A mask is made when a step first asks for it and kept until `reset_...`: `RNN` resets them
    around every call. With `dropout_mask_count` set there is a list of masks, one for each gate.
    """

    dropout: float
    recurrent_dropout: float
    seed_generator: Any
    dropout_mask_count: int | None = None
    _dropout_mask: Any = None
    _recurrent_dropout_mask: Any = None

    def _make_mask(self, like: Any, rate: float) -> Any:
        ones = ops.ones_like(like)
        if self.dropout_mask_count is None:
            return random.dropout(ones, rate, seed=self.seed_generator)
        return tuple(
            random.dropout(ones, rate, seed=self.seed_generator)
            for _ in range(self.dropout_mask_count)
        )

    def get_dropout_mask(self, step_input: Any) -> Any:
        """Returns the mask of the inputs; None without dropout."""
        if self._dropout_mask is None and self.dropout > 0:
            self._keep("_dropout_mask", self._make_mask(step_input, self.dropout))
        return self._dropout_mask

    def get_recurrent_dropout_mask(self, step_input: Any) -> Any:
        """Returns the mask of the state; None without recurrent dropout."""
        if self._recurrent_dropout_mask is None and self.recurrent_dropout > 0:
            mask = self._make_mask(step_input, self.recurrent_dropout)
            self._keep("_recurrent_dropout_mask", mask)
        return self._recurrent_dropout_mask

    def reset_dropout_mask(self) -> None:
        """Forgets the mask of the inputs."""
        self._keep("_dropout_mask", None)

    def reset_recurrent_dropout_mask(self) -> None:
        """Forgets the mask of the state."""
        self._keep("_recurrent_dropout_mask", None)

    def _keep(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)  # not tracked: it lives for one call
