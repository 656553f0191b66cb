"""Test accuracy of examples/digits.py after 5 epochs, mean of several seeds, by dtype policy.

python -m bench.accuracy [--policy mixed_bfloat16] [--seeds 3]
"""

from __future__ import annotations

import argparse
import contextlib
import io
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))

import digits  # type: ignore[import-not-found]  # noqa: E402
import pronghorn as keras  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--policy", default="float32,mixed_bfloat16", help="default: %(default)s")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=5)
    a = parser.parse_args()
    for policy in a.policy.split(","):
        keras.config.set_dtype_policy(policy)
        accuracies = []
        for seed in range(a.seeds):
            with contextlib.redirect_stdout(io.StringIO()):
                accuracies.append(digits.main(epochs=a.epochs, seed=seed, plot=""))
        shown = ", ".join(f"{x:.4f}" for x in accuracies)
        print(
            f"{policy}: test accuracy {shown}; mean {statistics.mean(accuracies):.4f}", flush=True
        )


if __name__ == "__main__":
    main()
