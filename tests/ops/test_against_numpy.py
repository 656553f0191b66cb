"""Functions that NumPy has too: values equal NumPy's, eager and traced."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pronghorn import ops
from pronghorn.trace import Trace

A = np.array([[1.5, -2.0, 0.25], [3.0, 0.5, -1.0]], np.float32)
B = np.array([[0.5, 2.0, -0.25], [1.0, -0.5, 4.0]], np.float32)
P = np.abs(A) + 0.5
S = np.linspace(-0.9, 0.9, 6, dtype=np.float32).reshape(2, 3)
K = np.array([[5, -3, 2], [0, 7, -8]], np.int32)
J = np.array([[2, 3, -5], [1, -4, 6]], np.int32)
U = np.array([[12, 7, 3], [8, 1, 15]], np.uint8)
T = np.array([[True, False, True], [False, False, True]])
N = np.array([[1.0, np.nan, 3.0], [-np.inf, 2.0, np.inf]], np.float32)
M = np.array([[1.0, np.nan, 3.0], [4.0, 2.0, np.nan]], np.float32)
C = np.random.default_rng(0).normal(size=(3, 4, 5)).astype(np.float32)
V = np.array([3.0, 1.0, 2.0, 2.0, -1.0], np.float32)


def names(text: str) -> list[str]:
    """Returns the words of a text."""
    return text.split()


# name, arguments, keyword arguments
CALLS: list[tuple[Any, ...]] = [
    *((n, (A,)) for n in names("abs absolute fabs negative sign square ceil floor trunc round")),
    *((n, (A,)) for n in names("exp exp2 expm1 sin cos tan arctan sinh cosh tanh arcsinh")),
    *((n, (P,)) for n in names("log log1p log2 log10 sqrt cbrt reciprocal")),
    *((n, (S,)) for n in names("arcsin arccos arctanh deg2rad rad2deg sinc i0 signbit")),
    ("arccosh", (P + 1,)),
    *((n, (A, B)) for n in names("add subtract multiply maximum minimum fmax fmin hypot arctan2")),
    *((n, (A, B)) for n in names("divide true_divide logaddexp logaddexp2 heaviside fmod mod")),
    *((n, (K, J)) for n in names("add subtract multiply floor_divide mod fmod maximum minimum")),
    *((n, (U, U[::-1])) for n in names("bitwise_and bitwise_or bitwise_xor gcd lcm")),
    *((n, (K, np.array([1, 2, 3], np.int32))) for n in ("left_shift", "right_shift")),
    *((n, (K, J)) for n in ("gcd", "lcm")),
    ("bitwise_not", (K,)),
    ("bitwise_invert", (K,)),
    ("bitwise_not", (T,)),
    *((n, (U, np.uint8(2))) for n in ("bitwise_left_shift", "bitwise_right_shift")),
    ("power", (P, B)),
    ("power", (K, 2)),
    ("power", (A, 2)),
    ("power", (A, 3)),
    ("power", (P, 0.5)),
    ("power", (P, -0.5)),
    ("power", (A, -1)),
    ("power", (P, 1.5)),
    ("power", (K, 3)),
    ("ldexp", (A, J)),
    ("nextafter", (A, B)),
    ("clip", (A, -1.0, 1.0)),
    ("clip", (K, -2, 3)),
    ("clip", (A, None, 0.5)),
    ("round", (A * 11.1, 1)),
    ("round", (K * 13, -1)),
    *((n, (N,)) for n in names("isnan isinf isfinite isneginf isposinf nan_to_num isreal")),
    *((n, (A,)) for n in names("conj conjugate real imag angle copy array")),
    *((n, (A, A[:, ::-1])) for n in names("equal not_equal less less_equal greater greater_equal")),
    *((n, (T, T[::-1])) for n in ["logical_and", "logical_or", "logical_xor"]),
    ("logical_not", (A,)),
    ("isclose", (N, N), {"equal_nan": True}),
    ("allclose", (A, A + 1e-9)),
    ("isclose", (A, A + 1e-7)),
    # products
    ("matmul", (A, B.T)),
    ("matmul", (C, C.transpose(0, 2, 1))),
    ("matmul", (K, J.T)),
    ("matmul", (V, np.outer(V, V))),
    ("matmul", (np.outer(V, V), V)),
    ("matmul", (V, V)),
    ("matmul", (C, C[0].T)),
    ("matmul", (C[:, None], C[1].T)),
    ("dot", (A, B.T)),
    ("dot", (C, C[0].T)),
    ("dot", (V, V)),
    ("dot", (A, 2.0)),
    ("dot", (C, C.transpose(0, 2, 1))),
    ("tensordot", (C, C.transpose(1, 2, 0), 2)),
    ("tensordot", (C, C), {"axes": ([0, 2], [0, 2])}),
    ("tensordot", (A, B, 0)),
    ("tensordot", (A, B), {"axes": (1, 1)}),
    ("inner", (A, B)),
    ("inner", (C, A[:, :1] * V)),
    ("outer", (A, V)),
    ("vdot", (A, B)),
    ("kron", (A, B)),
    ("kron", (V, A)),
    ("cross", (A, B)),
    ("cross", (A.T, B.T), {"axis": 0}),
    *(
        ("einsum", (s, *x))
        for s, *x in [
            ("ij,kj->ik", A, B),
            ("ij->ji", A),
            ("ij->", A),
            ("ii->i", C[:3, :3, 0]),
            ("ii", C[:, :3, 1]),
            ("ijk,ilk->ijl", C, C),
            ("...k,lk->...l", C, A @ B.T @ A[:, :1] * V),
            ("i,j->ij", V, V),
            ("ij,ij->ij", A, B),
            ("ij,jk,kl->il", A, B.T, A),
            ("ijk->kij", C),
            ("ijk,ijk->k", C, C),
            ("i...->...", C),
            ("ij,ik->jk", A, B),
            ("a,b,c->abc", V, V, V),
            ("ij,ij", A, B),
            ("...ij,...jk->...ik", C, C.transpose(0, 2, 1)),
            ("ij,kj->ik", K, J),
        ]
    ),
    # shapes
    ("reshape", (A, (3, -1))),
    ("reshape", (A, -1)),
    ("ravel", (C,)),
    ("transpose", (C,)),
    ("transpose", (C, (1, 2, 0))),
    ("swapaxes", (C, 0, -1)),
    ("moveaxis", (C, 0, 2)),
    ("moveaxis", (C, (0, 1), (2, 0))),
    ("expand_dims", (A, 1)),
    ("expand_dims", (A, (0, -1))),
    ("squeeze", (A[:, None],)),
    ("squeeze", (A[:, None], 1)),
    ("broadcast_to", (V, (2, 5))),
    ("flip", (C,)),
    ("flip", (C, 1)),
    ("flip", (C, (0, 2))),
    ("fliplr", (C,)),
    ("flipud", (C,)),
    *(("rot90", (C, k)) for k in (0, 1, 2, 3, -1)),
    ("rot90", (C, 1, (1, 2))),
    ("roll", (A, 2)),
    ("roll", (C, -1, 1)),
    ("roll", (C, (1, 2), (0, 2))),
    ("tile", (A, 2)),
    ("tile", (A, (2, 1, 3))),
    ("tile", (C, (2, 1))),
    ("repeat", (A, 2)),
    ("repeat", (A, 3, 1)),
    ("repeat", (A, np.array([2, 0]), 0)),
    ("pad", (A, 1)),
    ("pad", (A, ((1, 0), (2, 3)))),
    ("pad", (A, (1, 2))),
    ("pad", (A, 1), {"mode": "reflect"}),
    ("pad", (A, ((1, 2), (2, 3))), {"mode": "symmetric"}),
    ("pad", (A, 2), {"mode": "edge"}),
    ("pad", (A, 1), {"mode": "wrap"}),
    ("pad", (A, 1), {"mode": "constant", "constant_values": 7}),
    # joining
    ("concatenate", ([A, B],)),
    ("concatenate", ([A, B], 1)),
    ("concatenate", ([A, K], -1)),
    ("stack", ([A, B],)),
    ("stack", ([A, B], -1)),
    ("hstack", ([A, B],)),
    ("hstack", ([V, V],)),
    ("vstack", ([A, B],)),
    ("vstack", ([V, V],)),
    ("dstack", ([A, B],)),
    ("dstack", ([V, V],)),
    ("append", (A, B)),
    ("append", (A, B, 0)),
    ("split", (C, 2, 1)),
    ("split", (C, [1, 3], 2)),
    ("array_split", (C, 3, 2)),
    ("array_split", (V, [2, 4])),
    ("hsplit", (C, 2)),
    ("vsplit", (C, 3)),
    ("dsplit", (C, 5)),
    ("meshgrid", (V, A[0])),
    ("meshgrid", (V, A[0], B[0]), {"indexing": "ij"}),
    # indexing
    ("take", (A, J[:, :1] % 3)),
    ("take", (C, np.array([[0, -1]]), 1)),
    ("take", (C, 2, 0)),
    ("take_along_axis", (A, np.array([[0], [-1]]), 1)),
    ("where", (T, A, B)),
    ("where", (T,)),
    ("where", (T, 1.0, K)),
    ("nonzero", (K,)),
    ("select", ([A > 1, A > 0], [A, B], 9.0)),
    ("diag", (V,)),
    ("diag", (V, 2)),
    ("diag", (V, -1)),
    ("diag", (C[0],)),
    ("diag", (C[0], 1)),
    ("diagflat", (A, 1)),
    ("diagonal", (C,)),
    ("diagonal", (C, -1, 1, 2)),
    ("diagonal", (C, 2, 2, 0)),
    ("tril", (C,)),
    ("tril", (C, -1)),
    ("triu", (C,)),
    ("triu", (C, 1)),
    ("trace", (C,)),
    ("trace", (C, 1, 0, 2)),
    ("unravel_index", (np.array([3, 11]), (3, 4))),
    ("isin", (K, J)),
    ("isin", (K, J), {"invert": True}),
    # reductions
    *(
        (n, (C,), kw)
        for n in names("sum prod mean max min amax amin ptp var std median")
        for kw in ({}, {"axis": 1}, {"axis": (0, 2)}, {"axis": -1, "keepdims": True})
    ),
    *(
        (n, (T,), kw)
        for n in ("any", "all")
        for kw in ({}, {"axis": 0}, {"axis": 1, "keepdims": True})
    ),
    *((n, (C,), kw) for n in ("argmax", "argmin") for kw in ({}, {"axis": 1})),
    ("max", (C,), {"axis": 0, "initial": 0.5}),
    ("min", (C,), {"initial": 0.5}),
    ("sum", (T,)),
    ("mean", (K,)),
    ("max", (T,), {"axis": 0}),
    ("count_nonzero", (K,)),
    ("count_nonzero", (K, 1)),
    ("average", (A,), {"weights": P}),
    ("average", (A,), {"axis": 1, "weights": V[:3]}),
    *(
        (n, (M,), kw)
        for n in names(
            "nansum nanprod nanmean nanmax nanmin nanvar nanstd nanmedian nanargmax nanargmin"
        )
        for kw in ({}, {"axis": 0}, {"axis": 1})
    ),
    ("nancumsum", (M, 1)),
    ("nancumprod", (M,)),
    ("nanquantile", (M, 0.3, 1)),
    ("nanpercentile", (M, 30.0)),
    *(
        ("quantile", (C, q), {"axis": 1, "method": m})
        for q in (0.3, np.array([0.25, 0.8]))
        for m in ("linear", "lower", "higher", "midpoint")
    ),
    ("percentile", (C, 40)),
    ("corrcoef", (C[0],)),
    ("corrcoef", (V,)),
    *(("correlate", (V, A[0], m)) for m in ("valid", "same", "full")),
    *(("correlate", (A[0], V, m)) for m in ("valid", "same", "full")),
    ("bincount", (np.array([1, 4, 1]),)),
    ("bincount", (np.array([1, 2]),), {"minlength": 6}),
    ("bincount", (np.array([1, 2, 1]), np.array([0.5, 1.0, 2.0], np.float32))),
    ("histogram", (V,)),
    ("histogram", (V, 3)),
    ("histogram", (V, 4, (0.0, 2.0))),
    ("cumsum", (A,)),
    ("cumsum", (C, 1)),
    ("cumprod", (C, -1)),
    ("diff", (C,)),
    ("diff", (C, 2, 1)),
    ("trapezoid", (C,)),
    ("trapezoid", (C,), {"dx": 0.5, "axis": 0}),
    ("trapezoid", (A,), {"x": np.array([0.0, 1.0, 4.0], np.float32)}),
    # order
    ("sort", (C,)),
    ("sort", (C, 0)),
    ("sort", (A, None)),
    ("argsort", (C, 1)),
    ("sort", (T,)),
    ("argpartition", (np.array([3.0, 1.0, 2.0]), 1)),
    ("searchsorted", (np.sort(V), A)),
    ("searchsorted", (np.sort(V), V), {"side": "right"}),
    ("digitize", (A, np.sort(V))),
    ("unique", (V,)),
    ("unique", (K,), {"return_index": True, "return_inverse": True, "return_counts": True}),
    # creation
    ("zeros", ((2, 3),)),
    ("ones", (4,)),
    ("full", ((2,), 3)),
    ("zeros_like", (K,)),
    ("ones_like", (A,)),
    ("full_like", (A, 2)),
    ("empty_like", (np.zeros(3, np.float32),)),
    ("eye", (3,)),
    ("eye", (3, 4, 1)),
    ("identity", (3,)),
    ("tri", (3, 4, -1)),
    ("arange", (2, 9, 3)),
    ("arange", (0.0, 1.0, 0.25)),
    ("linspace", (0.0, 3.0, 7)),
    ("linspace", (V, V + 1, 4)),
    ("linspace", (0, 1, 5, False)),
    ("logspace", (0.0, 2.0, 5)),
    ("geomspace", (1.0, 8.0, 4)),
    ("vander", (V,)),
    ("vander", (V, 3, True)),
    ("bartlett", (5,)),
    ("blackman", (6,)),
    ("hamming", (5,)),
    ("hanning", (6,)),
    ("kaiser", (5, 8.6)),
]

# These need known values, so they cannot be traced.
EAGER = set(
    names(
        "where nonzero unique nextafter histogram bincount nanmedian nanquantile nanpercentile view"
    )
)
#: Looser than float32 rounding for sums that cancel.
TOLERANCE = {"var": 4.0, "std": 4.0, "corrcoef": 4.0, "i0": 4.0, "einsum": 4.0}


def numpy_function(name: str) -> Any:
    others = {
        "amax": np.max,
        "amin": np.min,
        "array": np.array,
        "absolute": np.abs,
        "bitwise_left_shift": np.left_shift,
        "bitwise_right_shift": np.right_shift,
        "empty_like": np.zeros_like,
    }
    if name == "ptp":
        return lambda x, **k: np.max(x, **k) - np.min(x, **k)
    if name == "trapezoid":
        return getattr(np, "trapezoid", None) or getattr(np, "trapz")  # noqa: B009
    return others.get(name) or getattr(np, name)


def check(name: str, got: Any, wanted: Any) -> None:
    if isinstance(wanted, (tuple, list)):
        assert len(got) == len(wanted)
        for g, w in zip(got, wanted):
            check(name, g, w)
        return
    wanted = np.asarray(wanted, np.float64)
    found = np.asarray(ops.cast(got, "float32")).astype(np.float64)
    assert found.shape == wanted.shape
    finite = wanted[np.isfinite(wanted)]
    scale = np.abs(finite).max() if finite.size else 1.0
    bound = 64 * TOLERANCE.get(name, 1.0) * 2.0**-23 * max(scale, 1e-3)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=bound)


def name_of(call: tuple[Any, ...]) -> str:
    return str(call[0])


@pytest.mark.parametrize("call", CALLS, ids=[f"{c[0]}-{i}" for i, c in enumerate(CALLS)])
def test_equals_numpy(call: tuple[Any, ...]) -> None:
    name, args, kwargs = (*call, {})[:3]
    with np.errstate(all="ignore"):
        wide = [
            a.astype(np.float64) if isinstance(a, np.ndarray) and a.dtype.kind == "f" else a
            for a in args
        ]
        wanted = numpy_function(name)(*wide, **kwargs)
    if name == "nextafter":
        wanted = np.nextafter(*args)
    if name in ("diag", "histogram", "nan_to_num"):
        wanted = numpy_function(name)(*args, **kwargs)
    got = getattr(ops, name)(*args, **kwargs)
    check(name, got, wanted)


def is_array(x: Any) -> bool:
    return isinstance(x, np.ndarray) and x.dtype != np.float64 and x.ndim > 0


#: No gradient, or NumPy's result is no float.
STEPS = set(
    names(
        "sign ceil floor trunc round signbit isnan isinf isfinite isneginf isposinf isreal equal "
        "not_equal less less_equal greater greater_equal logical_not isclose allclose imag angle "
        "floor_divide mod fmod heaviside argmax argmin nanargmax nanargmin argsort argpartition "
        "digitize "
        "searchsorted count_nonzero zeros_like ones_like empty_like full_like linspace isin "
        "nan_to_num quantile percentile"
    )
)


@pytest.mark.parametrize(
    "call",
    [
        c
        for c in CALLS
        if is_array(c[1][0])
        and c[1][0].dtype == np.float32
        and c[0] not in EAGER | STEPS
        and c[1][0] is not N
        and c[1][0] is not M
    ],
    ids=lambda c: c[0],
)
def test_gradient(call: tuple[Any, ...]) -> None:
    """Gradients of the functions composed of core ops, against float64 central differences."""
    name, args, kwargs = (*call, {})[:3]
    rng = np.random.default_rng(len(name))
    x, rest = args[0], args[1:]
    wide_rest = [
        a.astype(np.float64) if isinstance(a, np.ndarray) and a.dtype.kind == "f" else a
        for a in rest
    ]

    def reference(point: np.ndarray) -> list[np.ndarray]:
        found = numpy_function(name)(point, *wide_rest, **kwargs)
        return [np.asarray(y) for y in (found if isinstance(found, (tuple, list)) else [found])]

    wide = x.astype(np.float64)
    weights = [rng.uniform(0.5, 1, y.shape).astype(np.float32) for y in reference(wide)]
    with Trace() as trace:
        symbol = trace.input(x.shape, "float32")
        outputs = getattr(ops, name)(symbol, *rest, **kwargs)
        outputs = outputs if isinstance(outputs, (tuple, list)) else [outputs]
        loss = ops.sum(ops.stack([ops.sum(y * w) for y, w in zip(outputs, weights)]))
        (gradient,) = trace.gradient(loss, [symbol])
        assert gradient is not None
        program = trace.compile([gradient])
    found = program(x)[0].numpy().astype(np.float64)
    direction = rng.uniform(-1, 1, x.shape)
    step = 1e-6
    high, low = reference(wide + step * direction), reference(wide - step * direction)
    wanted = sum(((h - b) * w).sum() for h, b, w in zip(high, low, weights)) / (2 * step)
    size = np.abs(found * direction).sum()
    assert abs((found * direction).sum() - wanted) <= 256 * 2.0**-23 * size + 1e-7 * (1 + size)


TRACED = [c for c in CALLS if c[0] not in EAGER and any(is_array(a) for a in c[1])]


@pytest.mark.parametrize("call", TRACED, ids=[f"{c[0]}-{i}" for i, c in enumerate(TRACED)])
def test_traced_equals_eager(call: tuple[Any, ...]) -> None:
    name, args, kwargs = (*call, {})[:3]
    if name in ("repeat", "quantile", "percentile", "linspace", "searchsorted", "digitize", "isin"):
        args = (args[0], *args[1:])
        inputs = [0]  # the others must be known
    else:
        inputs = [i for i, a in enumerate(args) if is_array(a)]
    if name == "linspace":
        pytest.skip("linspace: the ends must be known")
    eager = getattr(ops, name)(*args, **kwargs)
    with Trace() as trace:
        symbols = {i: trace.input(args[i].shape, args[i].dtype.name) for i in inputs}
        outputs = getattr(ops, name)(*[symbols.get(i, a) for i, a in enumerate(args)], **kwargs)
        flat = list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
        program = trace.compile(flat)
    expected = list(eager) if isinstance(eager, (list, tuple)) else [eager]
    for got, wanted in zip(program(*[args[i] for i in inputs]), expected):
        assert (got.shape, got.dtype) == (wanted.shape, wanted.dtype)
        # the same arithmetic; fusing may contract a product and a sum
        scale = max(
            float(np.abs(np.nan_to_num(np.asarray(wanted, np.float64))).max(initial=0)), 1e-3
        )
        np.testing.assert_allclose(got.numpy(), wanted.numpy(), rtol=0, atol=64 * 2.0**-23 * scale)
