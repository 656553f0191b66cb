"""Times PyTorch: python bench/workers/run_torch.py WORKLOAD [--channels-last] [--compile]"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[2]))

import torch  # noqa: E402
from torch import nn  # noqa: E402

from bench.workers.protocol import serve  # noqa: E402
from bench.workloads import WORKLOADS, data  # noqa: E402


def build(name: str) -> nn.Module:
    """The workload as a Sequential, channels first."""
    workload = WORKLOADS[name]
    shape = workload["x"]
    height, features = (shape[0], shape[2]) if len(shape) == 3 else (1, shape[0])
    modules: list[nn.Module] = []
    for i, (kind, *arguments) in enumerate(workload["layers"]):
        last = i == len(workload["layers"]) - 1
        if kind == "dense":
            modules.append(nn.Linear(features, arguments[0]))
            features = arguments[0]
        elif kind == "conv":
            filters, size, padding = arguments
            pad = size // 2 if padding == "same" else 0
            modules.append(nn.Conv2d(features, filters, size, padding=pad))
            features, height = filters, height + 2 * pad - size + 1
        elif kind == "maxpool":
            modules.append(nn.MaxPool2d(arguments[0]))
            height //= arguments[0]
        else:
            modules.append(nn.Flatten())
            features *= height * height
        if kind in ("dense", "conv") and not last:
            modules.append(nn.ReLU())
    return nn.Sequential(*modules)


def main(name: str, channels_last: bool, compiled: bool) -> None:
    workload = WORKLOADS[name]
    x_array, y_array = data(name)
    batch, n = workload["batch"], len(x_array)
    torch.manual_seed(0)
    x, y = torch.from_numpy(x_array), torch.from_numpy(y_array).long()
    model = build(name)
    if x.ndim == 4:
        x = x.permute(0, 3, 1, 2).contiguous()
        if channels_last:
            model = model.to(memory_format=torch.channels_last)
            x = x.contiguous(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), 1e-3, fused=True)
    criterion = nn.CrossEntropyLoss()
    forward: Callable[..., Any] = torch.compile(model) if compiled else model

    def train() -> float:
        start = time.perf_counter()
        order = torch.randperm(n)
        for i in range(0, n, batch):
            rows = order[i : i + batch]
            optimizer.zero_grad(set_to_none=True)
            loss = criterion(forward(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
        float(loss)
        return (time.perf_counter() - start) / (n // batch) * 1e3

    @torch.inference_mode()
    def infer() -> float:
        start = time.perf_counter()
        for i in range(0, n, batch):
            forward(x[i : i + batch])
        return (time.perf_counter() - start) / (n // batch) * 1e3

    @torch.inference_mode()
    def one() -> float:
        calls, sample = 50, x[:1]
        start = time.perf_counter()
        for _ in range(calls):
            forward(sample)
        return (time.perf_counter() - start) / calls * 1e3

    kind = (", channels last" if channels_last else "") + (", compiled" if compiled else "")
    serve({"train": train, "infer": infer, "one": one}, f"PyTorch {torch.__version__}{kind}")


if __name__ == "__main__":
    main(sys.argv[1], "--channels-last" in sys.argv, "--compile" in sys.argv)
