"""What event files say: scalars, histograms, images and the graph of a model, as messages."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np

from pronghorn.callbacks.event_file import integer, message, text

_FLOAT, _DOUBLE, _STRING = 1, 2, 7  # of tensorflow.DataType
_SCALAR, _TENSOR, _BLOBS = 1, 2, 3  # of tensorboard.DataClass
_BUCKETS = 30
_MOST_IMAGES = 3


def _value(tag: str, plugin: str, data_class: int, tensor: list[bytes]) -> bytes:
    """Returns a Summary.Value, as a field of Summary."""
    metadata = message(9, message(1, text(1, plugin)), integer(4, data_class))
    return message(1, text(1, tag), metadata, message(8, *tensor))


def _shape(field: int, shape: Any) -> bytes:
    sizes = [message(2, integer(1, -1 if size is None else int(size))) for size in shape]
    return message(field, *sizes)


def scalar(tag: str, value: float) -> bytes:
    """Returns a number under a name."""
    content = struct.pack("<f", value)
    return _value(tag, "scalars", _SCALAR, [integer(1, _FLOAT), _shape(2, ()), message(4, content)])


def histogram(tag: str, values: np.ndarray) -> bytes:
    """Returns how many of the values, those that are finite, lie in each of 30 intervals."""
    values = np.asarray(values, np.float64).reshape(-1)
    values = values[np.isfinite(values)]
    if values.size == 0:
        table = np.zeros((0, 3))
    elif values.min() == values.max():
        table = np.array([[values[0] - 0.5, values[0] + 0.5, values.size]])
    else:
        counts, edges = np.histogram(values, _BUCKETS)
        table = np.stack([edges[:-1], edges[1:], counts], axis=1)
    tensor = [
        integer(1, _DOUBLE),
        _shape(2, table.shape),
        message(4, table.astype("<f8").tobytes()),
    ]
    return _value(tag, "histograms", _TENSOR, tensor)


def png(pixels: np.ndarray) -> bytes:
    """Returns a PNG file of pixels `(height, width)` or `(height, width, 1, 3 or 4)`, uint8."""
    height, width = pixels.shape[:2]
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    color_type = {1: 0, 3: 2, 4: 6}[channels]
    rows = pixels.reshape(height, width * channels)
    data = np.concatenate([np.zeros((height, 1), np.uint8), rows], axis=1).tobytes()

    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + checksum

    header = struct.pack(">IIBBBBB", width, height, 8, color_type, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def image(tag: str, weight: np.ndarray) -> bytes | None:
    """Returns a weight as pictures, black for its least and white for its largest value.

    A vector is a line, a matrix one picture with the longer side across; of three dimensions the
    last one counts pictures, of four the first, if the last one is 1, 3 or 4 channels. At most
    three pictures are written. `None` for weights of other shapes, or without elements.
    """
    pictures = np.squeeze(np.asarray(weight, np.float64))
    if pictures.size == 0:
        return None
    if pictures.ndim < 2:
        pictures = pictures.reshape(1, 1, -1, 1)
    elif pictures.ndim == 2:
        pictures = pictures.T if pictures.shape[0] > pictures.shape[1] else pictures
        pictures = pictures[None, :, :, None]
    elif pictures.ndim == 3:
        pictures = pictures.transpose(2, 0, 1)[..., None]
    if pictures.ndim != 4 or pictures.shape[-1] not in (1, 3, 4):
        return None
    finite = np.isfinite(pictures)
    low, high = (pictures[finite].min(), pictures[finite].max()) if finite.any() else (0.0, 0.0)
    scaled = (np.where(finite, pictures, low) - low) / (high - low if high > low else 1.0)
    pixels = np.round(255 * scaled).astype(np.uint8)
    count, height, width, _ = pixels.shape
    parts = [str(width).encode(), str(height).encode()]
    parts += [png(one) for one in pixels[:_MOST_IMAGES]]
    tensor = [integer(1, _STRING), _shape(2, (len(parts),)), *(message(8, part) for part in parts)]
    return _value(tag, "images", _BLOBS, tensor)


def graph_def(graph: Any) -> bytes:
    """Returns the GraphDef of a `LayerGraph`: a node for each layer, models inside as scopes."""
    names = {id(node): "/".join(node.path) for node in graph.flat_nodes()}
    sources: dict[int, list[str]] = {}
    for source, target in graph.flat_edges():
        sources.setdefault(id(target), []).append(names[id(source)])
    parts = []
    for node in graph.flat_nodes():
        fields = [text(1, names[id(node)]), text(2, type(node.layer).__name__)]
        fields += [text(3, name) for name in sources.get(id(node), [])]
        calls = getattr(node.layer, "_inbound_nodes", [])
        if calls:
            shapes = [_shape(7, x.shape) for x in calls[0].output_tensors]
            fields.append(message(5, text(1, "_output_shapes"), message(2, message(1, *shapes))))
        parts.append(message(1, *fields))
    return b"".join(parts)
