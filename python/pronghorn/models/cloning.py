"""clone_model: a model with the same layers, new ones, and fresh weights."""

from __future__ import annotations

import copy
from typing import Any

from pronghorn import tree
from pronghorn.layers.core.input_layer import Input, InputLayer
from pronghorn.layers.layer import Layer
from pronghorn.models.functional import Functional
from pronghorn.models.functional_config import functional_config, functional_from_config
from pronghorn.models.model import Model
from pronghorn.models.sequential import Sequential
from pronghorn.ops.keras_tensor import KerasTensor
from pronghorn.optimizers import Optimizer


def clone_model(
    model: Model,
    input_tensors: Any = None,
    clone_function: Any = None,
    call_function: Any = None,
    recursive: bool = False,
    **kwargs: Any,
) -> Any:
    """Returns a model of new layers like those of `model`, with weights of their own.

    Args:
        model: Functional or Sequential model; a subclassed one without `clone_function`.
        input_tensors: KerasTensors to use as inputs, in the structure of the model's.
        clone_function: Called with each layer (not with inputs), returns the layer to use.
        call_function: Called with `(layer, *args, **kwargs)` to call a layer of the new model.
        recursive: Whether `clone_function` applies to the layers of inner models too.

    Returns:
        The new model.

    Example:

    >>> import pronghorn as keras
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    >>> keras.models.clone_model(model).layers[0] is model.layers[0]
    False
    """
    cache = kwargs.pop("cache", None)
    if kwargs:
        raise ValueError(f"Unexpected keyword argument(s): {tuple(kwargs.keys())}")
    cloned = _clone(model, input_tensors, clone_function, call_function, recursive, cache)
    if cache is None and getattr(model, "compiled", False) and not cloned.compiled:
        _compile_alike(model, cloned)
    return cloned


def _compile_alike(model: Model, cloned: Model) -> None:
    settings = model._compile_config
    own = type(model).get_compile_config is not Model.get_compile_config
    if own or settings is None:
        compile_config = model.get_compile_config()
        if compile_config is not None:
            cloned.compile_from_config(compile_config)
        return
    # Not by configs: losses and metrics may be functions that none can name.
    optimizer = settings["optimizer"]
    if isinstance(optimizer, Optimizer):
        optimizer = type(optimizer).from_config(optimizer.get_config())
    cloned.compile(**copy.deepcopy({**settings, "optimizer": optimizer}))


def _clone(
    model: Model,
    input_tensors: Any,
    clone_function: Any,
    call_function: Any,
    recursive: bool,
    cache: Any,
) -> Any:
    if isinstance(model, Sequential):
        # A subclass with a constructor of its own is cloned by its config.
        if clone_function is None and type(model) is not Sequential and input_tensors is None:
            return type(model).from_config(model.get_config())
        if call_function is not None:
            raise ValueError(
                "`call_function` argument is not supported with Sequential models. In a "
                "Sequential model, layers aren't called at model-construction time (they're "
                f"merely listed). Use `call_function` with Functional models only. Received "
                f"model of type '{type(model).__name__}', with call_function={call_function}"
            )
        return _clone_sequential(model, clone_function, input_tensors, recursive, cache)
    if isinstance(model, Functional):
        from pronghorn.models.model import _takes_graph

        if _takes_graph(type(model)) or clone_function or input_tensors is not None:
            return _clone_functional(
                model, clone_function, call_function, input_tensors, recursive, cache
            )
        return type(model).from_config(model.get_config())
    if input_tensors is not None or clone_function is not None or call_function is not None:
        raise ValueError(
            "Arguments `clone_function` and `input_tensors` are only supported for Sequential and "
            f"Functional models. Received model of type '{type(model).__name__}', with "
            f"clone_function={clone_function} and input_tensors={input_tensors}"
        )
    return type(model).from_config(model.get_config())


def _default_clone(layer: Layer) -> Any:
    return type(layer).from_config(layer.get_config())


