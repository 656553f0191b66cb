"""Asks workers in turn, so that all libraries see the same state of the machine; prints a table."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from bench import results
from bench.peers import OURS, PEERS, Missing, Worker
from bench.results import Row
from bench.workloads import OTHER, TABLE, WORKLOADS

# A peer that has one way to run one sample stands for both of ours.
SAME = {"predict": "call"}


def start(workload: str, peers: list[str], a: argparse.Namespace) -> dict[str, Worker]:
    """Workers that are ready; those that cannot be measured are named with the reason."""
    threads = a.threads
    workers = {"pronghorn": Worker(sys.executable, OURS, workload, a.bf16, a.isa, threads)}
    for name in peers:
        workers[name] = Worker(a.python, PEERS[name], workload, a.bf16, a.isa, threads)
    for name, worker in list(workers.items()):
        try:
            worker.wait()
        except Missing as reason:
            print(f"  {workload}: {name}: {reason}", file=sys.stderr)
            workers.pop(name).close()
    return workers


def measure(
    workload: str, actions: list[str], peers: list[str], a: argparse.Namespace
) -> tuple[dict[str, dict[str, list[float]]], dict[str, str]]:
    """{action: {library: [milliseconds, ...]}}, one warm-up round left out; and versions."""
    workers = start(workload, peers, a)
    times: dict[str, dict[str, list[float]]] = {action: {} for action in actions}
    about = {name: worker.about for name, worker in workers.items()}
    try:
        for i in range(a.rounds + 1):
            for action in actions:
                for name, worker in list(workers.items()):
                    if action not in worker.actions:
                        continue
                    try:
                        answer = worker.ask(action)
                    except Missing as reason:
                        print(f"  {workload}: {name}: {action}: {reason}", file=sys.stderr)
                        workers.pop(name).close()
                        continue
                    if i > 0:
                        times[action].setdefault(name, []).append(answer)
    finally:
        for worker in workers.values():
            worker.close()
    return times, about


def parse(description: str, actions: list[str]) -> argparse.Namespace:
    """Command line of train.py and infer.py."""
    training = "train" in actions
    names = [n for n, p in PEERS.items() if p.trains or not training]
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("workloads", nargs="*", help=f"default: {' '.join(TABLE)}")
    parser.add_argument("--other", action="store_true", help=f"also {' '.join(OTHER)}")
    parser.add_argument("--peers", default=",".join(names), help="default: %(default)s; or ''")
    parser.add_argument("--python", default=sys.executable, help="Python that has the peers")
    parser.add_argument("--bf16", action="store_true", help="bfloat16: mixed_bfloat16, autocast")
    parser.add_argument("--isa", default="", help=f"cap: {', '.join(OURS.isa)}")
    parser.add_argument("--threads", type=int, default=0, help="default: one for each CPU")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", default="", help="also write the times to this file")
    a = parser.parse_args()
    if not a.workloads:
        a.workloads = [*TABLE, *(OTHER if a.other else [])]
    for workload in a.workloads:
        if workload not in WORKLOADS:
            parser.error(f"{workload}: expected one of {', '.join(WORKLOADS)}")
    a.peers = [p for p in a.peers.split(",") if p]
    for peer in a.peers:
        if peer not in names:
            parser.error(f"{peer}: expected one of {', '.join(names)}")
    if a.isa not in ("", *OURS.isa):
        parser.error(f"--isa {a.isa}: expected one of {', '.join(OURS.isa)}")
    return a


def usable(a: argparse.Namespace) -> list[str]:
    """The peers that can do what was asked for; the others are named."""
    found = []
    for name in a.peers:
        if a.bf16 and not PEERS[name].bf16:
            print(f"  {name}: has no bfloat16 on CPUs", file=sys.stderr)
        elif a.isa and a.isa not in PEERS[name].isa:
            print(f"  {name}: cannot be capped at {a.isa}", file=sys.stderr)
        else:
            found.append(name)
    return found


def main(actions: list[str], description: str) -> None:
    """Measures and prints; the body of train.py and infer.py."""
    a = parse(description, actions)
    peers = usable(a)
    about: dict[str, Any] = results.machine()
    about |= {"dtype": "mixed bfloat16" if a.bf16 else "float32", "isa": a.isa or "all"}
    about |= {"threads": a.threads or about["cpus"]}
    print(f"{results.describe(about)}; ms, minimum (median)")
    columns = ["pronghorn", *peers]
    print(f"| workload | what | {' | '.join(columns)} | best peer / pronghorn | samples/s |")
    print("|---" * (len(columns) + 4) + "|")
    rows: list[Row] = []
    versions: dict[str, str] = {}
    for workload in a.workloads:
        times, found = measure(workload, actions, peers, a)
        versions |= found
        for action in actions:
            line = {n: Row(f"{workload} {action} {n}", "ms", t) for n, t in times[action].items()}
            rows += line.values()
            compared = dict(line)
            if action in SAME and SAME[action] in times:
                for name, t in times[SAME[action]].items():
                    compared.setdefault(name, Row(name, "ms", t))
            cells = [
                f"{compared[n].best:.4g} ({compared[n].median:.4g})" if n in compared else "-"
                for n in columns
            ]
            best = min((compared[p].best for p in peers if p in compared), default=None)
            ours = compared.get("pronghorn")
            ratio = f"{best / ours.best:.2f}" if best and ours else "-"
            batch = WORKLOADS[workload]["batch"] if action in ("train", "infer") else 1
            rate = f"{batch / ours.best * 1e3:,.0f}" if ours else "-"
            print(f"| {workload} | {action} | {' | '.join(cells)} | {ratio} | {rate} |", flush=True)
    print("\n" + ", ".join(sorted(set(versions.values()))))
    if a.json:
        results.save(a.json, about | {"versions": versions}, rows)
