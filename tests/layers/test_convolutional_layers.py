"""Convolutions: plain, transposed, depthwise, separable."""

from __future__ import annotations

import numpy as np
import pytest
import reference_windows as windows
from check_layer import check_layer

import pronghorn as keras
from pronghorn import layers


def bias_of(bias):
    return 0 if bias is None else bias


@pytest.mark.parametrize(
    ("args", "shape"),
    [
        ({"filters": 4, "kernel_size": 3}, (2, 9, 3)),
        ({"filters": 4, "kernel_size": 3, "padding": "same", "strides": 2}, (2, 9, 3)),
        ({"filters": 4, "kernel_size": 2, "padding": "causal", "dilation_rate": 3}, (2, 9, 3)),
        ({"filters": 4, "kernel_size": 3, "groups": 2, "use_bias": False}, (2, 9, 6)),
    ],
)
def test_conv1d(args, shape) -> None:
    def reference(x, kernel, bias=None):
        y = windows.conv(
            x,
            kernel,
            (args.get("strides", 1),),
            args.get("padding", "valid"),
            (args.get("dilation_rate", 1),),
            args.get("groups", 1),
        )
        return y + bias_of(bias)

    check_layer(layers.Conv1D, args, shape, reference=reference)


@pytest.mark.parametrize(
    ("args", "shape"),
    [
        ({"filters": 4, "kernel_size": 3}, (2, 6, 7, 3)),
        ({"filters": 4, "kernel_size": (3, 2), "padding": "same"}, (2, 6, 7, 3)),
        ({"filters": 2, "kernel_size": 3, "strides": (2, 1)}, (2, 6, 7, 1)),
        ({"filters": 6, "kernel_size": 2, "groups": 3}, (1, 4, 5, 6)),
    ],
)
def test_conv2d(args, shape) -> None:
    strides = args.get("strides", (1, 1))

    def reference(x, kernel, bias):
        padding = args.get("padding", "valid")
        return windows.conv(x, kernel, strides, padding, groups=args.get("groups", 1)) + bias

    check_layer(layers.Conv2D, args, shape, reference=reference)


def test_conv2d_channels_first() -> None:
    def reference(x, kernel, bias):
        y = windows.conv(windows.first_to_last(x), kernel, (1, 1), "same") + bias
        return windows.last_to_first(y)

    args = {"filters": 4, "kernel_size": 3, "padding": "same", "data_format": "channels_first"}
    check_layer(layers.Conv2D, args, (2, 3, 5, 6), reference=reference)


def test_conv3d() -> None:
    def reference(x, kernel, bias):
        return windows.conv(x, kernel, (1, 1, 1)) + bias

    check_layer(
        layers.Conv3D, {"filters": 2, "kernel_size": 2}, (1, 3, 4, 3, 2), reference=reference
    )


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_depthwise_conv2d(padding) -> None:
    def reference(x, kernel, bias):
        return windows.depthwise(x, kernel, (1, 1), padding) + bias

    args = {"kernel_size": 3, "depth_multiplier": 2, "padding": padding}
    layer = check_layer(layers.DepthwiseConv2D, args, (2, 5, 6, 3), reference=reference)
    assert layer.kernel.shape == (3, 3, 3, 2)


def test_depthwise_conv1d() -> None:
    def reference(x, kernel, bias):
        return windows.depthwise(x, kernel, (2,)) + bias

    args = {"kernel_size": 3, "strides": 2}
    check_layer(layers.DepthwiseConv1D, args, (2, 9, 3), reference=reference)


def test_separable_conv() -> None:
    def reference2d(x, depthwise_kernel, pointwise_kernel, bias):
        y = windows.depthwise(x, depthwise_kernel, (1, 1), "same")
        return y @ pointwise_kernel[0, 0] + bias

    args = {"filters": 4, "kernel_size": 3, "padding": "same", "depth_multiplier": 2}
    check_layer(layers.SeparableConv2D, args, (2, 5, 4, 3), reference=reference2d)

    def reference1d(x, depthwise_kernel, pointwise_kernel, bias):
        return windows.depthwise(x, depthwise_kernel, (1,)) @ pointwise_kernel[0] + bias

    args = {"filters": 4, "kernel_size": 3}
    check_layer(layers.SeparableConv1D, args, (2, 8, 3), reference=reference1d)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("strides", [1, 2, 3])
