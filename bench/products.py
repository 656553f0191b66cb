"""Matrix products in float32 against the machine's peak and PyTorch (MKL), and their errors.

python -m bench.products [MxNxK ...] [--threads 1,2] [--isa avx512] [--python PATH] [--json FILE]
"""

from __future__ import annotations

import argparse
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
    workers = {n: Worker(py, peer, n, False, a.isa, threads) for n, (py, peer) in found.items()}
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
    names = ["pronghorn", "packed"] + ["torch"] * (torch is not None)
    rows: dict[tuple[str, str], Row] = {}
    for shape in a.shapes:
        m, n, k = (int(v) for v in shape.split("x"))
        for name in names:
            rows[shape, name] = Row(f"{shape} {name} [{threads} threads]", "GFLOP/s", [])
        for i in range(a.rounds + 1):
            for name in names:
                worker = torch if name == "torch" else ours
                assert worker is not None
                ms = worker.ask(f"packed {shape}" if name == "packed" else shape)
                if i > 0:
                    rows[shape, name].values.append(2 * m * n * k / ms * 1e-6)
        peak = max(peak, ours.ask("peak"))
    print(f"\n{threads} threads, peak {peak:.0f} GFLOP/s, {ours.about}\n")
    head = (
        "M x N x K | GFLOP/s | % of peak | b packed ahead | torch | ours / torch | packed / torch"
    )
    print(f"| {head} |\n{'|---' * 7}|")
    for shape in a.shapes:
        plain, packed = rows[shape, "pronghorn"].best, rows[shape, "packed"].best
        cells = [f"{plain:.0f}", f"{100 * plain / peak:.0f}", f"{packed:.0f}"]
        if torch is not None:
            other = rows[shape, "torch"].best
            cells += [f"{other:.0f}", f"{plain / other:.2f}", f"{packed / other:.2f}"]
        else:
            cells += ["-"] * 3
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
    parser.add_argument("--threads", default="1,2", help="default: %(default)s")
    parser.add_argument("--isa", default="", help=f"cap: {', '.join(OURS.isa)}")
    parser.add_argument("--python", default=sys.executable, help="Python that has torch")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", default="", help="also write the figures to this file")
    a = parser.parse_args()
    about = results.machine() | {"isa": a.isa or "all"}
    print(results.describe(about))
    rows: list[Row] = []
    for threads in (int(t) for t in a.threads.split(",")):
        workers = start(a, threads)
        if "pronghorn" not in workers:
            raise SystemExit(1)
        rows += speed(a, workers, threads)
        if threads == int(a.threads.split(",")[-1]):
            accuracy(a, workers)
        for worker in workers.values():
            worker.close()
    if a.json:
        results.save(a.json, about, rows)


if __name__ == "__main__":
    main()
