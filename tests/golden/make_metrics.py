"""Makes metrics.npz: results of Keras 3.15.

By hand, where Keras is installed: KERAS_BACKEND=jax python make_metrics.py
"""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
from metric_cases import results


def main() -> None:
    """Writes the results beside this file."""
    numbers = results(keras.metrics)
    np.savez(Path(__file__).with_name("metrics.npz"), keras_version=keras.__version__, **numbers)


if __name__ == "__main__":
    main()
