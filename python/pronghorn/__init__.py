"""pronghorn: neural networks on CPUs, under the API that Keras users know.

    import pronghorn as keras
    from pronghorn import layers

Namespaces and classes are imported when they are first used, which keeps the import short.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pronghorn.version import __version__, version

if TYPE_CHECKING:
    from pronghorn import (
        activations,
        backend,
        callbacks,
        config,
        constraints,
        datasets,
        dtype_policies,
        initializers,
        layers,
        losses,
        metrics,
        mixed_precision,
        models,
        onnx,
        ops,
        optimizers,
        preprocessing,
        random,
        regularizers,
        saving,
        tree,
        utils,
        wrappers,
    )
    from pronghorn.compiled_function import function
    from pronghorn.devices import device
    from pronghorn.differentiation import grad, value_and_grad
    from pronghorn.dtype_policies import DTypePolicy, FloatDTypePolicy
    from pronghorn.gradient_tape import GradientTape
    from pronghorn.initializers import Initializer
    from pronghorn.layers import Input, InputSpec, Layer
    from pronghorn.losses import Loss
    from pronghorn.metrics import Metric
    from pronghorn.models import Function, Model, Sequential
    from pronghorn.naming import name_scope
    from pronghorn.ops.keras_tensor import KerasTensor
    from pronghorn.ops.operation import Operation
    from pronghorn.ops.symbolic import SymbolicScope
    from pronghorn.optimizers import Optimizer
    from pronghorn.regularizers import Regularizer
    from pronghorn.stateless_scope import StatelessScope
    from pronghorn.tensor import Tensor
    from pronghorn.variable import Variable

_NAMESPACES = (
    "activations",
    "backend",
    "callbacks",
    "config",
    "constraints",
    "datasets",
    "dtype_policies",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "mixed_precision",
    "models",
    "onnx",
    "ops",
    "optimizers",
    "preprocessing",
    "random",
    "regularizers",
    "saving",
    "tree",
    "utils",
    "wrappers",
)
# Class or function -> the module that it is imported from.
_MODULES = {
    "DTypePolicy": "dtype_policies",
    "FloatDTypePolicy": "dtype_policies",
    "Function": "models",
    "GradientTape": "gradient_tape",
    "Initializer": "initializers",
    "Input": "layers",
    "InputSpec": "layers",
    "KerasTensor": "ops.keras_tensor",
    "Layer": "layers",
    "Loss": "losses",
    "Metric": "metrics",
    "Model": "models",
    "Operation": "ops.operation",
    "Optimizer": "optimizers",
    "Regularizer": "regularizers",
    "Sequential": "models",
    "StatelessScope": "stateless_scope",
    "SymbolicScope": "ops.symbolic",
    "Tensor": "tensor",
    "Variable": "variable",
    "device": "devices",
    "function": "compiled_function",
    "grad": "differentiation",
    "name_scope": "naming",
    "value_and_grad": "differentiation",
}

__all__ = [
    "DTypePolicy",
    "FloatDTypePolicy",
    "Function",
    "GradientTape",
    "Initializer",
    "Input",
    "InputSpec",
    "KerasTensor",
    "Layer",
    "Loss",
    "Metric",
    "Model",
    "Operation",
    "Optimizer",
    "Regularizer",
    "Sequential",
    "StatelessScope",
    "SymbolicScope",
    "Tensor",
    "Variable",
    "__version__",
    "activations",
    "backend",
    "callbacks",
    "config",
    "constraints",
    "datasets",
    "device",
    "dtype_policies",
    "function",
    "grad",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "mixed_precision",
    "models",
    "name_scope",
    "onnx",
    "ops",
    "optimizers",
    "preprocessing",
    "random",
    "regularizers",
    "saving",
    "tree",
    "utils",
    "value_and_grad",
    "version",
    "wrappers",
]


def __getattr__(name: str) -> Any:
    if name in _NAMESPACES:
        return import_module(f"{__name__}.{name}")
    if name in _MODULES:
        found = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
        globals()[name] = found
        return found
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


def __dir__() -> list[str]:
    return __all__
