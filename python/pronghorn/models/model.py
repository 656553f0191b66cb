"""Model: a layer that can be trained, saved and summarized."""

from __future__ import annotations

import json
import warnings
from typing import Any

from pronghorn import tree
from pronghorn.config_errors import ConfigError, one_line, shown
from pronghorn.layers.layer import Layer
from pronghorn.ops.keras_tensor import KerasTensor
from pronghorn.ops.operation import default, is_default, only_accepted
from pronghorn.ops.symbolic import compute_output_spec
from pronghorn.training.trainer import Trainer


class Model(Trainer, Layer):
    """A network with methods to train it, evaluate it, predict with it and describe it.

    There are three ways to make one: `Model(inputs, outputs)` from KerasTensors (the functional
    API), a subclass with a `call` method, and `Sequential`.

    Args:
        inputs: KerasTensor or structure of KerasTensors made by `Input`.
        outputs: KerasTensor or structure of KerasTensors computed from them.
        name: Name.

    Example:

    >>> import pronghorn as keras
    >>> inputs = keras.Input(shape=(37,))
    >>> x = keras.layers.Dense(32, activation="relu")(inputs)
    >>> outputs = keras.layers.Dense(5, activation="softmax")(x)
    >>> model = keras.Model(inputs=inputs, outputs=outputs)
    >>> model.count_params()
    1381
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        if cls is Model and _is_functional(args, kwargs):
            from pronghorn.models.functional import Functional

            return Functional.__new__(Functional, *args, **kwargs)
        return super().__new__(cls, *args, **kwargs)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        from pronghorn.models.functional import Functional

        if _is_functional(args, kwargs) and not isinstance(self, Functional):
            # A subclass that hands its graph to `Model.__init__` becomes a functional model.
            _make_functional(type(self))
            Functional.__init__(self, *args, **kwargs)  # type: ignore[arg-type]
            return
        Layer.__init__(self, *args, **kwargs)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Computes the outputs. Subclasses implement it."""
        raise NotImplementedError(
            f"Model {type(self).__name__} does not have a `call()` method implemented."
        )

    @default
    def build(self, input_shape: Any = None) -> None:
        """Makes the weights, for inputs of the given shape. By default by tracing `call`.

        Args:
            input_shape: Shape of the first argument of `call`, or a structure of shapes.
        """
        if input_shape is not None and self._has_unbuilt_state() and is_default(self.build):
            self._build_by_tracing({self._call_signature.first_name or "inputs": input_shape})
        self.built = True

    # Layers.

    @property
    def layers(self) -> list[Layer]:
        """The layers directly inside the model."""
        return list(self._flatten_layers(include_self=False, recursive=False))

    @layers.setter
    def layers(self, value: Any) -> None:
        raise AttributeError(
            "`Model.layers` attribute is reserved and should not be used. Please use another name."
        )

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Returns a layer of the model.

        Args:
            name: Name of the layer.
            index: Its place in `layers`, in place of the name.

        Raises:
            ValueError: There is no such layer, or not exactly one argument is given.
        """
        if index is not None and name is not None:
            raise ValueError(
                f"Provide only a layer name or a layer index. Received: index={index}, name={name}."
            )
        if index is not None:
            if len(self.layers) <= index:
                raise ValueError(
                    f"Was asked to retrieve layer at index {index} but model only has "
                    f"{len(self.layers)} layers."
                )
            return self.layers[index]
        if name is None:
            raise ValueError("Provide either a layer name or layer index at `get_layer`.")
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise ValueError(
            f"No such layer: {name}. Existing layers are: {[layer.name for layer in self.layers]}."
        )

    def summary(
        self,
        line_length: int | None = None,
        positions: list[float] | None = None,
        print_fn: Any = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Any = None,
    ) -> None:
        """Prints a table of the layers with their output shapes and numbers of parameters.

        Args:
            line_length: Width of the table in characters.
            positions: Right ends of the columns as fractions of the width.
            print_fn: Called with the text in place of printing it.
            expand_nested: Whether to show the layers of models inside the model.
            show_trainable: Whether to show which layers are trainable.
            layer_range: Names (or regular expressions) of the first and the last layer to show.
        """
        from pronghorn.utils.summary import print_summary

        print_summary(
            self,
            line_length=line_length,
            positions=positions,
            print_fn=print_fn,
            expand_nested=expand_nested,
            show_trainable=show_trainable,
            layer_range=layer_range,
        )

    # Files.

    def save(self, filepath: Any, overwrite: bool = True, zipped: Any = None, **kwargs: Any) -> Any:
        """Saves config, weights and optimizer to a `.keras` file.

        Args:
            filepath: Path of the file.
            overwrite: Whether to replace an existing file without asking.
            zipped: Whether to write one file rather than a folder.
        """
        return _saving("save_model")(self, filepath, overwrite=overwrite, zipped=zipped, **kwargs)

    def save_weights(
        self, filepath: Any, overwrite: bool = True, max_shard_size: Any = None
    ) -> Any:
        """Saves the weights to a `.weights.h5` file.

        Args:
            filepath: Path of the file.
            overwrite: Whether to replace an existing file without asking.
            max_shard_size: GiB of a file at most, where there are to be several: their map has a
                path that ends with `.weights.json`.
        """
        return _saving("save_weights")(
            self, filepath, overwrite=overwrite, max_shard_size=max_shard_size
        )

    def load_weights(self, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> Any:
        """Loads the weights that `save_weights` or `save` saved.

        Args:
            filepath: Path of the file.
            skip_mismatch: Whether to leave layers alone whose weights do not fit.
        """
        return _saving("load_weights")(self, filepath, skip_mismatch=skip_mismatch, **kwargs)

    def export(
        self,
        filepath: Any,
        format: str = "tf_saved_model",
        verbose: Any = None,
        input_signature: Any = None,
        **kwargs: Any,
    ) -> None:
        """Writes the model in a format for other programs: ONNX.

        Args:
            filepath: Path of the file. One that ends in `.onnx` needs no `format`.
            format: `"onnx"`. Keras's others are known and refused.
            verbose: Whether to print where the file is; by default it is.
            input_signature: Structure of `InputSpec`, KerasTensor or arrays like the inputs; by
                default the model's own inputs.
            **kwargs: `opset_version`, the version of the ONNX operators (18 to 23).

        Raises:
            ImportError: The package onnx is missing.
            NotImplementedError: The format is known and not supported.
            ValueError: The format is not known, or the model cannot be exported
                (`pronghorn.onnx.export_model` says when).
        """
        if format not in _EXPORT_FORMATS:
            raise ValueError(
                f"Unrecognized format={format}. Supported formats are: {list(_EXPORT_FORMATS)}."
            )
        if format == "tf_saved_model" and str(filepath).endswith(".onnx"):
            format = "onnx"
        if format != "onnx":
            raise NotImplementedError(
                f"{type(self).__name__} '{self.name}': export in this format is not supported. "
                f'Received: format={format!r}. `format="onnx"` writes an ONNX file, `save` a '
                "`.keras` file."
            )
        from pronghorn.onnx import export_model

        export_model(self, filepath, verbose=verbose, input_signature=input_signature, **kwargs)

    def quantize(  # type: ignore[override]
        self, mode: Any = None, config: Any = None, filters: Any = None, **kwargs: Any
    ) -> None:
        """Not supported.

        Raises:
            NotImplementedError: Always.
        """
        super().quantize(mode, config=config)

    # State.

    def get_state_tree(self, value_format: str = "backend_tensor") -> dict[str, Any]:
        """Returns all variables of the model, its optimizer and its metrics as nested dicts.

        Args:
            value_format: `"backend_tensor"` for tensors, `"numpy_array"` for arrays.
        """
        from pronghorn.models.state_tree import get_state_tree

        return get_state_tree(self, value_format)

    def set_state_tree(self, state_tree: dict[str, Any]) -> None:
        """Sets the variables that are in `state_tree`.

        Args:
            state_tree: Nested dicts as `get_state_tree` returns them, or a part of them.
        """
        from pronghorn.models.state_tree import set_state_tree

        set_state_tree(self, state_tree)

    # Configs.

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments of a subclass, where they are plain values."""
        config = dict(super().get_config())
        captured = getattr(self, "_auto_config", None)
        if captured is None:
            return config
        return only_accepted(type(self), {**captured, **config})

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """Returns the model that `get_config` described.

        Args:
            config: What `get_config` returned.
            custom_objects: Classes and functions by name.
        """
        from pronghorn.models.functional import Functional

        functional_keys = ("name", "layers", "input_layers", "output_layers")
        if all(key in config for key in functional_keys):
            from pronghorn.models.functional_config import functional_from_config

            target: Any = cls
            if cls is Model:
                target = Functional
            elif not issubclass(cls, Functional) and _takes_graph(cls):
                _make_functional(cls)
            if _takes_graph(target):
                return functional_from_config(target, config, custom_objects=custom_objects)
        try:
            return cls(**config)
        except ConfigError:
            raise  # of an argument's object, which it names
        except TypeError as e:
            raise TypeError(
                "Unable to revive model from config. When overriding the `get_config()` method, "
                "make sure that the returned config contains all items used as arguments in the "
                f"constructor to {cls}, which is the default behavior. You can override this "
                "default behavior by defining a `from_config(cls, config)` class method to specify "
                f"how to create an instance of {cls.__name__} from its config. Error encountered "
                f"during deserialization: {one_line(e)} Received: config={shown(config)}."
            ) from e

    def to_json(self, **kwargs: Any) -> str:
        """Returns the config as JSON, for `keras.models.model_from_json`.

        Args:
            **kwargs: Arguments of `json.dumps`.
        """
        from pronghorn.saving import serialize_keras_object

        return json.dumps(serialize_keras_object(self), **kwargs)

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Builds the model for the shapes that `get_build_config` gave."""
        if not config:
            return
        built = False
        if "input_shape" in config:
            shapes = {self._call_signature.first_name or "inputs": config["input_shape"]}
        else:
            shapes = {k.removesuffix("_shape"): v for k, v in config["shapes_dict"].items()}
        if is_default(self.build):
            built = self._build_by_tracing(shapes)
        else:
            try:
                if "input_shape" in config:
                    self.build(config["input_shape"])
                else:
                    self.build(**config["shapes_dict"])
                built = True
            except Exception:  # noqa: BLE001  (a user's build: reported by the warning below)
                built = False
        self._build_shapes_dict = config
        if not built:
            warnings.warn(
                f"Model '{self.name}' had a build config, but the model cannot be built "
                "automatically in `build_from_config(config)`. You should implement "
                "`def build_from_config(self, config)`, and you might also want to implement the "
                "method  that generates the config at saving time, `def get_build_config(self)`. "
                "The method `build_from_config()` is meant to create the state of the model (i.e. "
                "its variables) upon deserialization.",
                stacklevel=2,
            )

    def _build_by_tracing(self, shapes: dict[str, Any]) -> bool:
        """Builds the inner layers by inferring the outputs for inputs of the given shapes."""
        dtype = self.input_dtype
        specs = {
            name: tree.map_shape_structure(lambda s: KerasTensor(s, dtype=dtype), shape)
            for name, shape in shapes.items()
        }
        try:
            compute_output_spec(self.call, **specs)
        except Exception:  # noqa: BLE001  (a user's call: left to the first real call)
            return False
        return True

    def __getstate__(self) -> dict[str, Any]:
        # Traced programs write into the variables of the model that they were traced for.
        state = super().__getstate__()
        state.pop("_programs", None)
        state.pop("_call_programs", None)
        state.pop("_feed", None)
        state.pop("_resume", None)
        state.pop("_callbacks", None)
        if "_evaluation" in state:
            state["_evaluation"] = None
        return state


_EXPORT_FORMATS = ("tf_saved_model", "onnx", "openvino", "litert")


def _saving(name: str) -> Any:
    from pronghorn import saving

    function = getattr(saving, name, None)
    if function is None:
        raise NotImplementedError(f"Model: files are not supported. Missing: saving.{name}.")
    return function


def _is_functional(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    return (
        len(args) == 2
        or (len(args) == 1 and "outputs" in kwargs)
        or ("inputs" in kwargs and "outputs" in kwargs)
    )


def _takes_graph(cls: type) -> bool:
    """Returns whether the constructor takes `inputs` and `outputs` as `Model`'s does."""
    import inspect

    from pronghorn.models.functional import Functional

    init: Any = cls.__init__  # type: ignore[misc]
    if init in (Model.__init__, Functional.__init__):
        return True
    spec = inspect.getfullargspec(init)
    functional = inspect.getfullargspec(Functional.__init__)
    if spec.varargs is not None and spec.varkw is not None:
        return True
    return set(functional.args[1:3]) <= set(spec.args)


