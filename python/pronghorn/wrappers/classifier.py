"""SKLearnClassifier: a model as a classifier of scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import type_of_target

from pronghorn.wrappers.estimator import Estimator


class SKLearnClassifier(ClassifierMixin, Estimator):  # type: ignore[misc]
    """A classifier of scikit-learn that trains a model.

    The labels, numbers or strings, reach the model one-hot, `(samples, classes)`, in the order of
    `classes_`: the model ends with as many outputs and is compiled with
    `"categorical_crossentropy"`.

    Args:
        model: a compiled model, or a callable `(X, y, **model_kwargs)` that returns one, where `y`
            is one-hot. A model is cloned by each `fit`, so that training begins with new weights.
        warm_start: whether `fit` goes on with the weights that the last `fit` ended with. A model
            given as `model` is then trained itself.
        model_kwargs: dict of further arguments of a callable `model`.
        fit_kwargs: dict of arguments of `Model.fit`.

    Attributes, once trained: `model_` the model, `history_` what its `fit` returned, `classes_` the
    labels, `n_features_in_`, `epoch_`.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> def build(X, y, units=8):
    ...     model = keras.Sequential(
    ...         [
    ...             keras.Input(X.shape[1:]),
    ...             keras.layers.Dense(units, activation="relu"),
    ...             keras.layers.Dense(y.shape[1], activation="softmax"),
    ...         ]
    ...     )
    ...     model.compile("adam", "categorical_crossentropy")
    ...     return model
    >>> from sklearn.model_selection import cross_val_score
    >>> X = np.random.default_rng(0).normal(size=(60, 4))
    >>> labels = np.where(X[:, 0] > 0, "right", "left")
    >>> estimator = keras.wrappers.SKLearnClassifier(
    ...     build, model_kwargs={"units": 4}, fit_kwargs={"epochs": 2, "verbose": 0}
    ... )
    >>> cross_val_score(estimator, X, labels, cv=3).shape
    (3,)
    """

    classes_: np.ndarray

    def _encode(self, y: np.ndarray) -> np.ndarray:
        kind = type_of_target(y, raise_unknown=True)
        if kind not in ("binary", "multiclass"):
            raise ValueError(
                f"Only binary and multiclass target types are supported. Target type: {kind}"
            )
        if y.ndim == 2:
            y = y[:, 0]
        classes = np.unique(y)
        if len(classes) == 1:
            raise ValueError("Classifier can't train when only one class is present.")
        if self.warm_start and hasattr(self, "model_"):
            # The outputs that were trained belong to the classes seen first.
            unknown = np.setdiff1d(classes, self.classes_)
            if len(unknown):
                raise ValueError(
                    f"{type(self).__name__}: with warm_start=True the labels must be among those "
                    f"of the first fit, {self.classes_.tolist()}. Received: {unknown.tolist()}."
                )
        else:
            self.classes_ = classes
        places = np.searchsorted(self.classes_, y)
        return np.eye(len(self.classes_))[places]

    def _decode(self, outputs: np.ndarray) -> np.ndarray:
        return self.classes_[np.argmax(self._checked(outputs), axis=1)]  # type: ignore[no-any-return]

    def _checked(self, outputs: np.ndarray) -> np.ndarray:
        if outputs.ndim != 2 or outputs.shape[1] != len(self.classes_):
            raise ValueError(
                f"{type(self).__name__}: expected one output for each of the "
                f"{len(self.classes_)} classes. Received: outputs of shape {outputs.shape}."
            )
        return outputs

    def decision_function(self, X: Any) -> np.ndarray:
        """Returns how sure the model is of each class.

        Args:
            X: inputs, as in `fit`.

        Returns:
            The outputs of the model `(samples, classes)`; with two classes `(samples,)`, the second
            output less the first, which is positive where the second class is predicted.
        """
        outputs = self._checked(self._outputs(X))
        return outputs[:, 1] - outputs[:, 0] if outputs.shape[1] == 2 else outputs

    def predict_proba(self, X: Any) -> np.ndarray:
        """Returns the probabilities of the classes.

        Args:
            X: inputs, as in `fit`.

        Returns:
            Array `(samples, classes)`, in the order of `classes_`.

        Raises:
            ValueError: the outputs of the model are no probabilities.
        """
        outputs = self._checked(self._outputs(X))
        sums = outputs.sum(axis=1)
        if np.any(outputs < 0) or not np.allclose(sums, 1, atol=1e-2):
            raise ValueError(
                f"{type(self).__name__}: predict_proba needs outputs that are probabilities. "
                f"Received: outputs from {outputs.min():.4g} to {outputs.max():.4g}, sums of rows "
                f'from {sums.min():.4g} to {sums.max():.4g}. End the model with activation="'
                'softmax".'
            )
        return outputs

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        # How well it does depends on the model and on how long it is trained.
        tags.classifier_tags.poor_score = True
        return tags
