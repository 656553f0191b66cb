"""DTypePolicyMap: dtype policies by layer path."""

from __future__ import annotations

import re
from collections.abc import Iterator, MutableMapping
from typing import Any

from pronghorn.dtype_policies.dtype_policy import DTypePolicy, dtype_policy


class DTypePolicyMap(DTypePolicy, MutableMapping):  # type: ignore[type-arg]
    """A mapping from layer paths to dtype policies, usable as a policy.

    A layer that is given one looks its own path up: the key equal to it, else the one key that, as
    a regular expression, matches the whole path.

    Args:
        default_policy: Policy of paths that no key matches; by default the global one.
        policy_map: Dict of policies by path.
    """

    _is_map = True

    def __init__(self, default_policy: Any = None, policy_map: Any = None) -> None:
        if isinstance(default_policy, DTypePolicyMap):
            raise ValueError("`default_policy` cannot be a `DTypePolicyMap`.")
        if policy_map is not None and not isinstance(policy_map, dict):
            raise TypeError(
                "If specified, `policy_map` must be a dict. "
                f"Received: policy_map={policy_map} (of type {type(policy_map)})"
            )
        from pronghorn import dtype_policies

        self._default_policy_arg = default_policy
        self._default_policy = dtype_policies.get(default_policy)
        self._policy_map: dict[str, DTypePolicy] = {
            k: dtype_policies.get(v) for k, v in (policy_map or {}).items()
        }
        super().__init__(self._default_policy.name)

    @property
    def name(self) -> str:
        """Name with the default policy's in it."""
        return "map_" + self.default_policy.name

    @property
    def default_policy(self) -> DTypePolicy:
        """Policy of the paths that no key matches."""
        if self._default_policy_arg is None:
            return dtype_policy()
        return self._default_policy

    @property
    def variable_dtype(self) -> str:
        """Variable dtype of the default policy."""
        return self.default_policy.variable_dtype

    @property
    def compute_dtype(self) -> str:
        """Compute dtype of the default policy."""
        return self.default_policy.compute_dtype

    @property
    def quantization_mode(self) -> str | None:
        """Quantization of the default policy."""
        return self.default_policy.quantization_mode

    def __getitem__(self, key: str) -> DTypePolicy:
        if key in self._policy_map:
            return self._policy_map[key]
        matching = [k for k in self._policy_map if re.fullmatch(k, key)]
        if len(matching) > 1:
            raise ValueError(
                f"Path '{key}' matches multiple dtype policy specification keys: {matching}. "
                "Please make sure each path only matches at most one dtype policy specification "
                "key in the DTypePolicyMap."
            )
        return self._policy_map[matching[0]] if matching else self.default_policy

    def __setitem__(self, key: str, policy: Any) -> None:
        if key in self._policy_map:
            raise ValueError(
                f"{key} already exist in the DTypePolicyMap with value {self._policy_map[key]}. "
                "Please make sure to not use duplicated keys."
            )
        try:
            from pronghorn import dtype_policies

            self._policy_map[key] = dtype_policies.get(policy)
        except Exception as e:
            raise ValueError(
                "Cannot interpret the assigned value by `keras.dtype_policies.get`. "
                f"Received: {policy} (of type {type(policy)})"
            ) from e

    def __delitem__(self, key: str) -> None:
        del self._policy_map[key]

    def __contains__(self, key: object) -> bool:
        return key in self._policy_map

    def __len__(self) -> int:
        return len(self._policy_map)

    def __iter__(self) -> Iterator[str]:
        return iter(self._policy_map)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        from pronghorn import dtype_policies

        policies = {k: dtype_policies.serialize(p) for k, p in self._policy_map.items()}
        if self._default_policy_arg is not None:
            default = dtype_policies.serialize(self._default_policy)
            return {"default_policy": default, "policy_map": policies}
        # Deferred to the global policy at loading time, as the default is.
        for policy in policies.values():
            name = "source_name" if "source_name" in policy["config"] else "name"
            policy["config"] = {**policy["config"], name: None}
        return {"default_policy": None, "policy_map": policies}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> DTypePolicyMap:
        """Returns the map that `get_config` described."""
        from pronghorn import dtype_policies

        default = config.get("default_policy")
        if isinstance(default, dict):
            default = dtype_policies.deserialize(default)
        return cls(
            default_policy=default,
            policy_map={
                k: dtype_policies.deserialize(v) if isinstance(v, dict) else v
                for k, v in (config.get("policy_map") or {}).items()
            },
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DTypePolicyMap) and self.get_config() == other.get_config()

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        default = self._default_policy.name if self._default_policy_arg is not None else None
        mapping = [(k, p.name) for k, p in self._policy_map.items()]
        return f"<DTypePolicyMap at {hex(id(self))} default_policy={default}, mapping={mapping}>"
