"""The benches run, on the smallest workload and without peers. What they measure is not tested."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT))

from bench.results import Row, save  # noqa: E402


def run(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    result = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert not check or result.returncode == 0, result.stdout[-2000:] + result.stderr[-2000:]
    return result


@pytest.mark.parametrize("what", ["train", "infer"])
def test_workloads(what: str, tmp_path: Path) -> None:
    file = str(tmp_path / "a.json")
    out = run(f"bench.{what}", "mlp", "--peers", "", "--rounds", "1", "--json", file).stdout
    assert "| mlp |" in out
    action = "train" if what == "train" else "call"
    assert f"| mlp {action} pronghorn | ms |" in run("bench.compare", file, file).stdout


def test_a_missing_peer_is_named() -> None:
    result = run("bench.train", "mlp", "--peers", "keras-tf", "--rounds", "0", check=False)
    if "not installed" not in result.stderr:
        pytest.skip("TensorFlow is installed")
    assert "pip install keras tensorflow-cpu" in result.stderr


def test_ops(tmp_path: Path) -> None:
    file = str(tmp_path / "a.json")
    out = run("bench.ops", "rms_norm", "--threads", "1", "--json", file).stdout
    assert "| rms_norm 32x128 128 |" in out
    assert "rms_norm 32x128 128 [" in run("bench.compare", file, file).stdout


def test_products() -> None:
    arguments = ["7x6x5", "--threads", "1", "--rounds", "1", "--python", sys.executable]
    out = run("bench.products", *arguments).stdout
    assert out.count("| 7x6x5 |") == 2


def test_compare_fails_when_slower(tmp_path: Path) -> None:
    files = [str(tmp_path / name) for name in ("a.json", "b.json")]
    save(files[0], {"cpu": "x"}, [Row("one", "ms", [1.0, 1.01]), Row("two", "GB/s", [10.0])])
    save(files[1], {"cpu": "x"}, [Row("one", "ms", [1.5, 1.52]), Row("two", "GB/s", [11.0])])
    result = run("bench.compare", *files, "--fail-under", "0.9", check=False)
    assert result.returncode == 1
    assert "| one | ms | 1 | 1.5 | 0.67 | SLOWER |" in result.stdout
    assert "| two | GB/s | 10 | 11 | 1.10 | faster |" in result.stdout
    assert run("bench.compare", *files, "--fail-under", "0.5").returncode == 0


def test_loop() -> None:
    out = run("bench.loop", "mlp", "--rounds", "1").stdout
    assert "| mlp |" in out and "One more op" in out
