"""The libraries that are measured beside pronghorn, and the processes they run in."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

WORKERS = Path(__file__).parent / "workers"
# An idle worker's threads may spin for a while after its answer.
REST_SECONDS = 0.25


@dataclasses.dataclass(frozen=True)
class Peer:
    """How a library is run.

    Attributes:
        script: its worker.
        install: the pip command that brings it.
        arguments: of the worker.
        env: environment.
        trains: whether it can train.
        bf16: whether it can compute in bfloat16.
        isa: environment that caps it, by level of ours; empty where it cannot be capped.
    """

    script: str
    install: str
    arguments: tuple[str, ...] = ()
    env: Mapping[str, str] = dataclasses.field(default_factory=dict)
    trains: bool = True
    bf16: bool = True
    isa: Mapping[str, Mapping[str, str]] = dataclasses.field(default_factory=dict)


_TORCH = "pip install torch --index-url https://download.pytorch.org/whl/cpu"
_TORCH_ISA = {
    level: {
        "ONEDNN_MAX_CPU_ISA": onednn,
        "MKL_ENABLE_INSTRUCTIONS": mkl,
        "ATEN_CPU_CAPABILITY": aten,
    }
    for level, onednn, mkl, aten in (
        ("baseline", "SSE41", "SSE4_2", "default"),
        ("avx2", "AVX2", "AVX2", "avx2"),
        ("avx512", "AVX512_CORE", "AVX512", "avx512"),
        ("avx512_bf16", "AVX512_CORE_BF16", "AVX512", "avx512"),
    )
}
_JAX_ENV = {"JAX_PLATFORMS": "cpu"}
_JAX_ISA = {
    level: {"XLA_FLAGS": f"--xla_cpu_max_isa={xla}"}
    for level, xla in (("baseline", "SSE4_2"), ("avx2", "AVX2"), ("avx512", "AVX512"))
}
_TF_ISA = {
    level: {"ONEDNN_MAX_CPU_ISA": caps["ONEDNN_MAX_CPU_ISA"]} for level, caps in _TORCH_ISA.items()
}

OURS = Peer(
    "run_pronghorn.py",
    "pip install .",
    isa={i: {"PRONGHORN_ISA": i} for i in ("baseline", "avx2", "avx512", "avx512_bf16")},
)
PEERS: dict[str, Peer] = {
    "torch": Peer("run_torch.py", _TORCH, isa=_TORCH_ISA),
    "torch-cl": Peer("run_torch.py", _TORCH, ("--channels-last",), isa=_TORCH_ISA),
    "torch-compile": Peer("run_torch.py", _TORCH, ("--compile",), isa=_TORCH_ISA),
    "jax": Peer("run_jax.py", "pip install jax", env=_JAX_ENV, isa=_JAX_ISA),
    "keras-tf": Peer(
        "run_keras.py",
        "pip install keras tensorflow-cpu",
        env={"KERAS_BACKEND": "tensorflow"},
        isa=_TF_ISA,
    ),
    "keras-jax": Peer(
        "run_keras.py",
        "pip install keras jax",
        env={"KERAS_BACKEND": "jax", **_JAX_ENV},
        isa=_JAX_ISA,
    ),
    "onnxruntime": Peer(
        "run_onnxruntime.py", "pip install onnx onnxruntime", trains=False, bf16=False
    ),
    "openvino": Peer("run_openvino.py", "pip install onnx openvino", trains=False),
}


class Missing(Exception):
    """A library that cannot be measured; the message says why."""


def environment(peer: Peer, isa: str, threads: int) -> dict[str, str]:
    """The environment of a worker."""
    found = {**os.environ, **peer.env, **peer.isa.get(isa, {})}
    if threads:
        for name in ("PRONGHORN_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
            found[name] = str(threads)
    return found


class Worker:
    """A process that times one library on one workload."""

    def __init__(
        self, python: str, peer: Peer, workload: str, bf16: bool, isa: str, threads: int
    ) -> None:
        self.peer = peer
        command = [python, str(WORKERS / peer.script), workload, *peer.arguments]
        self.process = subprocess.Popen(
            command + ["--bf16"] * bf16,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=environment(peer, isa, threads),
        )  # fmt: skip
        if threads and hasattr(os, "sched_setaffinity"):
            # Not every library counts its threads by a variable: all of them see as many CPUs.
            cpus = sorted(os.sched_getaffinity(0))[:threads]
            os.sched_setaffinity(self.process.pid, cpus)
        self.about = ""
        self.actions: list[str] = []

    def wait(self) -> None:
        """Waits until the worker is ready."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise self._failure()
        hello: dict[str, Any] = json.loads(line)
        self.about, self.actions = hello["about"], hello["actions"]

    def ask(self, action: str) -> float:
        """Milliseconds, as the worker answers."""
        assert self.process.stdin is not None and self.process.stdout is not None
        try:
            self.process.stdin.write(action + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise self._failure()
        time.sleep(REST_SECONDS)
        return float(answer)

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()

    def _failure(self) -> Missing:
        _, errors = self.process.communicate()
        last = errors.strip().splitlines()[-1] if errors.strip() else "it ended without a word"
        if "ModuleNotFoundError" in last:
            return Missing(f"not installed ({last.split(': ')[-1]}): {self.peer.install}")
        return Missing(last)
