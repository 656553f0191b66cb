"""What `fit`, `evaluate` and `predict` accept as data: one adapter a file, chosen by "
"`get_data_adapter`."""

from pronghorn.training.data_adapters.array_adapter import ArrayAdapter
from pronghorn.training.data_adapters.batch import (
    pack_x_y_sample_weight,
    unpack_x_y_sample_weight,
)
from pronghorn.training.data_adapters.data_adapter import DataAdapter
from pronghorn.training.data_adapters.iterable_adapter import GeneratorAdapter, IterableAdapter
from pronghorn.training.data_adapters.py_dataset import PyDataset
from pronghorn.training.data_adapters.py_dataset_adapter import PyDatasetAdapter
from pronghorn.training.data_adapters.select import get_data_adapter

__all__ = [
    "ArrayAdapter",
    "DataAdapter",
    "GeneratorAdapter",
    "IterableAdapter",
    "PyDataset",
    "PyDatasetAdapter",
    "get_data_adapter",
    "pack_x_y_sample_weight",
    "unpack_x_y_sample_weight",
]
