"""Keras in a process of its own: `PRONGHORN_KERAS` names its interpreter, this one by default."""

from __future__ import annotations

import functools
import json
import os
import pathlib
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

EXCHANGE = pathlib.Path(__file__).parent / "exchange"
HOW = (
    "needs Keras: pip install 'keras>=3.15' tensorflow, or set PRONGHORN_KERAS to a Python that "
    "has both"
)


@functools.cache
def keras_python() -> str | None:
    """Returns the path of an interpreter with Keras 3, `None` if there is none."""
    python = os.environ.get("PRONGHORN_KERAS", sys.executable)
    code = "import importlib.util as u, sys; sys.exit(u.find_spec('keras') is None)"
    try:
        found = subprocess.run([python, "-c", code], capture_output=True, timeout=60)
    except OSError:
        return None
    return python if found.returncode == 0 else None


class KerasProcess:
    """A process that runs `keras_worker.py`. Each test waits for its answer."""

    def __init__(self, python: str) -> None:
        env = {"JAX_PLATFORMS": "cpu", "TF_CPP_MIN_LOG_LEVEL": "3", **os.environ}
        env.pop("PYTHONPATH", None)
        self._process = subprocess.Popen(
            [python, str(EXCHANGE / "keras_worker.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=env,
        )

    def ask(self, do: str, case: str, path: Any, out: Any) -> dict[str, np.ndarray]:
        """Returns the arrays that Keras wrote to `out` for a request."""
        self.request(do, case, path, out)
        with np.load(out) as found:
            return dict(found)

    def request(self, do: str, case: str, path: Any, out: Any) -> None:
        """Has Keras do something, and waits until it is done.

        Args:
            do: `"write"` or `"read"` a model; `"write_shards"` or `"read_shards"`: only its state,
                in several files; `"application"`: write a model of
                `keras.applications`; `"objects"`: make and read objects.
            case: Name of the case, or of the application.
            path: The file, without its ending for an application, which is written in each format;
                for objects, JSON of a list of `[namespace, class, arguments, configuration]`.
            out: File for what Keras recorded of the model, or made of the objects.

        Raises:
            AssertionError: Keras raised an error.
        """
        request = {"do": do, "case": case, "path": str(path), "out": str(out)}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the process with Keras has ended"
        answer = json.loads(line)
        if "missing" in answer:
            pytest.skip(f"Keras needs more for it: {answer['missing']}")
        assert "error" not in answer, f"Keras: {answer['error']}"

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@pytest.fixture(scope="session")
def keras_process() -> Any:
    """A running process with Keras; the tests that ask for it are skipped where there is none."""
    python = keras_python()
    if python is None:
        pytest.skip(HOW)
    process = KerasProcess(python)
    yield process
    process.close()
