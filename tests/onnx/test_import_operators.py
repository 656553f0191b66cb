"""Every operator that is taken against ONNX Runtime: attributes, shapes, versions."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from made_files import Input, TensorProto, check_file, helper, numbers, save

F32 = np.float32
I64 = np.int64


@dataclasses.dataclass
class Case:
    """A node. Arrays are inputs, `Stored` ones initializers, None is left out."""

    operator: str
    inputs: list[Any]
    attributes: dict[str, Any] = dataclasses.field(default_factory=dict)
    opset: int = 17
    outputs: int = 1
    tolerance: float = 2e-5
    fixed: bool = False

    def __str__(self) -> str:
        given = ",".join(f"{k}={v}" for k, v in self.attributes.items())
        return f"{self.operator}-{self.opset}-{given}"[:70]


@dataclasses.dataclass
class Stored:
    array: np.ndarray


def ints(*values: int) -> Stored:
    return Stored(np.array(values, I64))


def scalar(value: Any, dtype: Any = F32) -> Stored:
    return Stored(np.array(value, dtype))


X = numbers(2, 3, 5, 4)
POSITIVE = numbers(2, 3, 5, 4, low=0.2)
UNIT = numbers(2, 3, 4, low=-0.9, high=0.9)
MATRIX = numbers(3, 6)
WHOLE = np.random.default_rng(1).integers(-9, 9, (2, 3, 4)).astype(np.int32)
NOT_ZERO = np.where(WHOLE == 0, 3, WHOLE)[::-1].copy()
BITS = WHOLE > 0
ODD = np.array([[0.5, 1.5, -0.5, -2.5, np.inf, -np.inf, np.nan, 2.0]], F32)

CASES: list[Case] = []


def add(operator: str, *inputs: Any, **kwargs: Any) -> None:
    known = {k: kwargs.pop(k) for k in ("opset", "outputs", "tolerance", "fixed") if k in kwargs}
    CASES.append(Case(operator, list(inputs), kwargs, **known))


# One number.
for name in (
    "Abs",
    "Neg",
    "Sign",
    "Ceil",
    "Floor",
    "Exp",
    "Sin",
    "Cos",
    "Tan",
    "Sinh",
    "Cosh",
    "Atan",
    "Asinh",
    "Erf",
    "Tanh",
    "Sigmoid",
):
    add(name, X)
for name in (
    "Relu",
    "Softplus",
    "Softsign",
    "Elu",
    "Selu",
    "Celu",
    "LeakyRelu",
    "HardSigmoid",
    "HardSwish",
    "Identity",
):
    add(name, X)
for name in ("Sqrt", "Log", "Reciprocal"):
    add(name, POSITIVE)
for name in ("Asin", "Acos", "Atanh"):
    add(name, UNIT)
add("Acosh", POSITIVE + 1)
add("Round", ODD[:, :4])
add("IsNaN", ODD)
add("IsInf", ODD)
add("IsInf", ODD, detect_negative=0)
add("IsInf", ODD, detect_positive=0)
add("Not", BITS)
add("BitwiseNot", WHOLE, opset=18)
add("Abs", WHOLE)
add("Neg", WHOLE)
add("Relu", WHOLE, opset=14)
add("Elu", X, alpha=0.7)
add("Celu", X, alpha=0.7)
add("Selu", X, alpha=1.5, gamma=1.2)
add("LeakyRelu", X, alpha=0.3)
add("LeakyRelu", X, alpha=-0.3)
add("HardSigmoid", X, alpha=1 / 6, beta=0.5)
add("HardSigmoid", X, alpha=0.3, beta=0.4)
add("ThresholdedRelu", X, alpha=0.6)
add("Shrink", X, lambd=0.7, bias=0.2)
add("Mish", X, opset=18)
add("Gelu", X, opset=20)
add("Gelu", X, opset=20, approximate="tanh")
add("Swish", X, opset=24)
add("PRelu", X, Stored(numbers(3, 1, 1)))
add("PRelu", X, Stored(numbers(1)))
add("PRelu", X, Stored(numbers(3, 5, 4)))
add("PRelu", MATRIX, Stored(numbers(6)))
add("PRelu", X, numbers(3, 1, 1, seed=3))

# Two numbers.
for name in ("Add", "Sub", "Mul", "Div"):
    add(name, X, POSITIVE)
    add(name, X, Stored(numbers(3, 1, 1, low=0.5)))
    add(name, Stored(numbers(4, low=0.5)), POSITIVE)
    add(name, X, scalar(1.5))
    add(name, WHOLE, NOT_ZERO)
    add(name, X, Stored(numbers(7, 2, 3, 5, 4, low=0.5)))
add("Div", WHOLE, scalar(4, np.int32))
add("Div", WHOLE.astype(np.uint8), np.abs(NOT_ZERO).astype(np.uint8))
add("Add", X, Stored(numbers(3, 5, 4, seed=4)))
for name in ("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"):
    add(name, WHOLE, NOT_ZERO)
    add(name, WHOLE, scalar(2, np.int32))
    add(name, X, POSITIVE)
for name in ("And", "Or", "Xor"):
    add(name, BITS, NOT_ZERO > 2)
for name in ("BitwiseAnd", "BitwiseOr", "BitwiseXor"):
    add(name, WHOLE, NOT_ZERO, opset=18)
add("BitShift", np.abs(WHOLE).astype(np.uint32), scalar(2, np.uint32), direction="LEFT")
add("BitShift", np.abs(WHOLE).astype(np.uint32), scalar(1, np.uint32), direction="RIGHT")
add("Mod", WHOLE, NOT_ZERO)
add("Mod", WHOLE, NOT_ZERO, fmod=1)
add("Mod", X, POSITIVE, fmod=1)
add("Pow", X, scalar(2.0))
add("Pow", X, scalar(3, I64))
add("Pow", POSITIVE, scalar(0.5))
add("Pow", POSITIVE, X)
add("Pow", WHOLE, scalar(3, np.int32))
for name in ("Max", "Min", "Sum", "Mean"):
    add(name, X, POSITIVE, numbers(4, seed=5))
    add(name, X)
add("Max", WHOLE, NOT_ZERO)
add("Where", BITS, WHOLE, NOT_ZERO)
add("Where", BITS, numbers(2, 3, 4), scalar(-3.0))
add("Where", BITS, scalar(1.0), scalar(-3.0))
add("Clip", X, scalar(-0.5), scalar(0.5))
add("Clip", X, scalar(-0.5))
add("Clip", X, None, scalar(0.5))
add("Clip", X, scalar(0.0), scalar(6.0))
add("Clip", X, opset=7, min=-0.5, max=0.5)
add("Clip", X, opset=10, max=0.5)
add("Clip", WHOLE, scalar(-3, np.int32), scalar(3, np.int32))
add("Clip", X, numbers(1)[0])
for to in (TensorProto.INT32, TensorProto.FLOAT16, TensorProto.BOOL, TensorProto.INT64):
    add("Cast", X, to=to)
add("Cast", BITS, to=TensorProto.FLOAT)
add("Cast", WHOLE, to=TensorProto.DOUBLE)
add("CastLike", WHOLE, X[0, 0])

# Shapes.
add("Reshape", X, ints(2, -1))
add("Reshape", X, ints(0, 15, -1))
add("Reshape", X, ints(-1, 4))
add("Reshape", X, ints(6, 5, 4))
add("Reshape", X, ints(2, 3, 20), opset=7)
add("Flatten", X)
add("Flatten", X, axis=2)
add("Flatten", X, axis=0)
add("Flatten", X, axis=-1, opset=13)
add("Squeeze", X[:1, :, :1], ints(0, 2), fixed=True)
add("Squeeze", X[:, :1], fixed=True)
add("Squeeze", X[:, :1], opset=11, axes=[1])
add("Unsqueeze", X, ints(0, -1))
add("Unsqueeze", X, opset=11, axes=[1, 3])
add("Transpose", X)
add("Transpose", X, perm=[0, 2, 3, 1])
add("Transpose", X, perm=[1, 0, 3, 2])
add("Concat", X, POSITIVE, axis=1)
add("Concat", X, POSITIVE, axis=0)
add("Concat", X, Stored(numbers(2, 3, 5, 1)), axis=-1)
add("Expand", X[:, :1], ints(2, 3, 1, 1))
add("Expand", X[0], ints(4, 3, 5, 4))
add("Expand", X, ints(1))
add("Tile", X, ints(1, 2, 1, 3))
add("Slice", X, ints(1, 0), ints(3, 3), ints(1, 3))
add("Slice", X, ints(-1), ints(-9), ints(2), ints(-1))
add("Slice", X, ints(0, 1), ints(99999999999, 4), ints(2, 3), ints(2, 2))
add("Slice", X, opset=7, starts=[1], ends=[3], axes=[2])
add("Slice", X, opset=9, starts=[0, -2], ends=[1, 9223372036854775807])
add("Split", X, outputs=3, axis=1)
add("Split", X, ints(1, 4), outputs=2, axis=2)
add("Split", X, outputs=2, axis=2, opset=11, split=[2, 3])
add("Split", X, outputs=2, axis=2, opset=18, num_outputs=2)
add("DepthToSpace", numbers(2, 12, 3, 2), blocksize=2)
add("DepthToSpace", numbers(2, 12, 3, 2), blocksize=2, mode="CRD")
add("SpaceToDepth", numbers(2, 3, 4, 6), blocksize=2)

# Indices.
add("Gather", X, ints(0, 2), axis=1)
add("Gather", X, scalar(-1, I64), axis=2)
add("Gather", X, Stored(np.array([[0, 1], [3, -2]])), axis=3)
add("Gather", X, np.array([1, 0, 2]), axis=1)
add("Gather", Stored(numbers(9, 4)), np.array([[1, 8, 3]]))
add("Gather", Stored(numbers(9)), np.array([[1, 8, 3]], np.int32))
add(
    "GatherElements",
    X,
    Stored(np.random.default_rng(0).integers(-3, 3, (2, 3, 5, 4))),
    axis=1,
    fixed=True,
)
add("GatherElements", MATRIX, np.array([[0, 2], [5, 1], [3, 3]]), axis=1)
PLACES = np.array([[[0, 1], [1, -1]], [[1, 2], [0, 0]]])
add("GatherND", X, Stored(PLACES), fixed=True)
add("GatherND", X, PLACES, fixed=True)
add("GatherND", MATRIX, np.array([[0, 1], [2, -2]]), opset=11, fixed=True)
for reduction in ("none", "add", "mul", "max", "min"):
    named: dict[str, Any] = {} if reduction == "none" else {"reduction": reduction, "opset": 18}
    add("ScatterND", MATRIX, Stored(np.array([[0], [2]])), numbers(2, 6), fixed=True, **named)
    add("ScatterElements", MATRIX, np.array([[0, 2], [1, -2]]), numbers(2, 2), axis=1, fixed=True,
        **named)  # fmt: skip
add("ScatterND", X, PLACES, numbers(2, 2, 5, 4), fixed=True)
add("ScatterElements", X, Stored(np.array([[[[2, -3]]]])), numbers(1, 1, 1, 2), axis=1, fixed=True)
add("OneHot", np.array([[0, 2, 4], [-1, 1, 9]]), scalar(5, I64), Stored(np.array([0, 1], F32)))
add("OneHot", np.array([[0, 2, 4]]), scalar(5, I64), Stored(np.array([-1.5, 2], F32)), axis=1)
add("Trilu", MATRIX)
add("Trilu", MATRIX, scalar(-1, I64), upper=0)
add("Pad", X, ints(0, 0, 1, 2, 0, 0, 0, 1))
add("Pad", X, ints(0, 1, 0, 2, 0, 0, 0, 1), scalar(1.5))
add("Pad", X, ints(0, 0, -1, 2, 0, 0, 0, -1), scalar(1.5))
add("Pad", X, ints(1, 2), None, ints(2), opset=18)
for mode in ("reflect", "edge"):
    add("Pad", X, ints(0, 1, 2, 0, 0, 0, 1, 3), mode=mode)
add("Pad", X, ints(0, 1, 2, 0, 0, 0, 1, 3), mode="wrap", opset=19)
add("Pad", X, opset=7, pads=[0, 0, 1, 1, 0, 0, 1, 1], value=2.0)
add("Pad", WHOLE, ints(0, 1, 0, 0, 0, 2), scalar(7, np.int32))

# Reductions.
REDUCE = ["L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "Sum", "SumSquare"]
for name in REDUCE:
    kwargs: dict[str, Any] = {"opset": 11} if name == "Sum" else {}
    add(f"Reduce{name}", POSITIVE, axes=[1, -1], **kwargs)
    add(f"Reduce{name}", POSITIVE, axes=[2], keepdims=0, **kwargs)
    add(f"Reduce{name}", POSITIVE, **kwargs)
    add(f"Reduce{name}", POSITIVE, ints(1, 2), opset=18)
add("ReduceSum", X, ints(1))
add("ReduceSum", X, noop_with_empty_axes=1)
add("ReduceMax", WHOLE, axes=[1])
add("ReduceSum", WHOLE, ints(1))
add("ArgMax", X)
add("ArgMax", X, axis=-1, keepdims=0)
add("ArgMin", WHOLE, axis=1)
add("ArgMax", WHOLE.clip(0, 1), axis=2, select_last_index=1)
add("TopK", X, ints(2), outputs=2)
add("TopK", X, ints(3), outputs=2, axis=2)
add("TopK", X, ints(2), outputs=2, largest=0)
add("TopK", X, outputs=2, opset=7, k=2)
for options in ({}, {"exclusive": 1}, {"reverse": 1}, {"exclusive": 1, "reverse": 1}):
    add("CumSum", X, scalar(2, np.int32), **options)
add("Softmax", X)
add("Softmax", X, axis=1)
add("Softmax", X, opset=11)
add("Softmax", X, opset=11, axis=3)
add("LogSoftmax", X, axis=2)
add("Hardmax", X, axis=2)

# Products.
add("MatMul", MATRIX, Stored(numbers(6, 5)))
add("MatMul", X, Stored(numbers(4, 5)))
add("MatMul", X, numbers(4, 5, seed=2), fixed=True)
add("MatMul", X, numbers(3, 4, 5, seed=2), fixed=True)
add("MatMul", Stored(numbers(5, 3)), MATRIX, fixed=True)
add("MatMul", X, Stored(numbers(4)))
add("Gemm", MATRIX, Stored(numbers(6, 5)), Stored(numbers(5)))
add("Gemm", MATRIX, Stored(numbers(5, 6)), Stored(numbers(1, 5)), transB=1, alpha=0.5, beta=2.0)
add("Gemm", MATRIX, Stored(numbers(3, 5)), transA=1, fixed=True)
add("Gemm", MATRIX, numbers(6, 2), numbers(2, seed=1), alpha=0.5, beta=0.3)
add("Gemm", MATRIX, Stored(numbers(6, 5)), Stored(numbers(3, 5)))
add("Gemm", MATRIX, Stored(numbers(6, 5)), Stored(numbers(1)))
add("Gemm", MATRIX, Stored(numbers(6, 5)), Stored(numbers(5)), opset=7)
add("Einsum", MATRIX, numbers(6, 5), equation="ij,jk->ik", fixed=True)
add("Einsum", X, numbers(2, 3, 4, 6), equation="bhid,bhdj->bhij")
add("Einsum", X, Stored(numbers(3, 5)), equation="bcij, ci -> bj")

# What surrounds the networks of scikit-learn.
ML = "ai.onnx.ml"
OFFSETS = {"offset": [float(i) for i in range(6)], "scale": [0.5] * 6}
add(f"{ML}.Scaler", MATRIX, **OFFSETS)
add(f"{ML}.Scaler", np.arange(12).reshape(2, 6), offset=[1.0], scale=[0.25])
for norm in ("L1", "L2"):
    add(f"{ML}.Normalizer", MATRIX, norm=norm)
add(f"{ML}.Normalizer", np.abs(MATRIX), norm="MAX")
add(f"{ML}.ArrayFeatureExtractor", MATRIX, ints(0, 4))
add(f"{ML}.ArrayFeatureExtractor", Stored(np.array([[5, 7, 9]])), np.array([1, 2, 0]), fixed=True)
COEFFICIENTS = {"coefficients": numbers(18).tolist(), "intercepts": [0.5, 1.0, -1.0]}
add(f"{ML}.LinearRegressor", MATRIX, targets=3, **COEFFICIENTS)
add(f"{ML}.LinearRegressor", MATRIX, coefficients=numbers(6).tolist())
for kind in ("NONE", "SOFTMAX", "LOGISTIC"):
    add(f"{ML}.LinearClassifier", MATRIX, outputs=2, classlabels_ints=[4, 2, 9], multi_class=1,
        post_transform=kind, **COEFFICIENTS)  # fmt: skip

# Windows.
for pads in ([0, 0, 0, 0], [1, 1, 1, 1], [2, 0, 1, 1]):
    for stride in (1, 2):
        add("Conv", numbers(2, 3, 9, 8), Stored(numbers(4, 3, 3, 3)), Stored(numbers(4)),
            pads=pads, strides=[stride, stride])  # fmt: skip
for auto in ("SAME_UPPER", "SAME_LOWER", "VALID"):
    add("Conv", numbers(2, 3, 9, 8), Stored(numbers(4, 3, 4, 3)), auto_pad=auto, strides=[2, 2])
add("Conv", numbers(2, 3, 9, 8), Stored(numbers(4, 3, 3, 3)), dilations=[2, 3])
add("Conv", numbers(2, 3, 9, 8), Stored(numbers(4, 3, 2, 3)), strides=[2, 1])
add("Conv", numbers(2, 4, 9, 8), Stored(numbers(6, 2, 3, 3)), group=2)
add("Conv", numbers(2, 4, 9, 8), Stored(numbers(4, 1, 3, 3)), Stored(numbers(4)), group=4)
add("Conv", numbers(2, 4, 9, 8), Stored(numbers(8, 1, 3, 3)), group=4, pads=[1, 1, 1, 1])
add("Conv", numbers(2, 4, 9, 8), Stored(numbers(8, 1, 3, 3)), group=4, strides=[2, 1])
add("Conv", numbers(2, 3, 9), Stored(numbers(4, 3, 3)), Stored(numbers(4)), pads=[1, 1])
add("Conv", numbers(2, 4, 9), Stored(numbers(4, 1, 3)), group=4)
add("Conv", numbers(2, 3, 5, 6, 4), Stored(numbers(4, 3, 2, 3, 2)), pads=[1, 0, 0, 0, 1, 1])
add("Conv", numbers(2, 3, 9, 8), Stored(numbers(4, 3, 3, 3)), opset=7)
for kwargs in (
    {},
    {"strides": [2, 2]},
    {"strides": [2, 2], "pads": [1, 1, 1, 1], "output_padding": [1, 1]},
    {"strides": [3, 2], "pads": [0, 1, 1, 0]},
    {"strides": [5, 5]},
    {"strides": [3, 3], "output_padding": [2, 1]},
    {"strides": [2, 2], "output_shape": [9, 8]},
    {"strides": [2, 2], "auto_pad": "SAME_UPPER"},
    {"strides": [2, 2], "auto_pad": "SAME_LOWER"},
    {"dilations": [2, 2]},
):
    add("ConvTranspose", numbers(2, 3, 5, 4), Stored(numbers(3, 4, 3, 3)), Stored(numbers(4)),
        **kwargs)  # fmt: skip
add("ConvTranspose", numbers(2, 4, 5, 4), Stored(numbers(4, 3, 3, 3)), group=2, strides=[2, 2])
add("ConvTranspose", numbers(2, 3, 5), Stored(numbers(3, 4, 3)), strides=[2], pads=[1, 1])
add("ConvTranspose", numbers(2, 3, 4, 3, 5), Stored(numbers(3, 2, 2, 2, 3)), strides=[2, 1, 2])
IMAGE = numbers(2, 3, 9, 8)
for name in ("MaxPool", "AveragePool"):
    add(name, IMAGE, kernel_shape=[2, 2], strides=[2, 2])
    add(name, IMAGE, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    add(name, IMAGE, kernel_shape=[3, 2], strides=[1, 2], pads=[2, 0, 1, 1])
    add(name, IMAGE, kernel_shape=[3, 3], auto_pad="SAME_UPPER", strides=[2, 2])
    add(name, IMAGE, kernel_shape=[2, 3], auto_pad="SAME_LOWER", strides=[2, 2])
    add(name, IMAGE, kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    add(name, IMAGE, kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)
    add(name, IMAGE, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], ceil_mode=1)
    add(name, IMAGE, kernel_shape=[3, 3], opset=7 if name == "AveragePool" else 8)
    add(name, numbers(2, 3, 9), kernel_shape=[3], strides=[2])
    add(name, numbers(2, 3, 5, 6, 4), kernel_shape=[2, 3, 2], strides=[2, 2, 2])
add("AveragePool", IMAGE, kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)
add("AveragePool", IMAGE, kernel_shape=[3, 3], pads=[1, 0, 0, 1], strides=[2, 2],
    count_include_pad=1, ceil_mode=1, opset=19)  # fmt: skip
for name in ("GlobalAveragePool", "GlobalMaxPool"):
    for image in (IMAGE, numbers(2, 3, 9), numbers(2, 3, 5, 6, 4)):
        add(name, image)

for mode in ("nearest", "linear", "cubic"):
    for place in ("half_pixel", "pytorch_half_pixel", "asymmetric", "align_corners"):
        for scales in ([1, 1, 2, 3], [1, 1, 1.5, 0.7]):
            add("Resize", numbers(2, 3, 5, 6), None, Stored(np.array(scales, F32)),
                mode=mode, coordinate_transformation_mode=place)  # fmt: skip
for rounding in ("round_prefer_ceil", "floor", "ceil"):
    for place in ("half_pixel", "asymmetric"):
        add("Resize", numbers(2, 3, 5, 6), None, Stored(np.array([1, 1, 2, 1.7], F32)),
            nearest_mode=rounding, coordinate_transformation_mode=place)  # fmt: skip
add("Resize", numbers(2, 3, 5, 6), None, None, ints(2, 3, 9, 4), mode="linear", fixed=True)
add("Resize", numbers(2, 3, 5, 6), Stored(np.array([], F32)), Stored(np.array([], F32)),
    ints(2, 3, 9, 4), fixed=True, opset=11)  # fmt: skip
add("Resize", numbers(2, 3, 5, 6), None, Stored(np.array([2, 2], F32)), axes=[2, 3], opset=18)
add("Resize", numbers(2, 3, 5), None, Stored(np.array([1, 1, 2], F32)), opset=19)
add("Resize", numbers(2, 3, 5, 6), Stored(np.array([1, 1, 2, 2], F32)), opset=10)
add("Upsample", numbers(2, 3, 5, 6), Stored(np.array([1, 1, 2, 2], F32)), opset=9)
add("Upsample", numbers(2, 3, 5, 6), opset=7, scales=[1.0, 1.0, 2.0, 3.0], mode="linear")

# Normalizations.
CHANNELS = [Stored(numbers(3, seed=i)) for i in (1, 2, 3)] + [Stored(numbers(3, low=0.3))]
add("BatchNormalization", IMAGE, *CHANNELS)
add("BatchNormalization", IMAGE, *CHANNELS, epsilon=0.1, opset=9)
add("BatchNormalization", IMAGE[:, :, 0, 0], *CHANNELS, opset=7)
add("BatchNormalization", IMAGE[:, :, 0], *CHANNELS, opset=15)
add("InstanceNormalization", IMAGE, *CHANNELS[:2])
add("InstanceNormalization", IMAGE[:, :, 0], *CHANNELS[:2], epsilon=0.01)
add("LayerNormalization", X, Stored(numbers(4)), Stored(numbers(4, seed=1)))
add("LayerNormalization", X, Stored(numbers(4)), epsilon=0.01)
add("LayerNormalization", X, Stored(numbers(5, 4)), Stored(numbers(5, 4, seed=1)), axis=2)
add("LayerNormalization", X, Stored(numbers(1)), axis=2)
add("RMSNormalization", X, Stored(numbers(4)), opset=23)
GROUPS = numbers(2, 6, 5, 4)
add("GroupNormalization", GROUPS, Stored(numbers(2)), Stored(numbers(2, seed=1)), num_groups=2,
    opset=18)  # fmt: skip
add("GroupNormalization", GROUPS, Stored(numbers(6)), Stored(numbers(6, seed=1)), num_groups=3,
    opset=21)  # fmt: skip
add("LRN", numbers(2, 6, 5, 4), size=3, alpha=0.5, beta=0.7, bias=1.5)
add("LRN", numbers(2, 6, 5, 4), size=5)
add("LpNormalization", X)
add("LpNormalization", X, p=1, axis=1)
add("MeanVarianceNormalization", X)
add("Dropout", X)
add("Dropout", X, opset=7, ratio=0.3)
add("Dropout", X, scalar(0.25))


def check(case: Case, tmp_path: Any, open_batch: bool = False) -> Any:
    names, inputs, stored = [], {}, {}
    for i, x in enumerate(case.inputs):
        name = "" if x is None else f"input_{i}"
        names.append(name)
        if isinstance(x, Stored):
            stored[name] = x.array
        elif x is not None:
            x = np.asarray(x)
            inputs[name] = Input(x, ("batch", *x.shape[1:]) if open_batch else None)
    outputs = [f"output_{i}" for i in range(case.outputs)]
    domain, _, operator = case.operator.rpartition(".")
    attributes = {"domain": domain, **case.attributes}
    node = helper.make_node(operator, names, outputs, "node", **attributes)
    path = save(tmp_path / "model.onnx", [node], inputs, stored, outputs, case.opset)
    return check_file(path, inputs, case.tolerance)


def takes_open_batch(case: Case) -> bool:
    """Returns whether the first axis of all inputs may have any size."""
    arrays = [x for x in case.inputs if x is not None and not isinstance(x, Stored)]
    return not case.fixed and all(np.ndim(x) for x in arrays)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_operator_agrees_with_onnx_runtime(case: Case, tmp_path: Any) -> None:
    model = check(case, tmp_path)
    assert model.input_names[0].startswith("input_")
    assert model.output_names == [f"output_{i}" for i in range(case.outputs)]


@pytest.mark.parametrize("case", [c for c in CASES if takes_open_batch(c)], ids=str)
def test_operator_with_an_open_batch_agrees(case: Case, tmp_path: Any) -> None:
    check(case, tmp_path, open_batch=True)


def test_every_operator_has_a_case() -> None:
    from pronghorn.onnx.importing.operators import OPERATORS

    elsewhere = {"LSTM", "GRU", "RNN", "Range"}
    assert set(OPERATORS) - {case.operator for case in CASES} - elsewhere == set()
