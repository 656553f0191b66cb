"""Asks workers in turn, so that all libraries see the same state of the machine; prints a table."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench.workloads import WORKLOADS

WORKERS = Path(__file__).parent / "workers"
# An idle worker's threads may spin for a while after its answer.
REST_SECONDS = 0.25

# Peer -> worker, its arguments, environment.
PEERS: dict[str, tuple[str, list[str], dict[str, str]]] = {
    "torch": ("run_torch.py", [], {}),
    "torch-cl": ("run_torch.py", ["--channels-last"], {}),
    "torch-compile": ("run_torch.py", ["--compile"], {}),
    "jax": ("run_jax.py", [], {"JAX_PLATFORMS": "cpu"}),
    "keras-tf": ("run_keras.py", [], {"KERAS_BACKEND": "tensorflow"}),
    "keras-jax": ("run_keras.py", [], {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}),
}


class Worker:
    """A process that times one library on one workload."""

    def __init__(self, python: str, script: str, arguments: list[str], env: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [python, str(WORKERS / script), *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, **env},
        )  # fmt: skip
        assert self.process.stdout is not None
        self.about = self.process.stdout.readline().strip()

    def ask(self, what: str) -> float:
        """Milliseconds, as the worker answers."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(what + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            assert self.process.stderr is not None
            raise RuntimeError(self.process.stderr.read())
        time.sleep(REST_SECONDS)
        return float(answer)

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


def measure(workload: str, what: list[str], peers: list[str], python: str, rounds: int) -> Any:
    """{library: {what: [milliseconds, ...]}}, one warm-up round left out."""
    workers = {"pronghorn": Worker(sys.executable, "run_pronghorn.py", [workload], {})}
    for peer in peers:
        script, arguments, env = PEERS[peer]
        worker = Worker(python, script, [workload, *arguments], env)
        if worker.about:
            workers[peer] = worker
        else:
            worker.close()
            print(f"  {peer} is not installed in {python}", file=sys.stderr)
    times: dict[str, dict[str, list[float]]] = {n: {w: [] for w in what} for n in workers}
    try:
        for i in range(rounds + 1):
            for w in what:
                for name, worker in workers.items():
                    answer = worker.ask(w)
                    if i > 0:
                        times[name][w].append(answer)
    finally:
        for worker in workers.values():
            worker.close()
    return times


def main(what: list[str], description: str) -> None:
    """Command line of train.py and infer.py."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("workloads", nargs="*", default=list(WORKLOADS), help=", ".join(WORKLOADS))
    parser.add_argument("--peers", default="torch,torch-cl", help=f"of {', '.join(PEERS)}; or ''")
    parser.add_argument("--python", default=sys.executable, help="Python that has the peers")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", default="", help="also write the times to this file")
    a = parser.parse_args()
    peers = [p for p in a.peers.split(",") if p]
    machine = f"{platform.machine()}, {os.cpu_count()} CPUs, {time.strftime('%Y-%m-%d')}"
    print(f"{machine}; ms, minimum (median)")
    print("| workload | what | pronghorn | " + " | ".join(peers) + " | best peer / pronghorn |")
    print("|---" * (4 + len(peers)) + "|")
    everything = {}
    for workload in a.workloads:
        times = measure(workload, what, peers, a.python, a.rounds)
        everything[workload] = times
        for w in what:
            cells = []
            for name in ["pronghorn", *peers]:
                t = times.get(name, {}).get(w)
                cells.append(f"{min(t):.4g} ({statistics.median(t):.4g})" if t else "-")
            best = min((min(times[p][w]) for p in peers if p in times), default=None)
            ratio = f"{best / min(times['pronghorn'][w]):.2f}" if best else "-"
            print(f"| {workload} | {w} | " + " | ".join(cells) + f" | {ratio} |", flush=True)
    if a.json:
        Path(a.json).write_text(json.dumps(everything, indent=1))
