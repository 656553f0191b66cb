"""device(): the context manager of Keras; there is one device here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def device(device_name: str) -> Iterator[None]:
    """Inside it tensors are made on a device; the processor is the only one there is.

    Args:
        device_name: "cpu", or "cpu:0".

    Raises:
        ValueError: another device.

    Example:
        >>> import pronghorn as keras
        >>> with keras.device("cpu"):
        ...     x = keras.ops.ones((2,))
    """
    if str(device_name).lower() not in ("cpu", "cpu:0", "/cpu:0"):
        raise ValueError(
            f"device: expected 'cpu' or 'cpu:0'. Received: device_name={device_name!r}."
        )
    yield
