"""Cases of reductions, softmax, losses and normalization."""

from __future__ import annotations

from typing import Any

import numpy as np

from op_cases.case import Arg, ErrorCase, OpCase

_X = Arg((5, 6, 19))
_BENCH = (((1024, 1024),), ((32, 28, 28, 64),))
_WRONG_AXIS = (ErrorCase((_X,), {"axes": [5], "keepdims": False}, ValueError, "ax"),)


def _over(function: Any) -> Any:
    return lambda x, axes, keepdims: function(x, axis=tuple(axes), keepdims=keepdims)


def _same_dtype(function: Any) -> Any:
    return lambda x, axes, keepdims: function(x, axis=tuple(axes), keepdims=keepdims, dtype=x.dtype)


def _arg(function: Any) -> Any:
    return lambda x, axis, keepdims: function(x, axis=axis, keepdims=keepdims).astype(np.int32)


def _reductions() -> list[OpCase]:
    cases = []
    functions = {"sum": np.sum, "mean": np.mean, "prod": np.prod, "max": np.max, "min": np.min}
    for name, function in functions.items():
        for axes, keepdims in (((2,), False), ((0,), False), ((0, 2), True), ((0, 1, 2), False)):
            count = int(np.prod([_X.shape[a] for a in axes]))
            x = _X if name != "prod" else Arg(_X.shape, low=0.8, high=1.2)
            sums = name in ("sum", "mean", "prod")
            attrs = {"axes": list(axes), "keepdims": keepdims}
            cases.append(
                OpCase(
                    f"reduce_{name}",
                    _over(function),
                    (x,),
                    attrs,
                    dtypes=("float32", "float16", "bfloat16") if name != "prod" else ("float32",),
                    reduction=count if sums else 1,
                    scale=None if name != "prod" else 1.2**20,
                    errors=_WRONG_AXIS,
                    bench=_BENCH if axes == (0,) else (),
                    name="-".join(map(str, axes)),
                )
            )
        if name != "mean":
            reference = (_same_dtype if name in ("sum", "prod") else _over)(function)
            for dtype in ("int32", "uint8"):
                x = Arg((5, 6), dtype, 1, 3)
                attrs = {"axes": [1], "keepdims": False}
                cases.append(
                    OpCase(f"reduce_{name}", reference, (x,), attrs, gradient=(), name=dtype)
                )
    for name, function in (("any", np.any), ("all", np.all)):
        x = Arg((40, 3), "bool")
        attrs = {"axes": [1], "keepdims": False}
        cases.append(OpCase(f"reduce_{name}", _over(function), (x,), attrs, gradient=()))
    for name, function in (("argmax", np.argmax), ("argmin", np.argmin)):
        for axis in (0, 2):
            attrs = {"axis": axis, "keepdims": axis == 0}
            cases.append(
                OpCase(name, _arg(function), (_X,), attrs, gradient=(), name=f"axis-{axis}")
            )
        ties = Arg((9, 8), "int32", 0, 3)
        attrs = {"axis": 1, "keepdims": False}
        cases.append(OpCase(name, _arg(function), (ties,), attrs, gradient=(), name="ties"))
    return cases


def _log_softmax(x: np.ndarray, axis: int = -1) -> np.ndarray:
    x = x - x.max(axis=axis, keepdims=True)
    return x - np.log(np.exp(x).sum(axis=axis, keepdims=True))


def _softmax(x: np.ndarray, axis: int = -1) -> np.ndarray:
    return np.exp(_log_softmax(x, axis))


