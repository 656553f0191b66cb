"""Milliseconds per training step (shuffle, gather, forward, backward, Adam), peers beside it.

python -m bench.train [WORKLOAD ...] [--other] [--peers torch,torch-cl] [--python PATH]
"""

from bench.alternate import main

if __name__ == "__main__":
    main(["train"], __doc__ or "")
