"""Connectionist temporal classification (Graves 2006): the loss, and decoding of its outputs."""

from __future__ import annotations

import math

import numpy as np

from pronghorn.ops.arguments import TensorLike, apply, as_float, as_tensor, concrete, scalar_like
from pronghorn.ops.operation import op
from pronghorn.ops.reshaping import cut
from pronghorn.tensor import Tensor, convert_to_tensor

_IMPOSSIBLE = -1e30  # logarithm of a probability of 0 that stays finite in differences


@op
def ctc_loss(
    target: TensorLike,
    output: TensorLike,
    target_length: TensorLike,
    output_length: TensorLike,
    mask_index: int = 0,
) -> Tensor:
    """Returns the negative log-probability of label sequences that are not aligned to the outputs.

    It is the sum over all alignments, by the forward recursion in logarithms, one step for each
    time step of the outputs.

    Args:
        target: the labels, integers of shape `(batch, labels)`.
        output: logits of shape `(batch, time, classes)`.
        target_length: how many labels each sequence has, shape `(batch,)`.
        output_length: how many time steps each sequence has, shape `(batch,)`.
        mask_index: the class that stands for no label.

    Returns:
        A float32 tensor of shape `(batch,)`.

    Raises:
        ValueError: if the shapes do not fit.

    Example:

    >>> ops.ctc_loss([[1]], ops.zeros((1, 2, 3)), [1], [2]).shape
    (1,)
    """
    labels, logits = as_tensor(as_tensor(target), "int32"), as_tensor(as_float(output), "float32")
    label_count = as_tensor(as_tensor(target_length), "int32")
    steps = as_tensor(as_tensor(output_length), "int32")
    if labels.ndim != 2 or logits.ndim != 3 or labels.shape[0] != logits.shape[0]:
        raise ValueError(
            "ctc_loss: expected target (batch, labels) and output (batch, time, classes), which "
            "must have the same first dimension. "
            f"Received: target.shape={labels.shape}, output.shape={logits.shape}."
        )
    batch, time, classes = logits.shape
    n = labels.shape[1]
    size = 2 * n + 1  # the labels with blanks around each
    blank = as_tensor(mask_index % classes, "int32")
    places = convert_to_tensor(np.arange(n, dtype=np.int32))
    given = apply("less", places, apply("reshape", label_count, shape=[batch, 1]))
    labels = apply("where", given, labels, blank)
    spread = apply("reshape", labels, shape=[batch, n, 1])
    blanks = apply("broadcast_to", blank, shape=[batch, n, 1])
    states = apply("reshape", apply("concatenate", blanks, spread, axis=2), shape=[batch, 2 * n])
    last = apply("broadcast_to", blank, shape=[batch, 1])
    states = apply("concatenate", states, last, axis=1)

    # a blank between two labels may be left out where they differ
    two_before = apply(
        "pad", cut(states, 1, 0, max(size - 2, 0)), low=[0, 2], high=[0, 0], value=0.0
    )
    two_before = cut(two_before, 1, 0, size)
    may_skip = apply(
        "logical_and", apply("not_equal", states, blank), apply("not_equal", states, two_before)
    )
    far = convert_to_tensor(np.arange(size) >= 2)
    may_skip = apply("logical_and", may_skip, far)

    log_p = apply("log_softmax", logits, axis=2)
    index = apply("reshape", states, shape=[batch, 1, size])
    index = apply("broadcast_to", index, shape=[batch, time, size])
    emitted = apply("take_along_axis", log_p, index, axis=2)
    never = as_tensor(_IMPOSSIBLE, "float32")

    def at(t: int) -> Tensor:
        return apply("reshape", cut(emitted, 1, t, t + 1), shape=[batch, size])

    begin = convert_to_tensor(np.arange(size) < 2)
    alpha = apply("where", begin, at(0), never)
    alive = apply("reshape", steps, shape=[batch, 1])
    for t in range(1, time):
        one = _shifted(alpha, 1)
        two = apply("where", may_skip, _shifted(alpha, 2), never)
        peak = apply("stop_gradient", apply("maximum", alpha, apply("maximum", one, two)))
        total = apply("exp", apply("subtract", alpha, peak))
        for other in (one, two):
            total = apply("add", total, apply("exp", apply("subtract", other, peak)))
        moved = apply("add", apply("add", peak, apply("log", total)), at(t))
        moved = apply("maximum", moved, never)
        alpha = apply("where", apply("less", as_tensor(t, "int32"), alive), moved, alpha)

    end = apply("reshape", apply("multiply", label_count, as_tensor(2, "int32")), shape=[batch, 1])
    in_blank = apply("take_along_axis", alpha, end, axis=1)
    before = apply("subtract", end, as_tensor(1, "int32"))
    safe = apply("maximum", before, as_tensor(0, "int32"))
    in_label = apply("take_along_axis", alpha, safe, axis=1)
    in_label = apply("where", apply("less", before, as_tensor(0, "int32")), never, in_label)
    peak = apply("stop_gradient", apply("maximum", in_blank, in_label))
    total = apply(
        "add",
        apply("exp", apply("subtract", in_blank, peak)),
        apply("exp", apply("subtract", in_label, peak)),
    )
    found = apply("negative", apply("add", peak, apply("log", total)))
    return apply("reshape", found, shape=[batch])


def _shifted(x: Tensor, by: int) -> Tensor:
    """Returns the rows moved to the right, filled with impossible states."""
    n = x.shape[1]
    kept = cut(x, 1, 0, max(n - by, 0))
    return apply("pad", kept, low=[0, min(by, n)], high=[0, 0], value=_IMPOSSIBLE)


