"""Progbar: a progress line with metrics, as `fit` shows it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import numpy as np

from pronghorn.utils.output import is_terminal, print_msg

_FULL, _BOLD, _GREEN, _WHITE, _RESET = "━", "\x1b[1m", "\x1b[32m", "\x1b[37m", "\x1b[0m"


class Progbar:
    """Shows how many of a number of steps are done, the time they take, and values.

    Args:
        target: number of steps, or `None` where it is not known.
        width: characters of the bar.
        verbose: 0 is silent, 1 a bar (rewritten on a terminal, elsewhere a new line each time), 2 a
            line at the end.
        interval: seconds between two drawings.
        stateful_metrics: names of values that are shown as they are; others are averaged over the
            steps.
        stateless_metrics: names of values that are averaged over the steps; others are shown as
            they are.
        unit_name: what a step is called.

    Raises:
        ValueError: both lists of names are given.

    Example:
        >>> bar = Progbar(target=3, verbose=0)
        >>> bar.update(3, [("loss", 0.5)])
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ) -> None:
        self.target = target
        self.width = width
        self.verbose = verbose
        self.interval = interval
        self.unit_name = unit_name
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ValueError(
                "Progbar: expected at most one of two arguments. Only one of `stateful_metrics` "
                "and "
                "`stateless_metrics` can be given. Received: both."
            )
        self.stateful_metrics = set(stateful_metrics or ())
        self.stateless_metrics = None if stateless_metrics is None else set(stateless_metrics)
        self.prefix = ""  # of the line at the end
        self._values: dict[str, Any] = {}
        self._sums: dict[str, tuple[float, int]] = {}
        self._seen = 0
        self._start = time.time()
        self._drawn_at = 0.0
        self._first_step_done: float | None = None
        self._drawn_length = 0

    @property
    def is_dynamic(self) -> bool:
        """Whether the line is rewritten while steps run."""
        return self.verbose == 1 and is_terminal()

    def update(
        self,
        current: int,
        values: Iterable[tuple[str, Any]] | None = None,
        finalize: bool | None = None,
    ) -> None:
        """Sets how many steps are done, and the values.

        Args:
            current: number of steps done.
            values: pairs of name and value.
            finalize: whether this is the end; by default when the target is reached.
        """
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        for name, value in values or ():
            self._take(name, value, current, finalize)
        self._seen = current
        now = time.time()
        if current and self._first_step_done is None:
            self._first_step_done = now
        if self.verbose == 1:
            if finalize or now - self._drawn_at >= self.interval:
                self._draw(current, now, finalize)
                self._drawn_at = now
        elif self.verbose == 2 and finalize:
            print_msg(self._line_at_end(current, now))

    def add(self, n: int, values: Iterable[tuple[str, Any]] | None = None) -> None:
        """Adds to the number of steps done.

        Args:
            n: number of steps.
            values: pairs of name and value.
        """
        self.update(self._seen + n, values)

    def _take(self, name: str, value: Any, current: int, finalize: bool) -> None:
        # What is given at the end is the value of the whole, not of a step.
        if not finalize and self._is_averaged(name):
            total, steps = self._sums.get(name, (0.0, 0))
            new = max(current - self._seen, 1)
            total, steps = total + _mean(value) * new, steps + new
            self._sums[name] = (total, steps)
            value = total / steps
        self._values[name] = value

    def _is_averaged(self, name: str) -> bool:
        if self.stateless_metrics is not None:
            return name in self.stateless_metrics
        return name not in self.stateful_metrics

    def _draw(self, current: int, now: float, finalize: bool) -> None:
        dynamic = self.is_dynamic
        bar, bar_length = self._bar(current, colours=dynamic)
        time_text, per_step = self._time(current, now, finalize)
        rest = f" {per_step}{self._value_text()}"
        if not dynamic:
            print_msg(f"{bar} {time_text}{rest}")
            return
        length = bar_length + 1 + len(time_text) + len(rest)
        rest = f" {_BOLD}{time_text}{_RESET}{rest}"
        padding = " " * max(0, self._drawn_length - length)
        self._drawn_length = length
        print_msg(f"\r{bar}{rest}{padding}", line_break=finalize)

    def _bar(self, current: int, colours: bool) -> tuple[str, int]:
        if self.target is None:
            text = f"{current:7d}/Unknown"
            return text, len(text)
        digits = len(str(self.target))
        counter = f"{current:{digits}d}/{self.target}"
        # With no steps at all the bar is full.
        part = min(current / self.target, 1.0) if self.target else 1.0
        filled = int(self.width * part)
        if colours:
            text = (
                f"{_BOLD}{counter}{_RESET} {_GREEN}{_FULL * filled}{_RESET}"
                f"{_WHITE}{_FULL * (self.width - filled)}{_RESET}"
            )
        else:
            text = f"{counter} {_FULL * self.width}"
        return text, len(counter) + 1 + self.width

    def _time(self, current: int, now: float, finalize: bool) -> tuple[str, str]:
        """The time that is left, or at the end that has passed; and that of a step."""
        seconds = self._seconds_per_step(current, now)
        per_step = f"{_per_unit(seconds)}/{self.unit_name}"
        if finalize or self.target is None:
            return f"{now - self._start:.0f}s", per_step
        return _duration(seconds * (self.target - current)), per_step

    def _seconds_per_step(self, current: int, now: float) -> float:
        # The first step includes tracing, so it says nothing about the next.
        if not current:
            return 0.0
        if self._first_step_done is not None and current > 1 and now > self._first_step_done:
            return (now - self._first_step_done) / (current - 1)
        return (now - self._start) / current

    def _value_text(self) -> str:
        return "".join(f" - {name}: {_number(value)}" for name, value in self._values.items())

    def _line_at_end(self, current: int, now: float) -> str:
        counter = f"{current}/{self.target}" if self.target is not None else f"{current}/Unknown"
        per_step = self._seconds_per_step(current, now)
        return (
            f"{self.prefix}{counter} - {now - self._start:.0f}s - "
            f"{_per_unit(per_step)}/{self.unit_name}"
            f"{self._value_text()}"
        )


def _mean(value: Any) -> float:
    return float(np.mean(np.asarray(value)))


def _number(value: Any) -> str:
    if value is None:
        return "None"
    array = np.asarray(value)
    if array.dtype.kind not in "fiub" and array.dtype.name != "bfloat16":
        return str(value)
    if array.size > 1:
        return np.array2string(array, precision=4, separator=", ")
    mean = _mean(array)
    return f"{mean:.4f}" if abs(mean) > 1e-3 or mean == 0 else f"{mean:.4e}"


def _duration(seconds: float) -> str:
    total = int(seconds)
    hours, rest = divmod(total, 3600)
    minutes, left = divmod(rest, 60)
    if hours:
        return f"{hours}:{minutes:02d}:{left:02d}"
    return f"{minutes}:{left:02d}" if minutes else f"{left}s"


def _per_unit(seconds: float) -> str:
    if seconds >= 1 or seconds == 0:
        return f"{seconds:.0f}s"
    if seconds >= 1e-3:
        return f"{seconds * 1e3:.0f}ms"
    return f"{seconds * 1e6:.0f}us"
