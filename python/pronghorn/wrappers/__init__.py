"""Estimators of scikit-learn around models: for pipelines, cross-validation and grid searches.

They need scikit-learn (`pip install 'pronghorn[sklearn]'`), which is imported when one is first
used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pronghorn.wrappers.classifier import SKLearnClassifier
    from pronghorn.wrappers.regressor import SKLearnRegressor
    from pronghorn.wrappers.transformer import SKLearnTransformer

_MODULES = {
    "SKLearnClassifier": "classifier",
    "SKLearnRegressor": "regressor",
    "SKLearnTransformer": "transformer",
}

__all__ = ["SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer"]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        import sklearn  # noqa: F401
    except ImportError as e:
        raise ImportError(
            f"{name}: scikit-learn is not installed. `pip install 'pronghorn[sklearn]'`."
        ) from e
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
