"""Times Keras: KERAS_BACKEND=tensorflow python bench/workers/run_keras.py WORKLOAD [--bf16]"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.append(str(Path(__file__).parents[2]))

import keras  # noqa: E402

from bench.workers.keras_model import actions  # noqa: E402
from bench.workers.protocol import arguments, serve  # noqa: E402

CALLS = 5  # predict takes tens of milliseconds

if __name__ == "__main__":
    a = arguments(__doc__)
    about = f"Keras {keras.__version__} on {keras.backend.backend()}"
    serve(actions(keras, a.workload, a.bf16, CALLS), about)
