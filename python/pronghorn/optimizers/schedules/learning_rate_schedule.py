"""The base class of learning rate schedules."""

from __future__ import annotations

from typing import Any

from pronghorn import ops


class LearningRateSchedule:
    """Base class of schedules: a learning rate for each step.

    Subclasses override `__call__`, with ops on the step (it is traced), and `get_config`.

    Example:

    >>> import pronghorn as keras
    >>> class Halving(keras.optimizers.schedules.LearningRateSchedule):
    ...     def __call__(self, step):
    ...         return 0.1 * 0.5 ** keras.ops.cast(step, "float32")
    >>> round(float(Halving()(2)), 4)
    0.025
    """

    def __call__(self, step: Any) -> Any:
        """Returns the learning rate of a step, a scalar tensor.

        Args:
            step: Number of updates made so far: an int, a tensor or a variable.
        """
        raise NotImplementedError(
            f"Learning rate schedule '{type(self).__name__}' must override `__call__(self, step)`."
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor as a dict."""
        raise NotImplementedError(
            f"Learning rate schedule '{type(self).__name__}' must override `get_config()` in "
            "order to be serializable."
        )

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> LearningRateSchedule:
        """Returns a schedule made with the arguments in `config`."""
        return cls(**config)


def check_positive(name: str, value: Any) -> None:
    """Raises ValueError unless a number of steps is positive."""
    if value <= 0:
        raise ValueError(f"Argument `{name}` must be > 0. Received: {name}={value}")


def as_float(x: Any) -> Any:
    """Returns a float32 scalar tensor."""
    return ops.cast(ops.convert_to_tensor(x), "float32")


def plain(x: Any) -> Any:
    """Returns a number as it stands in a config: variables and tensors by their value."""
    return float(x) if hasattr(x, "numpy") else x
