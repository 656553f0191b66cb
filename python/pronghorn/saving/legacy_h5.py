"""Whole models and weights in the `.h5` files of Keras 2, tf.keras 2.x, and Keras 3's own.

A file holds the config and how the model was compiled as JSON in attributes, and for each layer of
the model the values of its weights, trainable ones first, under names that an attribute lists.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from pronghorn.allocation_limit import AllocationLimit
from pronghorn.array_in_file import ArrayInFile
from pronghorn.deferred_values import DeferredValues
from pronghorn.saving import legacy_cudnn, legacy_optimizer, legacy_theano
from pronghorn.saving.checked_hdf5 import CheckedHdf5, check_readable, open_hdf5
from pronghorn.saving.deserialization import deserialize_keras_object
from pronghorn.saving.legacy_write import TOP_LEVEL
from pronghorn.saving.optimizer_state import restore_optimizer
from pronghorn.saving.stored_config import h5_config, text

_MAX_NAMES = 100_000
_OPTIMIZER = "optimizer_weights"


def load_h5_model(
    path: str, custom_objects: Mapping[str, Any] | None, compile_model: bool, safe_mode: bool
) -> Any:
    """Returns the model of an `.h5` file.

    Args:
        path: Path of the file.
        custom_objects: Names of custom classes and functions.
        compile_model: Whether to compile the model if it was compiled.
        safe_mode: Whether to refuse files that hold Python code (lambdas).

    Raises:
        ValueError: If the file is refused, or a layer has no counterpart; it is named.
        TypeError: If a class or function in it is not known.
    """
    source = f"'{path}'"
    with open_hdf5(path, source) as checked:
        file = checked.root
        stored = h5_config(checked)
        if stored is None:
            raise ValueError(
                f"{source}: expected a whole model. Received: a file without a `model_config`. "
                "Files of weights are read by `model.load_weights`."
            )
        config, training = stored.translated(with_training=compile_model)
        groups = _layer_groups(checked)
        with AllocationLimit(checked.nbytes, source), DeferredValues():
            model = deserialize_keras_object(config, custom_objects, safe_mode)
            _set_weights(model, groups, source, False, _is_mirrored(file))
            if training is not None:
                _compile(model, training, custom_objects)
        if training is not None and _OPTIMIZER in file:
            _set_optimizer(model, checked, stored.version)
    return model


def load_h5_weights(
    model: Any, path: str, by_name: bool = False, skip_mismatch: bool = False
) -> None:
    """Sets the weights of a model from an `.h5` file, with or without a config in it.

    Args:
        model: A built model.
        path: Path of the file.
        by_name: Whether layers are found by their names; else by their order.
        skip_mismatch: Whether layers whose weights do not fit keep theirs.

    Raises:
        ValueError: If the file is refused, or does not fit the model, which is unchanged then.
    """
    source = f"'{path}'"
    with open_hdf5(path, source) as file:
        groups = _layer_groups(file)
        setter = _set_by_name if by_name else _set_weights
        setter(model, groups, source, skip_mismatch, _is_mirrored(file.root))


class _LayerGroup:
    """The stored weights of one layer: its name and its datasets in the order of the layer's."""

    def __init__(self, name: str, arrays: list[ArrayInFile]) -> None:
        self.name = name
        self.arrays = arrays


def _layer_groups(file: CheckedHdf5) -> list[_LayerGroup]:
    source = file.source
    weights = file.root.get("model_weights", file.root)
    groups = []
    names = _names(weights, "layer_names", source)
    if TOP_LEVEL in weights and TOP_LEVEL not in names:
        names.append(TOP_LEVEL)
    for name in names:
        if name not in weights:
            raise ValueError(f"{source} is damaged: the weights of layer '{name}' are missing.")
        group = weights[name]
        arrays = []
        for key in _names(group, "weight_names", source):
            array = file.arrays.get(f"{group.name}/{key}".lstrip("/"))
            if array is None:
                raise ValueError(f"{source} is damaged: '{key}' of layer '{name}' is missing.")
            arrays.append(array)
        groups.append(_LayerGroup(name, arrays))
    return groups


