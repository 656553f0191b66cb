"""InputSpec: what a layer requires of its inputs, and the check of a call against it."""

from __future__ import annotations

from typing import Any

from pronghorn import tree


class InputSpec:
    """Rank, shape and dtype that a layer requires of an input.

    Args:
        dtype: Dtype name.
        shape: Shape, `None` where any size does.
        ndim: Rank.
        max_ndim: Largest rank.
        min_ndim: Smallest rank.
        axes: Sizes by axis.
        allow_last_axis_squeeze: Whether a last axis of size 1 may be missing or surplus.
        name: Key of the input in a dict of inputs.
        optional: Whether the input may be None.

    Example:

    >>> import pronghorn as keras
    >>> keras.layers.InputSpec(min_ndim=2, axes={-1: 3})
    InputSpec(min_ndim=2, axes={-1: 3})
    """

    def __init__(
        self,
        dtype: Any = None,
        shape: Any = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: dict[int, int | None] | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ) -> None:
        self.dtype = None
        if dtype is not None:
            from pronghorn.dtypes import standardize_dtype

            self.dtype = standardize_dtype(dtype)
        self.shape: tuple[int | None, ...] | None = None
        self.ndim = ndim
        if shape is not None:
            from pronghorn.ops.keras_tensor import standardize_shape

            self.shape = standardize_shape(shape)
            self.ndim = len(self.shape)
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.name = name
        self.optional = optional
        self.allow_last_axis_squeeze = allow_last_axis_squeeze
        try:
            self.axes = {int(k): axes[k] for k in axes} if axes else {}
        except (ValueError, TypeError) as e:
            raise TypeError(
                f"Argument `axes` must be a dict with integer keys. Received: axes={axes}"
            ) from e
        bound = self.ndim if self.ndim is not None else self.max_ndim
        if self.axes and bound is not None and max(self.axes) > bound - 1:
            raise ValueError(
                f"Axis {max(self.axes)} is greater than the maximum allowed value: {bound - 1}"
            )

    def __repr__(self) -> str:
        parts = [
            f"{name}={getattr(self, name)}"
            for name in ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes")
            if getattr(self, name) not in (None, {})
        ]
        return f"InputSpec({', '.join(parts)})"

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            "dtype": self.dtype,
            "shape": self.shape,
            "ndim": self.ndim,
            "max_ndim": self.max_ndim,
            "min_ndim": self.min_ndim,
            "axes": self.axes,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> InputSpec:
        """Returns the InputSpec that `get_config` described."""
        return cls(**config)


def assert_input_compatibility(input_spec: Any, inputs: Any, layer: Any) -> None:
    """Raises unless `inputs` meet `input_spec`.

    Args:
        input_spec: `InputSpec` or a structure of them, as a layer's `input_spec`.
        inputs: First argument of the layer's call.
        layer: The layer, for errors.

    Raises:
        ValueError: Wrong number of inputs, rank, shape or dtype.
    """
    if not input_spec:
        return
    who = f"{type(layer).__name__} '{layer.name}'"
    if isinstance(input_spec, InputSpec) and hasattr(inputs, "shape"):
        _check(inputs, input_spec, 0, who)
        return
    specs = tree.flatten(input_spec)
    if isinstance(inputs, dict) and all(spec.name is not None for spec in specs):
        names = [spec.name for spec in specs]
        missing = [n for n in names if n not in inputs]
        if missing:
            raise ValueError(
                f"{who}: Missing data for input '{missing[0]}'. You passed a data dictionary with "
                f"keys {list(inputs.keys())}. Expected the following keys: {names}"
            )
        flat = [inputs[n] for n in names]
    else:
        flat = [inputs] if inputs is None else tree.flatten(inputs)
    if len(flat) != len(specs):
        raise ValueError(
            f"Layer '{layer.name}' expected {len(specs)} input(s). Received {len(flat)} instead: "
            f"{type(layer).__name__} was called on inputs of shapes "
            f"{[getattr(x, 'shape', x) for x in flat]}."
        )
    for index, (x, spec) in enumerate(zip(flat, specs)):
        if spec is not None:
            _check(x, spec, index, who)


def _check(x: Any, spec: InputSpec, index: int, who: str) -> None:
    if x is None:
        if spec.optional:
            return
        raise ValueError(f"{who}: input {index} is missing. Received: None.")
    if not hasattr(x, "shape"):
        raise ValueError(
            f"{who}: Inputs to a layer should be tensors. Received: '{x}' (of type {type(x)}) as "
            f"input {index}."
        )
    shape = tuple(x.shape)
    ndim = len(shape)
    if spec.ndim is not None and not spec.allow_last_axis_squeeze and ndim != spec.ndim:
        raise ValueError(
            _message(who, f"expected rank {spec.ndim}{_axis_names(who, spec.ndim)}", shape)
        )
    if spec.max_ndim is not None and ndim > spec.max_ndim:
        raise ValueError(_message(who, f"expected rank at most {spec.max_ndim}", shape))
    if spec.min_ndim is not None and ndim < spec.min_ndim:
        raise ValueError(_message(who, f"expected rank at least {spec.min_ndim}", shape))
    if spec.dtype is not None and x.dtype != spec.dtype:
        raise ValueError(f"{who}: expected dtype {spec.dtype}. Received: dtype={x.dtype}.")
    for axis, size in spec.axes.items():
        if size is not None and not -ndim <= axis < ndim:
            raise ValueError(_message(who, f"expected an axis {axis} of size {size}", shape))
        if size is not None and shape[axis] not in (size, None):
            what = f"{_INCOMPATIBLE}: expected axis {axis} of size {size}"
            raise ValueError(_message(who, what, shape))
    if spec.shape is not None:
        _check_shape(shape, spec, who)


def _check_shape(shape: tuple[Any, ...], spec: InputSpec, who: str) -> None:
    expected, found = spec.shape, shape
    assert expected is not None
    if spec.allow_last_axis_squeeze:
        if found and found[-1] == 1:
            found = found[:-1]
        if expected and expected[-1] == 1:
            expected = expected[:-1]
    compatible = len(expected) == len(found) and all(
        a is None or b is None or a == b for a, b in zip(expected, found)
    )
    if not compatible:
        raise ValueError(
            f"{who}: {_INCOMPATIBLE}: expected shape={spec.shape}, found shape={shape}."
        )


_INCOMPATIBLE = "the input is incompatible with the layer"
_RECURRENT = ("LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional")
_AXIS_NAMES = {
    "1D": "(batch, steps, channels)",
    "2D": "(batch, height, width, channels)",
    "3D": "(batch, depth, height, width, channels)",
}


def _axis_names(who: str, ndim: int) -> str:
    class_name = who.split(" ", 1)[0]
    if class_name in _RECURRENT and ndim == 3:
        return " (batch, timesteps, features)"
    for suffix, names in _AXIS_NAMES.items():
        if suffix in class_name and names.count(",") + 1 == ndim:
            return f" {names}"
    return ""


def _rank_hint(who: str, expected: int, found: int) -> str:
    class_name = who.split(" ", 1)[0]
    if class_name in _RECURRENT and found > expected:
        return " Add a Reshape or TimeDistributed(Flatten()) before it."
    if _axis_names(who, expected):
        return " Add a Reshape."
    return ""


def _message(who: str, expected: str, shape: tuple[Any, ...]) -> str:
    return f"{who}: {expected}. Received: shape={shape}."
