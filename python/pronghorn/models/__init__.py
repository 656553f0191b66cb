"""Models: networks that can be trained, saved and summarized."""

from __future__ import annotations

from typing import Any

from pronghorn.models.cloning import clone_model
from pronghorn.models.function import Function
from pronghorn.models.graph import get_source_inputs as get_source_inputs
from pronghorn.models.model import Model, model_from_json
from pronghorn.models.sequential import Sequential

__all__ = ["Function", "Model", "Sequential", "clone_model", "model_from_json"]


def __getattr__(name: str) -> Any:
    # They are made of models: imported when used.
    if name in ("load_model", "save_model"):
        from pronghorn import saving

        if hasattr(saving, name):
            return getattr(saving, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
