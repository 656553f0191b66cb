"""Limits on gradients: by value, by the norm of each, by the norm of all."""

from __future__ import annotations

from typing import Any

from pronghorn import ops


class Clipping:
    """Part of `Optimizer` that limits gradients."""

    clipnorm: float | None
    clipvalue: float | None
    global_clipnorm: float | None

    def _init_clipping(
        self, clipnorm: float | None, clipvalue: float | None, global_clipnorm: float | None
    ) -> None:
        limits = {"clipnorm": clipnorm, "clipvalue": clipvalue, "global_clipnorm": global_clipnorm}
        given = {name: value for name, value in limits.items() if value is not None}
        if len(given) > 1:
            raise ValueError(
                "Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set. Received: "
                f"clipnorm={clipnorm}, clipvalue={clipvalue}, global_clipnorm={global_clipnorm}."
            )
        for name, value in given.items():
            if value <= 0:
                raise ValueError(f"`{name}` must be positive. Received: {name}={value}.")
        self.clipnorm = clipnorm
        self.clipvalue = clipvalue
        self.global_clipnorm = global_clipnorm

    def _clip_gradients(self, grads: list[Any]) -> list[Any]:
        if self.clipnorm is not None:
            return [clip_by_norm(g, self.clipnorm) for g in grads]
        if self.global_clipnorm is not None:
            return clip_by_global_norm(grads, self.global_clipnorm)
        if self.clipvalue is not None:
            return [ops.clip(g, -self.clipvalue, self.clipvalue) for g in grads]
        return grads

    def _clip_by_norm(self, values: Any, axes: Any = None) -> Any:
        return clip_by_norm(values, self.clipnorm, axes)


def clip_by_norm(x: Any, clip_norm: Any, axes: Any = None) -> Any:
    """Returns `x`, scaled down where its Euclidean norm exceeds `clip_norm`."""
    x = ops.convert_to_tensor(x)
    norm = ops.sqrt(ops.sum(ops.square(x), axis=axes, keepdims=True))
    return x * (clip_norm / ops.maximum(norm, clip_norm))


def global_norm(values: list[Any]) -> Any:
    """Returns the Euclidean norm of all elements of all tensors."""
    total: Any = None
    for value in values:
        squares = ops.cast(ops.sum(ops.square(value)), "float32")
        total = squares if total is None else total + squares
    return ops.sqrt(total)


def clip_by_global_norm(values: list[Any], clip_norm: float) -> list[Any]:
    """Returns tensors scaled down together where their common norm exceeds `clip_norm`.

    A norm that is not finite gives NaN, so that it is noticed.
    """
    values = [ops.convert_to_tensor(v) for v in values]
    norm = global_norm(values)
    scale = clip_norm / ops.maximum(norm, clip_norm) + (norm - norm)
    return [v * ops.cast(scale, v.dtype) for v in values]
