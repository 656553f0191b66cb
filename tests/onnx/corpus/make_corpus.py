"""Writes the corpus: small networks that PyTorch exported, with what ONNX Runtime computes.

    pip install torch onnx onnxruntime && python make_corpus.py

Makes `NAME.onnx` and, for each, `NAME.npz` with arrays `input_0`, ... and `output_0`, ...
"""

from __future__ import annotations

import pathlib
import warnings
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn

HERE = pathlib.Path(__file__).parent


class Residual(nn.Module):
    """Convolutions with a shortcut, squeeze and excitation, as ResNet and EfficientNet have."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU6()
        )
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        self.wide = nn.Sequential(nn.Conv2d(8, 16, 1), nn.BatchNorm2d(16), nn.SiLU())
        self.depth = nn.Conv2d(16, 16, 3, padding=1, groups=16)
        self.squeeze = nn.Conv2d(16, 4, 1)
        self.excite = nn.Conv2d(4, 16, 1)
        self.narrow = nn.Conv2d(16, 8, 1)
        self.head = nn.Linear(8, 5)

    def forward(self, x: Any) -> Any:
        x = self.pool(self.stem(x))
        y = self.depth(self.wide(x))
        scale = torch.sigmoid(self.excite(torch.relu(self.squeeze(y.mean((2, 3), keepdim=True)))))
        x = x + self.narrow(nn.functional.hardswish(y * scale))
        return self.head(torch.flatten(nn.functional.adaptive_avg_pool2d(x, 1), 1))


class Decoder(nn.Module):
    """Transposed convolutions, interpolation, a skip connection, as a U-Net has."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.norm = nn.GroupNorm(2, 8)
        self.up = nn.ConvTranspose2d(8, 4, 3, stride=2, padding=1, output_padding=1)
        self.instance = nn.InstanceNorm2d(4, affine=True)
        self.prelu = nn.PReLU(4)
        self.last = nn.Conv2d(4 + 8 + 3, 2, 3, padding=1, padding_mode="reflect")

    def forward(self, x: Any) -> Any:
        y = nn.functional.leaky_relu(self.norm(self.down(x)))
        up = self.prelu(self.instance(self.up(y)))
        near = nn.functional.interpolate(y, scale_factor=2, mode="nearest")
        smooth = nn.functional.interpolate(y, scale_factor=2, mode="bilinear", align_corners=False)
        return self.last(torch.cat([up, near + 0.5 * smooth, x], 1))


class Recurrent(nn.Module):
    """An embedding, a bidirectional LSTM of two layers and a GRU."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(20, 6)
        self.lstm = nn.LSTM(6, 5, num_layers=2, bidirectional=True, batch_first=True)
        self.gru = nn.GRU(10, 7, batch_first=True)
        self.head = nn.Linear(7 + 10, 3)

    def forward(self, ids: Any) -> Any:
        y, (h, _) = self.lstm(self.embed(ids))
        z, last = self.gru(y)
        both = torch.cat([h[-2], h[-1]], -1)
        return self.head(torch.cat([last[0], both], -1)), z[:, -1]


class Tokens(nn.Module):
    """A small transformer encoder: tokens and positions, a causal mask, GELU."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(30, 16)
        self.positions = nn.Parameter(torch.randn(1, 12, 16))
        self.norm1, self.norm2 = nn.LayerNorm(16), nn.LayerNorm(16)
        self.qkv = nn.Linear(16, 48)
        self.project = nn.Linear(16, 16)
        self.feed = nn.Sequential(nn.Linear(16, 32), nn.GELU(), nn.Linear(32, 16))
        self.register_buffer("mask", torch.tril(torch.ones(12, 12)).bool())

    def forward(self, ids: Any) -> Any:
        batch, time = ids.shape
        x = self.embed(ids) + self.positions[:, :time]
        y = self.norm1(x)
        q, k, v = self.qkv(y).view(batch, time, 3, 4, 4).permute(2, 0, 3, 1, 4)
        scores = q @ k.transpose(-1, -2) / 2.0
        scores = scores.masked_fill(~self.mask[:time, :time], float("-inf"))
        y = (scores.softmax(-1) @ v).transpose(1, 2).reshape(batch, time, 16)
        x = x + self.project(y)
        return x + self.feed(self.norm2(x))


