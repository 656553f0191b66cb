"""Two results side by side, row by row: python -m bench.compare BEFORE.json AFTER.json

The ratio is how much faster AFTER is. A row is marked when the ratio is beyond noise: beyond the
spread of the repeated measurements (best to median) of both files, and beyond --noise.
"""

from __future__ import annotations

import argparse
import sys

from bench import results
from bench.results import Row

MARKS = {1: "faster", 0: "", -1: "SLOWER"}


def speedup(before: Row, after: Row) -> float:
    """How many times faster `after` is."""
    return before.best / after.best if after.is_time else after.best / before.best


def spread(row: Row) -> float:
    """Relative distance from the best measurement to the median."""
    return abs(row.median - row.best) / row.best if row.best else 0.0


def verdict(before: Row, after: Row, noise: float) -> int:
    """1: faster beyond noise, -1: slower beyond it, 0: neither."""
    limit = 1 + max(noise, spread(before), spread(after))
    ratio = speedup(before, after)
    return 1 if ratio > limit else -1 if ratio * limit < 1 else 0


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("before")
    parser.add_argument("after")
    parser.add_argument("--noise", type=float, default=0.05, help="ratio to ignore, default 0.05")
    parser.add_argument(
        "--fail-under",
        type=float,
        default=0.0,
        metavar="RATIO",
        help="exit with 1 if a row is slower beyond noise and its ratio is under this",
    )
    a = parser.parse_args(arguments)
    (about_before, before), (about_after, after) = results.load(a.before), results.load(a.after)
    for path, about in ((a.before, about_before), (a.after, about_after)):
        print(f"{path}: {results.describe(about)}")
    for key in ("cpu", "cpus", "dtype", "isa", "threads"):
        if about_before.get(key) != about_after.get(key):
            print(f"Not the same {key}: {about_before.get(key)}, {about_after.get(key)}")
    print("\n| row | unit | before | after | ratio | |\n|---|---|---|---|---|---|")
    failed = 0
    for name in [n for n in before if n in after]:
        x, y = before[name], after[name]
        if x.unit != y.unit:
            print(f"{name}: {x.unit} before, {y.unit} after: not compared", file=sys.stderr)
            continue
        found, ratio = verdict(x, y, a.noise), speedup(x, y)
        failed += found < 0 and ratio < a.fail_under
        print(f"| {name} | {x.unit} | {x.best:.4g} | {y.best:.4g} | {ratio:.2f} | {MARKS[found]} |")
    for path, only in ((a.before, set(before) - set(after)), (a.after, set(after) - set(before))):
        if only:
            print(f"\nOnly in {path}: {', '.join(sorted(only))}")
    if failed:
        print(f"\n{failed} rows are slower than {a.fail_under} times", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