def _cloner(clone_function: Any, call_function: Any, recursive: bool, cache: Any) -> Any:
    """Returns a function that clones a layer, the same for the same layer."""
    if clone_function is not None and not callable(clone_function):
        raise ValueError(
            "Expected `clone_function` argument to be a callable. "
            f"Received: clone_function={clone_function}"
        )
    made: dict[int, Any] = {} if cache is None else cache
    function = clone_function or _default_clone

    def clone(layer: Any) -> Any:
        if id(layer) not in made:
            if recursive and isinstance(layer, (Functional, Sequential)):
                made[id(layer)] = clone_model(
                    layer,
                    clone_function=clone_function,
                    call_function=call_function if isinstance(layer, Functional) else None,
                    recursive=True,
                    cache=made,
                )
            elif isinstance(layer, InputLayer):
                made[id(layer)] = layer
            elif isinstance(layer, Layer):
                made[id(layer)] = function(layer)
            else:
                made[id(layer)] = type(layer).from_config(layer.get_config())
        return made[id(layer)]

    return clone


def _clone_sequential(
    model: Sequential, clone_function: Any, input_tensors: Any, recursive: bool, cache: Any
) -> Any:
    clone = _cloner(clone_function, None, recursive, cache)
    layers = [clone(layer) for layer in model.layers]
    own_input = model._layers[0] if model._layers else None
    if input_tensors is not None:
        flat = tree.flatten(input_tensors)
        if len(flat) != 1:
            raise ValueError(
                "Argument `input_tensors` must contain a single tensor. "
                f"Received: input_tensors={input_tensors}"
            )
        layers.insert(0, _input_for(flat[0]))
    elif isinstance(own_input, InputLayer):
        fresh = Input(batch_shape=own_input.batch_shape, dtype=own_input.dtype, name=own_input.name)
        layers.insert(0, fresh)
    cloned = Sequential(layers, name=model.name, trainable=True)
    if not model.trainable:
        cloned._trainable = False
    return cloned


def _input_for(x: Any) -> Any:
    if not isinstance(x, KerasTensor):
        raise ValueError(
            "Argument `input_tensors` must be a KerasTensor. "
            f"Received invalid value: input_tensors={x}"
        )
    history = getattr(x, "_keras_history", None)
    if history is not None and isinstance(history.operation, InputLayer):
        return x
    return Input(tensor=x)


def _clone_functional(
    model: Functional,
    clone_function: Any,
    call_function: Any,
    input_tensors: Any,
    recursive: bool,
    cache: Any,
) -> Any:
    clone = _cloner(clone_function, call_function, recursive, cache)
    if input_tensors is not None:
        flat = tree.flatten(input_tensors)
        if not all(isinstance(x, KerasTensor) for x in flat):
            raise ValueError(
                "All entries in `input_tensors` must be KerasTensors. "
                f"Received invalid values: inputs={input_tensors}"
            )
        try:
            tree.assert_same_structure(model._inputs_struct, input_tensors)
        except ValueError as e:
            raise ValueError(
                "`input_tensors` must have the same structure as model.input\nReceived: "
                f"input_tensors={input_tensors}"
            ) from e
        inputs = input_tensors
    else:
        inputs = tree.map_structure(
            lambda x: Input(
                batch_shape=x.shape,
                dtype=x.dtype,
                name=x._keras_history.operation.name,
                optional=x._keras_history.operation.optional,
            ),
            model._inputs_struct,
        )
    call = None
    if call_function is not None:

        def call(operation: Any, *args: Any, **kwargs: Any) -> Any:
            return call_function(clone(operation), *args, **kwargs)

    else:

        def call(operation: Any, *args: Any, **kwargs: Any) -> Any:
            return clone(operation)(*args, **kwargs)

    outputs = model._runner.run(tree.flatten(inputs), call=call)
    from pronghorn.models.model import _takes_graph

    target: Any = type(model) if _takes_graph(type(model)) else Functional
    cloned = target(inputs=inputs, outputs=outputs, name=model.name)
    if not model.trainable:
        cloned._trainable = False
    return cloned


__all__ = ["clone_model", "functional_config", "functional_from_config"]
