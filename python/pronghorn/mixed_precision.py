"""Mixed precision: layers compute in 16 bits and keep their weights in float32.

`set_global_policy("mixed_bfloat16")` before a model is made is all that it takes.
"""

from __future__ import annotations

from pronghorn.dtype_policies import DTypePolicy, dtype_policy, set_dtype_policy
from pronghorn.optimizers import LossScaleOptimizer

Policy = DTypePolicy
global_policy = dtype_policy
set_global_policy = set_dtype_policy

__all__ = [
    "DTypePolicy",
    "LossScaleOptimizer",
    "Policy",
    "dtype_policy",
    "global_policy",
    "set_dtype_policy",
    "set_global_policy",
]
