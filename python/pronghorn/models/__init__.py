"""Models: networks that can be trained, saved and summarized."""

from pronghorn.models.cloning import clone_model
from pronghorn.models.function import Function
from pronghorn.models.graph import get_source_inputs as get_source_inputs
from pronghorn.models.model import Model, model_from_json
from pronghorn.models.sequential import Sequential

__all__ = ["Function", "Model", "Sequential", "clone_model", "model_from_json"]
