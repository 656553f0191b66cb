"""Matrix products against the machine's peak and PyTorch, and in float32 their errors.

python -m bench.products [MxNxK | BATCHxMxNxK[t] ...] [--bf16] [--threads 1,2] [--isa avx512]
                         [--python PATH] [--json FILE]
"""

from __future__ import annotations

import argparse
import math
import sys

from bench import results
from bench.peers import OURS, PEERS, Missing, Peer, Worker
from bench.results import Row

SHAPES = [
    "1024x1024x1024",
    "2048x2048x2048",
    "128x1024x784",
    "128x1024x1024",
    "32x512x160",
    "32x128x5408",
    "1x1024x784",
    "8x1000x500",
    "2000x37x300",
    "333x777x555",
]
KINDS = ["normal", "positive", "rows", "depth"]
SCRIPT = "run_products.py"


def start(a: argparse.Namespace, threads: int) -> dict[str, Worker]:
    torch = PEERS["torch"]
    found = {
        "pronghorn": (sys.executable, Peer(SCRIPT, OURS.install, isa=OURS.isa)),
        "torch": (a.python, Peer(SCRIPT, torch.install, isa=torch.isa)),
    }
    workers = {n: Worker(py, peer, n, a.bf16, a.isa, threads) for n, (py, peer) in found.items()}
    for name, worker in list(workers.items()):
        try:
            worker.wait()
        except Missing as reason:
            print(f"  {name}: {reason}", file=sys.stderr)
            workers.pop(name).close()
    return workers


def speed(a: argparse.Namespace, workers: dict[str, Worker], threads: int) -> list[Row]:
    """Prints and returns GFLOP/s."""
    ours, torch = workers["pronghorn"], workers.get("torch")
    peak = ours.ask("peak")
    rows: dict[tuple[str, str], Row] = {}
    sustained: dict[str, float] = {}
    for shape in a.shapes:
        terms = math.prod(int(v) for v in shape.rstrip("t").split("x"))
        names = ["pronghorn", *["packed"] * (shape.count("x") == 2), *["torch"] * bool(torch)]
        for name in names:
            rows[shape, name] = Row(f"{shape} {name} [{threads} threads]", "GFLOP/s", [])
        for i in range(a.rounds + 1):
            for name in names:
                worker = torch if name == "torch" else ours
                assert worker is not None
                ms = worker.ask(f"packed {shape}" if name == "packed" else shape)
                if i > 0:
                    rows[shape, name].values.append(2 * terms / ms * 1e-6)
        sustained[shape] = ours.ask("sustained")
        peak = max(peak, ours.ask("peak"))
    print(f"\n{threads} threads, peak {peak:.0f} GFLOP/s, {ours.about}\n")
    head = (
        "M x N x K | GFLOP/s | % of peak | % of sustained multiply-adds | b packed ahead | torch | "
        "ours / torch | packed / torch"
    )
    print(f"| {head} |\n{'|---' * 8}|")
    for shape in a.shapes:
        plain = rows[shape, "pronghorn"].best
        packed = rows[shape, "packed"].best if (shape, "packed") in rows else math.nan
        other = rows[shape, "torch"].best if torch is not None else math.nan
        shares = [100 * plain / limit for limit in (peak, sustained[shape])]
        figures = [*[f"{v:.0f}" for v in (plain, *shares, packed, other)],
                   *[f"{v / other:.2f}" for v in (plain, packed)]]  # fmt: skip
        cells = ["-" if text == "nan" else text for text in figures]
        print(f"| {shape} | {' | '.join(cells)} |")
    return [*rows.values(), Row(f"peak [{threads} threads]", "GFLOP/s", [peak])]


def accuracy(a: argparse.Namespace, workers: dict[str, Worker]) -> None:
    """Prints errors beside those of torch."""
    print("\nError against float64, rms over rms: ours (torch)\n")
    print(f"| M x N x K | {' | '.join(KINDS)} |\n|---{'|---' * len(KINDS)}|")
    for shape in a.shapes:
        cells = []
        for kind in KINDS:
            found = [w.ask(f"error {kind} {shape}") for w in workers.values()]
            cells.append(f"{found[0]:.2g}" + (f" ({found[1]:.2g})" if len(found) > 1 else ""))
        print(f"| {shape} | {' | '.join(cells)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("shapes", nargs="*", default=SHAPES, help="default: %(default)s")
    parser.add_argument("--bf16", action="store_true", help="operands and results in bfloat16")
    parser.add_argument("--threads", default="1,2", help="default: %(default)s")
    parser.add_argument("--isa", default="", help=f"cap: {', '.join(OURS.isa)}")
    parser.add_argument("--python", default=sys.executable, help="Python that has torch")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", default="", help="also write the figures to this file")
    a = parser.parse_args()
    about = results.machine() | {
        "isa": a.isa or "all",
        "dtype": "bfloat16" if a.bf16 else "float32",
    }
    print(results.describe(about))
    rows: list[Row] = []
    for threads in (int(t) for t in a.threads.split(",")):
        workers = start(a, threads)
        if "pronghorn" not in workers:
            raise SystemExit(1)
        rows += speed(a, workers, threads)
        if not a.bf16 and threads == int(a.threads.split(",")[-1]):
            accuracy(a, workers)
        for worker in workers.values():
            worker.close()
    if a.json:
        results.save(a.json, about, rows)


if __name__ == "__main__":
    main()
