"""Estimator: what the wrappers for scikit-learn share: parameters, fit, clone, raw outputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data

from pronghorn.models import Model, clone_model


class Estimator(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Base class of the wrappers.

    Args:
        model: a compiled model, or a callable `(X, y, **model_kwargs)` that returns one. A model is
            cloned by each `fit`, so that training begins with new weights.
        warm_start: whether `fit` goes on with the weights that the last `fit` ended with. A model
            given as `model` is then trained itself.
        model_kwargs: dict of further arguments of a callable `model`.
        fit_kwargs: dict of arguments of `Model.fit`.
    """

    def __init__(
        self,
        model: Model | Callable[..., Model],
        warm_start: bool = False,
        model_kwargs: dict[str, Any] | None = None,
        fit_kwargs: dict[str, Any] | None = None,
    ) -> None:
        self.model = model
        self.warm_start = warm_start
        self.model_kwargs = model_kwargs
        self.fit_kwargs = fit_kwargs

    @property
    def epoch_(self) -> int:
        """Number of epochs that the last `fit` ran."""
        check_is_fitted(self, "history_")
        return len(self.history_.epoch)

    def fit(self, X: Any, y: Any, **kwargs: Any) -> Any:
        """Trains the model.

        Args:
            X: inputs `(samples, features)`, or with more dimensions.
            y: targets `(samples,)`.
            **kwargs: arguments of `Model.fit`, before those of `fit_kwargs`.

        Returns:
            The estimator.

        Raises:
            ValueError: data that does not fit, or a model that is not compiled with a loss and an
                optimizer.
        """
        X, y = validate_data(self, X, y, allow_nd=True)
        targets = self._encode(y)
        model = self._model_to_fit(X, targets)
        self.history_ = model.fit(X, targets, **{**(self.fit_kwargs or {}), **kwargs})
        self.model_ = model
        return self

    def predict(self, X: Any) -> Any:
        """Predicts the targets.

        Args:
            X: inputs, as in `fit`.

        Returns:
            Targets `(samples,)`.
        """
        return self._decode(self._outputs(X))

    def _outputs(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, allow_nd=True)
        outputs: np.ndarray = self.model_.predict(X, verbose=0)
        return outputs

    def _model_to_fit(self, X: Any, targets: Any) -> Model:
        name = type(self).__name__
        if self.warm_start and hasattr(self, "model_"):
            return self.model_  # type: ignore[no-any-return]
        if isinstance(self.model, Model):
            model = self.model if self.warm_start else clone_model(self.model)
        elif callable(self.model):
            model = self.model(X, targets, **(self.model_kwargs or {}))
        else:
            raise TypeError(
                f"{name}: model must be a Model or a callable that returns one. "
                f"Received: model={self.model!r}."
            )
        if not isinstance(model, Model):
            raise TypeError(
                f"{name}: the callable must return a Model. Received: {model!r} from "
                f"model={self.model!r}."
            )
        if not model.compiled or not model.loss or model.optimizer is None:
            raise RuntimeError(
                f"{name}: the model must be compiled, with a loss and an optimizer. "
                f"Received: compiled={model.compiled}, loss={model.loss!r}, "
                f"optimizer={model.optimizer!r}."
            )
        return model

    def _encode(self, y: np.ndarray) -> np.ndarray:
        """Returns the targets for the model, `(samples, outputs)`."""
        type_of_target(y, raise_unknown=True)
        return y.reshape(-1, 1) if y.ndim == 1 else y

    def _decode(self, outputs: np.ndarray) -> np.ndarray:
        """Returns predictions in the form of the targets that `fit` was given."""
        if outputs.ndim == 2 and outputs.shape[1] == 1:
            return outputs[:, 0]
        return outputs

    def __sklearn_clone__(self) -> Any:
        # A model is no estimator, so scikit-learn's clone would copy its weights. Each fit clones
        # the model anyway, unless it goes on with the one given.
        params = self.get_params(deep=False)
        if self.warm_start and isinstance(self.model, Model):
            params["model"] = clone_model(self.model)
        for name in ("model_kwargs", "fit_kwargs"):
            if params[name] is not None:
                params[name] = dict(params[name])
        return type(self)(**params)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = True
        tags.target_tags.required = True
        return tags
