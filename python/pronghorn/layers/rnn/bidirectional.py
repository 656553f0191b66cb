"""Bidirectional: a recurrent layer over a sequence and one over its reverse."""

from __future__ import annotations

from typing import Any

from pronghorn import ops, tree
from pronghorn.layers.arguments import owner_name
from pronghorn.layers.layer import Layer

_ATTRIBUTES = ("go_backwards", "return_sequences", "return_state", "stateful")
_MERGE_MODES = ("sum", "mul", "ave", "concat", None)


class Bidirectional(Layer):
    """Runs a recurrent layer forwards and a copy of it backwards, and merges their outputs.

    Args:
        layer: A recurrent layer, or one like it: with `go_backwards`, `return_sequences`,
            `return_state` and `stateful`. It is copied, without its weights.
        merge_mode: `"concat"`, `"sum"`, `"ave"`, `"mul"`, or `None` for both outputs.
        weights: Initial weights, those of the forward layer first.
        backward_layer: Layer for the reverse; by default like `layer`.
        **kwargs: `name`, `dtype`, `trainable`.

    Call arguments:
        sequences: `(batch, time, features)`.
        initial_state: List of states, those of the forward layer first.
        mask: `(batch, time)`, true for the steps that count. Masked steps have outputs of 0.
        training: Passed to the layers.

    Output shape:
        That of `layer`, its last size doubled by `"concat"`; with `return_state` a list of that
        and of the states.

    Raises:
        ValueError: If the layers do not go in two directions or differ in what they return.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> layer = keras.layers.Bidirectional(keras.layers.LSTM(4, return_sequences=True))
    >>> layer(np.ones((32, 10, 8))).shape
    (32, 10, 8)
    """

    def __init__(
        self,
        layer: Any,
        merge_mode: str | None = "concat",
        weights: Any = None,
        backward_layer: Any = None,
        **kwargs: Any,
    ) -> None:
        for name, value in (("layer", layer), ("backward_layer", backward_layer)):
            if not isinstance(value, Layer) and (name == "layer" or value is not None):
                raise ValueError(
                    f"Bidirectional: Please initialize `Bidirectional` layer with a "
                    f"`keras.layers.Layer` instance. Received: {name}={value}."
                )
            missing = [a for a in _ATTRIBUTES if value is not None and not hasattr(value, a)]
            if missing:
                raise ValueError(
                    "Bidirectional: expected a recurrent layer, or one that has the attributes "
                    f"{', '.join(_ATTRIBUTES)}. Received: {name}={value}, without "
                    f"{', '.join(missing)}."
                )
        if merge_mode not in _MERGE_MODES:
            raise ValueError(
                "Bidirectional: Invalid merge mode. Merge mode should be one of "
                f"{_MERGE_MODES}. Received: merge_mode={merge_mode!r}."
            )
        super().__init__(**kwargs)
        self.forward_layer = _copy(layer, "forward_")
        if backward_layer is None:
            self.backward_layer = _copy(layer, "backward_", go_backwards=True)
        else:
            self.backward_layer = backward_layer
        if hasattr(layer, "use_cudnn"):  # not in the configuration
            self.forward_layer.use_cudnn = layer.use_cudnn
            self.backward_layer.use_cudnn = layer.use_cudnn
        self._check_layers()
        for one in (self.forward_layer, self.backward_layer):
            if getattr(one, "zero_output_for_mask", None) is not None:
                one.zero_output_for_mask = one.return_sequences
        self.merge_mode = merge_mode
        if weights:
            half = len(weights) // 2
            self.forward_layer.initial_weights = weights[:half]
            self.backward_layer.initial_weights = weights[half:]
        self.stateful = layer.stateful
        self.return_sequences = layer.return_sequences
        self.return_state = layer.return_state
        self.supports_masking = True
        self.input_spec = layer.input_spec

    def _check_layers(self) -> None:
        forward, backward = self.forward_layer, self.backward_layer
        if forward.go_backwards == backward.go_backwards:
            raise ValueError(
                "Bidirectional: Forward layer and backward layer should have different "
                f"`go_backwards` value. Received: forward_layer.go_backwards="
                f"{forward.go_backwards}, backward_layer.go_backwards={backward.go_backwards}."
            )
        for name in ("stateful", "return_sequences", "return_state"):
            a, b = getattr(forward, name), getattr(backward, name)
            if a != b:
                raise ValueError(
                    "Bidirectional: Forward layer and backward layer are expected to have the same "
                    f'value for attribute "{name}", got "{a}" for forward layer and "{b}" for '
                    "backward layer."
                )

    def _assert_input_compatibility(self, x: Any) -> None:
        self.forward_layer._assert_input_compatibility(x)

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        """Returns the shape of the output, and of the states with `return_state`."""
        shape = self.forward_layer.compute_output_shape(sequences_shape)
        states: tuple[Any, ...] = ()
        if self.return_state:
            shape, states = tuple(shape[0]), tuple(shape[1:])
        outputs: tuple[Any, ...] = (tuple(shape),)
        if self.merge_mode == "concat":
            outputs = ((*shape[:-1], 2 * shape[-1]),)
        elif self.merge_mode is None:
            outputs = (tuple(shape), tuple(shape))
        if self.return_state:
            return (*outputs, *states, *states)
        return list(outputs) if self.merge_mode is None else outputs[0]

    def call(
        self, sequences: Any, initial_state: Any = None, mask: Any = None, training: Any = None
    ) -> Any:
        """Returns the merged outputs, and the states with `return_state`."""
        kwargs = {}
        if self.forward_layer._call_has_training_arg:
            kwargs["training"] = training
        if self.forward_layer._call_has_mask_arg:
            kwargs["mask"] = mask
        first = second = None
        if initial_state is not None:
            states = list(initial_state)
            size = getattr(self.forward_layer, "state_size", None)
            wanted = "an even number of" if size is None else 2 * len(tree.flatten(size))
            if len(states) % 2 or (size is not None and len(states) != wanted):
                raise ValueError(
                    f"{owner_name(self)}: expected {wanted} initial states, the forward "
                    f"layer's first. Received: {len(states)}."
                )
            first, second = states[: len(states) // 2], states[len(states) // 2 :]
        y = self.forward_layer(sequences, initial_state=first, **kwargs)
        y_reverse = self.backward_layer(sequences, initial_state=second, **kwargs)
        states = []
        if self.return_state:
            states = [*y[1:], *y_reverse[1:]]
            y, y_reverse = y[0], y_reverse[0]
        y = ops.cast(y, self.compute_dtype)
        y_reverse = ops.cast(y_reverse, self.compute_dtype)
        if self.return_sequences:
            y_reverse = ops.flip(y_reverse, axis=1)
        if self.merge_mode is None:
            return (y, y_reverse, *states)
        output = self._merged(y, y_reverse)
        return (output, *states) if self.return_state else output

    def _merged(self, y: Any, y_reverse: Any) -> Any:
        if self.merge_mode == "concat":
            return ops.concatenate([y, y_reverse], axis=-1)
        if self.merge_mode == "mul":
            return ops.multiply(y, y_reverse)
        total = ops.add(y, y_reverse)
        return ops.multiply(total, 0.5) if self.merge_mode == "ave" else total

    def reset_states(self) -> None:
        """Sets the kept states to 0; another name of `reset_state`."""
        self.reset_state()

    def reset_state(self) -> None:
        """Sets the kept states to 0."""
        if not self.stateful:
            raise AttributeError(f"{owner_name(self)}: Layer must be stateful.")
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    @property
    def states(self) -> Any:
        """The kept states, the forward layer's first; None if there are none."""
        if not self.forward_layer.states:
            return None
        return (*self.forward_layer.states, *self.backward_layer.states)

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:  # type: ignore[override]
        """Builds both layers."""
        for layer in (self.forward_layer, self.backward_layer):
            if not layer.built:
                layer.build(sequences_shape)
        self.built = True

    def compute_mask(self, inputs: Any, mask: Any) -> Any:
        """Returns the mask for a sequence of outputs, None for one output and for states."""
        if isinstance(mask, (list, tuple)):
            mask = mask[0]
        output_mask: Any = mask if self.return_sequences else None
        if self.merge_mode is None:
            output_mask = [output_mask, output_mask]
        if self.return_state and self.states is not None:
            states = [None for _ in self.states]
            return [*output_mask, *states] if isinstance(output_mask, list) else [
                output_mask, *states,
            ]  # fmt: skip
        return output_mask

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        from pronghorn.saving import serialize_keras_object

        return {
            **super().get_config(),
            "merge_mode": self.merge_mode,
            "layer": serialize_keras_object(self.forward_layer),
            "backward_layer": serialize_keras_object(self.backward_layer),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """Returns a layer with the layers that `config` describes."""
        from pronghorn.saving import deserialize_keras_object

        config = dict(config)
        layer = deserialize_keras_object(config.pop("layer"), custom_objects=custom_objects)
        backward = config.pop("backward_layer", None)
        if backward is not None:
            backward = deserialize_keras_object(backward, custom_objects=custom_objects)
        return cls(layer, backward_layer=backward, **config)


def _copy(layer: Any, prefix: str, **changes: Any) -> Any:
    """Returns a layer like `layer`, named with the prefix, without its weights."""
    from pronghorn.saving import (
        custom_object_scope,
        deserialize_keras_object,
        serialize_keras_object,
    )

    # The classes of a custom layer and its cells are at hand: a copy needs no registration.
    classes = {type(x) for x in layer._flatten_layers()}
    custom = {c.__name__: c for c in classes if c.__module__.split(".")[0] != "pronghorn"}
    config = serialize_keras_object(layer)
    config["config"]["name"] = prefix + layer.name.removeprefix(prefix)
    config["config"].update(changes)
    with custom_object_scope(custom):
        return deserialize_keras_object(config)
