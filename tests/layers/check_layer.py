"""check_layer: everything that holds for every layer, checked by one function.

`check_layer(layer class, arguments, input shapes, ...)` checks the configuration round trip, shapes
and dtypes of symbolic and eager calls, unknown batch sizes, a float64 NumPy reference and the
gradient against its differences, one training step, mixed precision, and masks.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np

import pronghorn as keras
from pronghorn import ops
from pronghorn.trace import Trace

Reference = Callable[..., np.ndarray]
EPSILON = {"float32": 2.0**-23, "bfloat16": 2.0**-7, "float16": 2.0**-10}


def tolerance(reference: np.ndarray, dtype: str = "float32", length: int = 64) -> float:
    """Returns c * eps(dtype) * reduction length * the largest value of the reference."""
    largest = float(np.max(np.abs(reference), initial=1.0))
    return 4.0 * EPSILON[dtype] * length**0.5 * max(largest, 1.0)


def make_input(shape: tuple[int, ...], dtype: str, seed: int, high: int = 5) -> np.ndarray:
    """Returns random data: normal floats, or integers from 0 to below `high`."""
    rng = np.random.default_rng(seed)
    if "int" in dtype:
        return rng.integers(0, high, shape).astype(dtype)
    return rng.standard_normal(shape).astype("float32")


def check_layer(
    layer_class: type,
    args: dict[str, Any],
    *shapes: tuple[int, ...],
    dtype: str = "float32",
    output_dtype: str | None = None,
    call: dict[str, Any] | None = None,
    reference: Reference | None = None,
    length: int = 64,
    gradient: bool = True,
    mixed: bool = True,
    unknown_batch: bool = True,
    high: int = 5,
) -> Any:
    """Checks a layer on random inputs and returns it, built.

    Args:
        layer_class: The layer's class.
        args: Constructor arguments.
        *shapes: Shapes of the inputs; more than one is given to the layer as a list.
        dtype: Dtype of the inputs.
        output_dtype: Dtype of the output; by default that of a float layer.
        call: Arguments of the call.
        reference: `f(*inputs, **weights by name)` in float64, the expected output.
        length: Length of the sums that the layer computes, for the tolerance.
        gradient: Whether to compare the gradient with differences of the reference.
        mixed: Whether to check mixed precision.
        unknown_batch: Whether the layer takes an unknown batch size.
        high: Bound of integer inputs.
    """
    call = call or {}
    check_config(layer_class, args)
    arrays = [make_input(s, dtype, i, high) for i, s in enumerate(shapes)]
    layer = layer_class(**args)
    layer(_argument(arrays), **call)
    randomize(layer)
    output = layer(_argument(arrays), **call)
    assert output.dtype == (output_dtype or "float32"), output.dtype
    check_symbolic(layer_class, args, shapes, dtype, call, output, unknown_batch)
    if reference is not None:
        weights = {w.name: w.numpy().astype("float64") for w in layer.weights}
        wide = [a.astype("float64") if "int" not in dtype else a for a in arrays]
        expected = reference(*wide, **weights)
        np.testing.assert_allclose(
            output.numpy(), expected, rtol=0, atol=tolerance(expected, length=length)
        )
        if gradient:
            check_gradient(layer, wide, weights, reference, call, "int" in dtype)
    check_training_step(layer, arrays, call)
    if mixed:
        check_mixed_precision(layer_class, args, arrays, call, output_dtype)
    return layer


def _argument(arrays: list[Any]) -> Any:
    return arrays[0] if len(arrays) == 1 else list(arrays)


def randomize(layer: Any) -> None:
    """Gives each trainable weight random values, so that zeros and ones hide nothing."""
    rng = np.random.default_rng(3)
    for weight in layer.trainable_weights:
        weight.assign(rng.standard_normal(weight.shape).astype("float32"))


def check_config(layer_class: type, args: dict[str, Any]) -> None:
    """Checks that the configuration makes an equal layer, directly and as JSON."""
    layer = layer_class(**args)
    config = layer.get_config()
    again = layer_class.from_config(config)
    assert again.get_config() == config
    text = json.dumps(keras.layers.serialize(layer))
    revived = keras.layers.deserialize(json.loads(text))
    assert type(revived) is layer_class
    # JSON has no tuples.
    assert json.dumps(revived.get_config()) == json.dumps(config)


def check_symbolic(
    layer_class: type,
    args: dict[str, Any],
    shapes: tuple[tuple[int, ...], ...],
    dtype: str,
    call: dict[str, Any],
    output: Any,
    unknown_batch: bool,
) -> None:
    """Checks that symbolic calls predict shape and dtype, also with an unknown batch size."""
    call = {k: v for k, v in call.items() if k != "mask"}
    known = [keras.KerasTensor(s, dtype=dtype) for s in shapes]
    spec = layer_class(**args)(_argument(known), **call)
    assert tuple(spec.shape) == tuple(output.shape)
    if "int" not in dtype:
        assert spec.dtype == output.dtype
    if unknown_batch:
        some = [keras.KerasTensor((None, *s[1:]), dtype=dtype) for s in shapes]
        spec = layer_class(**args)(_argument(some), **call)
        assert tuple(spec.shape) == (None, *output.shape[1:]), spec.shape


def check_gradient(
    layer: Any,
    inputs: list[np.ndarray],
    weights: dict[str, np.ndarray],
    reference: Reference,
    call: dict[str, Any],
    integers: bool,
) -> None:
    """Compares the gradient along a random direction with central differences of the reference."""
    rng = np.random.default_rng(11)
    trainable = {v.name for v in layer.trainable_weights}
    r = rng.standard_normal(reference(*inputs, **weights).shape)
    with Trace() as trace:
        xs = [trace.input(x.shape, "int32" if integers else "float32") for x in inputs]
        y = layer(_argument(xs), **call)
        loss = ops.sum(ops.multiply(y, r.astype("float32")))
        wrt = ([] if integers else xs) + list(layer.trainable_weights)
        if not wrt:
            return
        grads = trace.gradient(loss, wrt)
        program = trace.compile([g for g in grads if g is not None])
    feed = [np.ascontiguousarray(x, "int32" if integers else "float32") for x in inputs]
    values = iter(program(*feed))
    got = [None if g is None else next(values).numpy().astype("float64") for g in grads]
    names = ([] if integers else [None] * len(inputs)) + [v.name for v in layer.trainable_weights]
    assert set(trainable) <= {n for n in names if n is not None}
    steps = [rng.standard_normal(np.shape(t)) for t in wrt_values(inputs, weights, names)]
    slope = sum(float(np.sum(g * d)) for g, d in zip(got, steps) if g is not None)

    def moved(h: float) -> float:
        xs = [x.copy() for x in inputs]
        ws = dict(weights)
        place = 0
        for name, d in zip(names, steps):
            if name is None:
                xs[place] = xs[place] + h * d
                place += 1
            else:
                ws[name] = ws[name] + h * d
        return float(np.sum(reference(*xs, **ws) * r))

    h = 1e-6
    expected = (moved(h) - moved(-h)) / (2 * h)
    scale = sum(float(np.sum(np.abs(g * d))) for g, d in zip(got, steps) if g is not None)
    assert abs(slope - expected) <= 64 * EPSILON["float32"] * max(scale, 1.0) + 1e-6, (
        slope,
        expected,
    )


def wrt_values(inputs: list[Any], weights: dict[str, Any], names: list[str | None]) -> list[Any]:
    """Returns the arrays that the gradient is taken with respect to, in the order of `names`."""
    xs = iter(inputs)
    return [next(xs) if name is None else weights[name] for name in names]


def check_training_step(layer: Any, arrays: list[np.ndarray], call: dict[str, Any]) -> None:
    """Checks that one step of gradient descent changes every trainable weight."""
    weights = layer.trainable_weights
    if not weights:
        return
    rng = np.random.default_rng(5)
    before = [w.numpy() for w in weights]
    with Trace() as trace:
        xs = [trace.input(a.shape, str(a.dtype)) for a in arrays]
        y = layer(_argument(xs), **{**call, **_training(layer)})
        r = rng.standard_normal(y.shape).astype("float32")
        grads = trace.gradient(ops.sum(ops.multiply(y, r)), weights)
        for w, g in zip(weights, grads):
            assert g is not None, w.path
            w.assign(ops.subtract(w.value, ops.multiply(g, 0.1)))
        program = trace.compile([])
    program(*arrays)
    for w, old in zip(weights, before):
        assert np.all(np.isfinite(w.numpy())), w.path
        assert not np.array_equal(w.numpy(), old), w.path


def _training(layer: Any) -> dict[str, Any]:
    return {"training": True} if layer._call_has_training_arg else {}


def check_mixed_precision(
    layer_class: type,
    args: dict[str, Any],
    arrays: list[np.ndarray],
    call: dict[str, Any],
    output_dtype: str | None,
) -> None:
    """Checks that a mixed precision layer computes in bfloat16 with float32 weights."""
    for policy in ("mixed_bfloat16", "mixed_float16"):
        layer = layer_class(**args, dtype=policy)
        output = layer(_argument(arrays), **call)
        if output_dtype is None:
            assert output.dtype == policy.removeprefix("mixed_"), output.dtype
        for w in layer.weights:
            assert "float" not in w.dtype or w.dtype == "float32", w.path


def check_mask(layer: Any, shape: tuple[int, ...], mask: Any) -> Any:
    """Returns the mask of the layer's output when its input carries `mask`."""
    x = ops.convert_to_tensor(make_input(shape, "float32", 0))
    x._keras_mask = ops.convert_to_tensor(mask)
    y = layer(x)
    found = getattr(y, "_keras_mask", None)
    return None if found is None else found.numpy()
