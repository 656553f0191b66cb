"""Cases of matrix products, convolutions and pooling, with plain loops for references."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from op_cases.case import Arg, ErrorCase, OpCase, tensor
from pronghorn import _core

_HALF = ("float32", "bfloat16", "float16")


def _matmul(
    a: np.ndarray, b: np.ndarray, transpose_a: bool = False, transpose_b: bool = False
) -> np.ndarray:
    a = np.swapaxes(a, -1, -2) if transpose_a else a
    return a @ (np.swapaxes(b, -1, -2) if transpose_b else b)


def _window(strides: Any, dilations: Any, place: Any, offset: Any, counts: Any) -> tuple[Any, ...]:
    """Returns slices of a padded input: element `offset` of every window."""
    return tuple(
        slice(o * d, o * d + (n - 1) * s + 1, s)
        for o, d, s, n in zip(offset, dilations, strides, counts)
    )


def _counts(
    sizes: Any, window: Any, strides: Any, dilations: Any, low: Any, high: Any
) -> list[int]:
    return [
        (n + a + b - (k - 1) * d - 1) // s + 1
        for n, k, s, d, a, b in zip(sizes, window, strides, dilations, low, high)
    ]


def _padded(x: np.ndarray, low: Any, high: Any, value: float = 0.0) -> np.ndarray:
    widths = [(0, 0), *zip(low, high), (0, 0)]
    return np.pad(x, widths, constant_values=value)


def _conv(
    x: np.ndarray,
    w: np.ndarray,
    strides: Any,
    dilations: Any,
    pads_low: Any,
    pads_high: Any,
    groups: int = 1,
) -> np.ndarray:
    window = w.shape[:-2]
    counts = _counts(x.shape[1:-1], window, strides, dilations, pads_low, pads_high)
    x = _padded(x, pads_low, pads_high)
    ic, oc = w.shape[-2], w.shape[-1] // groups
    y = np.zeros((x.shape[0], *counts, w.shape[-1]))
    for offset in itertools.product(*(range(k) for k in window)):
        part = x[(slice(None), *_window(strides, dilations, None, offset, counts))]
        for g in range(groups):
            y[..., g * oc : (g + 1) * oc] += (
                part[..., g * ic : (g + 1) * ic] @ w[offset][:, g * oc : (g + 1) * oc]
            )
    return y


def _conv_dx(
    dy: np.ndarray,
    w: np.ndarray,
    strides: Any,
    dilations: Any,
    pads_low: Any,
    pads_high: Any,
    input_spatial: Any,
    groups: int = 1,
) -> np.ndarray:
    counts = dy.shape[1:-1]
    ic, oc = w.shape[-2], w.shape[-1] // groups
    sizes = [n + a + b for n, a, b in zip(input_spatial, pads_low, pads_high)]
    dx = np.zeros((dy.shape[0], *sizes, ic * groups))
    for offset in itertools.product(*(range(k) for k in w.shape[:-2])):
        at = (slice(None), *_window(strides, dilations, None, offset, counts))
        for g in range(groups):
            dx[at][..., g * ic : (g + 1) * ic] += (
                dy[..., g * oc : (g + 1) * oc] @ w[offset][:, g * oc : (g + 1) * oc].T
            )
    inner = tuple(slice(a, a + n) for a, n in zip(pads_low, input_spatial))
    return dx[(slice(None), *inner)]


def _conv_dw(
    x: np.ndarray,
    dy: np.ndarray,
    strides: Any,
    dilations: Any,
    pads_low: Any,
    pads_high: Any,
    kernel_spatial: Any,
    groups: int = 1,
) -> np.ndarray:
    counts = dy.shape[1:-1]
    x = _padded(x, pads_low, pads_high)
    ic, oc = x.shape[-1] // groups, dy.shape[-1] // groups
    dw = np.zeros((*kernel_spatial, ic, oc * groups))
    for offset in itertools.product(*(range(k) for k in kernel_spatial)):
        part = x[(slice(None), *_window(strides, dilations, None, offset, counts))]
        for g in range(groups):
            rows = part[..., g * ic : (g + 1) * ic].reshape(-1, ic)
            dw[offset][:, g * oc : (g + 1) * oc] = rows.T @ dy[..., g * oc : (g + 1) * oc].reshape(
                -1, oc
            )
    return dw


def _as_groups(w: np.ndarray) -> np.ndarray:
    return w.reshape(*w.shape[:-2], 1, w.shape[-2] * w.shape[-1])


def _depthwise(x: np.ndarray, w: np.ndarray, **attrs: Any) -> np.ndarray:
    return _conv(x, _as_groups(w), **attrs, groups=x.shape[-1])


def _depthwise_dx(dy: np.ndarray, w: np.ndarray, **attrs: Any) -> np.ndarray:
    return _conv_dx(dy, _as_groups(w), **attrs, groups=w.shape[-2])


def _depthwise_dw(x: np.ndarray, dy: np.ndarray, **attrs: Any) -> np.ndarray:
    c = x.shape[-1]
    dw = _conv_dw(x, dy, **attrs, groups=c)
    return dw.reshape(*dw.shape[:-2], c, -1)


def _pooled(x: np.ndarray, window: Any, strides: Any, pads_low: Any, pads_high: Any, fill: float):
    ones = [1] * len(window)
    counts = _counts(x.shape[1:-1], window, strides, ones, pads_low, pads_high)
    x = _padded(x, pads_low, pads_high, fill)
    return np.stack(
        [
            x[(slice(None), *_window(strides, ones, None, offset, counts))]
            for offset in itertools.product(*(range(k) for k in window))
        ]
    )


def _max_pool(x: np.ndarray, **attrs: Any) -> tuple[np.ndarray, np.ndarray]:
    parts = _pooled(x, **attrs, fill=-np.inf)
    return parts.max(0), parts.argmax(0).astype(np.int32)


def _average_pool(x: np.ndarray, **attrs: Any) -> np.ndarray:
    return np.nanmean(_pooled(x, **attrs, fill=np.nan), axis=0)


def _attrs(strides: Any, dilations: Any, low: Any, high: Any, **more: Any) -> dict[str, Any]:
    return {
        "strides": list(strides),
        "dilations": list(dilations),
        "pads_low": list(low),
        "pads_high": list(high),
        **more,
    }


# name, spatial sizes, window, attributes: stride, dilation, uneven padding, one dimension
_GEOMETRIES: list[tuple[str, tuple[int, ...], tuple[int, ...], dict[str, Any]]] = [
    ("plain", (7, 9), (3, 3), _attrs((1, 1), (1, 1), (0, 0), (0, 0))),
    ("same-stride", (8, 7), (3, 2), _attrs((2, 3), (1, 1), (0, 1), (1, 1))),
    ("dilated", (9, 8), (3, 3), _attrs((1, 1), (2, 1), (2, 1), (2, 1))),
    ("1d", (11,), (4,), _attrs((2,), (1,), (1,), (2,))),
    ("pointwise", (5, 6), (1, 1), _attrs((1, 1), (1, 1), (0, 0), (0, 0))),
]


def _out(sizes: tuple[int, ...], window: tuple[int, ...], a: dict[str, Any]) -> tuple[int, ...]:
    return tuple(
        _counts(sizes, window, a["strides"], a["dilations"], a["pads_low"], a["pads_high"])
    )


def _convolutions() -> list[OpCase]:
    cases = []
    for name, sizes, window, attrs in _GEOMETRIES:
        n, outs, taps = 2, _out(sizes, window, attrs), int(np.prod(window))
        for groups, ic, oc in ((1, 3, 5), (2, 4, 6)):
            full = {**attrs, "groups": groups}
            x, w = Arg((n, *sizes, ic)), Arg((*window, ic // groups, oc))
            dy = Arg((n, *outs, oc))
            label = name if groups == 1 else f"{name}-groups"
            bench = (((32, 28, 28, 32), (3, 3, 32, 64)),) if label == "plain" else ()
            error = ErrorCase((Arg((1, *sizes, ic + 1)), w), full, ValueError, "conv")
            cases += [
                OpCase(
                    "conv",
                    _conv,
                    (x, w),
                    full,
                    name=label,
                    reduction=taps * ic // groups,
                    bench=bench,
                    errors=(error,),
                    dtypes=_HALF if groups == 1 else ("float32",),
                ),
                OpCase(
                    "conv_dx",
                    _conv_dx,
                    (dy, w),
                    {**full, "input_spatial": list(sizes)},
                    name=label,
                    reduction=taps * oc // groups,
                ),
                OpCase(
                    "conv_dw",
                    _conv_dw,
                    (x, dy),
                    {**full, "kernel_spatial": list(window)},
                    name=label,
                    reduction=n * int(np.prod(outs)),
                ),
            ]
        for multiplier in (1, 2):
            c = 5
            x, w = Arg((n, *sizes, c)), Arg((*window, c, multiplier))
            dy = Arg((n, *outs, c * multiplier))
            label = f"{name}-{multiplier}"
            cases += [
                OpCase(
                    "depthwise_conv",
                    _depthwise,
                    (x, w),
                    attrs,
                    name=label,
                    reduction=taps,
                    bench=(((32, 28, 28, 64), (3, 3, 64, 1)),) if label == "plain-1" else (),
                ),
                OpCase(
                    "depthwise_conv_dx",
                    _depthwise_dx,
                    (dy, w),
                    {**attrs, "input_spatial": list(sizes)},
                    name=label,
                    reduction=taps * multiplier,
                ),
                OpCase(
                    "depthwise_conv_dw",
                    _depthwise_dw,
                    (x, dy),
                    {**attrs, "kernel_spatial": list(window)},
                    name=label,
                    reduction=n * int(np.prod(outs)),
                ),
            ]
    return cases


def _flat_places(sizes: Any, attrs: dict[str, Any]) -> np.ndarray:
    """Returns for each window and tap (tap last) which pixel it is, -1 outside the image."""
    ids = np.arange(np.prod(sizes), dtype=np.float64).reshape(1, *sizes, 1)
    return np.moveaxis(_pooled(ids, **attrs, fill=-1.0), 0, -1)[0, ..., 0, :].astype(np.int64)


def _max_pool_grad(
    dy: np.ndarray, taken: np.ndarray, input_spatial: Any, **attrs: Any
) -> np.ndarray:
    places = _flat_places(input_spatial, attrs).reshape(1, *dy.shape[1:-1], 1, -1)
    at = np.take_along_axis(
        np.broadcast_to(places, (*dy.shape, places.shape[-1])), taken[..., None], -1
    )[..., 0]
    n, c = dy.shape[0], dy.shape[-1]
    dx = np.zeros((n, int(np.prod(input_spatial)), c))
    batch, channel = np.indices(dy.shape)[0], np.indices(dy.shape)[-1]
    np.add.at(dx, (batch, at, channel), dy)
    return dx.reshape(n, *input_spatial, c)


def _max_pool_take(x: np.ndarray, taken: np.ndarray, **attrs: Any) -> np.ndarray:
    parts = np.moveaxis(_pooled(x, **attrs, fill=0.0), 0, -1)
    return np.take_along_axis(parts, taken[..., None], -1)[..., 0]


def _average_pool_grad(dy: np.ndarray, input_spatial: Any, **attrs: Any) -> np.ndarray:
    places = _flat_places(input_spatial, attrs)
    share = dy / (places >= 0).sum(-1)[None, ..., None]
    n, c = dy.shape[0], dy.shape[-1]
    dx = np.zeros((n, int(np.prod(input_spatial)), c))
    for window in np.ndindex(*places.shape[:-1]):
        for place in places[window]:
            if place >= 0:
                dx[:, place] += share[(slice(None), *window)]
    return dx.reshape(n, *input_spatial, c)


def _pools() -> list[OpCase]:
    cases = []
    for name, sizes, window, strides, low, high in (
        ("plain", (8, 6), (2, 2), (2, 2), (0, 0), (0, 0)),
        ("overlap", (7, 9), (3, 2), (2, 1), (0, 0), (0, 0)),
        ("same", (7, 5), (3, 2), (2, 2), (1, 0), (1, 1)),
        ("1d", (9,), (2,), (2,), (0,), (1,)),
        ("3d", (4, 3, 6), (2, 3, 2), (2, 3, 2), (0, 0, 0), (0, 0, 0)),
    ):
        attrs = {
            "window": list(window),
            "strides": list(strides),
            "pads_low": list(low),
            "pads_high": list(high),
        }
        x = Arg((2, *sizes, 5 if name != "overlap" else 37))
        full = {**attrs, "input_spatial": list(sizes)}
        rng = np.random.default_rng(5)
        y, taken = _max_pool(rng.normal(size=x.shape), **attrs)
        dy, where = Arg(y.shape), Arg(y.shape, "int32", values=taken)
        taps = int(np.prod(window))
        cases += [
            OpCase(
                "max_pool_grad",
                _max_pool_grad,
                (dy, where),
                full,
                name=name,
                reduction=taps,
                dtypes=_HALF,
            ),
            OpCase("max_pool_take", _max_pool_take, (x, where), attrs, name=name),
            OpCase(
                "average_pool_grad",
                _average_pool_grad,
                (dy,),
                full,
                name=name,
                reduction=taps,
                dtypes=_HALF,
            ),
        ]
        bench = (((32, 28, 28, 64),),) if name == "plain" else ()
        cases += [
            OpCase("max_pool", _max_pool, (x,), attrs, name=name, bench=bench, dtypes=_HALF),
            OpCase(
                "average_pool",
                _average_pool,
                (x,),
                attrs,
                name=name,
                bench=bench,
                reduction=int(np.prod(window)),
                dtypes=_HALF,
            ),
        ]
    return cases


def _matmuls() -> list[OpCase]:
    plain = {"transpose_a": False, "transpose_b": False}
    wrong = ErrorCase((Arg((2, 3)), Arg((4, 5))), plain, ValueError, "matmul: inner dimensions")
    cases = [
        OpCase(
            "matmul",
            _matmul,
            (Arg((17, 33)), Arg((33, 19))),
            plain,
            reduction=33,
            errors=(wrong,),
            dtypes=_HALF,
            bench=(((32, 128), (128, 10)), ((128, 784), (784, 128)), ((512, 512), (512, 512))),
        ),
        OpCase(
            "matmul", _matmul, (Arg((64, 130)), Arg((130, 70))), plain, reduction=130, name="blocks"
        ),
        OpCase("matmul", _matmul, (Arg((1, 40)), Arg((40, 9))), plain, reduction=40, name="row"),
        OpCase("matmul", _matmul, (Arg((40, 9)), Arg((9, 1))), plain, reduction=9, name="column"),
        OpCase(
            "matmul", _matmul, (Arg((3, 5, 7)), Arg((3, 7, 4))), plain, reduction=7, name="stack"
        ),
        OpCase(
            "matmul",
            _matmul,
            (Arg((2, 1, 5, 7)), Arg((3, 7, 4))),
            plain,
            reduction=7,
            name="broadcast",
        ),
    ]
    for ta, tb in ((True, False), (False, True), (True, True)):
        a = Arg((11, 6) if ta else (6, 11))
        b = Arg((5, 11) if tb else (11, 5))
        attrs = {"transpose_a": ta, "transpose_b": tb}
        label = ("a" if ta else "") + ("b" if tb else "")
        cases.append(
            OpCase("matmul", _matmul, (a, b), attrs, reduction=11, name=f"transposed-{label}")
        )
        stacks = (Arg((2, *a.shape)), Arg((2, *b.shape)))
        cases.append(
            OpCase("matmul", _matmul, stacks, attrs, reduction=11, name=f"stack-transposed-{label}")
        )
    return cases


def _packed(w: np.ndarray, transpose: bool = False) -> np.ndarray:
    """Panels of columns, the last one filled up with anything: here by what the core has there."""
    found = _core.apply("pack_weights", [tensor(w.astype(np.float32))], {"transpose": transpose})
    panels = found.numpy().astype(np.float64)
    w = w.T if transpose else w
    k, n = w.shape
    columns = panels.shape[-1]
    wanted = panels.transpose(1, 0, 2).reshape(k, -1).copy()
    wanted[:, :n] = w
    return wanted.reshape(k, -1, columns).transpose(1, 0, 2)


def _packed_matmuls() -> list[OpCase]:
    wrong = ErrorCase((Arg((3,)),), {"transpose": False}, ValueError, "pack_weights: expected")
    cases = [
        OpCase(
            "pack_weights",
            _packed,
            (Arg((7, 41)),),
            {"transpose": False},
            gradient=(),
            errors=(wrong,),
        ),
        OpCase(
            "pack_weights",
            _packed,
            (Arg((70, 9)),),
            {"transpose": True},
            gradient=(),
            name="transposed",
        ),
    ]
    rng = np.random.default_rng(5)
    for rows, k, n in ((5, 33, 70), (40, 300, 129)):
        w = rng.uniform(-2, 2, (k, n)).astype(np.float32)
        packed = _core.apply("pack_weights", [tensor(w)], {"transpose": False}).numpy()

        def product(a: np.ndarray, panels: np.ndarray, n: int, w: np.ndarray = w) -> np.ndarray:
            return a @ w.astype(np.float64)

        wrong = ErrorCase(
            (Arg((2, 3)), Arg((1, 4, 8))), {"n": 8}, ValueError, "matmul_packed: expected"
        )
        cases.append(
            OpCase(
                "matmul_packed",
                product,
                (Arg((2, rows, k)), Arg(packed.shape, values=packed)),
                {"n": n},
                gradient=(),
                reduction=k,
                errors=(wrong,),
                name=f"{rows}x{n}x{k}",
            )
        )
    return cases


def _panels(w: np.ndarray, **attrs: Any) -> np.ndarray:
    """Panels of 32 columns, the last one filled up with zeros: what the direct form reads."""
    rows = w.reshape(-1, w.shape[-1]).astype(np.float32)
    columns = -(-rows.shape[1] // 32) * 32
    filled = np.zeros((rows.shape[0], columns), np.float32)
    filled[:, : rows.shape[1]] = rows
    panels = filled.reshape(rows.shape[0], -1, 32).transpose(1, 0, 2)
    return np.ascontiguousarray(panels).reshape(-1).view(np.uint8)


def _packed_convolutions() -> list[OpCase]:
    attrs = _attrs((1, 1), (1, 1), (1, 1), (1, 1), groups=1)
    rng = np.random.default_rng(6)
    cases = [
        OpCase(
            "pack_conv",
            _panels,
            (Arg((3, 3, 5, 37)),),
            {**attrs, "image": [1, 9, 9, 5]},
            gradient=(),
            errors=(
                ErrorCase(
                    (Arg((3, 3, 5, 37)),), {**attrs, "image": [9, 9, 5]}, ValueError, "pack_conv: "
                ),
            ),
        )
    ]
    # One image of few channels; tiles of places on AMX, few and many; large enough for Winograd's
    # form; images side by side.
    for image, oc in (
        ((1, 9, 9, 5), 37),
        ((2, 9, 11, 64), 48),
        ((1, 5, 5, 32), 32),
        ((1, 24, 24, 36), 33),
        ((16, 6, 5, 32), 35),
    ):
        w = rng.uniform(-2, 2, (3, 3, image[-1], oc)).astype(np.float32)
        packed = _core.apply("pack_conv", [tensor(w)], {**attrs, "image": list(image)}).numpy()

        def product(x: np.ndarray, w: np.ndarray, packed: np.ndarray, **attrs: Any) -> np.ndarray:
            return _conv(x, w, **attrs)

        wrong = ErrorCase(
            (Arg(image), Arg(w.shape), Arg((3,), values=np.zeros(3, np.uint8), dtype="uint8")),
            attrs,
            ValueError,
            "conv_packed: expected what pack_conv makes",
        )
        cases.append(
            OpCase(
                "conv_packed",
                product,
                (
                    Arg(image),
                    Arg(w.shape, values=w),
                    Arg(packed.shape, values=packed, dtype="uint8"),
                ),
                attrs,
                gradient=(),
                reduction=9 * image[-1],
                errors=(wrong,),
                name="x".join(map(str, (*image, oc))),
            )
        )
    return cases


CASES = [*_matmuls(), *_packed_matmuls(), *_convolutions(), *_packed_convolutions(), *_pools()]
