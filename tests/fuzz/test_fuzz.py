"""The fuzzer for some seconds, always with the same files: each reader refuses or loads."""

from __future__ import annotations

import pathlib
import sys
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz.run import Worker
from fuzz.targets import TARGETS, changed_file

pytest.importorskip("h5py")
if sys.platform == "win32":
    pytest.skip("the worker limits its memory as POSIX systems do", allow_module_level=True)


@pytest.fixture(scope="module")
def worker():
    with Worker() as found:
        yield found


@pytest.mark.parametrize("name", TARGETS)
def test_changed_files(name, worker) -> None:
    @settings(
        max_examples=8,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(seed=st.integers(0, 10**6))
    def check(seed: int) -> None:
        found = worker.open(name, changed_file(name, Random(seed)))
        assert found["outcome"] != "finding", (seed, found["reason"], found["where"])

    check()


@pytest.mark.parametrize("name", TARGETS)
def test_valid_files(name, worker) -> None:
    """The files that are changed are accepted, so that changes are what is refused."""
    for data in TARGETS[name].seeds().values():
        found = worker.open(name, data)
        assert found["outcome"] in ("model", "none"), found
        if name != "config":
            break


def test_a_finding_is_kept(worker, tmp_path, monkeypatch) -> None:
    from fuzz import run

    broken = {"outcome": "finding", "stage": "load", "reason": "KeyError: 'x'", "where": ""}
    monkeypatch.setattr(run.Worker, "open", lambda self, name, data: broken)
    shown: list[str] = []
    counts = run.fuzz(0.2, 1, ["json"], tmp_path / "findings", shown.append)
    assert list(counts) == ["load  KeyError: "]
    kept = list((tmp_path / "findings").iterdir())
    assert len(kept) == 1 and kept[0].name.startswith("json-1-")
    assert pathlib.Path(kept[0]).suffix == ".json"
