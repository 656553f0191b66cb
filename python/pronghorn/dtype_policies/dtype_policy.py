"""DTypePolicy: the dtypes that a layer computes in and keeps its weights in."""

from __future__ import annotations

from typing import Any

from pronghorn import config, naming
from pronghorn.dtypes import is_float_dtype, standardize_dtype
from pronghorn.ops.keras_tensor import KerasTensor
from pronghorn.tensor import Tensor, convert_to_tensor
from pronghorn.variable import Variable

QUANTIZATION_MODES = ("int8", "float8", "int4", "gptq", "awq")


class DTypePolicy:
    """Compute dtype and variable dtype of layers.

    Args:
        name: A float dtype for both, or `"mixed_float16"` or `"mixed_bfloat16"`: computation in
            16 bits, weights in float32. `None` stands for the global policy.

    Example:

    >>> import pronghorn as keras
    >>> policy = keras.dtype_policies.DTypePolicy("mixed_bfloat16")
    >>> policy.compute_dtype, policy.variable_dtype
    ('bfloat16', 'float32')
    """

    _is_map = False

    def __init__(self, name: str | None = None) -> None:
        if name is None:
            name = dtype_policy().name
        self._name = name
        self._compute_dtype, self._variable_dtype = self._parse_name(name)
        self._quantization_mode: str | None = None

    def _parse_name(self, name: Any) -> tuple[str, str]:
        if not isinstance(name, str):
            raise TypeError(
                f"'name' must be a string, such as 'mixed_float16'. Received: name={name} (of type "
                f"{type(name)})"
            )
        if name in ("mixed_float16", "mixed_bfloat16"):
            return name.removeprefix("mixed_"), "float32"
        try:
            dtype = standardize_dtype(name)
        except ValueError:
            raise ValueError(
                f"Cannot convert '{name}' to a {type(self).__name__}. Valid policies include "
                "'mixed_float16', 'mixed_bfloat16', 'float32', 'float16', 'bfloat16', 'int8', ..."
            ) from None
        return dtype, dtype

    @property
    def variable_dtype(self) -> str:
        """Dtype of the weights."""
        return self._variable_dtype

    @property
    def compute_dtype(self) -> str:
        """Dtype that floating inputs are cast to."""
        return self._compute_dtype

    @property
    def name(self) -> str:
        """Name that makes the same policy."""
        return self._name

    @property
    def quantization_mode(self) -> str | None:
        """How the weights are quantized; None here."""
        return self._quantization_mode

    def convert_input(self, x: Any, autocast: bool, dtype: Any) -> Any:
        """Returns `x` as a layer with this policy takes it.

        Args:
            x: A tensor, KerasTensor, variable or array. Anything else is returned as it is.
            autocast: Whether floating tensors are cast.
            dtype: Dtype name that they are cast to.
        """
        if isinstance(x, (Tensor, Variable)):
            if autocast and x.dtype != dtype and is_float_dtype(x.dtype) and is_float_dtype(dtype):
                return _cast(x, dtype)
            return x
        if isinstance(x, KerasTensor):
            if autocast and x.dtype != dtype and is_float_dtype(x.dtype) and is_float_dtype(dtype):
                return cast_spec(x, dtype)
            return x
        if hasattr(x, "__array__"):
            tensor = convert_to_tensor(x)
            return self.convert_input(tensor, autocast, dtype)
        return x

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> DTypePolicy:
        """Returns the policy that `get_config` described."""
        return cls(**config)

    def __repr__(self) -> str:
        name = "DTypePolicy" if type(self) is FloatDTypePolicy else type(self).__name__
        return f'<{name} "{self._name}">'

    def __eq__(self, other: object) -> bool:
        if isinstance(other, str):
            return self.name == other
        return isinstance(other, DTypePolicy) and self.get_config() == other.get_config()

    def __hash__(self) -> int:
        return hash(self._name)


class FloatDTypePolicy(DTypePolicy):
    """A `DTypePolicy`, under the name that earlier versions of Keras had for it."""


def cast_spec(x: KerasTensor, dtype: str) -> KerasTensor:
    """Returns a KerasTensor of another dtype for shape inference: the graph has no cast."""
    result = KerasTensor(x.shape, dtype, record_history=x.record_history, name=x.name)
    mask = getattr(x, "_keras_mask", None)
    if mask is not None:
        result._keras_mask = mask
    return result


def _cast(x: Any, dtype: str) -> Any:
    from pronghorn import ops

    mask = getattr(x, "_keras_mask", None)
    result = ops.cast(x, dtype)
    if mask is not None:
        result._keras_mask = mask
    return result


class _Global:
    policy: DTypePolicy | None = None


def dtype_policy() -> DTypePolicy:
    """Returns the policy of layers that are given none."""
    if _Global.policy is not None:
        return _Global.policy
    return DTypePolicy(config.floatx())


def set_dtype_policy(policy: Any) -> None:
    """Sets the policy of layers that are given none.

    Args:
        policy: A `DTypePolicy`, its config or its name.
    """
    if not isinstance(policy, DTypePolicy):
        from pronghorn import dtype_policies

        if isinstance(policy, (str, dict)):
            policy = dtype_policies.get(policy)
    if not isinstance(policy, DTypePolicy):
        raise ValueError(
            "Invalid `policy` argument. Expected the name of a policy (such as 'mixed_float16') "
            f"or a `DTypePolicy` instance. Received: policy={policy} (of type {type(policy)})"
        )
    _Global.policy = policy


@naming.on_clear_session
def _reset() -> None:
    _Global.policy = None
