"""Layering: lower layers of the core and of the package never reach for higher ones."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CPP = ROOT / "cpp" / "pronghorn"
PYTHON = ROOT / "python" / "pronghorn"

CORE_LAYERS = [
    "base",
    "tensor",
    "ir",
    "kernels",
    "tile",
    "gemm",
    "ops",
    "passes",
    "runtime",
    "bindings",
]
# simd/ is header only and seen by *.simd.cpp, *.bf16.cpp and *.amx.cpp; drivers see kernels/.
RANK = {name: i for i, name in enumerate(CORE_LAYERS)} | {"simd": 3.5}
PACKAGE_RANK = {"ops": 0, "layers": 1, "models": 2, "training": 3}


def test_core_includes_point_downwards() -> None:
    wrong = []
    for path in [*CPP.rglob("*.h"), *CPP.rglob("*.cpp")]:
        own = path.relative_to(CPP).parts[0]
        for included in re.findall(r'#include "pronghorn/(\w+)/', path.read_text()):
            if (
                included == "simd"
                and not re.search(r"\.(simd|bf16|amx)\.", path.name)
                and own != "simd"
            ):
                header = path.suffix == ".h" and own in ("tile", "gemm", "ops")
                if not header:
                    wrong.append(f"{path.relative_to(ROOT)} includes simd/")
            elif RANK[included] > RANK[own]:
                wrong.append(f"{path.relative_to(ROOT)} includes {included}/")
    assert not wrong, "\n".join(wrong)


def test_threads_stay_in_base() -> None:
    pattern = r"#\s*pragma omp|omp\.h|std::thread|<thread>|pthread"
    users = {
        str(p.relative_to(CPP))
        for p in CPP.rglob("*")
        if p.is_file() and re.search(pattern, p.read_text())
    }
    assert users == {"base/fork_safe_mutex.cpp", "base/parallel.cpp", "base/thread_pool.cpp"}


def test_package_imports_point_downwards() -> None:
    """ops < layers < models; what a module imports when it is imported itself counts."""
    wrong = []
    for path in PYTHON.rglob("*.py"):
        own = path.relative_to(PYTHON).parts[0]
        if own not in PACKAGE_RANK or own == "training":
            continue
        for node in ast.parse(path.read_text()).body:
            names = []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module, *(f"{node.module}.{a.name}" for a in node.names)]
            elif isinstance(node, ast.Import):
                names = [a.name for a in node.names]
            for name in names:
                parts = name.split(".")
                if parts[0] == "pronghorn" and len(parts) > 1 and parts[1] in PACKAGE_RANK:
                    # A model trains itself: models is the one place that sees training.
                    if parts[1] == "training" and own == "models":
                        continue
                    if PACKAGE_RANK[parts[1]] > PACKAGE_RANK[own]:
                        wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert not wrong, "\n".join(sorted(set(wrong)))


def test_only_the_lowest_modules_import_the_core() -> None:
    allowed = {"tensor.py", "trace.py", "program.py", "variable.py", "getitem.py", "config.py"}
    allowed |= {"machine.py"}
    pattern = re.compile(
        r"^\s*(from pronghorn import .*\b_core\b|from pronghorn\._core|import pronghorn\._core)",
        re.M,
    )
    users = set()
    for path in PYTHON.rglob("*.py"):
        if pattern.search(path.read_text()):
            relative = path.relative_to(PYTHON)
            if relative.parts[0] not in ("ops", "random"):
                users.add(str(relative))
    assert users <= allowed


def test_files_are_short() -> None:
    long = [
        f"{path.relative_to(ROOT)}: {n} lines"
        for folder in (CPP, PYTHON, ROOT / "tests")
        for path in folder.rglob("*")
        if path.suffix in (".py", ".cpp", ".h", ".inc")
        and (n := len(path.read_text().splitlines())) > 600
    ]
    assert not long, "\n".join(long)


def _isa_objects() -> list[Path]:
    build = ROOT / "build"
    kinds = ("simd", "bf16", "amx")
    return sorted(p for kind in kinds for p in build.rglob(f"*.{kind}.cpp.o"))


@pytest.mark.skipif(shutil.which("nm") is None, reason="nm is missing: apt-get install binutils")
def test_isa_objects_define_nothing_outside_their_namespace() -> None:
    """An inline function for AVX-512 that the linker merged into the baseline would crash."""
    objects = _isa_objects()
    if not objects:
        pytest.skip("no build folder with objects: pip install -e '.[test]'")
    wrong = []
    for path in objects:
        match = re.search(
            r"pronghorn_(baseline|avx2|avx512|avx512_bf16|avx512_amx)\.dir", str(path)
        )
        assert match, path
        isa = match.group(1)
        command = ["nm", "-C", "--defined-only", str(path)]
        listing = subprocess.run(command, capture_output=True, text=True, check=True)
        for line in listing.stdout.splitlines():
            kind, symbol = line.split(maxsplit=2)[1:]
            if kind in "TWVuDBRi" and f"pronghorn::{isa}::" not in symbol:
                wrong.append(f"{path.name} ({isa}): {kind} {symbol}")
    assert not wrong, "\n".join(wrong)


def test_names_of_test_files_differ() -> None:
    """pytest imports test files by their base names."""
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert sorted(names) == sorted(set(names))
