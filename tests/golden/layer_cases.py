"""The layers, arguments and inputs that `make_layers.py` runs in Keras and `test_golden.py` here.

Nothing here imports a library: a case is a name, a class name with its arguments, the shapes of the
inputs and the arguments of the call. `{"class_name": ...}` among the arguments is an inner layer.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np


@dataclasses.dataclass(frozen=True)
class LayerCase:
    """One layer on one input.

    Args:
        name: Name of the case, the prefix of its arrays.
        layer: Class name of the layer.
        args: Constructor arguments.
        shapes: Shapes of the inputs; more than one is given to the layer as a list.
        call: Arguments of the call; `"mask"` holds the shape of a random mask.
        integers: If above 0, the inputs are integers from 0 to below this.
    """

    name: str
    layer: str
    args: dict[str, Any]
    shapes: tuple[tuple[int, ...], ...]
    call: dict[str, Any] = dataclasses.field(default_factory=dict)
    integers: int = 0

    def generator(self) -> np.random.Generator:
        """Returns the random generator of the case."""
        return np.random.default_rng([ord(c) for c in self.name])

    def inputs(self) -> list[np.ndarray]:
        """Returns the inputs."""
        rng = self.generator()
        if self.integers:
            return [rng.integers(0, self.integers, s).astype("int32") for s in self.shapes]
        return [rng.standard_normal(s).astype("float32") for s in self.shapes]

    def mask(self) -> np.ndarray | None:
        """Returns the mask of the call, or None."""
        shape = self.call.get("mask")
        if shape is None:
            return None
        mask = self.generator().random(shape) < 0.6
        mask[..., 0] = True
        return mask

    def weight(self, index: int, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """Returns the value of a weight; variances and deviations are positive."""
        rng = np.random.default_rng([index, *(ord(c) for c in self.name)])
        value = rng.standard_normal(shape).astype("float32")
        if "variance" in name or "stddev" in name:
            value = np.abs(value) + np.float32(0.5)
        return value

    def direction(self, shape: tuple[int, ...]) -> np.ndarray:
        """Returns the factors r of the loss `sum(r * outputs)`."""
        rng = np.random.default_rng([7, *(ord(c) for c in self.name)])
        return rng.standard_normal(shape).astype("float32")


def _case(name: str, layer: str, args: dict[str, Any], *shapes: Any, **call: Any) -> LayerCase:
    integers = call.pop("integers", 0)
    return LayerCase(name, layer, args, shapes, call, integers)


FIRST = {"data_format": "channels_first"}

CASES = [
    _case("dense", "Dense", {"units": 3}, (4, 5)),
    _case("dense_3d_relu", "Dense", {"units": 3, "activation": "relu"}, (2, 4, 5)),
    _case(
        "einsum",
        "EinsumDense",
        {"equation": "abc,cde->abde", "output_shape": (4, 3, 2), "bias_axes": "de"},
        (2, 4, 5),
    ),
    _case(
        "einsum_ellipsis",
        "EinsumDense",
        {"equation": "ab...,bc->ac...", "output_shape": 3, "bias_axes": "c"},
        (2, 4, 5),
    ),
    _case("embedding", "Embedding", {"input_dim": 7, "output_dim": 3}, (2, 5), integers=7),
    _case("prelu", "PReLU", {"shared_axes": [1]}, (2, 3, 4)),
    _case("conv1d", "Conv1D", {"filters": 3, "kernel_size": 3}, (2, 8, 2)),
    _case(
        "conv1d_causal",
        "Conv1D",
        {"filters": 3, "kernel_size": 2, "padding": "causal", "dilation_rate": 2},
        (2, 8, 2),
    ),
    _case(
        "conv1d_same_stride",
        "Conv1D",
        {"filters": 3, "kernel_size": 4, "padding": "same", "strides": 3},
        (2, 8, 2),
    ),
    _case("conv2d", "Conv2D", {"filters": 3, "kernel_size": 3, "activation": "relu"}, (2, 6, 5, 2)),
    _case(
        "conv2d_same_stride",
        "Conv2D",
        {"filters": 4, "kernel_size": (3, 2), "padding": "same", "strides": 2},
        (2, 6, 5, 3),
    ),
    _case("conv2d_groups", "Conv2D", {"filters": 4, "kernel_size": 2, "groups": 2}, (2, 5, 4, 6)),
    _case(
        "conv2d_dilation",
        "Conv2D",
        {"filters": 2, "kernel_size": 3, "dilation_rate": (2, 1), "padding": "same"},
        (1, 7, 5, 2),
    ),
    _case("conv2d_first", "Conv2D", {"filters": 3, "kernel_size": 3, **FIRST}, (2, 2, 6, 5)),
    _case("conv3d", "Conv3D", {"filters": 2, "kernel_size": 2}, (1, 4, 3, 4, 2)),
    _case(
        "conv1d_transpose",
        "Conv1DTranspose",
        {"filters": 3, "kernel_size": 3, "strides": 2},
        (2, 5, 2),
    ),
    _case(
        "conv1d_transpose_output",
        "Conv1DTranspose",
        {"filters": 2, "kernel_size": 4, "strides": 3, "output_padding": 1, "padding": "same"},
        (2, 4, 2),
    ),
    _case(
        "conv2d_transpose",
        "Conv2DTranspose",
        {"filters": 3, "kernel_size": 3, "strides": 2, "padding": "same"},
        (2, 4, 3, 2),
    ),
    _case(
        "conv2d_transpose_valid",
        "Conv2DTranspose",
        {"filters": 2, "kernel_size": (2, 3), "strides": (3, 1)},
        (1, 4, 3, 2),
    ),
    _case(
        "conv2d_transpose_dilation",
        "Conv2DTranspose",
        {"filters": 2, "kernel_size": 2, "dilation_rate": 2, "padding": "same"},
        (1, 4, 5, 2),
    ),
    _case(
        "conv2d_transpose_first",
        "Conv2DTranspose",
        {"filters": 3, "kernel_size": 3, "strides": 2, **FIRST},
        (1, 2, 3, 4),
    ),
    _case("depthwise1d", "DepthwiseConv1D", {"kernel_size": 3, "depth_multiplier": 2}, (2, 7, 3)),
    _case("depthwise2d", "DepthwiseConv2D", {"kernel_size": 3}, (2, 6, 5, 3)),
    _case(
        "depthwise2d_same",
        "DepthwiseConv2D",
        {"kernel_size": 3, "depth_multiplier": 2, "padding": "same", "strides": 2},
        (2, 6, 5, 3),
    ),
    _case("depthwise2d_first", "DepthwiseConv2D", {"kernel_size": 2, **FIRST}, (1, 3, 4, 5)),
    _case(
        "separable1d",
        "SeparableConv1D",
        {"filters": 4, "kernel_size": 3, "depth_multiplier": 2},
        (2, 7, 3),
    ),
    _case(
        "separable2d",
        "SeparableConv2D",
        {"filters": 4, "kernel_size": 3, "padding": "same"},
        (2, 5, 4, 3),
    ),
    _case("max1d", "MaxPooling1D", {"pool_size": 3, "strides": 2, "padding": "same"}, (2, 8, 3)),
    _case("max2d", "MaxPooling2D", {"pool_size": 2}, (2, 5, 6, 3)),
    _case("max2d_first", "MaxPooling2D", {"pool_size": (2, 3), **FIRST}, (2, 3, 5, 6)),
    _case("average1d", "AveragePooling1D", {"pool_size": 3}, (2, 8, 3)),
    _case(
        "average2d_same",
        "AveragePooling2D",
        {"pool_size": 3, "strides": 2, "padding": "same"},
        (2, 5, 6, 3),
    ),
    _case("average3d", "AveragePooling3D", {"pool_size": 2}, (1, 4, 4, 5, 2)),
    _case("max3d", "MaxPooling3D", {"pool_size": 2, "padding": "same"}, (1, 3, 4, 5, 2)),
    _case("global_average1d", "GlobalAveragePooling1D", {}, (2, 5, 3), mask=(2, 5)),
    _case("global_max2d", "GlobalMaxPooling2D", {"keepdims": True, **FIRST}, (2, 3, 4, 5)),
    _case("adaptive_average2d", "AdaptiveAveragePooling2D", {"output_size": (3, 4)}, (2, 7, 5, 2)),
    _case("adaptive_max1d", "AdaptiveMaxPooling1D", {"output_size": 3}, (2, 8, 2)),
    _case("bilinear", "UpSampling2D", {"size": (2, 3), "interpolation": "bilinear"}, (2, 3, 4, 2)),
    _case("bicubic", "UpSampling2D", {"size": 3, "interpolation": "bicubic"}, (1, 4, 5, 2)),
    _case("lanczos3", "UpSampling2D", {"size": 2, "interpolation": "lanczos3"}, (1, 6, 5, 2)),
    _case("lanczos5", "UpSampling2D", {"size": 2, "interpolation": "lanczos5"}, (1, 3, 12, 2)),
    _case("softmax_mask", "Softmax", {}, (3, 6), mask=(3, 6)),
    _case("softmax_axes", "Softmax", {"axis": (1, 2)}, (2, 3, 4)),
    _case("multiply", "Multiply", {}, (2, 3, 4), (2, 4), (2, 1, 4)),
    _case("average", "Average", {}, (2, 3), (2, 3), (2, 3)),
    _case("maximum", "Maximum", {}, (2, 3), (2, 1)),
    _case("dot", "Dot", {"axes": (1, 2), "normalize": True}, (2, 3, 4), (2, 5, 3)),
    _case("batch_norm", "BatchNormalization", {}, (5, 4, 3), training=True),
    _case("batch_norm_inference", "BatchNormalization", {}, (5, 4, 3), training=False),
    _case("batch_norm_axis", "BatchNormalization", {"axis": 1}, (3, 4, 3, 2), training=True),
    _case("batch_norm_mask", "BatchNormalization", {}, (3, 4, 3), training=True, mask=(3, 4)),
    _case(
        "batch_norm_renorm",
        "BatchNormalization",
        {"renorm": True, "renorm_clipping": {"rmax": 1.2, "rmin": 0.5, "dmax": 0.3}},
        (5, 4),
        training=True,
    ),
    _case("layer_norm", "LayerNormalization", {}, (3, 4, 5)),
    _case("layer_norm_axes", "LayerNormalization", {"axis": (1, -1)}, (3, 4, 5)),
    _case("group_norm", "GroupNormalization", {"groups": 2}, (2, 3, 6)),
    _case("group_norm_first", "GroupNormalization", {"groups": 3, "axis": 1}, (2, 6, 4)),
    _case("rms_norm", "RMSNormalization", {}, (3, 4, 5)),
    _case("unit_norm", "UnitNormalization", {"axis": (1, 2)}, (2, 3, 4)),
    _case(
        "spectral_norm",
        "SpectralNormalization",
        {"layer": {"class_name": "Dense", "units": 3}, "power_iterations": 3},
        (2, 4),
        training=True,
    ),
]


def make_layer(layers: Any, case: LayerCase) -> Any:
    """Returns the layer of a case, from a namespace of layers."""
    args = {}
    for key, value in case.args.items():
        if isinstance(value, dict) and "class_name" in value:
            inner = dict(value)
            value = getattr(layers, inner.pop("class_name"))(**inner)
        args[key] = value
    return getattr(layers, case.layer)(**args)
