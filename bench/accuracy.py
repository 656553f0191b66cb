"""Test accuracy of examples/digits.py after 5 epochs, mean of 3 seeds.

python -m bench.accuracy
"""

from __future__ import annotations

import contextlib
import io
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))

import digits  # type: ignore[import-not-found]  # noqa: E402


def main(seeds: int = 3) -> None:
    accuracies = []
    for seed in range(seeds):
        with contextlib.redirect_stdout(io.StringIO()):
            accuracies.append(digits.main(epochs=5, seed=seed, plot=""))
    shown = ", ".join(f"{a:.4f}" for a in accuracies)
    print(f"Test accuracy: {shown}; mean {sum(accuracies) / seeds:.4f}")


if __name__ == "__main__":
    main()
