"""The base class of initializers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class Initializer:
    """Base class of initializers: callables that make the first value of a weight.

    Subclasses override `__call__` and, to be saved, `get_config`.

    Example:

    >>> import pronghorn as keras
    >>> class Halves(keras.initializers.Initializer):
    ...     def __call__(self, shape, dtype=None):
    ...         return keras.ops.full(shape, 0.5, dtype=dtype)
    """

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        """Returns a tensor of the given shape and dtype.

        Args:
            shape: Dimensions.
            dtype: Dtype, `keras.config.floatx()` by default.
        """
        raise NotImplementedError("Initializer subclasses must implement the `__call__()` method.")

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor as a dict."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Initializer:
        """Returns an initializer made with the arguments in `config`."""
        return cls(**config)

    def clone(self) -> Initializer:
        """Returns a new initializer with the same arguments."""
        return type(self).from_config(self.get_config())
