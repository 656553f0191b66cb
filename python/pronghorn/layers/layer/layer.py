"""Layer: what all layers and models are."""

from __future__ import annotations

import contextlib
import inspect
import warnings
from typing import Any

from pronghorn import dtype_policies, tree
from pronghorn.config_errors import shown
from pronghorn.layers.layer.building import LayerBuilding
from pronghorn.layers.layer.call_context import CallContext, current
from pronghorn.layers.layer.call_spec import (
    TENSOR_TYPES,
    CallSignature,
    CallSpec,
    call_signature,
    shape_arguments_for,
    shapes_by_argument,
)
from pronghorn.layers.layer.losses import LayerLosses
from pronghorn.layers.layer.masks import masks_of, set_output_masks
from pronghorn.layers.layer.op_errors import name_layer
from pronghorn.layers.layer.saving import LayerSaving
from pronghorn.layers.layer.weights import LayerWeights
from pronghorn.naming import current_path
from pronghorn.ops.keras_tensor import KerasTensor
from pronghorn.ops.node import Node
from pronghorn.ops.operation import default, is_default
from pronghorn.ops.symbolic import any_symbolic_tensors
from pronghorn.tensor import Tensor
from pronghorn.variable import AutocastScope, get_autocast_dtype

_SAME_AUTOCAST = contextlib.nullcontext()