class Patches(nn.Module):
    """A small vision transformer: patches, a class token, PyTorch's encoder layer."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 16, 4, stride=4)
        self.token = nn.Parameter(torch.randn(1, 1, 16))
        self.positions = nn.Parameter(torch.randn(1, 10, 16))
        self.encoder = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True, dropout=0.1)
        self.head = nn.Linear(16, 4)

    def forward(self, x: Any) -> Any:
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.positions
        return self.head(self.encoder(x)[:, 0]).log_softmax(-1)


class Perceptron(nn.Module):
    """Dense layers and many small functions."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ELU(), nn.Dropout(0.2), nn.Linear(16, 8)
        )

    def forward(self, x: Any) -> Any:
        y = self.layers(x)
        a, b = y.chunk(2, dim=-1)
        y = torch.tanh(a) * torch.sigmoid(b) + nn.functional.softplus(a).clamp(0.1, 2.0)
        y = torch.where(y > 0.5, y**2, y.abs().sqrt())
        best, place = y.topk(2, dim=-1)
        return nn.functional.normalize(y, dim=-1), best, place, y.argmax(-1)


class Sound(nn.Module):
    """One-dimensional convolutions with dilations, pooling and a recurrent head."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(1, 8, 5, padding=2, dilation=1)
        self.wide = nn.Conv1d(8, 8, 3, padding=4, dilation=4, groups=2)
        self.rnn = nn.RNN(8, 6, nonlinearity="relu")
        self.head = nn.Linear(6, 3)

    def forward(self, x: Any) -> Any:
        x = nn.functional.avg_pool1d(torch.relu(self.conv(x)), 2)
        x = nn.functional.max_pool1d(torch.relu(self.wide(x)), 3, stride=2, ceil_mode=True)
        y, _ = self.rnn(x.permute(2, 0, 1))
        return self.head(y.mean(0)).softmax(-1)


def image(*shape: int) -> Any:
    return torch.from_numpy(np.random.default_rng(0).normal(size=shape).astype(np.float32))


def tokens(most: int, *shape: int) -> Any:
    return torch.from_numpy(np.random.default_rng(0).integers(0, most, shape))


BATCH = {0: "batch"}
# Name -> network, input, axes of open size, opset.
NETWORKS: dict[str, tuple[Any, Any, dict[int, str], int]] = {
    "residual": (Residual, image(2, 3, 24, 20), BATCH, 17),
    "residual_11": (Residual, image(2, 3, 24, 20), {0: "batch", 2: "height", 3: "width"}, 11),
    "decoder": (Decoder, image(2, 3, 8, 12), BATCH, 17),
    "decoder_open": (Decoder, image(2, 3, 8, 12), {0: "batch", 2: "height", 3: "width"}, 13),
    "recurrent": (Recurrent, tokens(20, 3, 7), {0: "batch", 1: "time"}, 17),
    "recurrent_fixed": (Recurrent, tokens(20, 1, 7), {}, 12),
    "tokens": (Tokens, tokens(30, 2, 9), {0: "batch", 1: "time"}, 17),
    "tokens_batch": (Tokens, tokens(30, 2, 9), BATCH, 14),
    "patches": (Patches, image(2, 3, 12, 12), BATCH, 17),
    "patches_fixed": (Patches, image(1, 3, 12, 12), {}, 14),
    "perceptron": (Perceptron, image(5, 6), BATCH, 18),
    "perceptron_9": (Perceptron, image(5, 6), {}, 11),
    "sound": (Sound, image(2, 1, 40), BATCH, 15),
}


def main() -> None:
    warnings.simplefilter("ignore")
    for name, (network, x, axes, opset) in NETWORKS.items():
        torch.manual_seed(0)
        model = network().eval()
        for module in model.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.running_mean.normal_()
                module.running_var.uniform_(0.5, 1.5)
        path = HERE / f"{name}.onnx"
        torch.onnx.export(
            model,
            (x,),
            str(path),
            dynamo=False,
            opset_version=opset,
            input_names=["x"],
            dynamic_axes={"x": axes} if axes else None,
        )
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        given = x.numpy()
        arrays = {"input_0": given}
        for i, y in enumerate(session.run(None, {"x": given})):
            arrays[f"output_{i}"] = y
        np.savez_compressed(HERE / f"{name}.npz", **arrays)
        graph = onnx.load(path).graph
        print(name, path.stat().st_size, sorted({n.op_type for n in graph.node}))


if __name__ == "__main__":
    main()
