"""Errors about configurations: one line, however large the configuration and what failed in it."""

from __future__ import annotations

import functools
import reprlib
from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

# What comes out of the depths of code that is given values it does not expect.
INTERNAL_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    UnicodeError,
)

_LONGEST = 300


class ConfigError(TypeError):
    """A config of which no object can be made; it names the innermost one."""


class UnknownObjectError(ConfigError):
    """A config names a class or function that is neither the library's nor registered."""


class _Shown(reprlib.Repr):
    def __init__(self) -> None:
        super().__init__()
        self.maxlevel, self.maxdict, self.maxlist, self.maxtuple = 4, 20, 10, 10
        self.maxstring = self.maxother = self.maxlong = 100


def shown(config: Any) -> str:
    """Returns a config as one line of at most 300 characters."""
    text = _Shown().repr(config)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def one_line(error: BaseException) -> str:
    """Returns what an error says in one line, with its class where that says more."""
    text = " ".join(str(error).split())
    if isinstance(error, INTERNAL_ERRORS):
        text = f"{type(error).__name__}: {text}"
    return text if len(text) <= 3 * _LONGEST else f"{text[: 3 * _LONGEST]}..."


def refuses_malformed(at: int) -> Callable[[F], F]:
    """Returns a decorator for readers of files: errors from deep inside become a ValueError.

    It names the file and has the error as its cause.

    Args:
        at: Place of the argument `filepath`.
    """

    def decorate(read: F) -> F:
        @functools.wraps(read)
        def reader(*args: Any, **kwargs: Any) -> Any:
            try:
                return read(*args, **kwargs)
            except INTERNAL_ERRORS as error:
                path = args[at] if at < len(args) else kwargs["filepath"]
                raise ValueError(f"'{path}' is refused: {one_line(error)}.") from error

        return reader  # type: ignore[return-value]

    return decorate
