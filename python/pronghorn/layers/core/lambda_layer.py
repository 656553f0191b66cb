"""Lambda: an arbitrary function as a layer."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable
from typing import Any

from pronghorn import tree
from pronghorn.layers.arguments import owner_name
from pronghorn.layers.layer import Layer
from pronghorn.ops.keras_tensor import KerasTensor


def _serialize_function(function: Any) -> Any:
    from pronghorn.saving import serialize_keras_object
    from pronghorn.saving.lambda_code import dump_function

    if isinstance(function, types.LambdaType) and function.__name__ == "<lambda>":
        code, defaults, closure = dump_function(function)
        config = {"code": code, "defaults": defaults, "closure": closure}
        return {"class_name": "__lambda__", "config": config}
    if callable(function) or hasattr(function, "__array__"):
        return serialize_keras_object(function)
    return function


class Lambda(Layer):
    """Calls a function: `outputs = function(inputs, **arguments)`.

    The function is saved by name where it is a named, registered one, and as byte code where it is
    a `lambda`. Byte code works only in the Python version that wrote it and can do anything, so
    loading it is refused unless safe mode is turned off. A `Layer` subclass has neither problem.

    Args:
        function: Called with the inputs as its first argument; may take `mask` and `training`.
        output_shape: Shape of the output without its batch axis, or a function from the input shape
            to the output shape. `None`: inferred by calling.
        mask: The output's mask, or a function of `(inputs, mask)` that returns it.
        arguments: Keyword arguments for `function`.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        Any.

    Output shape:
        What the function returns.

    Raises:
        TypeError: If `function` is not callable.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> keras.layers.Lambda(lambda x: x**2)(np.full((1, 2), 3.0)).numpy().tolist()
    [[9.0, 9.0]]
    """

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not callable(function):
            raise TypeError(
                f"{owner_name(self)}: function must be callable. Received: function={function!r}."
            )
        self.arguments = arguments or {}
        self.function = function
        self.supports_masking = mask is not None
        self.mask = mask
        self._output_shape = output_shape
        parameters = inspect.signature(function).parameters
        self._takes_mask = "mask" in parameters
        self._takes_training = "training" in parameters
        self._build_at_init()

    def call(self, inputs: Any, mask: Any = None, training: bool | None = None) -> Any:
        """Returns `function(inputs, **arguments)`."""
        kwargs = dict(self.arguments)
        if self._takes_mask:
            kwargs["mask"] = mask
        if self._takes_training:
            kwargs["training"] = training
        return self.function(inputs, **kwargs)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Returns the `mask` argument, or what it returns when called."""
        if callable(self.mask):
            return self.mask(inputs, mask)
        return self.mask

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Returns what `output_shape` says; without one, the shape is inferred by calling."""
        if self._output_shape is None:
            inputs = tree.map_shape_structure(
                lambda shape: KerasTensor(shape, dtype=self.compute_dtype), input_shape
            )
            spec = self._trace_output_spec((inputs,), {})
            return tree.map_structure(lambda x: tuple(x.shape), spec)
        if callable(self._output_shape):
            return self._output_shape(input_shape)
        first = input_shape[0]
        batch = first[0] if isinstance(first, (tuple, list)) else first
        return (batch, *self._output_shape)

    def compute_output_spec(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Returns symbolic tensors of the outputs' shapes and dtypes."""
        if self._output_shape is None:
            return self._trace_output_spec((inputs, *args), kwargs)
        return super().compute_output_spec(inputs, *args, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments, a `lambda` as byte code."""
        from pronghorn.saving import serialize_keras_object

        config = {**super().get_config(), "function": _serialize_function(self.function)}
        if self._output_shape is not None:
            config["output_shape"] = _serialize_function(self._output_shape)
        if self.mask is not None:
            config["mask"] = _serialize_function(self.mask)
        config["arguments"] = serialize_keras_object(dict(self.arguments))
        return config

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Any = None, safe_mode: bool | None = None
    ) -> Lambda:
        """Creates the layer that `get_config` described.

        Args:
            config: What `get_config` returned.
            custom_objects: Functions by name, beside the registered ones.
            safe_mode: Whether to refuse byte code. `None`: refuse unless
                `pronghorn.config.enable_unsafe_deserialization` was called.

        Raises:
            ValueError: If the function is byte code and safe mode is on.
        """
        from pronghorn.saving import deserialize_keras_object
        from pronghorn.saving.lambda_code import load_function
        from pronghorn.saving.scopes import in_safe_mode

        if safe_mode is None:
            safe_mode = in_safe_mode() is not False
        config = dict(config)
        for key in ("function", "output_shape", "mask"):
            value = config.get(key)
            if not isinstance(value, dict):
                continue
            if value.get("class_name") == "__lambda__":
                if safe_mode:
                    raise ValueError(
                        "Lambda: expected safe_mode=False to load a Python `lambda`, because its "
                        "byte code can do anything (arbitrary code execution). Received: "
                        f"{key}=<lambda>, safe_mode={safe_mode}. If you trust it, pass "
                        "safe_mode=False or call pronghorn.config.enable_unsafe_deserialization()."
                    )
                config[key] = load_function(**value["config"])
            else:
                config[key] = deserialize_keras_object(
                    value, custom_objects=custom_objects, safe_mode=safe_mode
                )
        if "arguments" in config:
            config["arguments"] = deserialize_keras_object(
                config["arguments"], custom_objects=custom_objects, safe_mode=safe_mode
            )
        return cls(**config)
