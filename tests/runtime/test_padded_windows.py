"""Zeros around an image become padding of the convolution that reads them; the numbers stay."""

import numpy as np
import pytest

from pronghorn import ops
from pronghorn.trace import Trace


def padded(x, frame, value=0.0):
    return ops.pad(x, ((0, 0), *frame, (0, 0)), constant_values=value)


def build(function, image, kernel, **options):
    with Trace() as trace:
        x, w = trace.input(image, "float32"), trace.input(kernel, "float32")
        return trace.compile([function(x, w, **options)])


CASES = [
    (ops.conv, (2, 9, 8, 3), (3, 3, 3, 5), ((1, 1), (1, 1)), {}),
    (ops.conv, (2, 9, 8, 3), (3, 3, 3, 5), ((0, 2), (2, 1)), {"strides": 2}),
    (ops.conv, (1, 9, 8, 16), (3, 3, 16, 16), ((1, 1), (1, 0)), {"padding": "same"}),
    (ops.conv, (1, 20, 20, 3), (7, 7, 3, 8), ((3, 3), (3, 3)), {"strides": 2}),
    (ops.conv, (2, 9, 4), (3, 4, 6), ((4, 0),), {"dilation_rate": 2}),
    (ops.depthwise_conv, (1, 9, 8, 6), (3, 3, 6, 1), ((0, 1), (0, 1)), {"strides": 2}),
    (ops.depthwise_conv, (1, 9, 8, 6), (3, 3, 6, 2), ((1, 1), (1, 1)), {}),
]


@pytest.mark.parametrize(("function", "image", "kernel", "frame", "options"), CASES)
def test_the_frame_is_no_step(function, image, kernel, frame, options) -> None:
    def both(x, w):
        return function(padded(x, frame), w, **options)

    program = build(both, image, kernel)
    assert "pad(" not in program.print()
    rng = np.random.default_rng(0)
    x, w = (ops.convert_to_tensor(rng.normal(size=s).astype("float32")) for s in (image, kernel))
    apart = np.asarray(both(x, w))  # op by op
    bound = 20 * np.finfo("float32").eps * np.prod(kernel[:-1]) * np.abs(apart).max()
    np.testing.assert_allclose(np.asarray(program(x, w)[0]), apart, rtol=0, atol=bound)


@pytest.mark.parametrize(
    ("frame", "value", "channels"),
    [
        (((1, 1), (1, 1)), 1.0, (0, 0)),
        (((3, 0), (0, 0)), 0.0, (0, 0)),
        (((1, 1), (1, 1)), 0.0, (1, 0)),
    ],
    ids=["other value", "wider than the kernel", "channels"],
)
def test_other_frames_stay(frame, value, channels) -> None:
    def both(x, w):
        return ops.conv(ops.pad(x, ((0, 0), *frame, channels), constant_values=value), w)

    program = build(both, (1, 8, 8, 3), (3, 3, 3 + sum(channels), 5))
    assert "pad(" in program.print()
    x = np.random.default_rng(0).normal(size=(1, 8, 8, 3)).astype("float32")
    w = np.random.default_rng(1).normal(size=(3, 3, 3 + sum(channels), 5)).astype("float32")
    tensors = ops.convert_to_tensor(x), ops.convert_to_tensor(w)
    np.testing.assert_allclose(
        np.asarray(program(*tensors)[0]), np.asarray(both(*tensors)), rtol=0, atol=1e-4
    )