class Layer(LayerBuilding, LayerWeights, LayerLosses, LayerSaving):
    """A computation on tensors together with its weights: what models are made of.

    A subclass makes its weights in `build` (or in `__init__`) with `add_weight` and computes in
    `call`. Layers, variables, metrics and seed generators assigned to attributes, also within
    lists, tuples, dicts and sets, belong to the layer.

    Args:
        activity_regularizer: Regularizer of the outputs.
        trainable: Whether training changes the weights.
        dtype: Dtype policy or its name; by default the global one.
        autocast: Whether floating inputs are cast to the compute dtype.
        name: Name; by default the class name in snake case, made unique.

    Call arguments:
        *args: Tensors, or structures of tensors.
        training: Passed on to `call` if it takes it. By default that of the surrounding call.
        mask: Passed on to `call` if it takes it. By default the mask of the input.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> class Scale(keras.layers.Layer):
    ...     def build(self, input_shape):
    ...         self.factor = self.add_weight((input_shape[-1],), "ones", name="factor")
    ...     def call(self, inputs):
    ...         return inputs * self.factor
    >>> Scale()(np.ones((2, 3))).shape
    (2, 3)
    """

    _call_context_args: frozenset[str] = frozenset({"training"})

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name)
        self._initialize_tracker()
        if activity_regularizer is not None:
            from pronghorn import regularizers

            activity_regularizer = regularizers.get(activity_regularizer)
        self.activity_regularizer = activity_regularizer
        self._input_shape_arg = self._pop_input_shape(kwargs)
        if kwargs:
            from pronghorn.saving.public_names import near_matches

            known = inspect.signature(type(self)).parameters
            raise ValueError(
                f"Unrecognized keyword arguments passed to {type(self).__name__}: {shown(kwargs)}."
                f"{''.join(near_matches(key, known, limit=1) for key in kwargs)}"
            )
        if not isinstance(trainable, bool):
            raise ValueError(
                f"{type(self).__name__}: expected `trainable` to be a boolean. "
                f"Received: trainable={trainable!r}."
            )
        self._dtype_policy = dtype_policies.get(dtype)
        self.autocast = autocast
        self.built = False
        self.input_spec = None
        self.supports_masking = overrides_compute_mask(self)
        self._trainable = bool(trainable)
        self._losses = []
        self._called = False
        self._build_shapes_dict = None
        self._parent_path = None
        self._path = None
        self._convert_input_args = True
        self._allow_non_tensor_positional_args = False
        self._initialized = True

    @staticmethod
    def _pop_input_shape(kwargs: dict[str, Any]) -> Any:
        shape = None
        if "input_dim" in kwargs:
            shape = (kwargs.pop("input_dim"),)
        if "input_shape" in kwargs:
            given = kwargs.pop("input_shape")
            shape = tuple(given) if isinstance(given, (list, tuple)) else (given,)
        if shape is not None:
            warnings.warn(
                "Do not pass an `input_shape`/`input_dim` argument to a layer. When using "
                "Sequential models, prefer using an `Input(shape)` object as the first layer in "
                "the model instead.",
                stacklevel=4,
            )
        return shape

    # Dtypes.

    @property
    def dtype_policy(self) -> Any:
        """The dtype policy."""
        return self._dtype_policy

    @dtype_policy.setter
    def dtype_policy(self, value: Any) -> None:
        policy = dtype_policies.get(value)
        if policy.quantization_mode is not None and self.built:
            raise ValueError(
                f"Implicitly enabling {policy.quantization_mode.upper()} quantization by setting "
                f"`dtype_policy` is not supported. Received: dtype_policy={policy.name}."
            )
        if self._dtype_policy._is_map and self._path:
            if self._path in self._dtype_policy:
                del self._dtype_policy[self._path]
            self._dtype_policy[self._path] = policy
        else:
            self._dtype_policy = policy

    @property
    def dtype(self) -> str:
        """Dtype of the weights, as `variable_dtype`."""
        return self.variable_dtype

    @property
    def compute_dtype(self) -> str:
        """Dtype that floating inputs are cast to."""
        return self._own_policy.compute_dtype  # type: ignore[no-any-return]

    @property
    def input_dtype(self) -> str:
        """Dtype that inputs are converted to."""
        return self.compute_dtype

    @property
    def quantization_mode(self) -> str | None:
        """How the policy wants the weights quantized; such layers cannot be built."""
        return self._own_policy.quantization_mode  # type: ignore[no-any-return]

    # Calls.

    @property
    def _call_signature(self) -> CallSignature:
        call = self.__dict__.get("call")  # set on the instance
        return call_signature(type(self).call) if call is None else CallSignature(call, False)

    def _register_call_context_args(self, *names: str) -> None:
        """Makes arguments of the call pass down to the layers called inside, as `training` does.

        Args:
            *names: Names of the arguments. A layer inside takes them if it registers them too.
        """
        if self._called:
            raise RuntimeError(
                f"Cannot add call-context args after the layer has been called. Received: {names}."
            )
        self._call_context_args = self._call_context_args | set(names)

    @property
    def _call_has_training_arg(self) -> bool:
        return self._call_signature.has_training

    @property
    def _call_has_mask_arg(self) -> bool:
        return self._call_signature.has_mask

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self._check_super_called()
        signature = self._call_signature
        args, kwargs = self._convert_inputs(args, kwargs)
        context_values = {
            name: kwargs.pop(name)
            for name in self._call_context_args
            if name in kwargs and name not in signature.name_set
        }
        self._called = True
        spec = CallSpec(signature, args, kwargs)
        outer = current.context
        context = CallContext(self) if outer is None else outer
        if outer is None:
            current.context = context
            self._clear_losses()
        saved = context.training, context.values
        context.values = dict(context.values)
        try:
            with self._open_name_scope():
                if self._path is None:
                    self._path = current_path()
                self._assert_input_compatibility(spec.first_arg)
                self._maybe_build(spec)
                kwargs = self._with_masks(spec, kwargs)
                kwargs = self._with_context(spec, kwargs, context, context_values)
                return self._run(spec, args, kwargs)
        except (ValueError, RuntimeError) as error:
            name_layer(error, f"{type(self).__name__} '{self.name}'")
            raise
        finally:
            context.training, context.values = saved
            if outer is None:
                current.context = None

    def _run(self, spec: CallSpec, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        previous_mask = spec.user_arguments.get("mask")
        if previous_mask is None:
            previous_mask = masks_of(spec.first_arg)
        compute_dtype = self.compute_dtype
        cast = compute_dtype if self.autocast and compute_dtype != self.variable_dtype else None
        with AutocastScope(cast) if cast != get_autocast_dtype() else _SAME_AUTOCAST:
            if spec.eager or not any_symbolic_tensors(args, kwargs):
                outputs = self.call(*args, **kwargs)
            else:
                outputs = self.symbolic_call(*args, **kwargs)
            if self.activity_regularizer is not None:
                for x in tree.flatten(outputs):
                    if isinstance(x, Tensor):
                        self._add_activity_loss(x)
        if self.supports_masking:
            self._set_masks(spec.first_arg, outputs, previous_mask)
        elif previous_mask is not None:
            warnings.warn(
                f"Layer '{self.name}' (of type {type(self).__name__}) was passed an input with a "
                "mask attached to it. However, this layer does not support masking and will "
                "therefore destroy the mask information. Downstream layers will not see the mask.",
                stacklevel=4,
            )
        return outputs

    def _add_activity_loss(self, x: Tensor) -> None:
        loss = self.activity_regularizer(x)
        if x.ndim > 0:
            loss = loss / float(max(x.shape[0], 1))
        self.add_loss(loss)

    def _set_masks(self, inputs: Any, outputs: Any, previous_mask: Any) -> None:
        if previous_mask is None and not overrides_compute_mask(self):
            return
        if all(getattr(x, "_keras_mask", None) is not None for x in tree.flatten(outputs)):
            return
        set_output_masks(outputs, self.compute_mask(inputs, previous_mask))

    def _convert_inputs(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        if self._convert_input_args:
            policy = self._dtype_policy
            dtype = self.input_dtype
            autocast = self.autocast
            if len(args) == 1 and isinstance(args[0], Tensor) and _all_plain(kwargs):
                return (policy.convert_input(args[0], autocast, dtype),), kwargs

            def convert(x: Any) -> Any:
                # A KerasTensor is cast for inference only: the graph keeps the tensor itself.
                return x if isinstance(x, KerasTensor) else policy.convert_input(x, autocast, dtype)

            args = tree.map_structure(convert, args)
            kwargs = tree.map_structure(convert, kwargs)
        if not self._allow_non_tensor_positional_args:
            for x in tree.flatten(args):
                if x is not None and not isinstance(x, TENSOR_TYPES):
                    raise ValueError(
                        "Only input tensors may be passed as positional arguments. The following "
                        f"argument value should be passed as a keyword argument: {x} "
                        f"(of type {type(x)})"
                    )
        return args, kwargs

    def _with_masks(self, spec: CallSpec, kwargs: dict[str, Any]) -> dict[str, Any]:
        tensors = spec.tensor_arguments
        single = len(tensors) == 1
        for name, value in tensors.items():
            mask_name = "mask" if single else f"{name}_mask"
            if mask_name in spec.arguments and spec.arguments[mask_name] is None:
                mask = masks_of(value)
                if mask is not None:
                    kwargs = {**kwargs, mask_name: mask}
                    spec.arguments[mask_name] = mask
        return kwargs

    def _with_context(
        self,
        spec: CallSpec,
        kwargs: dict[str, Any],
        context: CallContext,
        context_values: dict[str, Any],
    ) -> dict[str, Any]:
        """Resolves `training` (explicit, else the surrounding call's, else the default)."""
        for name in self._call_context_args:
            value = spec.user_arguments.get(name, context_values.get(name))
            if value is None:
                value = context.get_value(name)
            if value is None:
                value = spec.arguments.get(name)
            context.set_value(name, value)
            if value is not None and name in self._call_signature.name_set:
                kwargs = {**kwargs, name: value}
        return kwargs

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Computes the outputs. Subclasses implement it."""
        raise NotImplementedError(
            f"Layer {type(self).__name__} does not have a `call` method implemented."
        )

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Infers the outputs as KerasTensors and records the call as a node."""
        spec_args, spec_kwargs = args, kwargs
        if self.autocast and self._convert_input_args:
            spec_args, spec_kwargs = self._cast_specs((args, kwargs))
        outputs = self.compute_output_spec(*spec_args, **spec_kwargs)
        Node(operation=self, call_args=args, call_kwargs=kwargs, outputs=outputs)
        return outputs

    def _cast_specs(self, structure: Any) -> Any:
        """Returns the structure with KerasTensors of the dtypes that `call` will see."""
        dtype, policy = self.input_dtype, self._dtype_policy

        def cast(x: Any) -> Any:
            return policy.convert_input(x, True, dtype) if isinstance(x, KerasTensor) else x

        return tree.map_structure(cast, structure)

    def stateless_call(
        self,
        trainable_variables: list[Any],
        non_trainable_variables: list[Any],
        *args: Any,
        return_losses: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Calls the layer with other values of its variables, leaving these as they are.

        Args:
            trainable_variables: Values for `trainable_variables`.
            non_trainable_variables: Values for `non_trainable_variables`.
            *args: Arguments of the call.
            return_losses: Whether to return the losses too.
            **kwargs: Arguments of the call.

        Returns:
            `(outputs, non_trainable_variables)`, the latter with the values after the call, and
            with `return_losses` the list of losses as third element.
        """
        from pronghorn.stateless_scope import StatelessScope

        self._check_super_called()
        if not self.built:
            raise ValueError(
                f"To call stateless_call, {type(self).__name__} must be built (i.e. its variables "
                "must have been already created). You can build it by calling it on some data."
            )
        own_trainable, own_other = self.trainable_variables, self.non_trainable_variables
        for what, values, own in (
            ("trainable_variables", trainable_variables, own_trainable),
            ("non_trainable_variables", non_trainable_variables, own_other),
        ):
            if len(values) != len(own):
                raise ValueError(
                    f"Argument `{what}` must be a list of tensors corresponding 1:1 to "
                    f"{type(self).__name__}().{what}. Received list with length {len(values)}, "
                    f"but expected {len(own)} variables."
                )
        mapping = [
            *zip(own_trainable, trainable_variables),
            *zip(own_other, non_trainable_variables),
        ]
        with StatelessScope(state_mapping=mapping) as scope:
            outputs = self(*args, **kwargs)
            losses = self.losses if return_losses else None
        updated = [scope.get_current_value(v) for v in own_other]
        if return_losses:
            return outputs, updated, losses
        return outputs, updated

    # Shapes and masks.

    @default
    def compute_output_shape(self, *args: Any, **kwargs: Any) -> Any:
        """Returns the shape of the outputs for the shapes of the inputs."""
        raise NotImplementedError(
            f"Layer {type(self).__name__} does not have a `compute_output_shape` method "
            "implemented. It should be `def compute_output_shape(self, input_shape)`."
        )

    @default
    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Returns the outputs of a call as KerasTensors."""
        if is_default(self.compute_output_shape):
            return self._trace_output_spec(args, kwargs)
        spec = CallSpec(self._call_signature, args, kwargs)
        shapes = shape_arguments_for(
            self.compute_output_shape, shapes_by_argument(spec), spec, type(self).__name__
        )
        output_shape = self.compute_output_shape(**shapes)
        if not isinstance(output_shape, (list, tuple, dict)):
            try:
                output_shape = tuple(output_shape)
            except TypeError:
                raise ValueError(
                    f"Method `compute_output_shape()` of layer {type(self).__name__} is returning "
                    "a type that cannot be interpreted as a shape. It should return a shape tuple. "
                    f"Received: {output_shape}"
                ) from None
        dtype = self.compute_dtype
        if _is_shape(output_shape):
            return KerasTensor(tuple(output_shape), dtype=dtype)
        return tree.map_shape_structure(lambda s: KerasTensor(s, dtype=dtype), output_shape)

    def _trace_output_spec(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return super().compute_output_spec(*args, **kwargs)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """Returns the mask of the outputs; by default that of the inputs."""
        return previous_mask

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"

    def __str__(self) -> str:
        return repr(self)


_PLAIN_TYPES = frozenset({bool, int, float, str, type(None)})


def _all_plain(kwargs: dict[str, Any]) -> bool:
    return all(type(x) in _PLAIN_TYPES for x in kwargs.values())


def _is_shape(shape: Any) -> bool:
    return isinstance(shape, (list, tuple)) and all(d is None or isinstance(d, int) for d in shape)


def overrides_compute_mask(layer: Layer) -> bool:
    """Returns whether the class of `layer` has a `compute_mask` of its own."""
    return type(layer).compute_mask is not Layer.compute_mask
