"""Milliseconds per batch and per single sample in inference, peers beside it.

python -m bench.infer [WORKLOAD ...] [--peers torch,torch-cl,keras-tf] [--python PATH]
"""

from bench.alternate import main

if __name__ == "__main__":
    main(["infer", "one"], __doc__ or "")