def _sparse_loss(x: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return -np.take_along_axis(_log_softmax(x), labels[..., None], -1)[..., 0]


def _q(p: np.ndarray, epsilon: float) -> np.ndarray:
    return np.clip(p / p.sum(-1, keepdims=True), epsilon, 1 - epsilon)


def _one_hot(labels: np.ndarray, n: int) -> np.ndarray:
    return (labels[..., None] == np.arange(n)).astype(np.float64)


def _losses() -> list[OpCase]:
    x, labels = Arg((6, 4, 11), low=-4, high=4), Arg((6, 4), "int32", 0, 11)
    target = Arg((6, 4, 11), low=0, high=1)
    probs = Arg((6, 4, 11), low=0.05, high=1)
    dloss, epsilon = Arg((6, 4)), {"epsilon": 1e-7}
    shapes = ErrorCase((x, Arg((6, 5), "int32", 0, 2)), {}, ValueError, "softmax_cross_entropy")
    cases = []
    for name, function in (("softmax", _softmax), ("log_softmax", _log_softmax)):
        for axis in (2, 0):
            cases.append(
                OpCase(
                    name,
                    function,
                    (x,),
                    {"axis": axis},
                    reduction=x.shape[axis],
                    scale=1.0,
                    dtypes=("float32", "float16", "bfloat16")
                    if name == "softmax"
                    else ("float32",),
                    name=f"axis-{axis}",
                    bench=(((32, 32, 1000),),),
                    factor=8.0,
                )
            )
    cases += [
        OpCase(
            "softmax_grad",
            lambda y, dy: y * (dy - (y * dy).sum(-1, keepdims=True)),
            (target, x),
            reduction=11,
            scale=4.0,
        ),
        OpCase(
            "sparse_softmax_cross_entropy",
            _sparse_loss,
            (x, labels),
            reduction=11,
            errors=(shapes,),
            bench=(((128, 10), (128,)),),
        ),
        OpCase(
            "sparse_softmax_cross_entropy_grad",
            lambda x, i, d: (np.exp(_log_softmax(x)) - _one_hot(i, 11)) * d[..., None],
            (x, labels, dloss),
            reduction=11,
        ),
        OpCase(
            "softmax_cross_entropy",
            lambda x, t: -(t * _log_softmax(x)).sum(-1),
            (x, target),
            reduction=11,
            bench=(((128, 10), (128, 10)),),
        ),
        OpCase(
            "softmax_cross_entropy_grad",
            lambda x, t, d: (np.exp(_log_softmax(x)) * t.sum(-1, keepdims=True) - t) * d[..., None],
            (x, target, dloss),
            reduction=11,
        ),
        OpCase(
            "sparse_cross_entropy",
            lambda p, i, epsilon: (
                -np.log(np.take_along_axis(_q(p, epsilon), i[..., None], -1)[..., 0])
            ),
            (probs, labels),
            epsilon,
            reduction=11,
        ),
        OpCase(
            "cross_entropy",
            lambda p, t, epsilon: -(t * np.log(_q(p, epsilon))).sum(-1),
            (probs, target),
            epsilon,
            reduction=11,
            scale=4.0,
        ),
    ]
    return cases


def _batch_norm(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, epsilon: float):
    axes = tuple(range(x.ndim - 1))
    mean, variance = x.mean(axes), x.var(axes)
    return (x - mean) / np.sqrt(variance + epsilon) * gamma + beta, mean, variance


def _batch_norm_grad(
    x: np.ndarray,
    gamma: np.ndarray,
    mean: np.ndarray,
    variance: np.ndarray,
    dy: np.ndarray,
    epsilon: float,
):
    axes = tuple(range(x.ndim - 1))
    rstd = 1 / np.sqrt(variance + epsilon)
    hat = (x - mean) * rstd
    dgamma, dbeta = (dy * hat).sum(axes), dy.sum(axes)
    n = x.size // x.shape[-1]
    return gamma * rstd * (dy - (dbeta + hat * dgamma) / n), dgamma, dbeta


def _layer_norm(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, epsilon: float):
    mean = x.mean(-1)
    rstd = 1 / np.sqrt(x.var(-1) + epsilon)
    return (x - mean[..., None]) * rstd[..., None] * gamma + beta, mean, rstd


def _layer_norm_grad(
    x: np.ndarray, gamma: np.ndarray, mean: np.ndarray, rstd: np.ndarray, dy: np.ndarray
):
    axes = tuple(range(x.ndim - 1))
    hat = (x - mean[..., None]) * rstd[..., None]
    g = dy * gamma
    dx = g - g.mean(-1, keepdims=True) - hat * (g * hat).mean(-1, keepdims=True)
    return dx * rstd[..., None], (dy * hat).sum(axes), dy.sum(axes)


def _rms_norm(x: np.ndarray, gamma: np.ndarray, epsilon: float):
    rstd = 1 / np.sqrt((x * x).mean(-1) + epsilon)
    return x * rstd[..., None] * gamma, rstd


def _rms_norm_grad(x: np.ndarray, gamma: np.ndarray, rstd: np.ndarray, dy: np.ndarray):
    hat = x * rstd[..., None]
    g = dy * gamma
    dx = (g - hat * (g * hat).mean(-1, keepdims=True)) * rstd[..., None]
    return dx, (dy * hat).sum(tuple(range(x.ndim - 1)))


def _normalizations() -> list[OpCase]:
    c, n = 7, 30
    x, v, positive = Arg((5, 6, c)), Arg((c,)), Arg((c,), low=0.5, high=2)
    rows, rpos = Arg((5, 6)), Arg((5, 6), low=0.5, high=2)
    epsilon = {"epsilon": 1e-3}
    bench = (((32, 28, 28, 64), (64,), (64,)),)
    # the derivatives of the grad ops are those of a formula; only first derivatives are promised
    return [
        OpCase(
            "batch_norm",
            _batch_norm,
            (x, v, v),
            epsilon,
            reduction=n,
            bench=bench,
            errors=(ErrorCase((x, Arg((3,)), v), epsilon, ValueError, "batch_norm"),),
        ),
        OpCase(
            "batch_norm_grad",
            _batch_norm_grad,
            (x, v, v, positive, x),
            epsilon,
            gradient=(),
            reduction=n,
            scale=8.0,
        ),
        OpCase(
            "layer_norm",
            _layer_norm,
            (x, v, v),
            epsilon,
            reduction=c,
            scale=16.0,
            bench=(((512, 256), (256,), (256,)),),
        ),
        OpCase(
            "layer_norm_grad",
            _layer_norm_grad,
            (x, v, rows, rpos, x),
            gradient=(),
            reduction=n,
            scale=16.0,
        ),
        OpCase("rms_norm", _rms_norm, (x, v), epsilon, reduction=c, scale=16.0),
        OpCase(
            "rms_norm_grad", _rms_norm_grad, (x, v, rpos, x), gradient=(), reduction=n, scale=16.0
        ),
    ]


CASES = [*_reductions(), *_losses(), *_normalizations()]
