"""Dtype policies: in which dtypes layers compute and keep their weights."""

from __future__ import annotations

from typing import Any

from pronghorn.config_errors import shown
from pronghorn.dtype_policies.dtype_policy import (
    QUANTIZATION_MODES,
    DTypePolicy,
    FloatDTypePolicy,
    dtype_policy,
    set_dtype_policy,
)
from pronghorn.dtype_policies.dtype_policy_map import DTypePolicyMap
from pronghorn.dtype_policies.quantized_dtype_policy import (
    AWQDTypePolicy,
    GPTQDTypePolicy,
    Int4DTypePolicy,
    QuantizedDTypePolicy,
    QuantizedFloat8DTypePolicy,
    quantized_policy,
)

_CLASSES: dict[str, type[DTypePolicy]] = {
    cls.__name__: cls
    for cls in (
        DTypePolicy,
        FloatDTypePolicy,
        DTypePolicyMap,
        QuantizedDTypePolicy,
        QuantizedFloat8DTypePolicy,
        Int4DTypePolicy,
        GPTQDTypePolicy,
        AWQDTypePolicy,
    )
}

__all__ = [
    "AWQDTypePolicy",
    "DTypePolicy",
    "DTypePolicyMap",
    "FloatDTypePolicy",
    "GPTQDTypePolicy",
    "Int4DTypePolicy",
    "QuantizedDTypePolicy",
    "QuantizedFloat8DTypePolicy",
    "deserialize",
    "dtype_policy",
    "get",
    "serialize",
    "set_dtype_policy",
]


def serialize(dtype_policy: DTypePolicy) -> dict[str, Any]:
    """Returns the config of a dtype policy."""
    cls = DTypePolicy if type(dtype_policy) is FloatDTypePolicy else type(dtype_policy)
    return {
        "module": "keras" if cls is DTypePolicy else "keras.dtype_policies",
        "class_name": cls.__name__,
        "config": dtype_policy.get_config(),
        "registered_name": None,
    }


def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
    """Returns the dtype policy that `serialize` described.

    Args:
        config: What `serialize` returned.
        custom_objects: Classes by name.
    """
    cls = {**_CLASSES, **(custom_objects or {})}.get(config.get("class_name", ""))
    if cls is None:
        raise ValueError(
            f"Cannot interpret dtype policy config: expected one of {sorted(_CLASSES)}. "
            f"Received: {shown(config)}."
        )
    return cls.from_config(config["config"])


def get(identifier: Any) -> DTypePolicy:
    """Returns a dtype policy.

    Args:
        identifier: A policy, its config, its name, a dtype, or `None` for the global policy.

    Raises:
        ValueError: `identifier` is none of these, or a quantized policy.
    """
    if identifier is None:
        return dtype_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, dict):
        return deserialize(identifier)  # type: ignore[no-any-return]
    if isinstance(identifier, str):
        # "int8" is a plain dtype, "int8_from_float32" and "int8_..." ask for quantization.
        if identifier.startswith(QUANTIZATION_MODES) and "_" in identifier:
            return quantized_policy(identifier)
        return DTypePolicy(identifier)
    from pronghorn.dtypes import standardize_dtype

    try:
        return DTypePolicy(standardize_dtype(identifier))
    except ValueError:
        raise ValueError(
            "Cannot interpret `dtype` argument. Expected a string or an instance of DTypePolicy. "
            f"Received: dtype={identifier}"
        ) from None
