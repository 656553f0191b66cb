"""Milliseconds per batch in inference and per single sample, through `predict` and through
`model(x)`, peers beside it.

python -m bench.infer [WORKLOAD ...] [--other] [--peers torch,onnxruntime] [--python PATH]
"""

from bench.alternate import main

if __name__ == "__main__":
    main(["infer", "predict", "call"], __doc__ or "")
