"""How near ops come to what the machine can do, on the bench shapes of the op cases.

python -m bench.ops [OP ...] [--isa avx2,avx512] [--threads 1,2] [--dtype bfloat16] [--json FILE]

Products and convolutions count 2 operations for each term (GFLOP/s, against the peak of
multiply-adds in registers, with --dtype bfloat16 that of AMX tiles where there are any); the others
count the bytes of their inputs and outputs once (GB/s, against a copy that touches as many bytes).
Peaks are measured in the same process.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1] / "tests"))

import numpy as np  # noqa: E402

from bench import results, settings  # noqa: E402
from bench.peak import Peaks  # noqa: E402
from bench.results import Row  # noqa: E402
from op_cases import BENCHES, Bench  # noqa: E402
from op_cases.case import tensor  # noqa: E402
from pronghorn import Variable, _core  # noqa: E402
from pronghorn.program import Program  # noqa: E402
from pronghorn.trace import Trace  # noqa: E402

SECONDS = 0.002  # of one measurement
REPEATS = 15


def operations(bench: Bench, outputs: list[Any]) -> int:
    """Floating-point operations of products and convolutions, 0 for other ops."""
    shapes: list[tuple[int, ...]] = [a.shape for a in bench.inputs]
    result: tuple[int, ...] = outputs[0].shape
    y = math.prod(result)
    if bench.op == "matmul":
        return 2 * y * shapes[0][-2 if bench.attrs["transpose_a"] else -1]
    if bench.op in ("conv", "conv_dx"):
        pixels = y if bench.op == "conv" else math.prod(shapes[0])
        return 2 * pixels * math.prod(shapes[1][:-1])
    if bench.op == "conv_dw":
        return 2 * math.prod(shapes[1]) * math.prod(result[:-1])
    if bench.op.startswith("attention"):
        queries, keys, values = shapes[:3]
        heads = math.prod(queries[:3]) * keys[1]
        products = (3, 2) if bench.op.endswith("grad") else (1, 1)
        pairs = 2 * heads * (products[0] * queries[3] + products[1] * values[3])
        return pairs // 2 if bench.attrs["causal"] else pairs
    if bench.op.startswith("depthwise_conv"):
        dw = bench.op.endswith("dw")
        pixels = y if bench.op == "depthwise_conv" else math.prod(shapes[1 if dw else 0])
        return 2 * pixels * math.prod((result if dw else shapes[1])[:-2])
    return 0


def prepare(bench: Bench, dtype: str) -> tuple[Program, list[Any], list[Any]]:
    """A program of the op that writes into variables, its inputs and its outputs."""
    rng = np.random.default_rng(0)
    inputs = [tensor(a.make(rng, a.dtype)) for a in bench.inputs]
    inputs = [
        _core.apply("cast", [x], {"dtype": dtype}) if x.dtype == "float32" else x for x in inputs
    ]
    found = _core.apply(bench.op, inputs, bench.attrs)
    outputs = list(found) if isinstance(found, (tuple, list)) else [found]
    kept = [Variable(y, dtype=y.dtype) for y in outputs]
    with Trace() as trace:
        symbols = [trace.input(x.shape, x.dtype) for x in inputs]
        traced = _core.apply(bench.op, symbols, bench.attrs)
        for variable, y in zip(kept, traced if isinstance(traced, (tuple, list)) else [traced]):
            trace.write(variable, y)
        program = trace.compile([])
    return program, inputs, outputs


def timed(f: Callable[[], object]) -> list[float]:
    """Microseconds of a call, several measurements."""

    def seconds(calls: int) -> float:
        start = time.perf_counter()
        for _ in range(calls):
            f()
        return time.perf_counter() - start

    seconds(1)
    calls = max(1, math.ceil(SECONDS / max(seconds(1), 1e-7)))
    return [seconds(calls) / calls * 1e6 for _ in range(REPEATS)]


def overhead() -> float:
    """Microseconds of a call from Python that does nothing, part of every figure below."""
    bench = next(b for b in BENCHES if b.op == "identity")
    small = Bench("identity", (type(bench.inputs[0])((1,)),))
    program, inputs, _ = prepare(small, "float32")
    return min(timed(lambda: program._core.run(inputs)))


def here(names: list[str], dtype: str) -> dict[str, Any]:
    """Measures in this process."""
    peaks = Peaks()
    measured = []
    for bench in BENCHES:
        if names and bench.op not in names:
            continue
        try:
            program, inputs, outputs = prepare(bench, dtype)
        except (TypeError, ValueError) as error:
            print(f"{bench.id}: not in {dtype}: {error}", file=sys.stderr)
            continue
        us = timed(lambda program=program, inputs=inputs: program._core.run(inputs))  # type: ignore[misc]
        flops = operations(bench, outputs)
        moved = sum(t.nbytes for t in (*inputs, *outputs))
        rates = [(flops or moved) / t * 1e-3 for t in us]
        unit = "GFLOP/s" if flops else "GB/s"
        measured.append(
            {"id": bench.id, "us": min(us), "rates": rates, "unit": unit, "moved": moved}
        )
    peaks.again()
    for row in measured:
        moves = row["unit"] == "GB/s"
        row["peak"] = peaks.copy(row["moved"]) if moves else peaks.products(dtype)
    setting = {"isa": _core.isa(), "threads": _core.num_threads(), "dtype": dtype}
    return setting | {"peaks": str(peaks), "overhead": overhead(), "measured": measured}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("ops", nargs="*", help="default: all")
    parser.add_argument("--dtype", default="float32", help="of float inputs")
    settings.add_options(parser)
    a = parser.parse_args()
    known = {bench.op for bench in BENCHES}
    for name in a.ops:
        if name not in known:
            parser.error(f"{name}: expected one of {', '.join(sorted(known))}")
    if a.here:
        print(json.dumps(here(a.ops, a.dtype)))
        return
    about, rows = results.machine(), []
    print(results.describe(about))
    for found in settings.each("bench.ops", a, [*a.ops, "--dtype", a.dtype]):
        setting = f"{found['isa']} {found['threads']} {found['dtype']}"
        print(
            f"\n{setting}: peak {found['peaks']}; a call from Python {found['overhead']:.2f} us\n"
        )
        print("| op | us | rate | unit | % of peak |\n|---|---|---|---|---|")
        for m in found["measured"]:
            rate = max(m["rates"])
            share = f"{100 * rate / m['peak']:.0f}"
            print(f"| {m['id']} | {m['us']:.4g} | {rate:.4g} | {m['unit']} | {share} |")
            rows.append(Row(f"{m['id']} [{setting}]", m["unit"], m["rates"]))
    without = sorted(set(_core.op_names()) - known)
    if not a.ops and without:
        print(f"\nWithout bench shapes: {', '.join(without)}")
    if a.json:
        results.save(a.json, about | {"dtype": a.dtype}, rows)


if __name__ == "__main__":
    main()
