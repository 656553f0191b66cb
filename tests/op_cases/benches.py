"""`BENCHES`: the shapes that ops are timed on, and that work is really divided on between threads.

Those of the cases (`OpCase.bench`), and here those whose attributes depend on the shape. A few for
each op, in cache and out of it.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from op_cases.case import Arg, OpCase

_IMAGES = ((32, 14, 14, 64), (64, 32, 32, 64))


@dataclasses.dataclass(frozen=True)
class Bench:
    """One use of an op, without a reference."""

    op: str
    inputs: tuple[Arg, ...]
    attrs: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def id(self) -> str:
        shapes = " ".join("x".join(map(str, a.shape)) or "()" for a in self.inputs)
        flags = "".join(f" {k}" for k, v in self.attrs.items() if v is True)
        strides = self.attrs.get("strides", [])
        return f"{self.op} {shapes}{flags}" + (
            f" /{strides[0]}" if max(strides, default=1) > 1 else ""
        )


def of_cases(cases: list[OpCase]) -> list[Bench]:
    """The bench shapes that the cases name."""
    found = []
    for case in cases:
        for shapes in case.bench:
            inputs = tuple(
                Arg(shape, a.dtype, max(a.low, 0) if "int" in a.dtype else a.low, a.high)
                for a, shape in zip(case.inputs, shapes)
            )
            found.append(Bench(case.op, inputs, case.attrs))
    return found


def _matmuls() -> list[Bench]:
    def product(
        a: tuple[int, ...], b: tuple[int, ...], ta: bool = False, tb: bool = False
    ) -> Bench:
        attrs = {"transpose_a": ta, "transpose_b": tb}
        return Bench("matmul", (Arg(a), Arg(b)), attrs)

    return [
        product((1, 784), (784, 1024)),
        product((32, 5408), (5408, 128)),
        product((128, 1024), (1024, 1024)),
        product((128, 1024), (1024, 1024), tb=True),
        product((128, 1024), (128, 1024), ta=True),
        product((1024, 1024), (1024, 1024)),
        product((64, 50, 32), (64, 32, 50)),
    ]


def _convolutions() -> list[Bench]:
    found = []
    # batch, size, input channels, output channels, kernel, stride
    for n, size, ic, oc, k, stride in (
        (32, 28, 1, 32, 3, 1),
        (32, 32, 3, 64, 3, 1),
        (64, 32, 64, 64, 3, 1),
        (64, 16, 128, 128, 3, 1),
        (64, 8, 256, 256, 3, 1),
        (24, 19, 23, 37, 3, 1),
        (32, 16, 64, 128, 1, 1),
        (32, 16, 32, 64, 5, 1),
        (32, 33, 32, 64, 3, 2),
        (1, 32, 64, 64, 3, 1),
    ):
        pad = k // 2
        out = (size + 2 * pad - k) // stride + 1
        attrs = {
            "strides": [stride, stride],
            "dilations": [1, 1],
            "pads_low": [pad, pad],
            "pads_high": [pad, pad],
            "groups": 1,
        }
        x, w, dy = Arg((n, size, size, ic)), Arg((k, k, ic, oc)), Arg((n, out, out, oc))
        found += [
            Bench("conv", (x, w), attrs),
            Bench("conv_dx", (dy, w), {**attrs, "input_spatial": [size, size]}),
            Bench("conv_dw", (x, dy), {**attrs, "kernel_spatial": [k, k]}),
        ]
    for n, size, c, stride in ((32, 28, 64, 1), (16, 33, 37, 2)):
        out = (size - 1) // stride + 1
        attrs = {
            "strides": [stride, stride],
            "dilations": [1, 1],
            "pads_low": [1, 1],
            "pads_high": [1, 1],
        }
        x, w, dy = Arg((n, size, size, c)), Arg((3, 3, c, 1)), Arg((n, out, out, c))
        found += [
            Bench("depthwise_conv", (x, w), attrs),
            Bench("depthwise_conv_dx", (dy, w), {**attrs, "input_spatial": [size, size]}),
            Bench("depthwise_conv_dw", (x, dy), {**attrs, "kernel_spatial": [3, 3]}),
        ]
    return found


def _pools() -> list[Bench]:
    found = []
    attrs = {"window": [2, 2], "strides": [2, 2], "pads_low": [0, 0], "pads_high": [0, 0]}
    for n, h, w, c in _IMAGES:
        x, dy = Arg((n, h, w, c)), Arg((n, h // 2, w // 2, c))
        taken = Arg(dy.shape, "int32", 0, 4)
        full = {**attrs, "input_spatial": [h, w]}
        found += [
            Bench("max_pool", (x,), attrs),
            Bench("max_pool_grad", (dy, taken), full),
            Bench("max_pool_take", (x, taken), attrs),
            Bench("average_pool_grad", (dy,), full),
        ]
    return found


def _elementwise() -> list[Bench]:
    found = []
    for shape in ((4096,), (1024, 1024)):
        x, positive = Arg(shape), Arg(shape, low=0.2, high=3.0)
        flag, whole = Arg(shape, "bool"), Arg(shape, "int32", 1, 20)
        for op in ("power", "arctan2", "floor_divide", "mod"):
            found.append(Bench(op, (positive, positive)))
        for op in ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal"):
            found.append(Bench(op, (x, x)))
        for op in ("logical_and", "logical_or", "logical_xor"):
            found.append(Bench(op, (flag, flag)))
        ops = ("bitwise_and", "bitwise_or", "bitwise_xor", "left_shift", "right_shift", "add")
        for op in ops:
            found.append(Bench(op, (whole, whole)))
        found += [
            Bench("logical_not", (flag,)),
            Bench("bitwise_not", (whole,)),
            Bench("where", (flag, x, x)),
            Bench("identity", (x,)),
            Bench("stop_gradient", (x,)),
            Bench("cast", (x,), {"dtype": "bfloat16"}),
            Bench("cast", (whole,), {"dtype": "float32"}),
        ]
    return found


def _reductions() -> list[Bench]:
    found = []
    for rows, n in ((32, 128), (1024, 1024)):
        x, flag, row = Arg((rows, n)), Arg((rows, n), "bool"), Arg((rows,))
        positive = Arg((rows, n), low=0.05, high=1.0)
        labels = Arg((rows,), "int32", 0, n)
        last = {"axes": [1], "keepdims": False}
        found += [Bench(f"reduce_{op}", (x,), last) for op in ("sum", "mean", "max", "min", "prod")]
        found += [Bench(f"reduce_{op}", (flag,), last) for op in ("any", "all")]
        for op in ("argmax", "argmin"):
            found.append(Bench(op, (x,), {"axis": 1, "keepdims": False}))
        found += [
            Bench("softmax", (x,), {"axis": 1}),
            Bench("softmax_grad", (positive, x)),
            Bench("sparse_softmax_cross_entropy_grad", (x, labels, row)),
            Bench("softmax_cross_entropy_grad", (x, positive, row)),
            Bench("sparse_cross_entropy", (positive, labels), {"epsilon": 1e-7}),
            Bench("cross_entropy", (positive, positive), {"epsilon": 1e-7}),
            Bench("cumsum", (x,), {"axis": 1}),
            Bench("cumprod", (x,), {"axis": 1}),
            Bench("linear_recurrence", (positive, x), {"axis": 1}),
            Bench("sort", (x,), {"axis": 1}),
            Bench("argsort", (x,), {"axis": 1}),
            Bench("top_k", (x,), {"k": 5}),
        ]
    return found


def _normalizations() -> list[Bench]:
    found = []
    for shape in _IMAGES:
        x, v, positive = Arg(shape), Arg(shape[-1:]), Arg(shape[-1:], low=0.5)
        found.append(Bench("batch_norm", (x, v, v), {"epsilon": 1e-3}))
        found.append(Bench("batch_norm_grad", (x, v, v, positive, x), {"epsilon": 1e-3}))
    for shape in ((32, 128), (2048, 512)):
        x, v = Arg(shape), Arg(shape[-1:])
        rows, positive = Arg(shape[:-1]), Arg(shape[:-1], low=0.5)
        found += [
            Bench("layer_norm", (x, v, v), {"epsilon": 1e-3}),
            Bench("layer_norm_grad", (x, v, rows, positive, x)),
            Bench("rms_norm", (x, v), {"epsilon": 1e-3}),
            Bench("rms_norm_grad", (x, v, positive, x)),
        ]
    return found


def _moves() -> list[Bench]:
    found = []
    for n in (64, 1024):
        x, wide = Arg((n, n)), Arg((n, 2 * n))
        found += [
            Bench("reshape", (x,), {"shape": [n * n]}),
            Bench("transpose", (x,), {"axes": [1, 0]}),
            Bench("broadcast_to", (Arg((n,)),), {"shape": [n, n]}),
            Bench("concatenate", (x, x), {"axis": 1}),
            Bench("slice", (wide,), {"begin": [0, n], "end": [n, 2 * n], "strides": [1, 1]}),
            Bench("flip", (x,), {"axes": [1]}),
            Bench("pad", (x,), {"low": [1, 1], "high": [1, 1], "value": 0.0}),
            Bench("dynamic_slice", (wide, Arg((2,), "int32", 0, 9)), {"sizes": [n, n]}),
            Bench("dynamic_update_slice", (wide, x, Arg((2,), "int32", 0, 9))),
        ]
    for rows, count, units in ((1000, 512, 64), (10000, 3200, 128)):
        table, places = Arg((rows, units)), Arg((count,), "int32", 0, rows)
        updates, pairs = Arg((count, units)), Arg((count, 1), "int32", 0, rows)
        along = Arg((count, units), "int32", 0, rows)
        found += [
            Bench("gather", (table, places), {"axis": 0}),
            Bench("scatter_add", (table, places, updates), {"axis": 0}),
            Bench("take_along_axis", (table, along), {"axis": 0}),
            Bench("scatter_add_along_axis", (table, along, updates), {"axis": 0}),
            Bench("one_hot", (places,), {"depth": units, "dtype": "float32"}),
            Bench("gather_nd", (table, pairs)),
            Bench("scatter_nd_add", (table, pairs, updates)),
            Bench("scatter_nd_update", (table, pairs, updates)),
        ]
    return found


def _random() -> list[Bench]:
    found = []
    key = Arg((2,), "uint32", values=[1234567, 89])
    for shape in ([4096], [1024, 1024]):
        size = {"shape": shape}
        spread = {**size, "mean": 0.0, "stddev": 1.0}
        found += [
            Bench("random_bits", (key,), size),
            Bench("random_uniform", (key,), {**size, "low": 0.0, "high": 1.0}),
            Bench("random_normal", (key,), spread),
            Bench("random_truncated_normal", (key,), spread),
            Bench("dropout", (Arg(tuple(shape)), key), {"rate": 0.3}),
        ]
    return found


def _fourier() -> list[Bench]:
    found = []
    for rows, n in ((512, 64), (256, 256), (64, 1000), (64, 1024), (16, 4096), (1, 65536)):
        attrs = {"length": n, "edge": 1.0, "inner": 1.0}
        spectrum = Arg((rows, n // 2 + 1))
        found.append(Bench("rfft", (Arg((rows, n)),), attrs))
        found.append(Bench("irfft", (spectrum, spectrum), attrs))
    attrs = {"length": 512, "stride": 160, "edge": 1.0, "inner": 1.0}
    found.append(Bench("stft", (Arg((16, 16000)), Arg((400,))), attrs))
    spectrum = Arg((16, 98, 257))
    found.append(
        Bench("stft_adjoint", (spectrum, spectrum, Arg((400,))), {**attrs, "samples": 16000})
    )
    return found


MORE = [
    *_matmuls(),
    *_convolutions(),
    *_pools(),
    *_elementwise(),
    *_reductions(),
    *_normalizations(),
    *_moves(),
    *_random(),
    *_fourier(),
]
