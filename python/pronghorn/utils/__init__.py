"""Small public functions: seeds, one-hot labels, progress bar, registration of custom objects.

Names of other packages are looked up when first used, so that those may import from here.
"""

from __future__ import annotations

import importlib
from typing import Any

from pronghorn.dtypes import standardize_dtype
from pronghorn.naming import clear_session
from pronghorn.utils.k_fold import k_fold
from pronghorn.utils.numerical import normalize, to_categorical
from pronghorn.utils.random_seed import set_random_seed

#: Public name -> the module that defines it.
_ELSEWHERE = {
    "CustomObjectScope": "pronghorn.saving",
    "Progbar": "pronghorn.utils.progbar",
    "PyDataset": "pronghorn.training.data_adapters.py_dataset",
    "Sequence": "pronghorn.training.data_adapters.py_dataset",
    "array_to_img": "pronghorn.utils.images",
    "audio_dataset_from_directory": "pronghorn.utils.audio_dataset",
    "custom_object_scope": "pronghorn.saving",
    "deserialize_keras_object": "pronghorn.saving",
    "disable_interactive_logging": "pronghorn.config",
    "enable_interactive_logging": "pronghorn.config",
    "get_custom_objects": "pronghorn.saving",
    "get_file": "pronghorn.utils.cached_file",
    "get_registered_name": "pronghorn.saving",
    "get_registered_object": "pronghorn.saving",
    "get_source_inputs": "pronghorn.models",
    "image_dataset_from_directory": "pronghorn.utils.image_dataset",
    "img_to_array": "pronghorn.utils.images",
    "is_interactive_logging_enabled": "pronghorn.config",
    "is_keras_tensor": "pronghorn.backend",
    "load_img": "pronghorn.utils.images",
    "pack_x_y_sample_weight": "pronghorn.training.data_adapters",
    "pad_sequences": "pronghorn.utils.sequences",
    "plot_model": "pronghorn.utils.model_plot",
    "register_keras_serializable": "pronghorn.saving",
    "save_img": "pronghorn.utils.images",
    "serialize_keras_object": "pronghorn.saving",
    "split_dataset": "pronghorn.utils.samples",
    "text_dataset_from_directory": "pronghorn.utils.text_dataset",
    "timeseries_dataset_from_array": "pronghorn.utils.timeseries_dataset",
    "unpack_x_y_sample_weight": "pronghorn.training.data_adapters",
}

__all__ = [
    "clear_session",
    "k_fold",
    "normalize",
    "set_random_seed",
    "standardize_dtype",
    "to_categorical",
    *sorted(_ELSEWHERE),
]


def __getattr__(name: str) -> Any:
    module = _ELSEWHERE.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    actual = "PyDataset" if name == "Sequence" else name
    try:
        return getattr(importlib.import_module(module), actual)
    except ImportError as e:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}: {e}") from e


def __dir__() -> list[str]:
    return __all__
