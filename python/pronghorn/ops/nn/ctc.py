"""Connectionist temporal classification (Graves 2006): the loss, and decoding of its outputs."""

from __future__ import annotations

import numpy as np

from pronghorn.ops.arguments import (
    TensorLike,
    apply,
    apply_many,
    as_float,
    as_tensor,
    scalar_like,
)
from pronghorn.ops.operation import op
from pronghorn.ops.reshaping import cut
from pronghorn.tensor import Tensor, convert_to_tensor


@op
def ctc_loss(
    target: TensorLike,
    output: TensorLike,
    target_length: TensorLike,
    output_length: TensorLike,
    mask_index: int = 0,
) -> Tensor:
    """Returns the negative log-probability of label sequences that are not aligned to the outputs.

    It is the sum over all alignments, by forward and backward recursions in logarithms (Graves,
    Fernandez, Gomez, Schmidhuber 2006). Labels that no alignment gives, more labels than time steps
    say, have the loss 1e30 and no gradient; labels that are no classes and lengths that do not fit
    have NaN. Its gradient has no gradient of its own.

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
    for name, lengths in (("target_length", label_count), ("output_length", steps)):
        if tuple(lengths.shape) != (logits.shape[0],):
            raise ValueError(
                f"ctc_loss: {name} must have the shape (batch,). "
                f"Received: {name}.shape={lengths.shape}, batch={logits.shape[0]}."
            )
    blank = _class("ctc_loss", mask_index, logits.shape[2])
    loss, _ = apply_many("ctc_loss", logits, labels, label_count, steps, blank=blank)
    return loss


def _class(name: str, mask_index: int, classes: int) -> int:
    if not -classes <= mask_index < classes:
        raise ValueError(
            f"{name}: mask_index must be a class. "
            f"Received: mask_index={mask_index}, classes={classes}."
        )
    return mask_index % classes


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

    `"greedy"` takes the best class of each time step. `"beam_search"` sums over the
    alignments of the best prefixes (Graves 2012, Supervised Sequence Labelling, section 7.5.3).

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
    if tuple(lengths.shape) != (x.shape[0],):
        raise ValueError(
            "ctc_decode: sequence_lengths must have the shape (batch,). "
            f"Received: sequence_lengths.shape={lengths.shape}, batch={x.shape[0]}."
        )
    blank = _class("ctc_decode", mask_index, x.shape[2])
    if strategy == "greedy":
        return _greedy(x, lengths, merge_repeated, blank)
    if min(beam_width, top_paths) < 1:
        raise ValueError(
            "ctc_decode: beam_width and top_paths must be positive. "
            f"Received: beam_width={beam_width}, top_paths={top_paths}."
        )
    log_p = apply("log_softmax", x, axis=2)
    labels, scores = apply_many(
        "ctc_beam_search",
        log_p,
        lengths,
        blank=blank,
        beam_width=int(beam_width),
        top_paths=int(top_paths),
    )
    return labels, scores


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
