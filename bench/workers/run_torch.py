"""Times PyTorch:
python bench/workers/run_torch.py WORKLOAD [--channels-last] [--compile] [--bf16]"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[2]))

import torch  # noqa: E402
from torch import nn  # noqa: E402

from bench.workers.protocol import arguments, per_call, serve  # noqa: E402
from bench.workloads import WORKLOADS, data  # noqa: E402


class Lstm(nn.Module):
    def __init__(self, features: int, units: int, sequences: bool) -> None:
        super().__init__()
        self.cells = nn.LSTM(features, units, batch_first=True)
        self.sequences = sequences

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y, _ = self.cells(x)
        return y if self.sequences else y[:, -1]


class Average(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean((2, 3))


class Mean(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean(1)


class Residual(nn.Module):
    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(x + self.inner(x))


class Builder:
    """Layers of a workload as modules, channels first; keeps track of the shape."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.features = shape[-1]
        self.sizes = list(shape[:-1]) if len(shape) == 3 else []

    def layers(self, described: list[Any]) -> nn.Sequential:
        modules: list[nn.Module] = []
        for kind, *a in described:
            modules.append(self.layer(kind, a))
            if kind in ("dense", "conv", "depthwise") and a[-1] == "relu":
                modules.append(nn.ReLU())
        return nn.Sequential(*modules)

    def layer(self, kind: str, a: list[Any]) -> nn.Module:
        before = self.features
        if kind in ("conv", "depthwise"):
            size, stride, padding, _ = a[-4:]
            pad = (size - 1) // 2 if padding == "same" else 0
            self.features = a[0] if kind == "conv" else before
            self.sizes = [(n + 2 * pad - size) // stride + 1 for n in self.sizes]
            groups = 1 if kind == "conv" else before
            return nn.Conv2d(before, self.features, size, stride, pad, groups=groups)
        if kind == "residual":
            return Residual(self.layers(a[0]))
        if kind == "transformer":
            return nn.TransformerEncoderLayer(before, *a, dropout=0.0, batch_first=True)
        if kind == "mean":
            return Mean()
        if kind == "maxpool":
            self.sizes = [n // a[0] for n in self.sizes]
            return nn.MaxPool2d(a[0])
        if kind == "flatten":
            self.features *= self.sizes[0] * self.sizes[1]
            return nn.Flatten()
        if kind == "average":
            return Average()
        if kind == "batchnorm":
            return nn.BatchNorm2d(before)
        if kind == "relu":
            return nn.ReLU()
        if kind == "embedding":
            self.features = a[1]
            return nn.Embedding(*a)
        self.features = a[0]
        return Lstm(before, *a) if kind == "lstm" else nn.Linear(before, a[0])


def main(name: str, channels_last: bool, compiled: bool, bf16: bool) -> None:
    workload = WORKLOADS[name]
    x_array, y_array = data(name)
    batch: int = workload["batch"]
    n = len(x_array)
    torch.manual_seed(0)
    x, y = torch.from_numpy(x_array), torch.from_numpy(y_array).long()
    model: nn.Module = Builder(workload["x"]).layers(workload["layers"])
    if x.ndim == 4:
        x = x.permute(0, 3, 1, 2).contiguous()
        if channels_last:
            model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            x = x.contiguous(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), 1e-3, fused=True)
    criterion = nn.CrossEntropyLoss()

    def loss_of(xb: torch.Tensor, yb: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            logits = model(xb)
        loss: torch.Tensor = criterion(logits.float().reshape(-1, logits.shape[-1]), yb.reshape(-1))
        return loss

    step: Callable[..., Any] = torch.compile(loss_of) if compiled else loss_of
    forward: Callable[..., Any] = torch.compile(model) if compiled else model

    def train() -> float:
        model.train()
        start = time.perf_counter()
        order = torch.randperm(n)
        for i in range(0, n, batch):
            rows = order[i : i + batch]
            optimizer.zero_grad(set_to_none=True)
            loss = step(x[rows], y[rows])
            loss.backward()
            optimizer.step()
        float(loss)
        return (time.perf_counter() - start) / (n // batch) * 1e3

    def inference(f: Callable[[], float]) -> Callable[[], float]:
        def action() -> float:
            model.eval()
            with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                return f()

        return action

    def infer() -> float:
        start = time.perf_counter()
        for i in range(0, n, batch):
            forward(x[i : i + batch])
        return (time.perf_counter() - start) / (n // batch) * 1e3

    sample = x[:1]
    kind = (", channels last" if channels_last else "") + (", compiled" if compiled else "")
    serve(
        {
            "train": train,
            "infer": inference(infer),
            "call": inference(per_call(lambda: forward(sample))),
        },
        f"PyTorch {torch.__version__}{kind}",
    )


if __name__ == "__main__":
    a = arguments(__doc__ or "", ["--channels-last", "--compile"])
    main(a.workload, a.channels_last, a.compile, a.bf16)
