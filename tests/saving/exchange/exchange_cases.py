"""All cases of models that are exchanged with Keras, by name."""

from __future__ import annotations

from exchange_case import ExchangeCase
from exchange_layers import LAYERS
from exchange_models import MODELS
from exchange_optimizers import OPTIMIZERS

CASES = [*LAYERS, *MODELS, *OPTIMIZERS]


def find_case(name: str) -> ExchangeCase:
    """Returns the case of a name."""
    return next(case for case in CASES if case.name == name)