@pytest.mark.parametrize("kernel_size", [2, 3])
def test_transposed_convolution_is_the_gradient_of_a_convolution(
    padding, strides, kernel_size
) -> None:
    # <conv(y), x> = <y, transposed(x)> where conv maps the output's size back to the input's.
    rng = np.random.default_rng(0)
    layer = layers.Conv2DTranspose(3, kernel_size, strides=strides, padding=padding, use_bias=False)
    x = rng.standard_normal((2, 4, 5, 2)).astype("float32")
    z = layer(x).numpy().astype("float64")
    assert z.shape == layer.compute_output_shape(x.shape)
    y = rng.standard_normal(z.shape)
    back = windows.conv(y, layer.kernel.numpy(), (strides, strides), padding)
    np.testing.assert_allclose(np.sum(back * x), np.sum(z * y), rtol=1e-4, atol=1e-4)


def test_transposed_layers() -> None:
    check_layer(layers.Conv1DTranspose, {"filters": 3, "kernel_size": 3, "strides": 2}, (2, 5, 2))
    check_layer(layers.Conv2DTranspose, {"filters": 3, "kernel_size": 2}, (2, 4, 5, 2))
    check_layer(layers.Conv3DTranspose, {"filters": 2, "kernel_size": 2}, (1, 3, 3, 3, 2))
    args = {"filters": 3, "kernel_size": 3, "strides": 2, "data_format": "channels_first"}
    check_layer(layers.Conv2DTranspose, args, (1, 2, 4, 5))


def test_unknown_spatial_sizes() -> None:
    x = keras.KerasTensor((None, None, 28, 3))
    assert layers.Conv2D(4, 3)(x).shape == (None, None, 26, 4)
    assert layers.Conv2DTranspose(4, 3, strides=2)(x).shape == (None, None, 57, 4)
    assert layers.MaxPooling2D(2)(x).shape == (None, None, 14, 3)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: layers.Conv2D(0, 3), "Invalid value for argument `filters`.*filters=0"),
        (lambda: layers.Conv2D(2.5, 3), "`filters`"),
        (lambda: layers.Conv2D(2, (3, 0)), r"`kernel_size` argument.*including values \{0\}"),
        (lambda: layers.Conv2D(2, "3"), "`kernel_size` argument must be a tuple of 2 integers"),
        (lambda: layers.Conv2D(2, 3, strides=(1, 0)), "`strides` argument"),
        (lambda: layers.Conv2D(2, 3, strides=2, dilation_rate=2), "`strides > 1` not supported"),
        (lambda: layers.Conv2D(2, 3, padding="smae"), "Did you mean 'same'"),
        (lambda: layers.Conv2D(2, 3, padding="causal"), "`padding` argument"),
        (lambda: layers.Conv2D(5, 3, groups=2), "evenly divisible by the number of groups"),
        (lambda: layers.Conv2D(5, 3, groups=0), "groups must be a positive integer"),
        (lambda: layers.Conv2D(2, 3, data_format="nchw"), "data_format"),
        (lambda: layers.DepthwiseConv2D(3, depth_multiplier=0), "`depth_multiplier`"),
        (lambda: layers.SeparableConv1D(0, 3), "`filters`"),
        (
            lambda: layers.Conv1DTranspose(2, 3, strides=2, output_padding=2),
            "`output_padding` must be strictly less than `strides`",
        ),
    ],
)
def test_convolution_arguments(make, match) -> None:
    with pytest.raises(ValueError, match=match):
        make()


def test_convolution_inputs() -> None:
    layer = layers.Conv2D(2, 3, name="conv_1")
    expected = (
        r"Conv2D 'conv_1': expected rank 4 \(batch, height, width, channels\)\. "
        r"Received: shape=\(32, 784\)\. Add a Reshape\."
    )
    with pytest.raises(ValueError, match=expected):
        layer(np.ones((32, 784)))
    with pytest.raises(ValueError, match=expected):
        layer(keras.KerasTensor((32, 784)))
    layer(np.ones((1, 5, 5, 3)))
    with pytest.raises(ValueError, match=r"Conv2D 'conv_1'.*3 channels.*shape=\(1, 5, 5, 4\)"):
        layer(np.ones((1, 5, 5, 4)))
    with pytest.raises(ValueError, match="kernel_size is larger than the input along height"):
        layers.Conv2D(2, 5)(np.ones((1, 3, 9, 3)))
    with pytest.raises(ValueError, match="kernel_size is larger than the input along width"):
        layers.DepthwiseConv2D(5)(keras.KerasTensor((1, 9, 3, 3)))
    with pytest.raises(ValueError, match="channel axis of the input must have a known size"):
        layers.Conv1D(2, 3)(keras.KerasTensor((None, 9, None)))
    with pytest.raises(ValueError, match="divisible by the number of groups"):
        layers.Conv1D(2, 3, groups=2)(np.ones((1, 9, 3)))
