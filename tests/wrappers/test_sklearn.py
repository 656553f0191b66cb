"""The estimators work with scikit-learn's own tools: clone, pipelines, searches, pickles."""

from __future__ import annotations

import importlib
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import layers

sklearn = pytest.importorskip(
    "sklearn", reason="scikit-learn is missing: pip install 'pronghorn[sklearn]'"
)
base = importlib.import_module("sklearn.base")
datasets = importlib.import_module("sklearn.datasets")
model_selection = importlib.import_module("sklearn.model_selection")
pipeline = importlib.import_module("sklearn.pipeline")
preprocessing = importlib.import_module("sklearn.preprocessing")
estimator_checks = importlib.import_module("sklearn.utils.estimator_checks")
NotFittedError = importlib.import_module("sklearn.exceptions").NotFittedError


def classifier(X: Any, y: Any, units: int = 16, rate: float = 0.02) -> keras.Model:
    model = keras.Sequential(
        [
            keras.Input(X.shape[1:]),
            layers.Flatten(),
            layers.Dense(units, activation="relu"),
            layers.Dense(y.shape[1], activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(rate), "categorical_crossentropy")
    return model


def regressor(X: Any, y: Any, units: int = 16) -> keras.Model:
    model = keras.Sequential(
        [keras.Input(X.shape[1:]), layers.Dense(units, activation="relu"), layers.Dense(y.shape[1])]
    )
    model.compile(keras.optimizers.Adam(0.05), "mean_squared_error")
    return model


@pytest.fixture(autouse=True)
def _seed() -> None:
    keras.utils.set_random_seed(0)


@pytest.fixture(scope="module")
def iris() -> tuple[np.ndarray, np.ndarray]:
    data = datasets.load_iris()
    return data.data, data.target_names[data.target]


def _estimator(**kwargs: Any) -> Any:
    arguments = {"model": classifier, "fit_kwargs": {"epochs": 20, "verbose": 0}, **kwargs}
    return keras.wrappers.SKLearnClassifier(**arguments)


def test_classifier(iris: Any) -> None:
    x, y = iris
    estimator = _estimator()
    assert estimator.fit(x, y) is estimator
    assert estimator.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    assert estimator.n_features_in_ == 4 and estimator.epoch_ == 20
    assert set(estimator.predict(x)) <= set(y)
    assert estimator.score(x, y) > 0.9
    probabilities = estimator.predict_proba(x)
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)
    np.testing.assert_array_equal(estimator.decision_function(x), probabilities)
    np.testing.assert_array_equal(estimator.classes_[probabilities.argmax(1)], estimator.predict(x))


def test_two_classes(iris: Any) -> None:
    x, y = iris[0][:100], np.repeat([7, 3], 50)
    estimator = _estimator().fit(x, y)
    decisions = estimator.decision_function(x)
    assert decisions.shape == (100,)
    np.testing.assert_array_equal(estimator.predict(x), np.where(decisions > 0, 7, 3))
    folds = {"cv": 2, "scoring": "roc_auc"}
    assert model_selection.cross_val_score(_estimator(), x, y, **folds).min() > 0.9


def test_clone_is_not_fitted_and_fits_alike(iris: Any) -> None:
    x, y = iris
    estimator = _estimator(model_kwargs={"units": 4}).fit(x, y)
    copy = base.clone(estimator)
    assert copy.get_params() == estimator.get_params()
    assert copy.model_kwargs is not estimator.model_kwargs
    with pytest.raises(NotFittedError):
        copy.predict(x)
    assert copy.fit(x, y).model_.layers[1].units == 4


def test_model_is_cloned_by_fit(iris: Any) -> None:
    x, y = iris
    model = classifier(x, np.zeros((1, 3)))
    before = [w.copy() for w in model.get_weights()]
    estimator = _estimator(model=model).fit(x, y)
    assert estimator.model_ is not model
    for now, then in zip(model.get_weights(), before):
        np.testing.assert_array_equal(now, then)


def test_model_with_functions_that_have_no_config(iris: Any) -> None:
    x, y = iris
    model = classifier(x, np.zeros((1, 3)))

    def own_loss(y_true: Any, y_pred: Any) -> Any:
        return keras.losses.categorical_crossentropy(y_true, y_pred)

    model.compile("adam", own_loss, metrics=[lambda a, b: keras.ops.mean(a - b)])
    estimator = _estimator(model=model).fit(x, y, epochs=1)
    assert estimator.model_.loss is own_loss
    assert estimator.model_.optimizer is not model.optimizer


def test_warm_start_goes_on(iris: Any) -> None:
    x, y = iris
    estimator = _estimator(warm_start=True, fit_kwargs={"verbose": 0}).fit(x, y)
    model = estimator.model_
    steps = int(model.optimizer.iterations.numpy())
    assert estimator.fit(x, y).model_ is model
    assert int(model.optimizer.iterations.numpy()) == 2 * steps
    with pytest.raises(ValueError) as info:
        estimator.fit(x, np.repeat(["setosa", "rose", "lily"], 50))
    assert str(info.value) == (
        "SKLearnClassifier: with warm_start=True the labels must be among those of the first fit, "
        "['setosa', 'versicolor', 'virginica']. Received: ['lily', 'rose']."
    )
    own = classifier(x, np.zeros((1, 3)))
    estimator = _estimator(model=own, warm_start=True, fit_kwargs={"verbose": 0})
    assert estimator.fit(x, y).model_ is own
    assert base.clone(estimator).model is not own


def test_pickle(iris: Any) -> None:
    x, y = iris
    estimator = _estimator().fit(x, y)
    copy = pickle.loads(pickle.dumps(estimator))
    np.testing.assert_array_equal(copy.predict_proba(x), estimator.predict_proba(x))
    assert copy.history_.history == estimator.history_.history


def test_grid_search_in_two_processes(iris: Any) -> None:
    x, y = iris
    search = model_selection.GridSearchCV(
        pipeline.make_pipeline(preprocessing.StandardScaler(), _estimator()),
        {"sklearnclassifier__model_kwargs": [{"rate": 1e-6}, {"units": 8, "rate": 0.05}]},
        cv=3,
        n_jobs=2,
    )
    search.fit(x, y)
    assert search.best_params_ == {
        "sklearnclassifier__model_kwargs": {"units": 8, "rate": 0.05},
    }
    assert search.best_score_ > 0.9
    assert search.best_estimator_.score(x, y) > 0.9


def test_regressor() -> None:
    x = np.random.default_rng(0).normal(size=(200, 3))
    y = x @ [1.0, -2.0, 0.5] + 3
    arguments = {"model": regressor, "fit_kwargs": {"epochs": 20, "verbose": 0}}
    estimator = keras.wrappers.SKLearnRegressor(**arguments).fit(x, y)
    assert estimator.predict(x).shape == (200,)
    assert estimator.score(x, y) > 0.95
    scores = model_selection.cross_val_score(keras.wrappers.SKLearnRegressor(**arguments), x, y)
    assert scores.min() > 0.9


def test_transformer_in_a_pipeline(iris: Any) -> None:
    x, y = iris
    transformer = keras.wrappers.SKLearnTransformer(
        lambda X, y: regressor(X, y, units=5), fit_kwargs={"verbose": 0}
    )
    assert transformer.fit_transform(x, x[:, 0]).shape == (150, 1)
    steps = [("features", transformer), ("classes", _estimator())]
    assert pipeline.Pipeline(steps).fit(x, np.unique(y, return_inverse=True)[1]).predict(x).size


def test_images() -> None:
    x, y = np.random.default_rng(0).normal(size=(20, 6, 6, 1)), np.arange(20) % 2
    assert _estimator().fit(x, y, epochs=1).predict(x).shape == (20,)


def test_refusals(iris: Any) -> None:
    x, y = iris
    wrapper = keras.wrappers.SKLearnClassifier
    with pytest.raises(RuntimeError) as compiled:
        wrapper(keras.Sequential([layers.Dense(3)])).fit(x, y)
    assert str(compiled.value) == (
        "SKLearnClassifier: the model must be compiled, with a loss and an optimizer. "
        "Received: compiled=False, loss=None, optimizer=None."
    )
    with pytest.raises(TypeError) as number:
        wrapper(3).fit(x, y)
    assert str(number.value) == (
        "SKLearnClassifier: model must be a Model or a callable that returns one. "
        "Received: model=3."
    )
    with pytest.raises(ValueError, match=r"only one class is present"):
        _estimator().fit(x, np.zeros(150))
    with pytest.raises(ValueError, match=r"Target type: continuous"):
        _estimator().fit(x, x[:, 0])

    def logits(X: Any, y: Any) -> keras.Model:
        model = keras.Sequential([keras.Input((4,)), layers.Dense(y.shape[1])])
        loss = keras.losses.CategoricalCrossentropy(from_logits=True)
        model.compile("adam", loss)
        return model

    with pytest.raises(ValueError, match=r'End the model with activation="softmax"\.$'):
        _estimator(model=logits).fit(x, y, epochs=1).predict_proba(x)


def test_without_scikit_learn() -> None:
    code = (
        "import sys; sys.modules['sklearn'] = None\n"
        "import pronghorn as keras\n"
        "try: keras.wrappers.SKLearnClassifier\n"
        "except ImportError as e: print(e)\n"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout == (
        "SKLearnClassifier: scikit-learn is not installed. `pip install 'pronghorn[sklearn]'`.\n"
    )


def same_classifier(X: Any, y: Any) -> keras.Model:
    keras.utils.set_random_seed(0)  # some of the checks compare two fits
    return classifier(X, y)


def same_regressor(X: Any, y: Any) -> keras.Model:
    keras.utils.set_random_seed(0)
    return regressor(X, y)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer"])
def test_checks_of_scikit_learn(name: str) -> None:
    build = same_classifier if name == "SKLearnClassifier" else same_regressor
    estimator = getattr(keras.wrappers, name)(build, fit_kwargs={"verbose": 0, "epochs": 30})
    results = estimator_checks.check_estimator(estimator, on_fail=None, on_skip=None)
    failed = {r["check_name"]: r["exception"] for r in results if r["status"] == "failed"}
    assert not failed
    assert sum(r["status"] == "passed" for r in results) > 30
