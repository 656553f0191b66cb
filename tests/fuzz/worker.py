"""The process that opens changed files and says what happened: `python worker.py`, used by `run`.

A line of its input is `<target> <path>`; a line of its output a JSON object with the outcome:
`model`, `none`, `refused` or `finding`, the reason, seconds of processor time and peak memory.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import resource
import sys
import sysconfig
import tempfile
import time
import traceback
import warnings
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

# What a reader may raise: nothing that comes from deep inside.
REFUSALS = (ValueError, TypeError, NotImplementedError)
# Bounds of loading a file of some kilobytes: processor time in seconds, memory in bytes.
SECONDS = 5.0
MEMORY = 200 * 2**20
MESSAGE = 2000
_ADDRESS_SPACE = 4 * 2**30
# A core that was built with sanitizers takes several times as much of both.
SANITIZED = os.environ.get("PRONGHORN_FUZZ_SANITIZED") is not None
_FACTOR = 8 if SANITIZED else 1
# Models are run on inputs, and where results are, of at most so many elements.
_ELEMENTS = 10**6
_FORBIDDEN = (
    "socket.connect",
    "socket.bind",
    "socket.getaddrinfo",
    "subprocess.",
    "os.exec",
    "os.spawn",
    "os.system",
    "os.fork",
)
_FORBIDDEN += ("pickle.find_class", "os.posix_spawn", "urllib.Request")
# Warnings that loaders give on purpose.
_WARNINGS = (
    "starts anew",
    "The model is not compiled",
    "cannot be built automatically",
    "looks like it has unbuilt state",
    "Do not pass an `input_shape`",
)


class _Guard:
    """Sees what a file must not reach: other files, other processes, the network, imports."""

    def __init__(self) -> None:
        self.active = False
        self.seen: list[str] = []
        here = pathlib.Path(__file__).resolve()
        self.readable = [sys.prefix, sys.base_prefix, *sysconfig.get_paths().values()]
        self.readable += [str(here.parents[2]), "/proc", "/sys", "/dev/null", "/usr/share/zoneinfo"]
        self.readable += [p for p in sys.path if p]
        self.writable = [tempfile.gettempdir()]
        self.roots = set(sys.stdlib_module_names) | {"pronghorn", "numpy", "h5py", "ml_dtypes"}
        self.roots |= {"onnx", "google", "rich", "typing_extensions"}

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.active:
            return
        if event == "open":
            self._see_open(*args)
        elif event == "import" and str(args[0]).partition(".")[0] not in self.roots:
            self.seen.append(f"import of {args[0]!r}")
        elif event.startswith(_FORBIDDEN):
            self.seen.append(f"{event} {args!r:.200}")

    def _see_open(self, path: Any, mode: Any, flags: Any) -> None:
        if not isinstance(path, (str, bytes)):
            return
        where = os.path.realpath(os.fsdecode(path))
        writes = bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)) if flags else False
        allowed = self.writable if writes else self.writable + self.readable
        if not any(where.startswith(os.path.realpath(folder)) for folder in allowed):
            self.seen.append(f"open of {where!r}, mode {mode!r}")


def main() -> None:
    """Answers lines of the input until it ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints must not be taken for an answer
    from fuzz.targets import TARGETS

    guard = _Guard()
    sys.addaudithook(guard)
    if not SANITIZED:
        resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, _ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    folder = tempfile.mkdtemp()
    with _forbidden_code(guard):
        for line in sys.stdin:
            name, _, path = line.strip().partition(" ")
            found = examine(TARGETS[name].open, path, guard, folder)
            print(json.dumps(found), file=answers, flush=True)


@contextlib.contextmanager
def _forbidden_code(guard: _Guard) -> Any:
    from pronghorn.saving import lambda_code

    def refuse(*args: Any, **kwargs: Any) -> Any:
        guard.seen.append("bytecode of the file was loaded")
        raise ValueError("bytecode")

    original, lambda_code.load_function = lambda_code.load_function, refuse
    try:
        yield
    finally:
        lambda_code.load_function = original


