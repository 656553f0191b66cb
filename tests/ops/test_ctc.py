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


def losses_and_gradients(x, labels, counts, steps) -> tuple[np.ndarray, np.ndarray]:
    with Trace() as trace:
        logits = trace.input(x.shape, "float32")
        loss = ops.ctc_loss(labels, logits, counts, steps)
        (gradient,) = trace.gradient(ops.sum(loss), [logits])
        assert gradient is not None
        program = trace.compile([loss, gradient])
    found = program(x)
    return found[0].numpy(), found[1].numpy()


def test_what_cannot_be_has_no_gradient() -> None:
    x = np.random.default_rng(3).normal(size=(5, 3, 4)).astype(np.float32)
    labels = np.array([[1, 1, 1], [1, 2, 3], [1, 9, 2], [1, 2, 3], [1, 2, 3]])
    loss, gradient = losses_and_gradients(x, labels, [3, 3, 2, 4, 0], [3, 3, 3, 3, 0])
    assert loss[0] > 1e29 and not gradient[0].any()
    assert np.isfinite(loss[1]) and gradient[1].any()
    assert np.isnan(loss[2]) and np.isnan(gradient[2]).all()  # a label that is no class
    assert np.isnan(loss[3]) and np.isnan(gradient[3]).all()  # more labels than there are
    assert loss[4] == 0 and not gradient[4].any()
    np.testing.assert_allclose(gradient[1].sum(-1), 0.0, atol=1e-6)


def test_infinite_logits() -> None:
    x = np.zeros((1, 4, 3), np.float32)
    x[0, 1, 2] = -np.inf
    loss, gradient = losses_and_gradients(x, [[1, 2]], [2], [4])
    assert np.isfinite(loss).all() and np.isfinite(gradient).all() and gradient[0, 1, 2] == 0


def test_against_torch() -> None:
    torch = pytest.importorskip("torch", reason="torch is missing: pip install torch")
    rng = np.random.default_rng(4)
    x = rng.normal(size=(6, 50, 20)).astype(np.float32)
    labels = rng.integers(1, 20, (6, 15))
    counts, steps = [15, 10, 0, 5, 1, 12], [50, 40, 50, 33, 2, 45]
    loss, gradient = losses_and_gradients(x, labels, counts, steps)
    logits = torch.tensor(x, requires_grad=True)
    wanted = torch.nn.functional.ctc_loss(
        torch.log_softmax(logits, -1).transpose(0, 1), torch.tensor(labels), torch.tensor(steps),
        torch.tensor(counts), reduction="none",
    )  # fmt: skip
    wanted.sum().backward()
    np.testing.assert_allclose(loss, wanted.detach().numpy(), rtol=1e-5)
    np.testing.assert_allclose(gradient, logits.grad.numpy(), rtol=0, atol=2e-5)


def test_beam_search_in_a_traced_function() -> None:
    with Trace() as trace:
        x = trace.input(LOGITS.shape, "float32")
        program = trace.compile(list(ops.ctc_decode(x, STEPS, "beam_search", beam_width=9)))
    eager = ops.ctc_decode(LOGITS, STEPS, "beam_search", beam_width=9)
    for found, wanted in zip(program(LOGITS), eager, strict=True):
        np.testing.assert_array_equal(found.numpy(), wanted.numpy())


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
    with pytest.raises(ValueError, match="must be positive"):
        ops.ctc_decode(LOGITS, STEPS, "beam_search", top_paths=0)
    with pytest.raises(ValueError, match="mask_index must be a class"):
        ops.ctc_decode(LOGITS, STEPS, mask_index=3)
    with pytest.raises(ValueError, match="sequence_lengths must have"):
        ops.ctc_decode(LOGITS, STEPS[:2])
    with pytest.raises(ValueError, match="target_length must have"):
        ops.ctc_loss(LABELS, LOGITS, COUNTS[:2], STEPS)
    with pytest.raises(ValueError, match="first dimension"):
        ops.ctc_loss(LABELS[:2], LOGITS, COUNTS, STEPS)
