"""Trainer: what a model does beyond being a layer: compile, fit, evaluate, predict, and tests."""

from __future__ import annotations

from pronghorn.training.compiling import CompileMixin
from pronghorn.training.cross_validation import CrossValidationMixin
from pronghorn.training.fitting import FitMixin
from pronghorn.training.inference import InferenceMixin
from pronghorn.training.learning_rate_range import LearningRateRangeMixin
from pronghorn.training.steps import StepsMixin


class Trainer(
    CompileMixin,
    FitMixin,
    InferenceMixin,
    StepsMixin,
    CrossValidationMixin,
    LearningRateRangeMixin,
):
    """Mixed into `Model`, before `Layer`: it uses the layer's call, variables and losses.

    Its state is made by `compile` and by the first run, so it has no `__init__`.
    """
