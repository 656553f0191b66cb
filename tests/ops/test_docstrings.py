"""Runs the examples in docstrings, and asks every public function for a complete docstring."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pronghorn
from pronghorn import backend, config, ops, random, tree
from pronghorn.utils import normalize, set_random_seed, to_categorical

PACKAGES = ("ops", "random")
MODULES = ["config", "dtypes", "tree", "backend", "utils.numerical", "utils.random_seed"]
for package in PACKAGES:
    where = importlib.import_module(f"pronghorn.{package}").__path__
    MODULES += [m.name for m in pkgutil.walk_packages(where, f"{package}.")]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    module = importlib.import_module(f"pronghorn.{name}")
    names = {**vars(module), "ops": ops, "np": np, "pronghorn": pronghorn}
    runner = doctest.DocTestRunner(verbose=False)
    failures: list[str] = []
    for key, value in vars(module).items():
        if getattr(value, "__module__", "") != module.__name__ or not callable(value):
            continue
        found = inspect.unwrap(value)  # doctest itself passes decorated functions over
        for test in doctest.DocTestFinder().find(found, key, module=module, globs=dict(names)):
            runner.run(test, out=failures.append)
    assert not failures, "".join(failures)


def public() -> list[tuple[str, Callable[..., Any]]]:
    found: dict[str, Callable[..., Any]] = {}
    for module in (ops, random, config, tree, backend):
        for name in getattr(module, "__all__", dir(module)):
            value = getattr(module, name)
            if inspect.isfunction(value) and value.__module__.startswith("pronghorn"):
                found.setdefault(f"{module.__name__}.{name}", value)
    for value in (normalize, to_categorical, set_random_seed):
        found[f"pronghorn.utils.{value.__name__}"] = value
    return sorted(found.items())


@pytest.mark.parametrize(("name", "function"), public(), ids=[n for n, _ in public()])
def test_docstring_is_complete(name: str, function: Callable[..., Any]) -> None:
    text = function.__doc__ or ""
    assert text.split("\n")[0].rstrip().endswith("."), "the first line is a sentence"
    signature = inspect.signature(function)
    for parameter in signature.parameters.values():
        shown = f"**{parameter.name}" if parameter.kind == parameter.VAR_KEYWORD else parameter.name
        shown = f"*{shown}" if parameter.kind == parameter.VAR_POSITIONAL else shown
        assert re.search(rf"^\s+{re.escape(shown)}: ", text, re.M), f"{shown} is not explained"