def _names(group: Any, attribute: str, source: str) -> list[str]:
    """Returns a list of names from an attribute, or from `<attribute>0`, `<attribute>1`, ..."""
    found: list[Any] = []
    if attribute in group.attrs:
        found = _listed(group.attrs[attribute])
    else:
        part = 0
        while f"{attribute}{part}" in group.attrs and len(found) <= _MAX_NAMES:
            found += _listed(group.attrs[f"{attribute}{part}"])
            part += 1
    names = [text(n) for n in found]
    if len(names) > _MAX_NAMES:
        raise ValueError(f"{source} is refused: it lists more than {_MAX_NAMES} names.")
    return names


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else list(np.ravel(value))


def _weights_of(layer: Any) -> list[Any]:
    return [*layer.trainable_weights, *layer.non_trainable_weights]


def _is_mirrored(root: Any) -> bool:
    weights = root.get("model_weights", root)
    return text(weights.attrs.get("backend", root.attrs.get("backend", ""))) == "theano"


def _set_weights(
    model: Any, groups: list[_LayerGroup], source: str, skip_mismatch: bool, is_mirrored: bool
) -> None:
    layers = [layer for layer in model.layers if _weights_of(layer)]
    filled = [group for group in groups if group.arrays and group.name != TOP_LEVEL]
    if len(layers) != len(filled):
        names, found = [layer.name for layer in layers], [group.name for group in filled]
        only = [n for n in names if n not in found] + [n for n in found if n not in names]
        raise ValueError(
            f"{source} does not fit: the model has {len(layers)} layers with weights, the file "
            f"{len(filled)}. Names that only one of them has: {only[:5]}."
        )
    pairs = [(layer, _weights_of(layer), group) for layer, group in zip(layers, filled)]
    pairs += [(model, model._saved_variables(), g) for g in groups if g.name == TOP_LEVEL]
    _assign(pairs, source, skip_mismatch, legacy_theano.mirrored_kernels(model, is_mirrored))


def _set_by_name(
    model: Any, groups: list[_LayerGroup], source: str, skip_mismatch: bool, is_mirrored: bool
) -> None:
    by_name = {group.name: group for group in groups}
    pairs = [
        (layer, _weights_of(layer), by_name[layer.name])
        for layer in model.layers
        if layer.name in by_name and _weights_of(layer)
    ]
    _assign(pairs, source, skip_mismatch, legacy_theano.mirrored_kernels(model, is_mirrored))


def _assign(
    pairs: list[tuple[Any, list[Any], _LayerGroup]],
    source: str,
    skip_mismatch: bool,
    mirrored: set[int],
) -> None:
    plan = []
    for layer, weights, group in pairs:
        converted = legacy_cudnn.converted_weights(layer, group.arrays)
        shapes = converted.shapes
        wanted = [tuple(w.shape) for w in weights]
        if shapes == wanted:
            plan.append((weights, converted))
        elif not skip_mismatch:
            raise ValueError(
                f"{source} does not fit: layer '{layer.name}' expected weights of shapes {wanted}. "
                f"Received: {shapes}, of layer '{group.name}'."
            )
    check_readable([array for _, _, group in pairs for array in group.arrays])
    for weights, converted in plan:
        for weight, value in zip(weights, converted.values()):
            weight.load(legacy_theano.mirrored(value) if id(weight) in mirrored else value)


def _compile(model: Any, training: dict[str, Any], custom_objects: Any) -> None:
    from pronghorn.saving.object_registration import CustomObjectScope

    with CustomObjectScope(custom_objects or {}):
        try:
            model.compile_from_config(training)
        except (ValueError, TypeError, KeyError) as error:
            warnings.warn(
                "The model is not compiled: its training configuration has no counterpart "
                f"({error}).",
                stacklevel=5,
            )


def _set_optimizer(model: Any, file: CheckedHdf5, version: str) -> None:
    if model.optimizer is None:
        return
    names = _names(file.root[_OPTIMIZER], "weight_names", file.source)
    arrays = [file.arrays.get(f"{_OPTIMIZER}/{name}") for name in names]
    if any(array is None for array in arrays):
        raise ValueError(f"{file.source} is damaged: weights of the optimizer are missing.")
    if not legacy_optimizer.is_by_kind(version, names):
        stored = {str(i): array for i, array in enumerate(arrays)}
        restore_optimizer(model.optimizer, model, stored, file.source)
        return
    values = legacy_optimizer.sorted_by_kind(names, [np.asarray(array) for array in arrays])
    if values and not legacy_optimizer.restored_by_kind(model, values):
        warnings.warn(
            f"{file.source}: optimizer '{model.optimizer.name}' starts anew: its stored state does "
            "not fit the weights.",
            stacklevel=4,
        )
