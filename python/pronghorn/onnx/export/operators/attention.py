"""Attention, in its parts: scores, masks, softmax, sum of values."""

from __future__ import annotations

from pronghorn.onnx.export.operators.elementwise import number
from pronghorn.onnx.export.table import Call, converter

_HIDDEN = -0.7 * 3.40282347e38  # the score of a key that a query does not see


@converter("attention")
def attention(call: Call) -> list[str]:
    if call.attrs.get("rate", 0.0):
        raise call.refuse("it drops weights at random")
    w = call.w
    query, key, value = call.inputs[:3]
    extra = call.inputs[3:]
    batch, queries, heads_size, size = call.shape()
    keys, key_heads_size = call.shape(1)[1:3]
    heads = call.known(heads_size, "the number of heads")
    key_heads = call.known(key_heads_size, "the number of heads")
    value_size = call.shape(2)[3]
    group = heads // key_heads
    # (batch, heads, places, size); the query heads of a key head are rows of one product.
    query = w.transpose(query, [0, 2, 1, 3])
    rows = tuple(n * group for n in queries)
    if group > 1:
        query = w.reshape(query, [batch, key_heads, rows, size], [batch])
    scores = w.op("MatMul", query, w.transpose(key, [0, 2, 3, 1]))
    scores = w.op("Mul", scores, number(w, call.attrs["scale"]))
    if group > 1:
        scores = w.reshape(scores, [batch, heads, queries, keys], [batch])
    if call.attrs.get("has_bias", 0):
        scores = w.op("Add", scores, extra[0])
        extra = extra[1:]
    masks = list(extra)
    causal, window = call.attrs.get("causal", 0), call.attrs.get("window", 0)
    if causal or window:
        masks += _place_masks(call, bool(causal), window)
    for mask in masks:
        scores = w.op("Where", mask, scores, number(w, _HIDDEN))
    weights = w.op("Softmax", scores, axis=-1)
    if group > 1:
        weights = w.reshape(weights, [batch, key_heads, rows, keys], [batch])
    y = w.op("MatMul", weights, w.transpose(value, [0, 2, 1, 3]))
    if group > 1:
        y = w.reshape(y, [batch, heads, queries, value_size], [batch])
    return [w.transpose(y, [0, 2, 1, 3])]


def _place_masks(call: Call, causal: bool, window: int) -> list[str]:
    w = call.w
    i = w.unsqueeze(w.range(call.shape()[1]), 1)
    j = w.unsqueeze(w.range(call.shape(1)[1]), 0)
    masks = [w.op("LessOrEqual", j, i)] if causal else []
    if window:
        distance = w.op("Abs", w.op("Sub", i, j))
        masks.append(w.op("Less", distance, w.constant(window, dtype="int64")))
    return masks
