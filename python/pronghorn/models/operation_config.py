"""Configs of functions of `ops` in functional models, in the form that Keras gives them.

Keras has a class for each function. Its constructor takes the options and its call the tensors, so
`ops.sum(x, axis=1)` is class `Sum`, config `{"axis": 1}`, called on `x`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from pronghorn.naming import to_snake_case
from pronghorn.ops.operation import FunctionOperation, function_operation
from pronghorn.ops.symbolic import any_symbolic_tensors

# Where Keras keeps the classes; all others are in `keras.src.ops.numpy`.
_MODULES = {
    "nn": (
        "relu relu6 sigmoid sparse_sigmoid softplus softsign soft_shrink sparse_plus silu "
        "squareplus log_sigmoid leaky_relu hard_sigmoid hard_silu hard_tanh hard_shrink "
        "tanh_shrink elu selu celu gelu glu softmax log_softmax sparsemax threshold max_pool "
        "average_pool adaptive_average_pool adaptive_max_pool conv depthwise_conv separable_conv "
        "conv_transpose one_hot multi_hot binary_crossentropy categorical_crossentropy "
        "sparse_categorical_crossentropy moments batch_normalization layer_normalization "
        "rms_normalization normalize psnr dot_product_attention ctc_loss ctc_decode polar "
        "fold unfold depth_to_space space_to_depth"
    ),
    "core": (
        "cast saturate_cast stop_gradient scatter scatter_update slice slice_update unstack "
        "while_loop fori_loop map scan associative_scan switch cond vectorized_map "
        "convert_to_tensor"
    ),
    "math": (
        "segment_sum segment_max segment_min segment_prod top_k in_top_k logsumexp logdet rsqrt "
        "extract_sequences fft fft2 ifft2 rfft irfft stft istft erf erfc erfinv cdist"
    ),
    "linalg": (
        "cholesky cholesky_inverse det eig eigh inv lu_factor matrix_rank norm pinv qr svd lstsq "
        "solve solve_triangular jvp"
    ),
}
_CLASS_NAMES = {
    "allclose": "AllClose",
    "batch_normalization": "BatchNorm",
    "cdist": "CDist",
    "isin": "IsIn",
    "layer_normalization": "LayerNorm",
    "rms_normalization": "RMSNorm",
    "searchsorted": "SearchSorted",
}
_FUNCTION_NAMES = {v: k for k, v in _CLASS_NAMES.items()}
# How many of a function's leading arguments are those of the call, where it is not one.
_CALL_COUNTS = {
    2: (
        "add allclose append arctan2 bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift "
        "bitwise_xor correlate cross digitize divide divide_no_nan dot equal floor_divide fmax "
        "fmin fmod full_like gcd geomspace get_item greater greater_equal heaviside hypot inner "
        "isin kron lcm ldexp left_shift less less_equal linspace logaddexp logaddexp2 logical_and "
        "logical_or logical_xor logspace matmul maximum minimum mod multiply nanpercentile "
        "nanquantile nextafter not_equal outer percentile power quantile right_shift searchsorted "
        "subtract take take_along_axis tensordot true_divide vdot binary_crossentropy "
        "categorical_crossentropy conv conv_transpose ctc_decode depthwise_conv polar psnr "
        "rms_normalization sparse_categorical_crossentropy associative_scan map scatter slice "
        "cdist in_top_k segment_max segment_min segment_prod segment_sum lstsq solve "
        "solve_triangular"
    ),
    3: "arange select where separable_conv cond layer_normalization scan scatter_update "
    "slice_update switch",
    4: "isclose ctc_loss",
    5: "batch_normalization",
    6: "dot_product_attention",
}
# Arguments of the call that are not the function's leading ones.
_CALL_NAMES = {
    "average": ("x", "weights"),
    "full": ("fill_value",),
    "pad": ("x", "constant_values"),
}


@functools.cache
def _call_count(name: str) -> int:
    for count, names in _CALL_COUNTS.items():
        if name in names.split():
            return count
    return 1


@functools.cache
def _module(name: str) -> str:
    for module, names in _MODULES.items():
        if name in names.split():
            return f"keras.src.ops.{module}"
    return "keras.src.ops.numpy"


def is_operation_config(config: dict[str, Any]) -> bool:
    """Returns whether `config` describes a function of `ops` rather than a layer."""
    module = config.get("module") or ""
    return module.startswith(("keras.src.ops", "keras.ops", "pronghorn.ops"))


def split_arguments(
    operation: FunctionOperation, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[dict[str, Any], tuple[Any, ...], dict[str, Any]]:
    """Returns the config of an operation, and the positional and keyword arguments of its call.

    Args:
        operation: The operation.
        args: Positional arguments as the function was called with.
        kwargs: Keyword arguments, alike.
    """
    function = type(operation).function
    name = function.__name__
    if name == "einsum":
        return {"name": operation.name, "subscripts": args[0]}, args[1:], kwargs
    given = {**operation.arguments, **kwargs}
    try:
        bound = inspect.signature(function).bind(*args, **given).arguments
    except TypeError:
        return operation.get_config(), args, kwargs
    parameters = list(inspect.signature(function).parameters)
    call_names = _CALL_NAMES.get(name) or tuple(parameters[: _call_count(name)])
    call_args: list[Any] = []
    for key in call_names:
        if key not in bound:
            break
        call_args.append(bound.pop(key))
    # A tensor among the options has to stay with the call, which Keras would not have.
    call_kwargs = {k: v for k, v in bound.items() if k in call_names or any_symbolic_tensors(v)}
    options = {k: v for k, v in bound.items() if k not in call_kwargs}
    return {"name": operation.name, **options}, tuple(call_args), call_kwargs


def operation_config(operation: FunctionOperation, config: dict[str, Any]) -> dict[str, Any]:
    """Returns the description of an operation with the given config."""
    from pronghorn.saving import serialize_keras_object

    name = type(operation).function.__name__
    class_name = _CLASS_NAMES.get(name, type(operation).__name__)
    return {
        "module": _module(name),
        "class_name": class_name,
        "config": {k: serialize_keras_object(v) for k, v in config.items()},
        "registered_name": class_name,
    }


def operation_from_config(config: dict[str, Any], custom_objects: Any = None) -> FunctionOperation:
    """Returns the operation that `operation_config`, or Keras, described.

    Raises:
        ValueError: There is no such function in `pronghorn.ops`.
    """
    from pronghorn.saving import deserialize_keras_object

    function = _find_function(config["class_name"])
    arguments = {
        k: deserialize_keras_object(v, custom_objects=custom_objects)
        for k, v in config["config"].items()
    }
    # What a class of Keras keeps for itself is no argument of the function.
    names = inspect.signature(function).parameters
    arguments = {k: v for k, v in arguments.items() if k == "name" or k in names}
    operation: FunctionOperation = function_operation(function)(**arguments)
    return operation


def call_arguments(
    operation: FunctionOperation, args: list[Any], kwargs: dict[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """Returns the arguments of a call that a config described, as the function takes them."""
    name = type(operation).function.__name__
    if name == "einsum" and "subscripts" in operation.arguments:
        return [operation.arguments.pop("subscripts"), *args], kwargs
    if name in _CALL_NAMES:
        return [], {**dict(zip(_CALL_NAMES[name], args)), **kwargs}
    return args, kwargs


def _find_function(class_name: str) -> Callable[..., Any]:
    from pronghorn import ops
    from pronghorn.ops import symbolic

    name = _FUNCTION_NAMES.get(class_name) or to_snake_case(class_name)
    if name == "get_item":
        return symbolic._get_item
    found = getattr(ops, name, None)
    if found is None:  # the names differ in underscores only
        spellings = {n.replace("_", ""): n for n in dir(ops) if not n.startswith("_")}
        found = getattr(ops, spellings.get(class_name.lower(), ""), None)
    if found is None:
        found = getattr(getattr(ops, "image", None), name, None)
    if found is None:
        raise ValueError(f"pronghorn.ops: no function for the operation. Received: {class_name}.")
    function: Callable[..., Any] = getattr(found, "_op_function", found)
    return function
