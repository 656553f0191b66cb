"""SKLearnRegressor: a model as a regressor of scikit-learn."""

from __future__ import annotations

from typing import Any

from sklearn.base import RegressorMixin

from pronghorn.wrappers.estimator import Estimator


class SKLearnRegressor(RegressorMixin, Estimator):  # type: ignore[misc]
    """A regressor of scikit-learn that trains a model.

    The targets reach the model as `(samples, 1)`.

    Args:
        model: a compiled model, or a callable `(X, y, **model_kwargs)` that returns one. A model is
            cloned by each `fit`, so that training begins with new weights.
        warm_start: whether `fit` goes on with the weights that the last `fit` ended with. A model
            given as `model` is then trained itself.
        model_kwargs: dict of further arguments of a callable `model`.
        fit_kwargs: dict of arguments of `Model.fit`.

    Attributes, once trained: `model_` the model, `history_` what its `fit` returned,
    `n_features_in_`, `epoch_`.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile(keras.optimizers.SGD(0.1), "mean_squared_error")
    >>> X = np.random.default_rng(0).normal(size=(200, 2))
    >>> estimator = keras.wrappers.SKLearnRegressor(model)
    >>> estimator = estimator.fit(X, X[:, 0] - 2 * X[:, 1], epochs=20, verbose=0)
    >>> bool(estimator.score(X, X[:, 0] - 2 * X[:, 1]) > 0.99)
    True
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        # How well it does depends on the model and on how long it is trained.
        tags.regressor_tags.poor_score = True
        return tags
