"""Times pronghorn: python bench/workers/run_pronghorn.py WORKLOAD [--bf16]"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2]))

import pronghorn as keras  # noqa: E402
from bench.workers.keras_model import actions  # noqa: E402
from bench.workers.protocol import CALLS, arguments, serve  # noqa: E402

if __name__ == "__main__":
    a = arguments(__doc__)
    serve(actions(keras, a.workload, a.bf16, CALLS), f"pronghorn {keras.__version__}")
