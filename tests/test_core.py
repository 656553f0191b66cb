"""Runs the C++ tests, which an editable install builds where doctest is installed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from pronghorn import _core

ROOT = Path(__file__).parents[1]


def _executable() -> Path:
    found = sorted((ROOT / "build").rglob("tests/cpp/pronghorn_tests"), key=os.path.getmtime)
    if not found:
        pytest.skip(
            "C++ tests are not built: apt-get install doctest-dev && pip install -e '.[test]'"
        )
    return found[-1]


@pytest.mark.parametrize("isa", ["baseline", "avx2", "avx512", "avx512_bf16", "avx512_amx"])
def test_cpp(isa: str) -> None:
    if isa not in _core.available_isas():
        pytest.skip(f"this machine has no {isa}")
    environment = {**os.environ, "PRONGHORN_ISA": isa}
    run = subprocess.run([_executable()], capture_output=True, text=True, env=environment)
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-2000:]
