"""Picks the adapter for what `fit`, `evaluate` or `predict` received."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pronghorn import tree
from pronghorn.training.data_adapters.array_adapter import ArrayAdapter
from pronghorn.training.data_adapters.batch import from_numbers, is_array_like
from pronghorn.training.data_adapters.data_adapter import DataAdapter
from pronghorn.training.data_adapters.iterable_adapter import GeneratorAdapter, IterableAdapter
from pronghorn.training.data_adapters.py_dataset import PyDataset
from pronghorn.training.data_adapters.py_dataset_adapter import PyDatasetAdapter


def get_data_adapter(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    batch_size: int | None = None,
    shuffle: bool | str = False,
    class_weight: dict[int, float] | None = None,
) -> DataAdapter:
    """The adapter for `x`.

    Raises:
        ValueError: `x` is no data that an adapter knows, or `y`, `sample_weight` or `batch_size`
            come with data that brings them itself.
    """
    if isinstance(x, DataAdapter):
        return x
    x, y, sample_weight = (
        from_numbers(value, name)
        for value, name in ((x, "x"), (y, "y"), (sample_weight, "sample_weight"))
    )
    if are_arrays(x):
        for name, value in (("y", y), ("sample_weight", sample_weight)):
            if value is not None and not are_arrays(value):
                raise ValueError(
                    f"{name}: expected arrays, as x is one. Received: {name} of type "
                    f"{type(value).__name__}. Convert it with np.array({name})."
                )
        return ArrayAdapter(x, y, sample_weight, batch_size, shuffle, class_weight)
    kind = type(x).__name__
    if not isinstance(x, (PyDataset, Iterable)) or isinstance(x, (list, tuple, dict, str, bytes)):
        raise ValueError(
            "x: expected arrays (or a list, tuple or dict of them), a list of numbers, a "
            "generator, an iterable of batches, or a PyDataset. Received: x of type "
            f"{kind}. Convert each input with np.array(x)."
        )
    for name, value in (("y", y), ("sample_weight", sample_weight)):
        if value is not None:
            raise ValueError(
                f"{name}: must not be given where x yields batches itself. Received: x of type "
                f"{kind}."
            )
    if isinstance(x, PyDataset):
        # Keras's default is shuffle=True for fit, and its PyDataset adapter shuffles the batches
        # too.
        return PyDatasetAdapter(x, class_weight, bool(shuffle))
    if isinstance(x, Iterator):
        return GeneratorAdapter(x, class_weight)
    return IterableAdapter(x, class_weight)


def are_arrays(data: Any) -> bool:
    """Whether all leaves are data in memory (`None` leaves are passed over)."""
    leaves = [leaf for leaf in tree.flatten(data) if leaf is not None]
    return bool(leaves) and all(is_array_like(leaf) for leaf in leaves)
