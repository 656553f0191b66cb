"""Helpers by the names that Keras's own unit tests import. The library does not import it."""

from __future__ import annotations

from typing import Any

from pronghorn.layers.layer import masks, tracking
from pronghorn.models.functional import Functional
from pronghorn.naming import current_path
from pronghorn.ops import symbolic

HOOKS: dict[str, Any] = {
    "keras.src.utils.tracking.Tracker": tracking.Tracker,
    "keras.src.utils.tracking.TrackedList": tracking.TrackedList,
    "keras.src.utils.tracking.TrackedDict": tracking.TrackedDict,
    "keras.src.utils.tracking.TrackedOrderedDict": tracking.TrackedOrderedDict,
    "keras.src.utils.tracking.TrackedSet": tracking.TrackedSet,
    "keras.src.backend.get_keras_mask": masks.get_keras_mask,
    "keras.src.backend.set_keras_mask": masks.set_keras_mask,
    "keras.src.backend.common.masking.get_keras_mask": masks.get_keras_mask,
    "keras.src.backend.common.masking.set_keras_mask": masks.set_keras_mask,
    "keras.src.backend.common.name_scope.current_path": current_path,
    "keras.src.backend.compute_output_spec": symbolic.compute_output_spec,
    "keras.src.backend.core.compute_output_spec": symbolic.compute_output_spec,
    "keras.src.backend.common.keras_tensor.any_symbolic_tensors": symbolic.any_symbolic_tensors,
    "keras.src.Functional": Functional,
    "keras.src.models.Functional": Functional,
    "keras.src.models.functional.Functional": Functional,
}

__all__ = ["HOOKS"]
