"""Times ONNX Runtime in inference: python bench/workers/run_onnxruntime.py WORKLOAD"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2]))

import onnxruntime  # noqa: E402

from bench.workers.onnx_model import input_array, model_bytes  # noqa: E402
from bench.workers.protocol import arguments, per_call, serve  # noqa: E402
from bench.workloads import WORKLOADS, data  # noqa: E402


def main(name: str) -> None:
    batch: int = WORKLOADS[name]["batch"]
    x = input_array(data(name)[0])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1))
    session = onnxruntime.InferenceSession(
        model_bytes(name), options, providers=["CPUExecutionProvider"]
    )
    sample = {"x": x[:1]}

    def infer() -> float:
        start = time.perf_counter()
        for i in range(0, len(x), batch):
            session.run(None, {"x": x[i : i + batch]})
        return (time.perf_counter() - start) / (len(x) // batch) * 1e3

    call = per_call(lambda: session.run(None, sample))
    serve({"infer": infer, "call": call}, f"ONNX Runtime {onnxruntime.__version__}")


if __name__ == "__main__":
    a = arguments(__doc__ or "")
    if a.bf16:
        sys.exit("ONNX Runtime has no bfloat16 on CPUs")
    main(a.workload)
