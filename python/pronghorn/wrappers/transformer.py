"""SKLearnTransformer: a model as a transformer of scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import TransformerMixin

from pronghorn.wrappers.estimator import Estimator


class SKLearnTransformer(TransformerMixin, Estimator):  # type: ignore[misc]
    """A transformer of scikit-learn that trains a model: its outputs are the new features.

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
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    >>> model.compile("sgd", "mean_squared_error")
    >>> X = np.random.default_rng(0).normal(size=(32, 4))
    >>> estimator = keras.wrappers.SKLearnTransformer(model, fit_kwargs={"verbose": 0})
    >>> estimator.fit(X, X[:, 0]).transform(X).shape
    (32, 3)
    """

    def transform(self, X: Any) -> np.ndarray:
        """Returns the outputs of the model.

        Args:
            X: inputs, as in `fit`.

        Returns:
            Array `(samples, outputs)`.
        """
        return self._outputs(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
