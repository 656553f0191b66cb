"""The base class of constraints."""

from __future__ import annotations

from typing import Any

from pronghorn import ops


class Constraint:
    """Base class of constraints: functions of a weight, applied after each optimizer update.

    Subclasses override `__call__`, which returns the projected weight, and `get_config`.

    Example:

    >>> import pronghorn as keras
    >>> class NonNegative(keras.constraints.Constraint):
    ...     def __call__(self, w):
    ...         return keras.ops.maximum(w, 0.0)
    """

    def __call__(self, w: Any) -> Any:
        """Returns the weight `w`, projected. The base class returns it unchanged."""
        return ops.convert_to_tensor(w)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor as a dict."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Constraint:
        """Returns a constraint made with the arguments in `config`."""
        return cls(**config)
