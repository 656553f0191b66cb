"""Policies of quantized layers: read, compared and written in configs, not yet computed with.

A layer that is given one raises when it is built.
"""

from __future__ import annotations

from typing import Any, ClassVar

from pronghorn.dtype_policies.dtype_policy import QUANTIZATION_MODES, DTypePolicy, dtype_policy


class QuantizedDTypePolicy(DTypePolicy):
    """A quantization mode together with the policy of what is not quantized.

    Args:
        mode: `"int8"`, `"int4"`, `"float8"`, `"gptq"` or `"awq"`.
        source_name: Name of the other policy; `None` stands for the global one.
    """

    def __init__(self, mode: str, source_name: str | None = None) -> None:
        if source_name is None:
            source_name = dtype_policy().name
        self._check_mode(mode)
        self._compute_dtype, self._variable_dtype = self._parse_name(source_name)
        if self._compute_dtype == "float16" and mode in ("int8", "int4"):
            raise ValueError(
                f"Quantization mode='{mode}' doesn't work well with compute_dtype='float16'."
            )
        self._name = f"{mode}_from_{source_name}"
        self._source_name: str | None = source_name
        self._quantization_mode = mode.split("/")[0]  # type: ignore[assignment]
        self.mode = mode

    def _check_mode(self, mode: Any) -> None:
        if not isinstance(mode, str) or mode.split("/")[0] not in QUANTIZATION_MODES:
            raise ValueError(
                f"Invalid quantization mode. Expected one of {QUANTIZATION_MODES}. "
                f"Received: mode={mode}"
            )

    def __repr__(self) -> str:
        return f'<{type(self).__name__} "{self._name}">'

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self.get_config() == other.get_config()

    def __hash__(self) -> int:
        return hash(self._name)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {"mode": self.mode, "source_name": self._source_name}


class QuantizedFloat8DTypePolicy(QuantizedDTypePolicy):
    """The policy of float8 layers.

    Args:
        mode: `"float8"`.
        source_name: Name of the policy of what is not quantized.
        amax_history_length: How many past maxima scale the values.
    """

    default_amax_history_length: ClassVar[int] = 1024

    def __init__(
        self, mode: str, source_name: str | None = None, amax_history_length: int = 1024
    ) -> None:
        super().__init__(mode=mode, source_name=source_name)
        if not isinstance(amax_history_length, int):
            raise TypeError(
                "`amax_history_length` must be an integer. "
                f"Received: amax_history_length={amax_history_length}"
            )
        self._amax_history_length = amax_history_length

    @property
    def amax_history_length(self) -> int:
        """How many past maxima scale the values."""
        return self._amax_history_length

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "amax_history_length": self.amax_history_length}


class Int4DTypePolicy(QuantizedDTypePolicy):
    """The policy of int4 layers.

    Args:
        mode: `"int4"` or `"int4/<block size>"`.
        source_name: Name of the policy of what is not quantized.
    """

    def __init__(self, mode: str, source_name: str | None = None) -> None:
        parts = mode.split("/")
        if len(parts) > 2 or parts[0] != "int4":
            raise ValueError(f"Invalid mode. Expected 'int4/<block_size>'. Received: mode={mode}")
        super().__init__(mode=mode, source_name=source_name)
        self.block_size = int(parts[1]) if len(parts) == 2 else None


class _GroupedDTypePolicy(QuantizedDTypePolicy):
    """A mode with a number of bits and a group size, `"<mode>/<bits>/<group size>"`."""

    mode_name: ClassVar[str]
    allowed_bits: ClassVar[tuple[int, ...]]

    def __init__(self, mode: str, source_name: str | None = None) -> None:
        parts = mode.split("/")
        if len(parts) != 3 or parts[0] != self.mode_name:
            raise ValueError(
                f"Invalid mode. Expected '{self.mode_name}/<bits>/<group_size>'. "
                f"Received: mode={mode}"
            )
        bits, group_size = int(parts[1]), int(parts[2])
        if bits not in self.allowed_bits:
            if len(self.allowed_bits) == 1:
                raise ValueError(
                    f"Invalid mode. {self.mode_name.upper()} only supports "
                    f"{self.allowed_bits[0]}-bit weights. Received: mode={mode}"
                )
            raise ValueError(
                f"Invalid mode. Expected bits in {self.allowed_bits}. Received: mode={mode}"
            )
        if group_size < -1 or group_size == 0:
            raise ValueError(
                f"Invalid mode. Expected a group size of -1 or above 0. Received: mode={mode}"
            )
        super().__init__(mode=mode, source_name=source_name)
        self.mode = self.mode_name
        self.weight_bits = bits
        self.group_size = group_size

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        mode = f"{self.mode_name}/{self.weight_bits}/{self.group_size}"
        return {"mode": mode, "source_name": self._source_name}


class GPTQDTypePolicy(_GroupedDTypePolicy):
    """The policy of GPTQ layers.

    Args:
        mode: `"gptq/<bits>/<group size>"`.
        source_name: Name of the policy of what is not quantized.
    """

    mode_name = "gptq"
    allowed_bits = (2, 3, 4, 8)


class AWQDTypePolicy(_GroupedDTypePolicy):
    """The policy of AWQ layers.

    Args:
        mode: `"awq/4/<group size>"`.
        source_name: Name of the policy of what is not quantized.
    """

    mode_name = "awq"
    allowed_bits = (4,)


_CLASS_OF_MODE: dict[str, type[QuantizedDTypePolicy]] = {
    "int8": QuantizedDTypePolicy,
    "int4": Int4DTypePolicy,
    "float8": QuantizedFloat8DTypePolicy,
    "gptq": GPTQDTypePolicy,
    "awq": AWQDTypePolicy,
}


def quantized_policy(name: str) -> QuantizedDTypePolicy:
    """Returns the policy of a name such as `"int8_from_float32"`."""
    parts = name.split("_from_")
    if len(parts) != 2:
        raise ValueError(
            "Cannot convert `policy` into a valid pair (`mode`, `source_name`) to instantiate "
            f"a QuantizedDTypePolicy. Received: policy={name}"
        )
    return _CLASS_OF_MODE[parts[0].split("/")[0]](*parts)