def examine(opener: Any, path: str, guard: _Guard, folder: str) -> dict[str, Any]:
    """Opens a file, then runs and saves its model; returns the outcome."""
    settings = _settings()
    guard.seen.clear()
    size = os.path.getsize(path)
    before = _reset_peak()
    started = time.process_time()
    guard.active = True
    stage, outcome, reason, where = "load", "none", "", ""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            model = opener(path)
            seconds = time.process_time() - started
            memory = _peak() - before
            if model is not None:
                outcome = "model"
                stage = "predict"
                _predict(model)
                stage = "save"
                _save(model, folder)
        except BaseException as error:  # noqa: BLE001  (the outcome is the point)
            if stage == "load":
                seconds = time.process_time() - started
                memory = _peak() - before
            reason = f"{type(error).__name__}: {error}"
            outcome = "refused" if _is_clear(error, stage) else "finding"
            where = "".join(traceback.format_exception(error)[-12:]) if outcome == "finding" else ""
    guard.active = False
    problem = _problem(guard, caught, settings)
    if problem is None and seconds > SECONDS * _FACTOR:
        problem = f"loading took {seconds:.1f} s"
    if problem is None and memory > MEMORY * _FACTOR + 5 * size:
        problem = f"loading took {memory >> 20} MB"
    if problem is not None:
        outcome, reason = "finding", f"{problem} ({reason})"
    return {
        "outcome": outcome,
        "stage": stage,
        "reason": reason[:MESSAGE],
        "where": where[-6000:],
        "seconds": round(seconds, 3),
        "memory": memory,
    }


def _is_clear(error: BaseException, stage: str) -> bool:
    text = str(error)
    if stage == "predict" and isinstance(error, MemoryError):
        return "bytes" in text or "allocate" in text
    exact = isinstance(error, REFUSALS) and not isinstance(error, UnicodeError)
    return exact and 10 < len(text) <= MESSAGE and "\n" not in text and "internal:" not in text


def _problem(guard: _Guard, caught: list[Any], settings: Any) -> str | None:
    if guard.seen:
        return f"forbidden: {guard.seen[0]}"
    for warning in caught:
        text = str(warning.message)
        if not any(known in text for known in _WARNINGS):
            return f"warning: {warning.category.__name__}: {text[:300]} {warning.filename}"
    if _settings() != settings:
        return f"settings of the process have changed: {settings} {_settings()}"
    return None


def _settings() -> Any:
    import pronghorn as keras

    return (
        keras.config.is_unsafe_deserialization_enabled(),
        keras.config.floatx(),
        keras.config.epsilon(),
        keras.config.image_data_format(),
        keras.config.dtype_policy().name,
        len(keras.saving.get_custom_objects()),
        keras.saving.in_safe_mode(),
    )


def _predict(model: Any) -> None:
    """Runs a model on one sample of zeros, unless it is too large to be run here."""
    import numpy as np

    import pronghorn as keras

    if not _runs(model):
        return
    total = 0
    for layer in model._flatten_layers():
        for node in getattr(layer, "_inbound_nodes", []):
            for x in node.outputs:
                total += int(np.prod([d or 4 for d in x.shape], dtype=object))
    if total > _ELEMENTS or model.count_params() > 10 * _ELEMENTS:
        return

    def zeros(x: Any) -> Any:
        shape = [1 if d is None and i == 0 else d or 4 for i, d in enumerate(x.shape)]
        return np.full(shape, "a") if x.dtype == "string" else np.zeros(shape, x.dtype)

    if total:
        structure = getattr(model, "_inputs_struct", None)
        inputs = model.inputs[0] if structure is None else structure
        model.predict(keras.tree.map_structure(zeros, inputs), verbose=0)


def _runs(model: Any) -> bool:
    """Returns whether it is a model, not one of the other objects that configurations describe."""
    from pronghorn import Model

    return isinstance(model, Model) and model.built and bool(getattr(model, "inputs", None))


def _save(model: Any, folder: str) -> None:
    import pronghorn as keras

    if not _runs(model):
        return
    path = os.path.join(folder, "again.keras")
    model.save(path)
    keras.saving.load_model(path)
    os.remove(path)


def _status(field: str) -> int:
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    return 0


def _reset_peak() -> int:
    with contextlib.suppress(OSError):
        pathlib.Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _peak() -> int:
    return _status("VmHWM")


if __name__ == "__main__":
    main()
