"""Sequential: a model of layers one after the other."""

from __future__ import annotations

import inspect
from typing import Any

from pronghorn import tree
from pronghorn.config_errors import shown
from pronghorn.layers.core.input_layer import InputLayer
from pronghorn.layers.layer import Layer
from pronghorn.layers.layer.masks import get_keras_mask
from pronghorn.models.compiled_calls import CompiledCallsMixin
from pronghorn.models.functional import Functional
from pronghorn.models.model import Model
from pronghorn.naming import auto_name
from pronghorn.ops.keras_tensor import KerasTensor, standardize_shape


class Sequential(CompiledCallsMixin, Model):
    """A model of layers one after the other, each with one input and one output.

    Args:
        layers: List of layers. The first may be an `Input`; without one the model is built when
            it is first called.
        trainable: Whether training changes the weights.
        name: Name.

    Example:

    >>> import pronghorn as keras
    >>> model = keras.Sequential([keras.Input((16,)), keras.layers.Dense(8)])
    >>> model.add(keras.layers.Dense(4))
    >>> model.output_shape
    (None, 4)
    """

    _functional: Functional | None

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        return Layer.__new__(cls, *args, **kwargs)

    def __init__(self, layers: Any = None, trainable: bool = True, name: str | None = None) -> None:
        Layer.__init__(self, trainable=trainable, name=name)
        self.__dict__["_functional"] = None
        if layers:
            for layer in layers if isinstance(layers, (list, tuple)) else [layers]:
                self.add(layer, rebuild=False)
            self._maybe_rebuild()

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Adds a layer at the end.

        Args:
            layer: Layer, or what `keras.Input` returns for the first one.
            rebuild: Whether to build the model if its input shape is known.

        Raises:
            ValueError: `layer` is no layer, its name is taken, or a second `Input` is added.
        """
        history = getattr(layer, "_keras_history", None)
        if history is not None and isinstance(history.operation, InputLayer):
            layer = history.operation
        if not isinstance(layer, Layer):
            raise ValueError(
                "Only instances of `keras.Layer` can be added to a Sequential model. "
                f"Received: {layer} (of type {type(layer)})"
            )
        if any(layer.name == other.name for other in self._layers):
            raise ValueError(
                "All layers added to a Sequential model should have unique names. Name "
                f"'{layer.name}' is already the name of a layer in this model. Update the `name` "
                "argument to pass a unique name."
            )
        first = self._layers[0] if self._layers else None
        if isinstance(layer, InputLayer) and isinstance(first, InputLayer):
            raise ValueError(
                f"Sequential model '{self.name}' has already been configured to use input shape "
                f"{first.batch_shape}. You cannot add a different Input layer to it."
            )
        self._set_layers([*self._layers, layer])
        if rebuild:
            self._maybe_rebuild()
        else:
            self._forget_graph()

    def pop(self, rebuild: bool = True) -> Layer:
        """Removes the last layer and returns it.

        Args:
            rebuild: Whether to build the model again.
        """
        layer: Layer = self._layers[-1]
        self._set_layers(self._layers[:-1])
        self._forget_graph()
        if rebuild:
            self._maybe_rebuild()
        return layer

    def _set_layers(self, layers: list[Any]) -> None:
        self._tracker.replace_in_store("layers", layers)

    def _forget_graph(self) -> None:
        self.built = False
        self.__dict__["_functional"] = None
        self._note_change()

    def _maybe_rebuild(self) -> None:
        self._forget_graph()
        if not self._layers:
            return
        first = self._layers[0]
        if isinstance(first, InputLayer) and len(self._layers) > 1:
            self.build(first.batch_shape)
            return
        shape = getattr(first, "_input_shape_arg", None)
        if shape is not None:
            self.build((None, *shape))
        elif len(self._layers) > 1 and (
            isinstance(first, Functional)
            or (isinstance(first, Sequential) and first._functional is not None)
        ):
            self.build(first.input_shape)

    def _lock_state(self) -> None:
        """Layers may be added at any time: nothing is locked."""

    def _has_unbuilt_state(self) -> bool:
        return False

    def build(self, input_shape: Any = None) -> None:
        """Builds the layers for a shape of the input.

        Args:
            input_shape: Shape with the batch dimension.
        """
        try:
            input_shape = standardize_shape(input_shape)
        except (ValueError, TypeError):
            # A model of several inputs: its layers are built when it is called.
            return
        if not self._layers:
            raise ValueError(
                f"Sequential model {self.name} cannot be built because it has no layers. Call "
                "`model.add(layer)`."
            )
        before = list(self._layers)
        try:
            self._build_functional(input_shape)
        except Exception:
            # A shape that does not fit is forgotten, so that another can be tried.
            self._set_layers(before)
            raise

    def _build_functional(self, input_shape: Any) -> None:
        first = self._layers[0]
        if isinstance(first, InputLayer):
            if first.batch_shape != input_shape:
                raise ValueError(
                    f"Sequential model '{self.name}' has already been configured to use input "
                    f"shape {first.batch_shape}. You cannot build it with input_shape "
                    f"{input_shape}"
                )
        else:
            dtype = self._first_dtype(first)
            first = InputLayer(batch_shape=input_shape, dtype=dtype)
            self._set_layers([first, *self._layers])
        x = inputs = first.output
        for layer in self._layers[1:]:
            try:
                x = layer(x)
            except NotImplementedError:
                # Its output shape cannot be inferred: the model is built when it is called.
                return
            except TypeError as e:
                raise _explained(layer, e) from e
        # Keras counts this graph among the automatic names of models.
        auto_name("functional")
        self.__dict__["_functional"] = Functional(inputs, x, name=self.name)

    @staticmethod
    def _first_dtype(first: Any) -> Any:
        if isinstance(first, (Functional, Sequential)):
            dtype = first.input_dtype
            return dtype if isinstance(dtype, str) else None
        return first.compute_dtype

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """Computes the output.

        Args:
            inputs: Tensor.
            training: Whether layers behave as in training.
            mask: Mask of the input.
        """
        if self._functional is not None:
            return self._functional.call(inputs, training=training, mask=mask)
        outputs = inputs
        for layer in self.layers:
            kwargs: dict[str, Any] = {}
            if layer._call_has_mask_arg:
                kwargs["mask"] = mask
            if layer._call_has_training_arg and training is not None:
                kwargs["training"] = training
            outputs = layer(inputs, **kwargs)
            inputs = outputs
            mask = tree.map_structure(get_keras_mask, outputs)
        return outputs

    @property
    def layers(self) -> list[Layer]:
        """The layers, without the `Input`."""
        if self._layers and isinstance(self._layers[0], InputLayer):
            return self._layers[1:]
        return self._layers[:]

    @layers.setter
    def layers(self, value: Any) -> None:
        raise AttributeError(
            "`Sequential.layers` attribute is reserved and should not be used. Use `add()` and "
            "`pop()` to change the layers in this model."
        )

    def compute_output_spec(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        if self._functional is not None:
            return self._functional.compute_output_spec(inputs, training=training, mask=mask)
        for layer in self.layers:
            inputs = layer.compute_output_spec(inputs)
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Returns the shape of the output for the shape of the input."""
        if self._functional is not None:
            return self._functional.compute_output_shape(input_shape)
        for layer in self.layers:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    def _built_graph(self, what: str) -> Functional:
        if self._functional is None:
            raise AttributeError(f"Sequential model '{self.name}' has no defined {what} yet.")
        return self._functional

    @property
    def input_shape(self) -> Any:
        """Shape of the input."""
        return self._built_graph("input shape").input_shape

    @property
    def output_shape(self) -> Any:
        """Shape of the output."""
        return self._built_graph("output shape").output_shape

    @property
    def inputs(self) -> list[KerasTensor]:
        """The input KerasTensor, in a list."""
        return self._built_graph("inputs").inputs

    @property
    def outputs(self) -> list[KerasTensor]:
        """The output KerasTensor, in a list."""
        return self._built_graph("outputs").outputs

    @property
    def input_names(self) -> list[str]:
        """Name of the input, in a list."""
        return self._built_graph("input names").input_names

    @property
    def output_names(self) -> list[str]:
        """Name of the last layer, in a list."""
        return self._built_graph("output names").output_names

    @property
    def input_dtype(self) -> Any:
        """Dtype of the input."""
        # Called by `Layer.__call__` too, for models that are not built.
        layers = self._layers
        if layers and isinstance(layers[0], InputLayer):
            return layers[0].dtype
        return super().input_dtype

    def get_config(self) -> dict[str, Any]:
        from pronghorn import dtype_policies
        from pronghorn.saving import serialize_keras_object

        config: dict[str, Any] = {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": dtype_policies.serialize(self.dtype_policy),
            "layers": [serialize_keras_object(layer) for layer in self._layers],
        }
        if self._functional is not None:
            config["build_input_shape"] = self._layers[0].batch_shape
        return config

    @classmethod
    def from_config(cls, config: Any, custom_objects: Any = None) -> Any:
        from pronghorn.saving import deserialize_keras_object

        if isinstance(config, list):
            name, build_shape, layer_configs = None, None, config
        else:
            if not isinstance(config, dict) or not {"name", "layers"} <= set(config):
                raise ValueError(
                    "A Sequential model configuration must be a dictionary containing the 'name' "
                    f"and 'layers' keys. Received: config={shown(config)}."
                )
            name = config["name"]
            build_shape = config.get("build_input_shape")
            layer_configs = config["layers"]
        model = cls(name=name)
        for data in layer_configs:
            if not isinstance(data, dict) or "config" not in data:
                raise ValueError(
                    "Sequential: a layer's config is malformed. Expected a dictionary containing a "
                    f"'config' key. Received: {shown(data)}."
                )
            if "module" not in data:
                data = {**data, "module": "keras.layers", "registered_name": None}
            model.add(deserialize_keras_object(data, custom_objects=custom_objects))
        if isinstance(config, dict):
            if config.get("dtype") is not None:
                model.dtype_policy = config["dtype"]
            if config.get("trainable") is False:
                model.trainable = False
        if model._functional is None and build_shape and isinstance(build_shape, (tuple, list)):
            model.build(build_shape)
        return model


def _explained(layer: Layer, error: TypeError) -> Exception:
    required = [
        p.name
        for p in inspect.signature(layer.call).parameters.values()
        if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    if len(required) > 1:
        return ValueError(
            "Layers added to a Sequential model can only have a single positional argument, the "
            f"input tensor. Layer {type(layer).__name__} has multiple positional arguments: "
            f"{required}"
        )
    return error
