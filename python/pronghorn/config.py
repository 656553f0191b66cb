"""Settings of the whole library: dtype, epsilon, data format, threads, limits of training."""

from __future__ import annotations

import dataclasses
from typing import Any

_FLOATX = ("bfloat16", "float16", "float32")
_DATA_FORMATS = ("channels_last", "channels_first")


@dataclasses.dataclass
class _Settings:
    floatx: str = "float32"
    epsilon: float = 1e-7
    image_data_format: str = "channels_last"
    interactive_logging: bool = True
    unsafe_deserialization: bool = False
    flash_attention: bool = True
    max_epochs: int | None = None
    max_steps_per_epoch: int | None = None


_settings = _Settings()


def backend() -> str:
    """Returns the name of the backend, always `"pronghorn"`.

    Returns:
        The string `"pronghorn"`.

    Example:

    >>> backend()
    'pronghorn'
    """
    return "pronghorn"


def set_backend(backend: str) -> None:
    """Accepts `"pronghorn"`, the only backend.

    Args:
        backend: name of the backend.

    Raises:
        ValueError: for any other backend.
    """
    if backend != "pronghorn":
        raise ValueError(
            f"set_backend: expected 'pronghorn', the only backend. Received: backend={backend!r}."
        )


def floatx() -> str:
    """Returns the default float dtype.

    Returns:
        `"float32"` unless `set_floatx` changed it.

    Example:

    >>> floatx()
    'float32'
    """
    return _settings.floatx


def set_floatx(value: str) -> None:
    """Sets the default float dtype.

    Args:
        value: `"float32"`, `"bfloat16"` or `"float16"`.

    Raises:
        ValueError: for any other value (tensors cannot be float64).
    """
    if value not in _FLOATX:
        raise ValueError(
            f"Unknown `floatx` value: expected one of {', '.join(_FLOATX)}. "
            f"Received: value={value!r}."
        )
    _settings.floatx = str(value)


def epsilon() -> float:
    """Returns the small number that guards divisions and logarithms.

    Returns:
        `1e-7` unless `set_epsilon` changed it.

    Example:

    >>> epsilon()
    1e-07
    """
    return _settings.epsilon


def set_epsilon(value: float) -> None:
    """Sets the number that `epsilon` returns.

    Args:
        value: a float.
    """
    _settings.epsilon = float(value)


def image_data_format() -> str:
    """Returns the default layout of images.

    Returns:
        `"channels_last"` unless `set_image_data_format` changed it.

    Example:

    >>> image_data_format()
    'channels_last'
    """
    return _settings.image_data_format


def set_image_data_format(data_format: str) -> None:
    """Sets the default layout of images.

    Args:
        data_format: `"channels_last"` or `"channels_first"`.

    Raises:
        ValueError: for any other value.
    """
    _settings.image_data_format = standardize_data_format(data_format)


def standardize_data_format(data_format: Any) -> str:
    """Returns a layout name in lower case, the default layout for `None`.

    Args:
        data_format: `"channels_last"`, `"channels_first"` or `None`.

    Returns:
        `"channels_last"` or `"channels_first"`.

    Raises:
        ValueError: for any other value.
    """
    if data_format is None:
        return _settings.image_data_format
    name = str(data_format).lower()
    if name not in _DATA_FORMATS:
        raise ValueError(
            "The `data_format` argument must be one of 'channels_last', 'channels_first'. "
            f"Received: data_format={data_format!r}."
        )
    return name


def num_threads() -> int:
    """Returns how many threads a run uses at most.

    Returns:
        The number of threads; by default the physical cores that this process may use.
    """
    from pronghorn import _core

    return int(_core.num_threads())


