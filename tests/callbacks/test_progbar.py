"""Progbar: what it prints."""

from __future__ import annotations

import numpy as np
import pytest

import pronghorn as keras


def test_the_line_at_the_end(capsys) -> None:
    bar = keras.utils.Progbar(target=3, verbose=2)
    bar.update(1, [("loss", 1.0)])
    bar.update(3, [("loss", np.float32(2.0)), ("tiny", 1e-5)])
    line = capsys.readouterr().out
    assert line.startswith("3/3 - 0s - ")
    # Of three steps the first had loss 1 and the others 2.
    assert line.endswith("/step - loss: 1.6667 - tiny: 1.0000e-05\n")


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ({"stateful_metrics": ["v"]}, "v: 2.0000"),
        ({"stateless_metrics": []}, "v: 2.0000"),
        ({"stateless_metrics": ["v"]}, "v: 1.0000"),
    ],
)
def test_averages(options, shown: str, capsys) -> None:
    bar = keras.utils.Progbar(target=2, verbose=2, **options)
    bar.update(1, [("v", 0.0)])
    bar.update(2, [("v", 2.0)])
    assert shown in capsys.readouterr().out


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
