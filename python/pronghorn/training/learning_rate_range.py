"""lr_find(): the learning rate range test (Smith 2017, section 3.3)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from pronghorn.training import arguments
from pronghorn.training.data_adapters import get_data_adapter
from pronghorn.training.feeds import make_feed
from pronghorn.training.resume import state_variables
from pronghorn.training.runners import StepRunner
from pronghorn.utils import curves

_DIVERGED = 4.0  # times the least loss, above which the test ends
_SMOOTHING = 0.04  # standard deviation of the smoothing, as a part of the steps
_FALL = 0.1  # part of the whole fall of the loss by which it is seen to have begun


@dataclass
class LearningRateRange:
    """What `lr_find` found.

    `rates`, `losses`: a learning rate and the loss of its batch for each step. `smoothed`: Gaussian
    means of the losses over neighbouring steps. `suggestion`: the rate at which the smoothed loss
    fell fastest, before it was least.
    """

    rates: np.ndarray
    losses: np.ndarray
    smoothed: np.ndarray
    suggestion: float

    def plot(self, path: Any = None) -> Any:
        """Draws the losses over the learning rates.

        Args:
            path: file to save the picture in; `None` leaves it to `matplotlib.pyplot.show()`.

        Returns:
            The figure, of matplotlib.

        Raises:
            ImportError: matplotlib is not installed.
        """
        figure, (axes,) = curves.new_figure("lr_find", 1, 6.0, path)
        axes.plot(self.rates, self.losses, color="0.8", label="batch")
        axes.plot(self.rates, self.smoothed, label="smoothed")
        axes.axvline(self.suggestion, color="0.5", linestyle="--", label=f"{self.suggestion:.2g}")
        axes.set(xscale="log", xlabel="learning rate", ylabel="loss")
        axes.set_ylim(top=min(float(self.losses.max()), 2 * float(self.losses[0])))
        axes.legend()
        curves.save(figure, path)
        return figure


class LearningRateRangeMixin:
    """The part of `Trainer` that looks for a learning rate."""

    def lr_find(
        self,
        x: Any,
        y: Any = None,
        batch_size: int | None = None,
        min_rate: float = 1e-6,
        max_rate: float = 10.0,
        steps: int = 200,
        sample_weight: Any = None,
    ) -> LearningRateRange:
        """Trains with a learning rate that grows from step to step, and looks at the loss.

        Afterwards weights, optimizer, metrics and random counters are as they were. The test ends
        early when the loss of ten steps is four times as large as its least value, or not finite.

        Args:
            x: data, as for `fit`.
            y: targets, as for `fit`.
            batch_size: samples of a step; 32 where it is `None`.
            min_rate: learning rate of the first step.
            max_rate: learning rate of the last step.
            steps: number of steps, between which the rate grows by a constant factor.
            sample_weight: weights of the samples.

        Returns:
            A `LearningRateRange`: `rates`, `losses`, `suggestion`, `plot()`.

        Raises:
            ValueError: arguments out of range, an optimizer with a schedule, or a loss that is not
                finite at the first steps.

        Example:

        >>> import numpy as np
        >>> import pronghorn as keras
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile("sgd", "mean_squared_error")
        >>> x = np.random.default_rng(0).normal(size=(64, 2))
        >>> found = model.lr_find(x, x[:, 0] - x[:, 1])
        >>> 1e-4 < found.suggestion < 1
        True
        """
        self._assert_compiled("lr_find")  # type: ignore[attr-defined]
        arguments.check_positive("lr_find", batch_size=batch_size)
        if not (isinstance(steps, int) and not isinstance(steps, bool) and steps >= 10):
            raise ValueError(f"lr_find: steps must be an integer from 10 on. Received: {steps!r}.")
        if not 0 < min_rate < max_rate or not math.isfinite(max_rate):
            raise ValueError(
                "lr_find: expected 0 < min_rate < max_rate. "
                f"Received: min_rate={min_rate!r}, max_rate={max_rate!r}."
            )
        optimizer = self.optimizer  # type: ignore[attr-defined]
        _check_settable(optimizer)
        adapter = get_data_adapter(x, y, sample_weight, batch_size, shuffle=True)
        feed = make_feed(adapter)
        self._prepare(adapter.first_batch, "train")  # type: ignore[attr-defined]
        runner = StepRunner(self, "train")
        known = state_variables(self)
        before = [(v, v.value) for variables in known.values() for v in variables]
        rates = np.geomspace(min_rate, max_rate, steps)
        losses: list[float] = []
        try:
            runner.make_variables(feed)
            made = state_variables(self)
            seen = {id(v) for v, _ in before}
            before += [(v, v.value) for vs in made.values() for v in vs if id(v) not in seen]
            feed.begin_epoch()
            for rate in rates:
                if not feed.ready():
                    feed.end_epoch()
                    feed.begin_epoch()
                    if not feed.ready():
                        break  # a generator has ended
                optimizer.learning_rate = float(rate)
                self.reset_metrics()  # type: ignore[attr-defined]
                feed.run(runner, 1, math.inf)
                losses.append(_loss(runner.logs()))
                if _has_diverged(losses):
                    break
        finally:
            for variable, value in before:
                variable.assign(value)
        return _summarize(rates, losses)


def _check_settable(optimizer: Any) -> None:
    from pronghorn.variable import Variable

    inner = getattr(optimizer, "inner_optimizer", optimizer)
    rate = getattr(inner, "_learning_rate", None)
    if optimizer is None or not isinstance(rate, Variable) or hasattr(inner, "optimizers"):
        raise ValueError(
            "lr_find: expected an optimizer whose learning rate is a number. "
            f"Received: optimizer={optimizer!r}, learning_rate={rate!r}. Compile the model with "
            "a number in place of the schedule for this test."
        )


def _loss(logs: dict[str, Any]) -> float:
    if "loss" not in logs:
        raise ValueError(
            f"lr_find: train_step must return a 'loss'. Received: {sorted(logs)} from train_step."
        )
    return float(np.asarray(logs["loss"]))


def _has_diverged(losses: list[float]) -> bool:
    if not math.isfinite(losses[-1]):
        return True
    # Means of ten: one batch's loss may be four times another's.
    means = [sum(losses[i : i + 10]) / 10 for i in range(len(losses) - 9)]
    if not means:
        return False
    least = min(means)
    return means[-1] > max(means[0], least + (_DIVERGED - 1) * abs(least))


def _summarize(rates: np.ndarray, losses: list[float]) -> LearningRateRange:
    values = np.asarray(losses)
    while len(values) and not np.isfinite(values[-1]):
        values = values[:-1]
    if len(values) < 5 or not np.isfinite(values).all():
        raise ValueError(
            "lr_find: expected a loss that is finite for five steps at least. Received: losses "
            f"{[float(f'{loss:.4g}') for loss in losses[:8]]} at rates from {rates[0]:.3g} on. "
            "Choose a smaller min_rate, or look for NaN in the data."
        )
    rates = rates[: len(values)]
    # A weighted mean over neighbours on both sides, which does not shift the curve to later rates.
    steps = np.arange(len(values))
    width = max(len(values) * _SMOOTHING, 1.0)
    weights = np.exp(-0.5 * ((steps[:, None] - steps) / width) ** 2)
    curve = weights @ values / weights.sum(axis=1)
    least = max(int(np.argmin(curve)), 2)
    # Where nothing is learnt yet the slope is noise: look from where the fall begins.
    level = float(np.median(values[: max(least // 4, 1)]))
    high = np.flatnonzero(curve[:least] >= level - _FALL * (level - curve[least]))
    first = min(int(high[-1]), least - 2) if len(high) else 0
    slope = np.gradient(curve[first : least + 1], np.log(rates[first : least + 1]))
    return LearningRateRange(rates, values, curve, float(rates[first + int(np.argmin(slope))]))
