"""Makes curves.npz: loss curves of Keras 3.15.

By hand, where Keras is installed: KERAS_BACKEND=jax python make_curves.py
"""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
from curve_models import CASES, MIXED, curve


def main() -> None:
    """Writes the curves beside this file."""
    numbers = {
        f"{name}/{key}": values for name in CASES for key, values in curve(keras, name).items()
    }
    for name, policy in MIXED:
        for key, values in curve(keras, name, policy).items():
            numbers[f"{name}-{policy}/{key}"] = values
    np.savez(Path(__file__).with_name("curves.npz"), keras_version=keras.__version__, **numbers)


if __name__ == "__main__":
    main()
