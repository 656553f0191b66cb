"""Connectionist temporal classification: labels that are not aligned to the outputs."""

from __future__ import annotations

from typing import Any

from pronghorn import ops
from pronghorn.losses.function_loss import LossFunctionWrapper
from pronghorn.losses.loss import Loss


def ctc(y_true: Any, y_pred: Any) -> Any:
    """Negative log-probability of label sequences, summed over their alignments (Graves 2006).

    Every time step of `y_pred` counts; see `ops.ctc_loss` for sequences of several lengths.

    Args:
        y_true: labels `(batch, labels)`, integers; 0 is the blank and fills up short rows.
        y_pred: logits `(batch, time, classes)`.

    Returns:
        Losses `(batch,)`.

    Raises:
        ValueError: a tensor is of another rank.
    """
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    if len(y_true.shape) != 2:
        raise ValueError(
            "ctc: Targets `y_true` are expected to be a tensor of shape `(batch_size, max_length)` "
            f"in integer format. Received: y_true.shape={y_true.shape}."
        )
    if len(y_pred.shape) != 3:
        raise ValueError(
            "ctc: Logits `y_pred` are expected to be a tensor of shape `(batch_size, max_length, "
            f"num_classes)`. Received: y_pred.shape={y_pred.shape}."
        )
    labels = ops.cast(y_true, "int32")
    label_length = ops.sum(ops.cast(ops.not_equal(labels, 0), "int32"), axis=-1)
    length = ops.full((y_pred.shape[0],), y_pred.shape[1], dtype="int32")
    return ops.ctc_loss(labels, y_pred, label_length, length, mask_index=0)


class CTC(LossFunctionWrapper):
    """Negative log-probability of label sequences that are not aligned to the outputs.

    `y_true` holds labels `(batch, labels)`, filled up with 0, which is the blank; `y_pred` logits
    `(batch, time, classes)`.

    Args:
        reduction: As for `keras.losses.Loss`.
        name: Name of the loss.
        dtype: As for `keras.losses.Loss`.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "ctc",
        dtype: Any = None,
    ) -> None:
        super().__init__(ctc, reduction=reduction, name=name, dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return Loss.get_config(self)
