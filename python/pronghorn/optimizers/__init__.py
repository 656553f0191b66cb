"""Optimizers, and `get`, `serialize`, `deserialize` for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pronghorn.optimizers import schedules
from pronghorn.optimizers.adadelta import Adadelta
from pronghorn.optimizers.adafactor import Adafactor
from pronghorn.optimizers.adagrad import Adagrad
from pronghorn.optimizers.adam import Adam
from pronghorn.optimizers.adamax import Adamax
from pronghorn.optimizers.adamw import AdamW
from pronghorn.optimizers.ftrl import Ftrl
from pronghorn.optimizers.lamb import Lamb
from pronghorn.optimizers.lion import Lion
from pronghorn.optimizers.loss_scale_optimizer import LossScaleOptimizer
from pronghorn.optimizers.multi_optimizer import MultiOptimizer
from pronghorn.optimizers.muon import Muon
from pronghorn.optimizers.nadam import Nadam
from pronghorn.optimizers.optimizer import Optimizer
from pronghorn.optimizers.optimizer_map import OptimizerMap
from pronghorn.optimizers.rmsprop import RMSprop
from pronghorn.optimizers.schedule_free_adamw import ScheduleFreeAdamW
from pronghorn.optimizers.sgd import SGD
from pronghorn.saving import lookup, serialization

_CLASSES = (
    Adadelta, Adafactor, Adagrad, Adam, AdamW, Adamax, Ftrl, Lamb, Lion, LossScaleOptimizer,
    MultiOptimizer, Muon, Nadam, Optimizer, OptimizerMap, RMSprop, ScheduleFreeAdamW, SGD,
)  # fmt: skip
_BY_NAME: dict[str, Any] = {
    **{cls.__name__: cls for cls in _CLASSES},
    **{cls.__name__.lower(): cls for cls in _CLASSES},
}

__all__ = [
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lamb",
    "Lion",
    "LossScaleOptimizer",
    "MultiOptimizer",
    "Muon",
    "Nadam",
    "Optimizer",
    "OptimizerMap",
    "RMSprop",
    "ScheduleFreeAdamW",
    "deserialize",
    "get",
    "schedules",
    "serialize",
]


def serialize(optimizer: Any) -> Any:
    """Returns the config of an optimizer.

    Args:
        optimizer: An `Optimizer`.

    Returns:
        A dict.
    """
    return serialization.serialize_keras_object(optimizer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Returns the optimizer of a config.

    Args:
        config: Dict made by `serialize`. Class names are accepted in lower case too.
        custom_objects: Dict of names to custom classes.

    Returns:
        An `Optimizer`.
    """
    return lookup.deserialize_object(config, custom_objects, _BY_NAME)


def get(identifier: Any) -> Any:
    """Returns the optimizer that `identifier` stands for.

    Args:
        identifier: `None`, a name such as `"adam"`, a config or an optimizer.

    Returns:
        An `Optimizer`, or `None` for `None`.

    Raises:
        ValueError: If there is no such optimizer.

    Example:

    >>> import pronghorn as keras
    >>> type(keras.optimizers.get("adam")).__name__
    'Adam'
    """
    if isinstance(identifier, type):
        raise lookup.unknown_identifier("optimizer", identifier, _BY_NAME)
    if isinstance(identifier, str) and identifier.lower() in _BY_NAME:
        identifier = _BY_NAME[identifier.lower()].__name__
    return lookup.get_object(
        "optimizer", identifier, _BY_NAME, accept=lambda found: isinstance(found, Optimizer)
    )
