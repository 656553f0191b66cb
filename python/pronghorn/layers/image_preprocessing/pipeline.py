"""Pipeline: layers that prepare data, one after the other."""

from __future__ import annotations

from typing import Any

from pronghorn import saving, tree
from pronghorn.layers.layer import Layer


class Pipeline(Layer):
    """Calls layers one after the other. It is a layer, no model; for preparing data.

    Args:
        layers: The layers.
        name: Name of the pipeline.

    Call arguments:
        inputs: What the first layer takes.
        training: Given to the layers that take it; `True` outside of a model.
        mask: Mask of the inputs.

    Input shape:
        That of the first layer.

    Output shape:
        That of the last layer.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> augment = keras.layers.Pipeline(
    ...     [keras.layers.RandomFlip("horizontal"), keras.layers.Rescaling(1 / 255)])
    >>> augment(np.ones((2, 4, 4, 3))).shape
    (2, 4, 4, 3)
    """

    def __init__(self, layers: Any, name: str | None = None) -> None:
        super().__init__(name=name)
        if not isinstance(layers, (list, tuple)) or not all(callable(x) for x in layers):
            raise ValueError(f"Pipeline: expected a list of layers. Received: layers={layers}.")
        self._pipeline_layers = list(layers)
        self._convert_input_args = False
        self._allow_non_tensor_positional_args = True

    @property
    def layers(self) -> list[Any]:
        """The layers."""
        return list(self._pipeline_layers)

    def call(self, inputs: Any, training: bool = True, mask: Any = None) -> Any:
        """Returns what the last layer returns."""
        for layer in self._pipeline_layers:
            kwargs = {}
            if getattr(layer, "_call_has_mask_arg", False):
                kwargs["mask"] = mask
            if getattr(layer, "_call_has_training_arg", False) and training is not None:
                kwargs["training"] = training
            inputs = layer(inputs, **kwargs)
            mask = tree.map_structure(lambda x: getattr(x, "_keras_mask", None), inputs)
        return inputs

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            "layers": [saving.serialize_keras_object(x) for x in self._pipeline_layers],
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Pipeline:
        """Returns a pipeline with the given configuration.

        Raises:
            ValueError: If it has no list of layers.
        """
        layers = config.get("layers")
        if not isinstance(layers, (list, tuple)):
            raise ValueError(
                "`Pipeline` config must contain a `layers` key mapping to a list of serialized "
                f"layers. Received: layers={layers}."
            )
        revived = [saving.deserialize_keras_object(x) for x in layers]
        return cls(**{**config, "layers": revived})
