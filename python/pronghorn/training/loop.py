"""The loop over the batches of an epoch, with as little Python as callbacks allow."""

from __future__ import annotations

import warnings
from typing import Any

from pronghorn.training.feeds import Feed, Runner

# Seconds after which a run over many batches comes back to Python: for Ctrl-C and the progress bar.
SLICE_SECONDS = 0.1
_MANY = 1 << 40


def run_epoch(model: Any, feed: Feed, runner: Any, callbacks: Any, mode: str) -> int:
    """Runs one epoch; returns how many batches ran.

    Args:
        model: asked for `steps_per_execution` and whether a callback has stopped the run.
        feed: gives the batches.
        runner: runs steps and knows the logs.
        callbacks: a `CallbackList`; batch hooks are called where one is overridden.
        mode: "train", "test" or "predict".
    """
    begin = getattr(callbacks, f"on_{mode}_batch_begin")
    end = getattr(callbacks, f"on_{mode}_batch_end")
    stop_flag = {"train": "stop_training", "test": "stop_evaluating", "predict": "stop_predicting"}
    hooked = callbacks.has_batch_hooks(mode)
    asked = feed.epoch_steps
    # Executions are whole, as in Keras: an epoch of 5 steps with 2 an execution takes 6 batches.
    size = model.steps_per_execution
    steps = None if asked is None else -(-asked // size) * size
    done = feed.steps_done
    feed.begin_epoch()
    while steps is None or done < steps:
        if not feed.ready():
            if asked is not None and done < asked:
                _warn_short(done, asked)
            break
        left = _MANY if steps is None else steps - done
        if hooked:
            begin(done)
            first = done
            done += _run(feed, runner, size)
            end(first + size - 1, runner.logs())
        else:
            done += feed.run(runner, left, SLICE_SECONDS)
            callbacks.on_progress(mode, done - 1, runner.logs)
        if getattr(model, stop_flag[mode]):
            break
    feed.end_epoch()
    if done == 0 and feed.total == 0:
        raise ValueError(
            "x: expected at least one batch. "
            f"Received: a {type(feed.adapter).__name__} that gave none."
        )
    feed.total += done
    return done


def _run(feed: Feed, runner: Runner, steps: int) -> int:
    ran = 0
    while ran < steps and feed.ready():
        ran += feed.run(runner, steps - ran, SLICE_SECONDS)
    return ran


def _warn_short(done: int, steps: int) -> None:
    warnings.warn(
        f"The data ran out after {done} of {steps} batches, so the epoch ended early. Make sure "
        f"that it can give "
        "steps_per_epoch * epochs batches; an iterable that is to be repeated must say so "
        "(.repeat()).",
        stacklevel=4,
    )
