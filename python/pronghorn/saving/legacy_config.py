"""Configs of Keras 2 (and tf.keras 2.x) in the form of Keras 3.

Keras 2 wrote no modules, other names for some arguments, and a layer's input shape beside its own
arguments. Where a meaning changed, the old one is kept: `hard_sigmoid` had the slope 0.2.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from pronghorn.config_errors import shown
from pronghorn.saving.object_registration import register_keras_serializable
from pronghorn.saving.public_names import find_public

# Of no effect, or said otherwise in Keras 3.
_DROPPED = frozenset({"batch_input_shape", "input_shape", "input_dtype", "input_length"})
# Arguments that changed nothing in what a layer computes.
_UNUSED = frozenset(
    {"name", "dtype", "trainable", "groups", "implementation", "fused", "rng_type"}
    | {
        "vocabulary_size",
        "epsilon",
        "batch_size",
        "renorm_momentum",
        "kernel_initializer",
        "filters",
    }
)
_NESTED = ("layer", "cell", "backward_layer")
_OPERATIONS_OF_TENSORFLOW = frozenset(
    {"TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer", "ClassMethod", "InstanceMethod"}
)


@register_keras_serializable("pronghorn", "hard_sigmoid_of_keras_2")
def hard_sigmoid_of_keras_2(x: Any) -> Any:
    """Returns `clip(0.2 * x + 0.5, 0, 1)`, what `hard_sigmoid` was before Keras 3."""
    from pronghorn import ops

    return ops.clip(0.2 * x + 0.5, 0.0, 1.0)


def is_legacy(config: dict[str, Any]) -> bool:
    """Returns whether the config of a `.keras` file was written by tf.keras 2."""
    inner = config.get("config")
    layers = inner.get("layers") if isinstance(inner, dict) else None
    if str(config.get("module")).startswith("tf_keras"):
        return True
    if not isinstance(layers, list):
        return False
    return any(
        isinstance(x, dict)
        and isinstance(x.get("config"), dict)
        and "batch_input_shape" in x["config"]
        for x in layers
    )


def model_config(config: dict[str, Any]) -> dict[str, Any]:
    """Returns the config of a model or layer in the form of Keras 3.

    Raises:
        ValueError: If it has a layer or an argument without a counterpart; it is named.
    """
    class_name = config["class_name"]
    if class_name == "Sequential":
        return _sequential(config["config"])
    if class_name in ("Model", "Functional"):
        inner = _without_own_nodes(config["config"])
        layers = [_node_layer(x) for x in inner["layers"]]
        return _object("keras.src.models.functional", "Functional", {**inner, "layers": layers})
    return _layer(config)


def with_modules(config: dict[str, Any]) -> dict[str, Any]:
    """Returns the config of a model or layer as Keras 3 writes it into `.keras` files.

    Its `.h5` files leave out the modules of models and layers.
    """
    class_name, inner = config["class_name"], dict(config["config"])
    if isinstance(inner.get("layers"), list):
        inner["layers"] = [with_modules(x) for x in inner["layers"]]
    if isinstance(inner.get("cells"), list):
        inner["cells"] = [with_modules(x) for x in inner["cells"]]
    for key in _NESTED:
        if isinstance(inner.get(key), dict) and "class_name" in inner[key]:
            inner[key] = with_modules(inner[key])
    module: str | None = "keras.layers"
    if class_name == "Functional":
        module = "keras.src.models.functional"
    elif class_name == "Sequential":
        module = "keras"
    elif _known_layer(class_name) is None or set(inner) == {"name"}:
        # An operation, or a custom class; the config of a layer says more than its name.
        operations = "keras.src.ops.numpy"
        is_operation = "trainable" not in inner and find_public(operations, class_name) is not None
        module = operations if is_operation else None
    registered = class_name if ">" in class_name else None
    config = {"registered_name": registered, **config, "module": module, "config": inner}
    return {**config, "class_name": class_name.rpartition(">")[2]}


def _without_own_nodes(config: dict[str, Any]) -> dict[str, Any]:
    """Returns the config of a functional model with the calls of inner models counted from 0.

    Keras 2 counted the making of an inner model as its first call.
    """
    inner_models = {
        layer.get("name") or layer["config"]["name"]
        for layer in config["layers"]
        if _has_own_node(layer)
    }

    def renumber(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: renumber(item) for key, item in value.items()}
        if not isinstance(value, (list, tuple)):
            return value
        is_place = len(value) >= 3 and isinstance(value[0], str) and isinstance(value[1], int)
        if is_place and value[0] in inner_models:
            return [value[0], value[1] - 1, *(renumber(item) for item in value[2:])]
        return [renumber(item) for item in value]

    layers = [
        {**layer, "inbound_nodes": renumber(layer.get("inbound_nodes", []))}
        for layer in config["layers"]
    ]
    places = {key: renumber(config[key]) for key in ("input_layers", "output_layers")}
    return {**config, **places, "layers": layers}


def _has_own_node(layer: dict[str, Any]) -> bool:
    if layer["class_name"] in ("Model", "Functional"):
        return True
    if layer["class_name"] != "Sequential":
        return False
    inner = layer["config"]
    first = (inner if isinstance(inner, list) else inner["layers"])[:1]
    return any(
        x["class_name"] == "InputLayer" or x["config"].get("batch_input_shape") for x in first
    )


def _object(module: str, class_name: str, config: dict[str, Any]) -> dict[str, Any]:
    return {"module": module, "class_name": class_name, "config": config, "registered_name": None}


def _node_layer(config: dict[str, Any]) -> dict[str, Any]:
    found = model_config(config)
    found["name"] = config.get("name") or found["config"]["name"]
    found["inbound_nodes"] = config.get("inbound_nodes", [])
    return found


def _sequential(inner: Any) -> dict[str, Any]:
    if isinstance(inner, list):  # Keras 2.2 and before
        inner = {"name": "sequential", "layers": inner}
    layers: list[dict[str, Any]] = []
    for data in inner["layers"]:
        shape = data["config"].get("batch_input_shape")
        if not layers and shape is not None and data["class_name"] != "InputLayer":
            dtype = "int32" if data["class_name"] == "Embedding" else "float32"
            layers.append(
                _object("keras.layers", "InputLayer", {"batch_shape": shape, "dtype": dtype})
            )
        layers.append(model_config(data))
    kept = {k: v for k, v in inner.items() if k in ("name", "trainable")}
    return _object("keras", "Sequential", {**kept, "layers": layers})


def _layer(config: dict[str, Any]) -> dict[str, Any]:
    class_name = str(config["class_name"]).rpartition(">")[2]
    if config.get("module") not in (None, "keras.layers", "keras"):
        module = str(config["module"])
        if not module.startswith(("keras.", "tf_keras.")):
            return config  # a custom class, which the caller must name
    name = config["config"].get("name", class_name)
    if class_name in _OPERATIONS_OF_TENSORFLOW:
        function = config["config"].get("function", class_name)
        raise ValueError(
            f"Layer '{name}' is refused: {class_name} calls the TensorFlow function {function!r}. "
            "Write it as a layer, or with `pronghorn.ops`, and load the weights."
        )
    if class_name == "Lambda":
        raise ValueError(
            f"Layer '{name}' is refused: a Lambda holds Python bytecode, which is not run. Write "
            "it as a layer, or with `pronghorn.ops`, and load the weights."
        )
    inner = {k: _value(v) for k, v in config["config"].items() if k not in _DROPPED}
    if class_name == "InputLayer" and "batch_input_shape" in config["config"]:
        inner["batch_shape"] = config["config"]["batch_input_shape"]
    if isinstance(inner.get("axis"), list) and class_name == "BatchNormalization":
        inner["axis"] = inner["axis"][0]
    for key in _NESTED:
        if isinstance(inner.get(key), dict):
            inner[key] = model_config(config["config"][key])
    if isinstance(inner.get("cells"), list):
        inner["cells"] = [model_config(cell) for cell in config["config"]["cells"]]
    _refuse_flags(name, class_name, inner)
    class_name, inner = _translated(class_name, inner)
    known = _known_layer(class_name)
    if known is None:
        found = _object("keras.layers", class_name, inner)
        if config.get("module") is None:
            found["module"], found["registered_name"] = None, config["class_name"]
        return found
    return _object("keras.layers", class_name, _accepted(known, name, inner))


def _known_layer(class_name: str) -> Any:
    from pronghorn import layers

    return getattr(layers, class_name, None)


def _accepted(cls: type, name: str, inner: dict[str, Any]) -> dict[str, Any]:
    """Returns what the layer takes; arguments of Keras 2 that were not used are left out."""
    parameters = inspect.signature(cls).parameters
    takes_more = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    common = (
        {"name", "dtype", "trainable", "activity_regularizer", "zero_output_for_mask"}
        if takes_more
        else set()
    )
    kept = {k: v for k, v in inner.items() if k in parameters or k in common}
    for key, value in inner.items():
        if key not in kept and key not in _UNUSED and value not in (None, False):
            raise ValueError(
                f"Layer '{name}' is refused: {cls.__name__} has no argument '{key}'. "
                f"Received: {key}={shown(value)}."
            )
    return kept


_REFUSED_FLAGS = {
    "time_major": "sequences with the steps first",
    "renorm": "batch renormalization",
    "virtual_batch_size": "virtual batches",
    "sparse": "sparse inputs",
    "ragged": "ragged inputs",
    "causal": "causal attention as an argument of the layer",
}


def _refuse_flags(name: str, class_name: str, inner: dict[str, Any]) -> None:
    for key, meaning in _REFUSED_FLAGS.items():
        if inner.get(key):
            raise ValueError(
                f"Layer '{name}' is refused: {class_name} with {key}={shown(inner[key])} "
                f"({meaning}) has no counterpart."
            )


# Values: activations, initializers, regularizers, policies.


def _value(value: Any) -> Any:
    if value == "hard_sigmoid":
        return {
            "module": "builtins",
            "class_name": "function",
            "config": "pronghorn>hard_sigmoid_of_keras_2",
            "registered_name": "function",
        }
    if not isinstance(value, dict) or "class_name" not in value or "config" not in value:
        return value
    if value["class_name"] in ("Policy", "PolicyV1", "DTypePolicy"):
        return value["config"]["name"]
    if value["class_name"] == "__tuple__":
        return value
    if value.get("module") is None and isinstance(value["config"], dict):
        module = _module_of(value["class_name"])
        if module is not None:
            inner = value["config"]
            if module == "keras.initializers":
                inner = {k: v for k, v in inner.items() if k != "dtype"}
            return _object(module, value["class_name"], inner)
    return value


def _module_of(class_name: str) -> str | None:
    from pronghorn import constraints, initializers, layers, regularizers

    for namespace, module in (
        (initializers, "keras.initializers"),
        (regularizers, "keras.regularizers"),
        (constraints, "keras.constraints"),
        (layers, "keras.layers"),
    ):
        if isinstance(getattr(namespace, class_name, None), type):
            return module
    return None


# Layers.


def _translated(class_name: str, inner: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    translate = _TRANSLATED.get(class_name)
    return translate(class_name, inner) if translate is not None else (class_name, inner)


def _without(*keys: str, **renamed: str) -> Callable[..., tuple[str, dict[str, Any]]]:
    def translate(class_name: str, inner: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        kept = {renamed.get(k, k): v for k, v in inner.items() if k not in keys}
        return class_name, kept

    return translate


def _gru(class_name: str, inner: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return class_name, {"reset_after": False, **inner}


def _thresholded_relu(_: str, inner: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    kept = {k: v for k, v in inner.items() if k != "theta"}
    return "ReLU", {**kept, "threshold": float(inner.get("theta", 1.0))}


def _cudnn_lstm(_: str, inner: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return "LSTM", inner


def _cudnn_gru(_: str, inner: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return "GRU", {**inner, "reset_after": True}


def _synchronized(_: str, inner: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return "BatchNormalization", inner


_TRANSLATED: dict[str, Callable[..., tuple[str, dict[str, Any]]]] = {
    "SyncBatchNormalization": _synchronized,
    "LeakyReLU": _without(alpha="negative_slope"),
    "ThresholdedReLU": _thresholded_relu,
    "GRU": _gru,
    "GRUCell": _gru,
    "CuDNNLSTM": _cudnn_lstm,
    "CuDNNGRU": _cudnn_gru,
    "MultiHeadAttention": _without("query_shape", "key_shape", "value_shape"),
}
