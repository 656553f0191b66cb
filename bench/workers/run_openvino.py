"""Times OpenVINO in inference: python bench/workers/run_openvino.py WORKLOAD [--bf16]

Batches run under the throughput hint, several in flight; one sample under the latency hint.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[2]))

import openvino as ov  # noqa: E402

from bench.workers.onnx_model import input_array, model_bytes  # noqa: E402
from bench.workers.protocol import arguments, per_call, serve  # noqa: E402
from bench.workloads import WORKLOADS, data  # noqa: E402


def compiled(model: bytes, batch: int, hint: str, bf16: bool) -> Any:
    core = ov.Core()
    read = core.read_model(model=model)
    shape = list(read.input(0).partial_shape)
    read.reshape([batch, *(d.get_length() for d in shape[1:])])
    config = {
        "PERFORMANCE_HINT": hint,
        "INFERENCE_PRECISION_HINT": "bf16" if bf16 else "f32",
        "INFERENCE_NUM_THREADS": int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1)),
    }
    return core.compile_model(read, "CPU", config)


def main(name: str, bf16: bool) -> None:
    batch: int = WORKLOADS[name]["batch"]
    x = input_array(data(name)[0])
    model = model_bytes(name)
    queue = ov.AsyncInferQueue(compiled(model, batch, "THROUGHPUT", bf16))
    single = compiled(model, 1, "LATENCY", bf16).create_infer_request()
    sample = x[:1]

    def infer() -> float:
        start = time.perf_counter()
        for i in range(0, len(x), batch):
            queue.start_async({0: x[i : i + batch]})
        queue.wait_all()
        return (time.perf_counter() - start) / (len(x) // batch) * 1e3

    call = per_call(lambda: single.infer({0: sample}))
    serve({"infer": infer, "call": call}, f"OpenVINO {ov.__version__.split('-')[0]}")


if __name__ == "__main__":
    a = arguments(__doc__ or "")
    main(a.workload, a.bf16)
