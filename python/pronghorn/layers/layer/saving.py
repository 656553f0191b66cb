"""The part of a layer about configs and about the arrays that a file holds for it."""

from __future__ import annotations

from typing import Any

from pronghorn.layers.layer.state import LayerState
from pronghorn.ops.operation import default, is_default, only_accepted


class LayerSaving(LayerState):
    """Config and saved variables of a layer."""

    @default
    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments that make a layer like this one.

        Subclasses add their own to `super().get_config()`. A subclass without `get_config` whose
        arguments are plain values needs none.
        """
        from pronghorn import dtype_policies

        self._check_super_called()
        config = {
            **super().get_config(),
            "trainable": self._trainable,
            "dtype": dtype_policies.serialize(self._dtype_policy),
        }
        if self.activity_regularizer is not None:
            from pronghorn import regularizers

            config["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        if is_default(self.get_config):
            return only_accepted(type(self), config)
        return config

    def save_own_variables(self, store: Any) -> None:
        """Puts the layer's own variables into `store`, a dict of arrays.

        Args:
            store: Mapping to fill, keys `"0"`, `"1"`, ...
        """
        for i, v in enumerate(self._saved_variables()):
            store[f"{i}"] = v.numpy()

    def _saved_variables(self) -> list[Any]:
        return [*self._trainable_variables, *self._non_trainable_variables]

    def load_own_variables(self, store: Any) -> None:
        """Sets the layer's own variables from `store`.

        Args:
            store: Mapping that `save_own_variables` filled.

        Raises:
            ValueError: The number of arrays differs from the number of variables.
        """
        variables = self._saved_variables()
        if len(store.keys()) != len(variables):
            if not variables and not self.built:
                raise ValueError(
                    f"Layer '{self.name}' was never built and thus it doesn't have any variables. "
                    f"However the weights file lists {len(store.keys())} variables for this "
                    "layer.\nIn most cases, this error indicates that either:\n\n"
                    "1. The layer is owned by a parent layer that implements a `build()` method, "
                    "but calling the parent's `build()` method did NOT create the state of the "
                    f"child layer '{self.name}'. A `build()` method must create ALL state for the "
                    "layer, including the state of any children layers.\n\n"
                    "2. You need to implement the `def build_from_config(self, config)` method on "
                    f"layer '{self.name}', to specify how to rebuild it during loading. In this "
                    "case, you might also want to implement the method that generates the build "
                    "config at saving time, `def get_build_config(self)`. The method "
                    "`build_from_config()` is meant to create the state of the layer (i.e. its "
                    "variables) upon deserialization."
                )
            raise ValueError(
                f"Layer '{self.name}' expected {len(variables)} variables, but received "
                f"{len(store.keys())} variables during loading. Expected: "
                f"{[v.name for v in variables]}"
            )
        for i, v in enumerate(variables):
            v.load(store[f"{i}"])

    def save_assets(self, dir_path: str) -> None:
        """Saves what is neither config nor weights into a folder. By default there is nothing."""
        self._check_super_called()

    def load_assets(self, dir_path: str) -> None:
        """Loads what `save_assets` saved."""
        self._check_super_called()

    def rematerialized_call(self, layer_call: Any, *args: Any, **kwargs: Any) -> Any:
        """Returns `layer_call` as it is: no rematerialization is ever asked for.

        Args:
            layer_call: Function to call.
            *args: Its arguments.
            **kwargs: Its keyword arguments.
        """
        return layer_call

    def quantize(self, mode: Any = None, type_check: bool = True, config: Any = None) -> None:
        """Not supported.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError(
            f"Layer {type(self).__name__} does not have a `quantize` method implemented. "
            f"Received: mode={mode!r}."
        )
