"""Batch renormalization: the correction of a batch's statistics towards moving ones.

Source: Ioffe, "Batch Renormalization: Towards Reducing Minibatch Dependence in Batch-Normalized
Models", 2017, section 3.
"""

from __future__ import annotations

from typing import Any

from pronghorn import ops

_KEYS = ("rmax", "rmin", "dmax")


def check_clipping(clipping: dict[str, float] | None) -> dict[str, float]:
    """Returns the limits of the correction as a dict.

    Raises:
        ValueError: If a key is unknown, `rmin` is negative, `rmax` below `rmin` or `dmax` negative.
    """
    clipping = dict(clipping or {})
    unknown = sorted(set(clipping) - set(_KEYS))
    start = "BatchNormalization: renorm_clipping: "
    if unknown:
        raise ValueError(
            f"{start}Received invalid keys: {unknown}. The keys are {', '.join(_KEYS)}."
        )
    rmax, rmin, dmax = (clipping.get(k) for k in _KEYS)
    if rmin is not None and rmin < 0:
        raise ValueError(f"{start}rmin should be non-negative. Received: rmin={rmin}.")
    if rmax is not None and rmax <= 0:
        raise ValueError(f"{start}rmax should be positive. Received: rmax={rmax}.")
    if rmax is not None and rmin is not None and rmax < rmin:
        raise ValueError(
            f"{start}rmax should be greater than or equal to rmin. "
            f"Received: rmax={rmax}, rmin={rmin}."
        )
    if dmax is not None and dmax < 0:
        raise ValueError(f"{start}dmax should be non-negative. Received: dmax={dmax}.")
    return clipping


def renorm_correction(
    mean: Any, stddev: Any, moving_mean: Any, moving_stddev: Any, clipping: Any
) -> tuple[Any, Any]:
    """Returns r and d, constants for the gradient.

    `r = stddev / moving_stddev`, clipped to `[rmin, rmax]`;
    `d = (mean - moving_mean) / moving_stddev`, clipped to `[-dmax, dmax]`.
    """
    limits = clipping or {}
    r = ops.divide(stddev, moving_stddev)
    d = ops.divide(ops.subtract(mean, moving_mean), moving_stddev)
    rmin, rmax, dmax = limits.get("rmin"), limits.get("rmax"), limits.get("dmax")
    if rmin is not None:
        r = ops.maximum(r, rmin)
    if rmax is not None:
        r = ops.minimum(r, rmax)
    if dmax is not None:
        d = ops.minimum(ops.maximum(d, -dmax), dmax)
    return ops.stop_gradient(r), ops.stop_gradient(d)
