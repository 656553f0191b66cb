"""Cases of fused attention; the references make the matrix of all weights, in float64."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from op_cases.benches import Bench
from op_cases.case import Arg, ErrorCase, OpCase
from op_cases.randomness import words

HIDDEN = -0.7 * float(np.finfo(np.float32).max)


def _scores(
    q: Any, k: Any, extras: tuple[Any, ...], *, scale: float, causal: bool = False,
    window: int = 0, rate: float = 0.0, has_bias: bool = False, masks: int = 0,
) -> tuple[Any, Any, Any]:  # fmt: skip
    """Scores `(batch, heads, queries, keys)`, which are seen, factors of the dropout."""
    extra = list(extras)
    key = extra.pop(0) if rate else None
    k = np.repeat(k, q.shape[2] // k.shape[2], axis=2)
    scores = np.einsum("bind,bjnd->bnij", q, k) * scale
    if has_bias:
        scores = scores + extra.pop(0)
    i, j = np.arange(q.shape[1])[:, None], np.arange(k.shape[1])[None]
    seen = np.broadcast_to((j <= i) | (not causal), scores.shape)
    if window:
        seen = seen & (np.abs(i - j) < window)
    for mask in extra:
        seen = seen & mask
    assert len(extra) == masks
    kept = 1.0 if key is None else (words(key, scores.shape) >= int(rate * 2**32)) / (1 - rate)
    return np.where(seen, scores, HIDDEN), seen, kept


def _attention(q: Any, k: Any, v: Any, *extras: Any, **attrs: Any) -> Any:
    v = np.repeat(v, q.shape[2] // v.shape[2], axis=2)
    scores, _, kept = _scores(q, k, extras, **attrs)
    weights = np.exp(scores - scores.max(-1, keepdims=True, initial=-np.inf))
    weights /= weights.sum(-1, keepdims=True)
    return np.einsum("bnij,bjnd->bind", weights * kept, v)


def _attention_grad(
    q: Any, k: Any, v: Any, y: Any, saved: Any, dy: Any, *extras: Any, **attrs: Any
) -> Any:
    group = q.shape[2] // k.shape[2]
    scores, seen, kept = _scores(q, k, extras, **attrs)
    weights = np.exp(scores - saved[..., :1]) * saved[..., 1:]
    dweights = kept * np.einsum("bind,bjnd->bnij", dy, np.repeat(v, group, axis=2))
    dots = np.einsum("bind,bind->bni", y, dy)[..., None]
    dscores = np.where(seen, weights * (dweights - dots), 0.0) * attrs["scale"]
    dq = np.einsum("bnij,bjnd->bind", dscores, np.repeat(k, group, axis=2))
    dk = np.einsum("bnij,bind->bjnd", dscores, q)
    dv = np.einsum("bnij,bind->bjnd", weights * kept, dy)

    def shared(d: Any) -> Any:
        return d.reshape(*d.shape[:2], d.shape[2] // group, group, d.shape[-1]).sum(3)

    return dq, shared(dk), shared(dv)


class _Seen(Arg):
    """A mask that hides a third, and all keys from some queries."""

    def make(self, rng: np.random.Generator, dtype: str) -> np.ndarray:
        mask = rng.uniform(size=self.shape) < 0.67
        mask[-1, -1, -1] = False
        return mask


class _Saved(Arg):
    """The largest score and the inverse of the sum of each query."""

    def make(self, rng: np.random.Generator, dtype: str) -> np.ndarray:
        largest = rng.uniform(1, 2, self.shape[:-1])
        inverse = rng.uniform(0.01, 0.1, self.shape[:-1])
        return np.stack([largest, inverse], -1).astype(np.float32)


@dataclasses.dataclass(frozen=True)
class _Use:
    batch: int
    queries: int
    keys: int
    heads: int
    key_heads: int
    size: int
    value_size: int
    bias: tuple[int, ...] | None = None
    masks: tuple[tuple[int, ...], ...] = ()
    causal: bool = False
    window: int = 0
    rate: float = 0.0

    @property
    def name(self) -> str:
        sizes = [self.batch, self.queries, self.keys, self.heads, self.key_heads, self.size]
        text = "x".join(map(str, [*sizes, self.value_size]))
        text += "-causal" if self.causal else ""
        text += f"-window{self.window}" if self.window else ""
        text += "-dropout" if self.rate else ""
        text += "-bias" if self.bias else ""
        return text + "".join(f"-mask{''.join(str(int(n > 1)) for n in m)}" for m in self.masks)

    @property
    def attrs(self) -> dict[str, Any]:
        return {
            "scale": self.size**-0.5, "causal": self.causal, "window": self.window,
            "rate": self.rate, "has_bias": self.bias is not None, "masks": len(self.masks),
        }  # fmt: skip

    @property
    def dtypes(self) -> tuple[str, ...]:
        return ("float32",) if self.bias is not None else ("float32", "bfloat16")

    def own(self) -> list[Arg]:
        return [
            Arg((self.batch, self.queries, self.heads, self.size)),
            Arg((self.batch, self.keys, self.key_heads, self.size)),
            Arg((self.batch, self.keys, self.key_heads, self.value_size)),
        ]

    def extras(self) -> list[Arg]:
        key = [Arg((2,), "uint32", values=[1234567, 89])] if self.rate else []
        bias = [] if self.bias is None else [Arg(self.bias)]
        return [*key, *bias, *(_Seen(m, "bool") for m in self.masks)]

    def results(self) -> list[Arg]:
        y = Arg((self.batch, self.queries, self.heads, self.value_size))
        return [y, _Saved((self.batch, self.heads, self.queries, 2)), y]

    def forward(self, errors: tuple[ErrorCase, ...] = ()) -> OpCase:
        floats: tuple[int, ...] = (0, 1, 2)
        if self.bias is not None:
            floats += (4 if self.rate else 3,)
        if 0 in (self.batch, self.keys, self.queries):
            floats = ()
        return OpCase(
            "attention", _attention, (*self.own(), *self.extras()), self.attrs,
            gradient=floats, reduction=max(1, self.size, self.keys // 8), scale=4.0,
            name=self.name, errors=errors, dtypes=self.dtypes,
        )  # fmt: skip

    def backward(self) -> OpCase:
        inputs = (*self.own(), *self.results(), *self.extras())
        return OpCase(
            "attention_grad", _attention_grad, inputs, self.attrs, gradient=(),
            reduction=max(1, self.size, self.keys, self.queries), scale=16.0, name=self.name,
        )  # fmt: skip


_Q, _KV = Arg((2, 5, 4, 8)), Arg((2, 7, 2, 8))
_ERRORS = (
    ErrorCase(
        (_Q, Arg((2, 7, 3, 8)), Arg((2, 7, 3, 8))), {"scale": 1.0}, ValueError,
        "heads a multiple of key_heads",
    ),
    ErrorCase((_Q, _KV, Arg((2, 6, 2, 8))), {"scale": 1.0}, ValueError, "expected query"),
    ErrorCase(
        (_Q, _KV, Arg((7, 2, 8))), {"scale": 1.0}, ValueError,
        r"expected a value of shape \(batch, places, heads, size\)",
    ),
    ErrorCase(
        (_Q, _KV, Arg((2, 7, 2, 8), "int32")), {"scale": 1.0}, TypeError, "of one dtype"
    ),
    ErrorCase(
        (_Q, _KV, _KV, Arg((2, 1, 7, 5), "bool")), {"scale": 1.0, "masks": 1}, ValueError,
        r"broadcasts to \(batch, heads, queries, keys\) = \(2, 4, 5, 7\)",
    ),
    ErrorCase(
        (_Q, _KV, _KV), {"scale": 1.0, "rate": 1.5}, ValueError, r"rate must be in \[0, 1\]"
    ),
)  # fmt: skip

_USES = [
    _Use(2, 5, 7, 4, 2, 8, 8),
    _Use(1, 1, 1, 1, 1, 1, 1),
    _Use(2, 5, 7, 2, 2, 4, 3, causal=True),
    _Use(0, 3, 3, 2, 2, 4, 4),
    _Use(2, 3, 0, 2, 2, 4, 4),
    _Use(2, 0, 3, 2, 2, 4, 4),
    _Use(1, 300, 300, 2, 1, 33, 17, causal=True),
    _Use(2, 90, 270, 2, 2, 9, 16, bias=(1, 2, 90, 270), masks=((2, 1, 1, 270),)),
    _Use(2, 90, 130, 2, 2, 8, 8, (2, 1, 90, 1), ((2, 1, 1, 130), (2, 1, 90, 1)), causal=True),
    _Use(2, 20, 30, 6, 2, 5, 5, bias=(1, 6, 1, 30), masks=((2, 6, 20, 30),)),
    _Use(1, 200, 150, 2, 2, 16, 16, window=20),
    _Use(1, 150, 300, 3, 1, 16, 16, masks=((1, 3, 150, 1),), causal=True, window=33),
    _Use(3, 2, 600, 2, 1, 8, 40),
    # large enough for AMX in three parts
    _Use(1, 300, 300, 2, 1, 64, 80, causal=True),
    _Use(1, 100, 299, 4, 2, 70, 64, (1, 4, 100, 299), ((1, 1, 1, 299),), rate=0.2),
    _Use(2, 30, 301, 4, 2, 8, 8, rate=0.3, causal=True),
    _Use(2, 7, 9, 2, 2, 4, 4, (2, 2, 7, 9), ((1, 1, 7, 9),), rate=0.5),
]

CASES = [
    *(u.forward(_ERRORS if i == 0 else ()) for i, u in enumerate(_USES)),
    *(u.backward() for u in _USES),
]


def _bench(use: _Use) -> list[Bench]:
    forward = (*use.own(), *use.extras())
    backward = (*use.own(), *use.results(), *use.extras())
    return [
        Bench("attention", forward, use.attrs),
        Bench("attention_grad", backward, use.attrs),
    ]


BENCHES = [
    *_bench(_Use(32, 64, 64, 8, 8, 64, 64)),
    *_bench(_Use(2, 512, 512, 8, 8, 64, 64)),
    *_bench(_Use(1, 1000, 1000, 4, 2, 96, 96, causal=True)),
    *_bench(_Use(1, 1, 1024, 8, 8, 64, 64)),
    *_bench(_Use(8, 333, 417, 6, 6, 80, 80)),
]