def set_num_threads(value: int) -> None:
    """Sets how many threads a run uses at most. Results do not depend on it.

    Args:
        value: a positive integer.

    Raises:
        ValueError: if `value` is not a positive integer.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(
            f"set_num_threads: expected a positive integer. Received: value={value!r}."
        )
    from pronghorn import _core

    _core.set_num_threads(value)


def float32_precision() -> str:
    """Returns how float32 products are computed, `"default"` or `"strict"`.

    Returns:
        What `set_float32_precision` or the environment variable `PRONGHORN_FP32` chose.
    """
    from pronghorn import _core

    return "strict" if _core.strict_float32() else "default"


def set_float32_precision(value: str) -> None:
    """Sets how float32 matrix products and convolutions are computed.

    With `"default"` large ones run on the matrix unit (AMX) of processors that have one: each
    float32 is split into three bfloat16 parts, and the products of the parts are added in float32.
    The error is not larger than that of float32 arithmetic. With `"strict"` they use float32
    multiply-adds only. The change takes effect at once, for compiled models too.

    Args:
        value: `"default"` or `"strict"`.

    Raises:
        ValueError: for any other value.
    """
    if value not in ("default", "strict"):
        raise ValueError(
            f"set_float32_precision: expected 'default' or 'strict'. Received: value={value!r}."
        )
    from pronghorn import _core

    _core.set_strict_float32(value == "strict")


def dtype_policy() -> Any:
    """Returns the default dtype policy of layers.

    Returns:
        A `DTypePolicy`.
    """
    from pronghorn import dtype_policies

    return dtype_policies.dtype_policy()


def set_dtype_policy(policy: Any) -> None:
    """Sets the default dtype policy of layers.

    Args:
        policy: a `DTypePolicy` or a name such as `"mixed_bfloat16"`.
    """
    from pronghorn import dtype_policies

    dtype_policies.set_dtype_policy(policy)


def enable_interactive_logging() -> None:
    """Makes progress bars rewrite their line (the default)."""
    _settings.interactive_logging = True


def disable_interactive_logging() -> None:
    """Makes progress go to the log, one line an update."""
    _settings.interactive_logging = False


def is_interactive_logging_enabled() -> bool:
    """Returns whether progress bars rewrite their line.

    Returns:
        A bool.
    """
    return _settings.interactive_logging


def enable_unsafe_deserialization() -> None:
    """Lets loading run arbitrary code that a file holds (`Lambda` layers, for instance)."""
    _settings.unsafe_deserialization = True


def is_unsafe_deserialization_enabled() -> bool:
    """Returns whether `enable_unsafe_deserialization` was called.

    Returns:
        A bool.
    """
    return _settings.unsafe_deserialization


def max_epochs() -> int | None:
    """Returns the largest number of epochs that `fit` runs.

    Returns:
        An int, or `None` for no limit.
    """
    return _settings.max_epochs


def set_max_epochs(max_epochs: int | None) -> None:
    """Limits the number of epochs that `fit` runs, whatever it is asked for.

    Args:
        max_epochs: an int, or `None` for no limit.
    """
    _settings.max_epochs = max_epochs


def max_steps_per_epoch() -> int | None:
    """Returns the largest number of steps that an epoch has.

    Returns:
        An int, or `None` for no limit.
    """
    return _settings.max_steps_per_epoch


def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Limits the number of steps of an epoch in `fit`, `evaluate` and `predict`.

    Args:
        max_steps_per_epoch: an int, or `None` for no limit.
    """
    _settings.max_steps_per_epoch = max_steps_per_epoch


def is_traceback_filtering_enabled() -> bool:
    """Returns whether library frames are cut from tracebacks: never.

    Returns:
        `False`.
    """
    return False


def disable_traceback_filtering() -> None:
    """Leaves tracebacks whole, which they always are."""


def enable_traceback_filtering() -> None:
    """Not available: tracebacks are always whole.

    Raises:
        NotImplementedError: always.
    """
    raise NotImplementedError("enable_traceback_filtering: tracebacks are always whole.")


def is_flash_attention_enabled() -> bool:
    """Returns whether attention is fused where it can be: in one op, without a matrix of weights.

    Returns:
        `True` unless `disable_flash_attention` was called.
    """
    return _settings.flash_attention


def disable_flash_attention() -> None:
    """Lets attention make the matrix of all weights, as products and a softmax.

    It needs more memory and time, but has second derivatives. What was traced before, compiled
    models say, stays as it is. The argument `flash_attention` of a function or layer goes first.
    """
    _settings.flash_attention = False


def enable_flash_attention() -> None:
    """Lets attention be fused where it can be, as it is by default."""
    _settings.flash_attention = True


def is_nnx_enabled() -> bool:
    """Returns whether Flax NNX variables are used: never.

    Returns:
        `False`.
    """
    return False
