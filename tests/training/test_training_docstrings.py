"""The examples in the docstrings of training, metrics, callbacks and wrappers run."""

from __future__ import annotations

import doctest
import importlib
import importlib.util
import pkgutil

import pytest


def modules() -> list[str]:
    found = ["pronghorn.utils.progbar", "pronghorn.utils.k_fold", "pronghorn.devices"]
    found.append("pronghorn.utils.model_plot.plot_model")
    for name in ("training", "training.data_adapters", "metrics", "callbacks"):
        package = importlib.import_module(f"pronghorn.{name}")
        found.append(package.__name__)
        found += [f"{package.__name__}.{m.name}" for m in pkgutil.iter_modules(package.__path__)]
    if importlib.util.find_spec("sklearn") is not None:
        found += [f"pronghorn.wrappers.{n}" for n in ("classifier", "regressor", "transformer")]
    return sorted(set(found))


@pytest.mark.parametrize("name", modules())
def test_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0
