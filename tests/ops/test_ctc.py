"""CTC against the sum over every alignment, which small sizes allow."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from pronghorn import ops
from pronghorn.trace import Trace

TIME, CLASSES = 5, 3
LOGITS = np.random.default_rng(1).normal(size=(4, TIME, CLASSES)).astype(np.float32)
LABELS = np.array([[1, 2, 0], [2, 2, 0], [1, 1, 2], [-1, -1, -1]], np.int32)
COUNTS, STEPS = np.array([2, 2, 3, 0]), np.array([5, 4, 5, 3])


def collapsed(path: tuple[int, ...], blank: int) -> tuple[int, ...]:
    merged = [k for k, _ in itertools.groupby(path)]
    return tuple(k for k in merged if k != blank)


def sequences(logits: np.ndarray, steps: int, blank: int) -> dict[tuple[int, ...], float]:
    """Returns the probability of every label sequence."""
    e = np.exp(logits - logits.max(-1, keepdims=True))
    p = e / e.sum(-1, keepdims=True)
    found: dict[tuple[int, ...], float] = {}
    for path in itertools.product(range(logits.shape[-1]), repeat=steps):
        key = collapsed(path, blank)
        found[key] = found.get(key, 0.0) + float(np.prod([p[t, k] for t, k in enumerate(path)]))
    return found


def reference(logits: np.ndarray, labels: np.ndarray, blank: int) -> np.ndarray:
    return np.array(
        [
            -np.log(sequences(x, s, blank)[tuple(row[:n].tolist())])
            for x, row, n, s in zip(logits, labels, COUNTS, STEPS)
        ]
    )


@pytest.mark.parametrize("blank", [0, 2])
def test_loss(blank: int) -> None:
    labels = LABELS if blank == 0 else (LABELS - 1) % 2
    got = np.asarray(ops.ctc_loss(labels, LOGITS, COUNTS, STEPS, blank))
    wanted = reference(LOGITS.astype(np.float64), labels, blank)
    np.testing.assert_allclose(got, wanted, rtol=1e-5)


def test_gradient() -> None:
    with Trace() as trace:
        x = trace.input(LOGITS.shape, "float32")
        loss = ops.sum(ops.ctc_loss(LABELS, x, COUNTS, STEPS))
        (gradient,) = trace.gradient(loss, [x])
        assert gradient is not None
        program = trace.compile([gradient])
    found = program(LOGITS)[0].numpy().astype(np.float64)
    direction = np.random.default_rng(2).normal(size=LOGITS.shape)
    step, wide = 1e-6, LOGITS.astype(np.float64)
    high, low = (reference(wide + s * direction, LABELS, 0).sum() for s in (step, -step))
    assert (found * direction).sum() == pytest.approx((high - low) / (2 * step), rel=1e-4)


def test_impossible_sequences_have_a_huge_finite_loss() -> None:
    loss = float(ops.ctc_loss([[1, 1]], np.zeros((1, 2, 3)), [2], [2])[0])
    assert np.isfinite(loss)
    assert loss > 1e6


def test_beam_search_finds_the_best_sequences() -> None:
    decoded, scores = ops.ctc_decode(LOGITS, STEPS, "beam_search", beam_width=500, top_paths=3)
    assert decoded.shape == (3, 4, TIME)
    for b in range(4):
        ranked = sorted(
            sequences(LOGITS[b].astype(np.float64), STEPS[b], 0).items(), key=lambda item: -item[1]
        )[:3]
        for k, (sequence, p) in enumerate(ranked):
            labels = np.asarray(decoded)[k, b]
            assert tuple(labels[labels >= 0].tolist()) == sequence
            assert float(scores[b, k]) == pytest.approx(np.log(p), rel=1e-4)


@pytest.mark.parametrize("merge", [True, False])
def test_greedy(merge: bool) -> None:
    decoded, scores = ops.ctc_decode(LOGITS, STEPS, merge_repeated=merge)
    for b, steps in enumerate(STEPS):
        path = LOGITS[b, :steps].argmax(-1).tolist()
        wanted = collapsed(tuple(path), 0) if merge else tuple(k for k in path if k)
        labels = np.asarray(decoded)[0, b]
        assert tuple(labels[labels >= 0].tolist()) == wanted
        assert float(scores[b, 0]) == pytest.approx(-LOGITS[b, :steps].max(-1).sum(), rel=1e-5)


def test_refusals() -> None:
    with pytest.raises(ValueError, match="Invalid strategy"):
        ops.ctc_decode(LOGITS, STEPS, "other")
    with pytest.raises(ValueError, match="first dimension"):
        ops.ctc_loss(LABELS[:2], LOGITS, COUNTS, STEPS)
