"""Times one library's float32 matrix products and tells their errors:
python bench/workers/run_products.py pronghorn|torch

Actions: `MxNxK` (milliseconds), `packed MxNxK` (the same with a second operand that stays the same,
pronghorn only), `error KIND MxNxK` (rms of the error over rms of the result, against float64),
`peak` (GFLOP/s of multiply-adds in registers, pronghorn only).
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


def operands(kind: str, m: int, n: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of several kinds, the same in every library."""
    rng = np.random.default_rng(m + n + k)
    a = rng.standard_normal((m, k), np.float32)
    b = rng.standard_normal((k, n), np.float32)
    if kind == "positive":
        a, b = np.abs(a), np.abs(b)
    elif kind == "rows":  # every row of a and column of b in a scale of its own
        a *= np.float32(10) ** rng.uniform(-6, 6, (m, 1)).astype(np.float32)
        b *= np.float32(10) ** rng.uniform(-6, 6, (1, n)).astype(np.float32)
    elif kind == "depth":  # every term of the sums in a scale of its own
        scale = np.float32(10) ** rng.uniform(-3, 3, k).astype(np.float32)
        a, b = a * scale, b * scale[:, None]
    return a, b


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
    def __init__(self) -> None:
        import torch

        self.torch = torch
        self.about = f"PyTorch {torch.__version__}"

    def product(self, a: np.ndarray, b: np.ndarray) -> Product:
        x, y = self.torch.from_numpy(a), self.torch.from_numpy(b)
        out = self.torch.empty(a.shape[0], b.shape[1])
        return lambda: self.torch.mm(x, y, out=out)


class Pronghorn:
    def __init__(self) -> None:
        import pronghorn
        from pronghorn import _core
        from pronghorn.trace import Trace

        self.pronghorn, self.core, self.trace = pronghorn, _core, Trace
        self.about = f"pronghorn {pronghorn.__version__} ({_core.isa()})"

    def product(self, a: np.ndarray, b: np.ndarray, packed: bool = False) -> Product:
        out = self.pronghorn.Variable(np.zeros((a.shape[0], b.shape[1]), np.float32))
        weight = self.pronghorn.Variable(b)
        with self.trace() as trace:
            x = trace.input(a.shape, "float32")
            y = trace.read(weight) if packed else trace.input(b.shape, "float32")
            attrs = {"transpose_a": False, "transpose_b": False}
            trace.write(out, self.core.apply("matmul", [x, y], attrs))
            program = trace.compile([])
        inputs = [self.pronghorn.ops.convert_to_tensor(v) for v in ([a] if packed else [a, b])]

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
        m, n, k = (int(v) for v in shape.split("x")) if "x" in shape else (0, 0, 0)
        found: Callable[[], float]
        if shape == "peak":
            found = self.library.core._peak_multiply_add
        elif words[:1] == ["error"]:
            a, b = operands(words[1], m, n, k)
            found = lambda: self.error(a, b)  # noqa: E731
        else:
            more = {"packed": True} if words else {}
            product = self.library.product(*operands("normal", m, n, k), **more)
            found = lambda: milliseconds(product)  # noqa: E731
        self[name] = found
        return found

    def error(self, a: np.ndarray, b: np.ndarray) -> float:
        wanted = a.astype(np.float64) @ b.astype(np.float64)
        found = np.asarray(self.library.product(a, b)()).astype(np.float64)
        # Rows in scales of their own count alike.
        size = np.sqrt((wanted**2).mean(1, keepdims=True))
        scale = size * np.sqrt(((wanted / size) ** 2).mean(0, keepdims=True))
        return float(np.sqrt((((found - wanted) / scale) ** 2).mean()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("library", choices=["pronghorn", "torch"])
    found = parser.parse_args().library
    library: Any = Torch() if found == "torch" else Pronghorn()
    serve(Actions(library), library.about)
