"""Times one library's matrix products and tells their errors:
python bench/workers/run_products.py pronghorn|torch [--bf16]

Actions: `MxNxK` or `BATCHxMxNxK`, with `t` at the end if the second operand is stored transposed
(milliseconds), `packed MxNxK` (the same with a second operand that stays the same, pronghorn only),
`error KIND MxNxK` (rms of the error over rms of the result, against float64), and, pronghorn only,
GFLOP/s in registers: `peak`, `sustained` (multiply-adds over a quarter of a second).
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[2]))

import numpy as np  # noqa: E402

from bench.workers.protocol import serve  # noqa: E402

SECONDS = 0.02  # of one timing
Product = Callable[[], Any]


def operands(kind: str, shape: str) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of several kinds, the same in every library."""
    *batch, m, n, k = (int(v) for v in shape.rstrip("t").split("x"))
    rng = np.random.default_rng(m + n + k)
    a = rng.standard_normal((*batch, m, k), np.float32)
    b = rng.standard_normal((*batch, k, n), np.float32)
    if kind == "positive":
        a, b = np.abs(a), np.abs(b)
    elif kind == "rows":  # every row of a and column of b in a scale of its own
        a *= np.float32(10) ** rng.uniform(-6, 6, (m, 1)).astype(np.float32)
        b *= np.float32(10) ** rng.uniform(-6, 6, (1, n)).astype(np.float32)
    elif kind == "depth":  # every term of the sums in a scale of its own
        scale = np.float32(10) ** rng.uniform(-3, 3, k).astype(np.float32)
        a, b = a * scale, b * scale[:, None]
    return a, np.ascontiguousarray(b.swapaxes(-1, -2)) if shape[-1] == "t" else b


def milliseconds(f: Product) -> float:
    """Of one call, the fastest of a few."""

    def seconds(calls: int) -> float:
        start = time.perf_counter()
        for _ in range(calls):
            f()
        return time.perf_counter() - start

    seconds(1)
    calls = max(1, math.ceil(SECONDS / seconds(1)))
    return min(seconds(calls) for _ in range(3)) / calls * 1e3


class Torch:
    def __init__(self, bf16: bool) -> None:
        import torch

        self.torch = torch
        self.dtype = torch.bfloat16 if bf16 else torch.float32
        self.about = f"PyTorch {torch.__version__}"

    def product(self, a: np.ndarray, b: np.ndarray, transposed: bool = False) -> Product:
        x, y = (self.torch.from_numpy(v).to(self.dtype) for v in (a, b))
        if transposed:
            y = y.mT
        out = self.torch.empty(*a.shape[:-1], y.shape[-1], dtype=self.dtype)
        product = self.torch.mm if a.ndim == 2 else self.torch.bmm
        return lambda: product(x, y, out=out)


class Pronghorn:
    def __init__(self, bf16: bool) -> None:
        import pronghorn
        from pronghorn import _core
        from pronghorn.trace import Trace

        self.pronghorn, self.core, self.trace = pronghorn, _core, Trace
        self.dtype = "bfloat16" if bf16 else "float32"
        self.about = f"pronghorn {pronghorn.__version__} ({_core.isa()})"

    def product(
        self, a: np.ndarray, b: np.ndarray, transposed: bool = False, packed: bool = False
    ) -> Product:
        ops, dtype = self.pronghorn.ops, self.dtype
        shape = (*a.shape[:-1], b.shape[-2 if transposed else -1])
        out = self.pronghorn.Variable(np.zeros(shape, np.float32), dtype=dtype)
        weight = self.pronghorn.Variable(b, dtype=dtype)
        with self.trace() as trace:
            x = trace.input(a.shape, dtype)
            y = trace.read(weight) if packed else trace.input(b.shape, dtype)
            attrs = {"transpose_a": False, "transpose_b": transposed}
            trace.write(out, self.core.apply("matmul", [x, y], attrs))
            program = trace.compile([])
        tensors = [ops.cast(ops.convert_to_tensor(v), dtype) for v in (a, b)]
        inputs = tensors[:1] if packed else tensors

        def run() -> Any:
            program._core.run(inputs)
            return out

        return run


class Actions(dict[str, Any]):
    """Makes an action when its name is first asked for."""

    def __init__(self, library: Any) -> None:
        self.library = library

    def __missing__(self, name: str) -> Callable[[], float]:
        *words, shape = name.split()
        found: Callable[[], float]
        if shape == "sustained":
            found = self.library.core._sustained_multiply_add
        elif shape == "peak":
            tiles = self.library.dtype == "bfloat16"
            core = self.library.core
            found = core._peak_multiply_tiles if tiles else core._peak_multiply_add
        elif words[:1] == ["error"]:
            a, b = operands(words[1], shape)
            found = lambda: self.error(a, b, shape.endswith("t"))  # noqa: E731
        else:
            more = {"packed": True} if words else {}
            if shape.endswith("t"):
                more["transposed"] = True
            product = self.library.product(*operands("normal", shape), **more)
            found = lambda: milliseconds(product)  # noqa: E731
        self[name] = found
        return found

    def error(self, a: np.ndarray, b: np.ndarray, transposed: bool) -> float:
        wanted = a.astype(np.float64) @ (b.swapaxes(-1, -2) if transposed else b).astype(np.float64)
        found = np.asarray(self.library.product(a, b, transposed)()).astype(np.float64)
        # Rows in scales of their own count alike.
        size = np.sqrt((wanted**2).mean(-1, keepdims=True))
        scale = size * np.sqrt(((wanted / size) ** 2).mean(-2, keepdims=True))
        return float(np.sqrt((((found - wanted) / scale) ** 2).mean()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("library", choices=["pronghorn", "torch"])
    parser.add_argument("--bf16", action="store_true")
    found = parser.parse_args()
    library: Any = (Torch if found.library == "torch" else Pronghorn)(found.bf16)
    serve(Actions(library), library.about)
