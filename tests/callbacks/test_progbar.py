"""Progbar: what it prints."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest

import pronghorn as keras


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr("pronghorn.utils.progbar.time.time", lambda: now[0])
    return now


def drawn(clock: list[float], target: int | None, **options) -> list[str]:
    """The lines of a run of five steps, as a terminal gets them."""
    terminal = Terminal()
    with contextlib.redirect_stdout(terminal):
        bar = keras.utils.Progbar(target, **options)
        for step, seconds in ((1, 0.4), (2, 30.0), (3, 4000.0), (5, 0.6)):
            clock[0] += seconds
            bar.update(step, [("loss", 0.5 * step), ("tiny", 1e-5)])
        if target is None:
            bar.update(6, [("loss", 1.0)], finalize=True)
    return terminal.getvalue().replace("\x08", "").split("\r")[1:]


def test_the_line_on_a_terminal_is_that_of_keras(clock) -> None:
    # What Keras 3.15 writes at the same times.
    green, white, bold, end = "\x1b[32m", "\x1b[37m", "\x1b[1m", "\x1b[0m"

    def line(step: int, time: str, values: str) -> str:
        full, empty = "\u2501" * (4 * step), "\u2501" * (20 - 4 * step)
        return (
            f"{bold}{step}/5{end} {green}{full}{end}{white}{empty}{end} {bold}{time}{end} {values}"
        )

    assert drawn(clock, 5) == [
        line(1, "1s", "400ms/step - loss: 0.5000 - tiny: 1.0000e-05"),
        line(2, "1:30", "30s/step - loss: 0.7500 - tiny: 1.0000e-05"),
        line(3, "1:07:09", "2015s/step - loss: 1.0000 - tiny: 1.0000e-05"),
        line(5, "4031s", "1008s/step - loss: 2.5000 - tiny: 1.0000e-05  \n"),
    ]
    assert drawn(clock, None)[-1] == (
        f"      6/Unknown {bold}4031s{end} 806s/step - loss: 1.0000 - tiny: 1.0000e-05 \n"
    )


def test_the_line_at_the_end(capsys) -> None:
    bar = keras.utils.Progbar(target=3, verbose=2)
    bar.update(1, [("loss", 1.0)])
    bar.update(3, [("loss", np.float32(2.0)), ("tiny", 1e-5)])
    line = capsys.readouterr().out
    assert line.startswith("3/3 - 0s - ")
    # The values at the end are those of the whole.
    assert line.endswith("/step - loss: 2.0000 - tiny: 1.0000e-05\n")


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ({"stateful_metrics": ["loss"]}, "loss: 1.5000"),
        ({"stateless_metrics": []}, "loss: 1.5000"),
        ({"stateless_metrics": ["loss"]}, "loss: 1.0000"),
    ],
)
def test_averages(clock, options, shown: str) -> None:
    assert shown in drawn(clock, 5, **options)[2]


def test_no_standard_output(monkeypatch) -> None:
    # A program without a console has none; its runs are not to end by that.
    monkeypatch.setattr("sys.stdout", None)
    keras.utils.Progbar(target=1).update(1)


def test_both_lists_exclude_each_other() -> None:
    with pytest.raises(ValueError, match="Only one of"):
        keras.utils.Progbar(target=1, stateful_metrics=[], stateless_metrics=[])


def test_silence_and_logging(capsys) -> None:
    keras.utils.Progbar(target=1, verbose=0).update(1)
    keras.utils.disable_interactive_logging()
    try:
        keras.utils.Progbar(target=1, verbose=1).update(1)
    finally:
        keras.utils.enable_interactive_logging()
    assert capsys.readouterr().out == ""


def test_add_counts_on() -> None:
    bar = keras.utils.Progbar(target=None, verbose=0)
    bar.add(2)
    bar.add(3)
    assert bar._seen == 5
