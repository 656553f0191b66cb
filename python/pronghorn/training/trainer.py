"""Trainer: what a model does beyond being a layer: compile, fit, evaluate, predict."""

from __future__ import annotations

from pronghorn.training.compiling import CompileMixin
from pronghorn.training.fitting import FitMixin
from pronghorn.training.inference import InferenceMixin
from pronghorn.training.steps import StepsMixin


class Trainer(CompileMixin, FitMixin, InferenceMixin, StepsMixin):
    """Mixed into `Model`, before `Layer`: it uses the layer's call, variables and losses.

    Its state is made by `compile` and by the first run, so it has no `__init__`.
    """