@op
def ctc_decode(
    inputs: TensorLike,
    sequence_lengths: TensorLike,
    strategy: str = "greedy",
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = True,
    mask_index: int = 0,
) -> tuple[Tensor, Tensor]:
    """Returns the most probable label sequences of outputs.

    `"greedy"` takes the best class of each time step. `"beam_search"` sums over alignments of the
    best prefixes; it is computed by NumPy, so it cannot be part of a traced function.

    Args:
        inputs: logits of shape `(batch, time, classes)`.
        sequence_lengths: how many time steps each sequence has, shape `(batch,)`.
        strategy: `"greedy"` or `"beam_search"`.
        beam_width: how many prefixes beam search keeps.
        top_paths: how many sequences beam search returns.
        merge_repeated: whether greedy decoding makes one label of equal ones that follow each
            other.
        mask_index: the class that stands for no label.

    Returns:
        The labels, int32 of shape `(top_paths, batch, time)` with -1 behind their end, and the
        scores: for greedy decoding minus the sum of the best logits, of shape `(batch, 1)`, for
        beam search log-probabilities, of shape `(batch, top_paths)`.

    Raises:
        ValueError: for any other strategy, or if the shapes do not fit.

    Example:

    >>> ops.ctc_decode([[[0.0, 1.0], [0.0, 1.0]]], [2])[0].numpy()
    array([[[ 1, -1]]], dtype=int32)
    """
    if strategy not in ("greedy", "beam_search"):
        raise ValueError(
            f"Invalid strategy {strategy!r}. Supported values are 'greedy' and 'beam_search'."
        )
    x = as_tensor(as_float(inputs), "float32")
    if x.ndim != 3:
        raise ValueError(
            f"ctc_decode: expected inputs (batch, time, classes). Received: inputs.shape={x.shape}."
        )
    lengths = as_tensor(as_tensor(sequence_lengths), "int32")
    mask_index %= x.shape[2]
    if strategy == "greedy":
        return _greedy(x, lengths, merge_repeated, mask_index)
    values = concrete(apply("log_softmax", x, axis=2), "ctc_decode", "inputs")
    counts = concrete(lengths, "ctc_decode", "sequence_lengths")
    labels = np.full((top_paths, x.shape[0], x.shape[1]), -1, np.int32)
    scores = np.full((x.shape[0], top_paths), _IMPOSSIBLE, np.float32)
    if not (x.is_symbolic or lengths.is_symbolic):
        for b in range(x.shape[0]):
            best = _beams(values[b, : counts[b]], beam_width, mask_index)[:top_paths]
            for k, (prefix, score) in enumerate(best):
                labels[k, b, : len(prefix)] = prefix
                scores[b, k] = score
    return convert_to_tensor(labels), convert_to_tensor(scores)


def _greedy(x: Tensor, lengths: Tensor, merge: bool, blank: int) -> tuple[Tensor, Tensor]:
    batch, time, _ = x.shape
    best = apply("argmax", x, axis=2, keepdims=False)
    peak = apply("reduce_max", x, axes=[2], keepdims=False)
    place = convert_to_tensor(np.arange(time, dtype=np.int32))
    inside = apply("less", place, apply("reshape", lengths, shape=[batch, 1]))
    counted = apply("where", inside, peak, scalar_like(0.0, peak))
    score = apply("negative", apply("reduce_sum", counted, axes=[1], keepdims=True))
    kept = apply("logical_and", inside, apply("not_equal", best, as_tensor(blank, "int32")))
    if merge and time > 1:
        differs = apply("not_equal", cut(best, 1, 1, time), cut(best, 1, 0, time - 1))
        first = apply("broadcast_to", as_tensor(True, "bool"), shape=[batch, 1])
        kept = apply("logical_and", kept, apply("concatenate", first, differs, axis=1))
    # kept labels move to the front in their order: a stable sort of whether they are dropped
    order = apply("argsort", as_tensor(apply("logical_not", kept), "int32"), axis=1)
    labels = apply("where", kept, best, as_tensor(-1, "int32"))
    labels = apply("take_along_axis", labels, order, axis=1)
    return apply("reshape", labels, shape=[1, batch, time]), score


def _beams(log_p: np.ndarray, width: int, blank: int) -> list[tuple[tuple[int, ...], float]]:
    """Returns label sequences and their log-probabilities, best first (prefix beam search).

    A prefix has the log-probabilities of its alignments that end in a blank and in its last label.
    """
    beams: dict[tuple[int, ...], tuple[float, float]] = {(): (0.0, -math.inf)}
    for row in log_p:
        found: dict[tuple[int, ...], list[float]] = {}

        def add(prefix: tuple[int, ...], kind: int, value: float) -> None:
            entry = found.setdefault(prefix, [-math.inf, -math.inf])  # noqa: B023
            entry[kind] = float(np.logaddexp(entry[kind], value))

        for prefix, (in_blank, in_label) in beams.items():
            total = float(np.logaddexp(in_blank, in_label))
            for label, p in enumerate(row.tolist()):
                if label == blank:
                    add(prefix, 0, total + p)
                elif prefix and prefix[-1] == label:
                    add(prefix, 1, in_label + p)
                    add((*prefix, label), 1, in_blank + p)
                else:
                    add((*prefix, label), 1, total + p)
        ranked = sorted(found.items(), key=lambda item: -np.logaddexp(item[1][0], item[1][1]))
        beams = {prefix: (v[0], v[1]) for prefix, v in ranked[:width]}
    scored = [(prefix, float(np.logaddexp(*v))) for prefix, v in beams.items()]
    return sorted(scored, key=lambda item: -item[1])
