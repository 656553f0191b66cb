"""Whole models into the legacy `.h5` file, in the layout of Keras 3.15.

The attributes `model_config` and `training_config` are JSON. `model_weights` has a group for each
layer of the model, `optimizer_weights` the variables of the optimizer; an attribute of each lists
its arrays in order. Layers are written by class and config only, without modules.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from typing import Any

from pronghorn.saving.assets import has_assets
from pronghorn.saving.atomic_write import atomic_write
from pronghorn.saving.file_notes import write_note
from pronghorn.saving.hdf5_arrays import new_hdf5, write_array, write_names
from pronghorn.saving.serialization import serialize_keras_object
from pronghorn.saving.state_groups import state_groups

BACKEND = "pronghorn"
# The group of the weights that a model has besides those of its layers.
TOP_LEVEL = "top_level_model_weights"


def save_h5_model(model: Any, path: str, version: str, include_optimizer: bool) -> None:
    """Writes a model to an `.h5` file, replaced when the new one is whole.

    Folders that are missing are made, as Keras does for such files.

    Args:
        model: A model.
        path: Path of the file.
        version: The version of Keras whose layout it is, for the file.
        include_optimizer: Whether to write how it was compiled, and the optimizer's state.

    Raises:
        ValueError: If the model has what such files have no place for; the layer is named.
        TypeError: If a custom object has no `get_config`, or one that is no JSON.
    """
    _check(model)
    config = json.dumps(_layer(serialize_keras_object(model)))
    compiled = model.get_compile_config() if include_optimizer else None
    training = None if compiled is None else json.dumps(_training(compiled))
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with atomic_write(path) as beside, new_hdf5(beside) as file:
        file.attrs["keras_version"] = version
        file.attrs["backend"] = BACKEND
        file.attrs["model_config"] = config
        write_note(file)
        weights = file.create_group("model_weights")
        weights.attrs["keras_version"] = version
        weights.attrs["backend"] = BACKEND
        write_names(weights, "layer_names", [layer.name for layer in model.layers])
        for layer in model.layers:
            variables = [*layer.trainable_weights, *layer.non_trainable_weights]
            _write_variables(weights.create_group(layer.name), variables)
        _write_variables(weights.create_group(TOP_LEVEL), model._saved_variables())
        if training is not None:
            file.attrs["training_config"] = training
            if model.optimizer is not None:
                _write_variables(file.create_group("optimizer_weights"), model.optimizer.variables)


def _write_variables(group: Any, variables: Iterable[Any]) -> None:
    names: list[str] = []
    arrays: set[str] = set()
    groups: set[str] = set()
    for variable in variables:
        name = base = variable.path
        number = 0
        # HDF5 has one object of a name, and no arrays inside of arrays.
        while name in arrays or name in groups or not arrays.isdisjoint(_parents(name)):
            number += 1
            name = f"{base.replace('/', '_')}_{number}"
        names.append(name)
        arrays.add(name)
        groups.update(_parents(name))
        write_array(group, name, variable.value)
    write_names(group, "weight_names", names)


def _parents(name: str) -> list[str]:
    parts = name.split("/")
    return ["/".join(parts[:i]) for i in range(1, len(parts))]


def _check(model: Any) -> None:
    from pronghorn.layers.layer import Layer
    from pronghorn.models.functional import Functional
    from pronghorn.models.sequential import Sequential

    if not isinstance(model, (Functional, Sequential)):
        raise ValueError(
            "save_model: `.h5` files hold Sequential and functional models. Received: "
            f"{type(model).__name__} '{getattr(model, 'name', '')}', which has its own `call`. "
            "Save to a `.keras` file."
        )
    names = [layer.name for layer in model.layers]
    for operation in _operations(model):
        if not isinstance(operation, Layer):
            raise ValueError(
                f"save_model: `.h5` files hold layers, and no operations. Received: the operation "
                f"'{operation.name}' ({type(operation).__name__}) in the model '{model.name}'. "
                "Save to a `.keras` file."
            )
    for name in names:
        if "/" in name or name in (".", TOP_LEVEL) or names.count(name) > 1:
            raise ValueError(
                "save_model: `.h5` files tell layers apart by names without a slash. "
                f"Received: name='{name}', {names.count(name)} times in the model '{model.name}'. "
                "Save to a `.keras` file."
            )
    for _, owner in state_groups(model):
        if has_assets(owner, "save_assets") and owner.get_config().get("vocabulary") is None:
            raise ValueError(
                f"{type(owner).__name__} '{owner.name}': `.h5` files have no place for its assets. "
                "Save to a `.keras` file."
            )
        if getattr(owner, "lora_enabled", False):
            raise ValueError(
                f"Layer '{owner.name}' has a low-rank update, which `.h5` files have no place for. "
                "Save to a `.keras` file, which merges it into its weight."
            )


def _operations(model: Any) -> list[Any]:
    """Returns the operations of a functional model and of those inside of it."""
    found = list(getattr(model, "operations", ()) or model.layers)
    for layer in model.layers:
        if hasattr(layer, "layers"):
            found += _operations(layer)
    return found


# Configs.


def _layer(config: dict[str, Any]) -> dict[str, Any]:
    """Returns the config of a model or layer as class and config, and its calls if it has any."""
    inner = config["config"]
    if isinstance(inner.get("layers"), list) and _is_model(config):
        inner = {**inner, "layers": [_layer(layer) for layer in inner["layers"]]}
    found = {"class_name": config.get("registered_name") or config["class_name"], "config": inner}
    for key in ("name", "inbound_nodes"):
        if key in config:
            found[key] = config[key]
    return found


def _is_model(config: dict[str, Any]) -> bool:
    inner = config["config"]
    return config["class_name"] == "Sequential" or {"input_layers", "output_layers"} <= set(inner)


def _training(compiled: dict[str, Any]) -> dict[str, Any]:
    found = {key: value for key, value in compiled.items() if key != "optimizer"}
    found["loss"] = _objects(found["loss"], _long_name)
    for key in ("metrics", "weighted_metrics"):
        found[key] = _objects(found[key], str)
    optimizer = compiled["optimizer"]
    if isinstance(optimizer, dict):
        found["optimizer_config"] = _object(optimizer)
    return found


def _long_name(loss: str) -> str:
    """Returns `"mean_squared_error"` for `"mse"`: of losses, Keras 3 finds only the long names."""
    from pronghorn import losses

    if loss.lower() in ("crossentropy", "ce"):
        return loss
    return str(getattr(losses.get(loss), "__name__", loss))


def _objects(value: Any, name: Callable[[str], str]) -> Any:
    """Returns a structure of losses or metrics, each as class and config or as its name."""
    if isinstance(value, str):
        return name(value)
    if isinstance(value, (list, tuple)):
        return [_objects(item, name) for item in value]
    if not isinstance(value, dict):
        return value
    if "class_name" not in value or "config" not in value:
        return {key: _objects(item, name) for key, item in value.items()}
    return value["config"] if value["class_name"] == "function" else _object(value)


def _object(config: dict[str, Any]) -> dict[str, Any]:
    name = config.get("registered_name") or config["class_name"]
    return {"class_name": name, "config": config["config"]}
