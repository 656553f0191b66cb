"""Cases of connectionist temporal classification; references are recursions in float64."""

from __future__ import annotations

from typing import Any

import numpy as np

from op_cases.case import Arg, ErrorCase, OpCase

NEVER = float(np.float32(-1e30))


def _loss(logits: Any, labels: Any, n: Any, steps: Any, blank: int) -> Any:
    """Losses and their gradients by the forward and backward variables of every sample."""
    losses, gradients = np.zeros(len(logits)), np.zeros(logits.shape)
    for b, x in enumerate(logits):
        x = x[: steps[b]]
        states = np.full(2 * n[b] + 1, blank)
        states[1::2] = labels[b, : n[b]]
        if steps[b] == 0:
            losses[b] = 0.0 if n[b] == 0 else -NEVER
            continue
        peak = x.max(-1, keepdims=True)
        log_p = x - peak - np.log(np.exp(x - peak).sum(-1, keepdims=True))
        ahead = _variables(log_p, states, blank)
        back = _variables(log_p[::-1], states[::-1], blank)[::-1, ::-1]
        total = np.logaddexp.reduce(ahead[-1, -2:])
        if total == -np.inf:
            losses[b] = -NEVER
            continue
        losses[b] = -total
        gradient = np.exp(log_p)
        with np.errstate(invalid="ignore"):
            share = np.exp(ahead + back - log_p[:, states] - total)
        for s, k in enumerate(states):
            gradient[:, k] -= share[:, s]
        gradients[b, : steps[b]] = gradient
    return losses, gradients


def _variables(log_p: Any, states: Any, blank: int) -> Any:
    found = np.full((len(log_p), len(states)), -np.inf)
    found[0, :2] = log_p[0, states[:2]]
    for t in range(1, len(log_p)):
        for s, k in enumerate(states):
            terms = [found[t - 1, s]]
            if s > 0:
                terms.append(found[t - 1, s - 1])
            if s > 1 and k != blank and k != states[s - 2]:
                terms.append(found[t - 1, s - 2])
            found[t, s] = np.logaddexp.reduce(terms) + log_p[t, k]
    return found


def _beam(log_p: Any, lengths: Any, blank: int, beam_width: int, top_paths: int) -> Any:
    batch, time, _ = log_p.shape
    labels = np.full((top_paths, batch, time), -1, np.int32)
    scores = np.full((batch, top_paths), NEVER)
    for b in range(batch):
        beams = {(): (0.0, -np.inf)}
        for row in log_p[b, : lengths[b]]:
            found: dict[Any, list[float]] = {}
            for prefix, (in_blank, in_label) in beams.items():
                total = np.logaddexp(in_blank, in_label)
                for k, p in enumerate(row):
                    moves = [(prefix, 0, total)] if k == blank else [((*prefix, k), 1, total)]
                    if k != blank and prefix and prefix[-1] == k:
                        moves = [(prefix, 1, in_label), ((*prefix, k), 1, in_blank)]
                    for target, kind, value in moves:
                        entry = found.setdefault(target, [-np.inf, -np.inf])
                        entry[kind] = np.logaddexp(entry[kind], value + p)
            ranked = sorted(found.items(), key=lambda item: -np.logaddexp(*item[1]))
            beams = {prefix: (v[0], v[1]) for prefix, v in ranked[:beam_width]}
        ranked = sorted(beams.items(), key=lambda item: -np.logaddexp(*item[1]))
        possible = [item for item in ranked if np.logaddexp(*item[1]) > NEVER]
        for path, (prefix, v) in enumerate(possible[:top_paths]):
            labels[path, b, : len(prefix)] = prefix
            scores[b, path] = np.logaddexp(*v)
    return labels, scores


def _ints(values: Any) -> Arg:
    return Arg(np.shape(values), "int32", values=values)


def _loss_case(
    name: str, time: int, classes: int, labels: Any, n: Any, steps: Any, blank: int = 0
) -> OpCase:
    return OpCase(
        "ctc_loss", _loss, (Arg((len(n), time, classes)), _ints(labels), _ints(n), _ints(steps)),
        {"blank": blank}, gradient=(), factor=16.0, reduction=max(time, 1), scale=3.0, name=name,
    )  # fmt: skip


def _random_labels(batch: int, n: int, classes: int) -> np.ndarray:
    return np.random.default_rng(n).integers(1, classes, (batch, n))


_LABELS = np.array([[1, 2, 0], [2, 2, 0], [1, 1, 2], [-1, -1, -1]])
_ERROR = (Arg((2, 5, 4)), _ints([[1], [2]]), _ints([1, 1]), _ints([5, 5]))

CASES = [
    _loss_case("lengths", 5, 3, _LABELS, [2, 2, 3, 0], [5, 4, 5, 3]),
    _loss_case("blank", 6, 5, _LABELS[:3], [2, 2, 3], [6, 5, 6], blank=4),
    _loss_case("long", 60, 30, _random_labels(3, 21, 30), [21, 20, 3], [60, 60, 41]),
    _loss_case("repeats", 40, 4, np.ones((2, 17), int), [17, 9], [40, 17]),
    _loss_case("one-step", 1, 3, [[1], [2]], [1, 0], [1, 1]),
    _loss_case("no-steps", 3, 3, [[1], [2]], [0, 1], [3, 3]),
    OpCase(
        "ctc_loss", _loss, _ERROR, {"blank": 0}, gradient=(), factor=16.0, reduction=5, scale=3.0,
        errors=(
            ErrorCase((_ERROR[0], _ints([1, 2]), *_ERROR[2:]), {"blank": 0}, ValueError, "labels"),
            ErrorCase((*_ERROR[:3], _ints([5])), {"blank": 0}, ValueError, "lengths"),
            ErrorCase(_ERROR, {"blank": 4}, ValueError, "blank must be a class"),
            ErrorCase((*_ERROR[:3], Arg((2,))), {"blank": 0}, TypeError, "int32"),
        ),
        name="errors",
    ),
    *(
        OpCase(
            "ctc_beam_search", _beam,
            (Arg((2, time, classes), low=-5.0, high=-0.1), _ints([time, time // 2])),
            {"blank": blank, "beam_width": width, "top_paths": paths}, gradient=(), factor=64.0,
            reduction=time, scale=5.0, name=f"{time}-{classes}-{width}-{paths}",
            errors=(
                ErrorCase((Arg((2, 5)), _ints([5, 5])),
                          {"blank": 0, "beam_width": 1, "top_paths": 1}, ValueError, "log_p"),
                ErrorCase((Arg((1, 5, 3)), _ints([5])),
                          {"blank": 0, "beam_width": 0, "top_paths": 1}, ValueError, "positive"),
            ),
        )
        for time, classes, width, paths, blank in (
            (4, 3, 500, 5, 0), (12, 5, 6, 3, 4), (20, 9, 25, 25, 2), (2, 2, 100, 12, 1),
        )
    ),
]  # fmt: skip
