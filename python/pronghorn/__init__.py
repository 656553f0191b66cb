"""pronghorn: neural networks on CPUs, under the API that Keras users know.

    import pronghorn as keras
    from pronghorn import layers
"""

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
    models,
    ops,
    optimizers,
    random,
    regularizers,
    saving,
    tree,
    utils,
)
from pronghorn import operators as _operators
from pronghorn.dtype_policies import DTypePolicy, FloatDTypePolicy
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
from pronghorn.version import __version__, version

for _class in (Tensor, Variable):
    _operators.install(_class, ops)

__all__ = [
    "DTypePolicy",
    "FloatDTypePolicy",
    "Function",
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
    "dtype_policies",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "models",
    "name_scope",
    "ops",
    "optimizers",
    "random",
    "regularizers",
    "saving",
    "tree",
    "utils",
    "version",
]