def _make_functional(cls: type) -> type:
    """Puts `Functional` in the place of `Model` among the bases of `cls`."""
    from pronghorn.models.functional import Functional

    if cls is Model:
        return Functional
    if cls is object or issubclass(cls, Functional) or not issubclass(cls, Model):
        return cls
    cls.__bases__ = tuple(_make_functional(base) for base in cls.__bases__)
    return cls


def model_from_json(json_string: str, custom_objects: Any = None) -> Any:
    """Returns the model that `Model.to_json` described, with fresh weights.

    Args:
        json_string: JSON text.
        custom_objects: Classes and functions by name.

    Raises:
        ValueError: If the text is no JSON, or what it describes cannot be made.
        TypeError: If it is no text, or a class or function in it is not known.
    """
    from pronghorn.saving import deserialize_keras_object
    from pronghorn.saving.checked_json import parse_json

    if not isinstance(json_string, (str, bytes)):
        raise TypeError(
            "model_from_json: json_string must be the text that `to_json` returns. "
            f"Received: {type(json_string).__name__}."
        )
    text = json_string if isinstance(json_string, bytes) else json_string.encode("utf-8", "replace")
    config = parse_json(text, "model_from_json")
    if not isinstance(config, dict) or "class_name" not in config:
        raise ValueError(
            f"model_from_json: expected a JSON object with a class_name. Received: {shown(config)}."
        )
    return deserialize_keras_object(config, custom_objects=custom_objects)
