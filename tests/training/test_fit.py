"""fit: logs, epochs, batches, validation, weights, reproducibility."""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import layers


def data(rows: int = 70, columns: int = 4, classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.random((rows, columns), "float32"), rng.integers(0, classes, rows)


def classifier(classes: int = 3, **options) -> keras.Model:
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [layers.Dense(8, activation="relu"), layers.Dense(classes, activation="softmax")]
    )
    settings = {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"], **options}
    model.compile(settings.pop("optimizer", "sgd"), **settings)
    return model


def test_history_has_a_value_for_each_epoch() -> None:
    x, y = data()
    model = classifier()
    history = model.fit(x, y, epochs=3, validation_split=0.2, verbose=0)
    assert history is model.history
    assert list(history.history) == ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert all(len(values) == 3 for values in history.history.values())
    assert history.epoch == [0, 1, 2]
    assert all(isinstance(v, float) for v in history.history["loss"])


def test_training_lowers_the_loss() -> None:
    x, _ = data(256)
    y = x.argmax(1)
    model = classifier(4, optimizer=keras.optimizers.Adam(0.05))
    losses = model.fit(x, y, epochs=20, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0]
    assert model.evaluate(x, y, verbose=0)[1] > 0.85


def test_the_short_last_batch_counts_by_its_rows() -> None:
    x, y = data(70)
    model = classifier(optimizer=keras.optimizers.SGD(0.0))
    loss = model.fit(x, y, batch_size=32, verbose=0).history["loss"][0]
    expected = keras.losses.SparseCategoricalCrossentropy()(y, model.predict(x))
    assert loss == pytest.approx(float(expected), rel=1e-5)
    assert int(model.optimizer.iterations.numpy()) == 3


def test_eager_runs_equal_programs() -> None:
    x, y = data()
    weights = []
    for eager in (False, True):
        model = classifier(run_eagerly=eager, optimizer="adam")
        history = model.fit(x, y, epochs=2, validation_split=0.3, verbose=0).history
        weights.append((model.get_weights(), history))
    for a, b in zip(weights[0][0], weights[1][0]):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
    for name, values in weights[0][1].items():
        np.testing.assert_allclose(values, weights[1][1][name], rtol=1e-4)


def test_a_seed_repeats_a_run() -> None:
    x, y = data()
    runs = []
    for _ in range(2):
        keras.utils.set_random_seed(7)
        model = keras.Sequential([layers.Dense(8), layers.Dropout(0.5), layers.Dense(3)])
        model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        runs.append((model.fit(x, y, epochs=3, verbose=0).history["loss"], model.get_weights()))
    assert runs[0][0] == runs[1][0]
    assert all(np.array_equal(a, b) for a, b in zip(runs[0][1], runs[1][1]))


def rows_seen(x: np.ndarray, **options) -> np.ndarray:
    """The first column of x in the order that a model saw it."""
    seen = []

    class Spy(keras.Model):
        def train_step(self, batch):
            seen.extend(np.asarray(batch[0])[:, 0].tolist())
            return {"loss": 0.0}

    model = Spy()
    model.compile(loss="mse", run_eagerly=True)
    model.fit(x, x, verbose=0, **options)
    return np.array(seen)


def test_shuffle_takes_each_row_once_in_a_new_order() -> None:
    x = np.arange(50, dtype="float32")[:, None]
    seen = rows_seen(x, batch_size=8, epochs=2)
    first, second = seen[:50], seen[50:]
    assert sorted(first) == sorted(second) == list(range(50))
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, np.arange(50))
    assert np.array_equal(rows_seen(x, shuffle=False), np.arange(50))


def test_shuffle_of_batches_keeps_rows_together() -> None:
    x = np.arange(50, dtype="float32")[:, None]
    seen = rows_seen(x, batch_size=8, shuffle="batch")
    assert np.array_equal(seen[48:], [48, 49])
    batches = seen[:48].reshape(6, 8)
    assert np.array_equal(np.diff(batches, axis=1), np.ones((6, 7)))
    assert sorted(batches[:, 0]) == [0, 8, 16, 24, 32, 40]


def test_programs_shuffle_as_python_does() -> None:
    x, y = data(64)
    weights = []
    for eager in (False, True):
        model = classifier(run_eagerly=eager)
        model.build((None, 4))
        keras.utils.set_random_seed(3)
        model.fit(x, y, batch_size=16, epochs=2, verbose=0)
        weights.append(model.get_weights())
    for a, b in zip(*weights):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_validation_split_takes_the_last_rows() -> None:
    x, y = data(10)
    model = classifier(optimizer=keras.optimizers.SGD(0.0))
    history = model.fit(x, y, validation_split=0.3, verbose=0).history
    assert history["val_loss"][0] == pytest.approx(model.evaluate(x[7:], y[7:], verbose=0)[0])
    assert history["loss"][0] == pytest.approx(model.evaluate(x[:7], y[:7], verbose=0)[0], rel=1e-5)


@pytest.mark.parametrize(("frequency", "count"), [(1, 4), (2, 2), ([1, 4], 2)])
def test_validation_frequency(frequency, count: int) -> None:
    x, y = data(20)
    history = classifier().fit(
        x, y, epochs=4, validation_data=(x, y), validation_freq=frequency, verbose=0
    )
    assert len(history.history["val_loss"]) == count


def test_class_weights_weigh_the_loss_and_weighted_metrics() -> None:
    x, y = data(40)
    factors = {0: 0.5, 2: 3.0}
    per_sample = np.array([factors.get(int(c), 1.0) for c in y], "float32")
    results = []
    for options in ({"class_weight": factors}, {"sample_weight": per_sample}):
        model = classifier(
            metrics=["accuracy"], weighted_metrics=["accuracy"], optimizer=keras.optimizers.SGD(0.0)
        )
        results.append(model.fit(x, y, verbose=0, shuffle=False, **options).history)
    assert results[0] == results[1]
    assert results[0]["accuracy"] != results[0]["weighted_accuracy"]


def test_class_weight_of_one_hot_targets() -> None:
    x, y = data(40)
    model = classifier(loss="categorical_crossentropy", optimizer=keras.optimizers.SGD(0.0))
    hot = np.eye(3, dtype="float32")[y]
    weighted = model.fit(x, hot, class_weight={0: 2.0}, shuffle=False, verbose=0).history["loss"][0]
    values = np.asarray(keras.losses.categorical_crossentropy(hot, model.predict(x)))
    assert weighted == pytest.approx(float((values * np.where(y == 0, 2.0, 1.0)).mean()), rel=1e-5)


def test_steps_per_epoch_goes_on_where_it_stopped() -> None:
    x = np.arange(40, dtype="float32")[:, None]
    seen = rows_seen(x, batch_size=10, steps_per_epoch=2, epochs=2, shuffle=False)
    assert np.array_equal(seen, np.arange(40))


def test_too_many_steps_end_the_epoch_with_a_warning() -> None:
    x, y = data(20)
    with pytest.warns(UserWarning, match="ran out after 2 of 5"):
        classifier().fit(x, y, batch_size=10, steps_per_epoch=5, verbose=0)


def test_initial_epoch_goes_on_counting() -> None:
    x, y = data(20)
    history = classifier().fit(x, y, initial_epoch=3, epochs=5, verbose=0)
    assert history.epoch == [3, 4]


def test_several_outputs_with_names() -> None:
    inputs = keras.Input((4,))
    a = layers.Dense(3, activation="softmax", name="a")(inputs)
    b = layers.Dense(1, name="b")(inputs)
    model = keras.Model(inputs, [a, b])
    model.compile(
        "sgd",
        loss={"a": "sparse_categorical_crossentropy", "b": "mse"},
        loss_weights={"b": 0.5},
        metrics={"a": ["accuracy"], "b": "mae"},
        weighted_metrics=[["accuracy"], []],
    )
    x, y = data(20)
    logs = model.evaluate(x, {"a": y, "b": x[:, :1]}, verbose=0, return_dict=True)
    assert list(logs) == ["a_accuracy", "a_loss", "a_weighted_accuracy", "b_loss", "b_mae", "loss"]
    assert logs["loss"] == pytest.approx(logs["a_loss"] + 0.5 * logs["b_loss"], rel=1e-6)
    assert len(model.evaluate(x, [y, x[:, :1]], verbose=0)) == 6


def test_an_output_without_a_loss() -> None:
    inputs = keras.Input((4,))
    hidden = layers.Dense(1)(inputs)
    model = keras.Model(inputs, [hidden, layers.Activation("relu")(hidden)])
    model.compile("sgd", loss=["mse", None])
    x, _ = data(20)
    assert list(model.fit(x, x[:, :1], verbose=0).history) == ["loss"]


def test_losses_of_layers_need_no_targets() -> None:
    model = keras.Sequential([layers.Dense(2, activity_regularizer="l2")])
    model.compile("sgd")
    x, _ = data(20)
    first, second = (model.fit(x, epochs=1, verbose=0).history["loss"][0] for _ in range(2))
    assert 0 < second < first


@pytest.mark.parametrize(
    ("classes", "shape", "name"),
    [(1, (20, 1), "binary"), (3, (20,), "sparse_categorical"), (3, (20, 3), "categorical")],
)
def test_names_go_by_the_shapes(classes: int, shape: tuple[int, ...], name: str) -> None:
    model = keras.Sequential([layers.Dense(classes, activation="softmax")])
    model.compile("sgd", loss="crossentropy", metrics=["acc", "ce"])
    x, _ = data(20)
    y = np.zeros(shape, "int32")
    model.fit(x, y, verbose=0)
    metrics = model._compile_metrics.metrics
    assert metrics[0]._fn.__name__ == f"{name}_accuracy"
    assert metrics[1]._fn.__name__ == f"{name}_crossentropy"
    assert [m.name for m in metrics] == ["acc", "ce"]


def test_an_overridden_train_step_is_traced_and_logged() -> None:
    calls = []

    class Custom(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = layers.Dense(1)
            self.mean = keras.metrics.Mean(name="mean_output")

        def call(self, x):
            return self.dense(x)

        def train_step(self, batch):
            calls.append(1)
            x, _ = batch
            logs = super().train_step(batch)
            self.mean.update_state(self(x))
            return {**logs, "mean": self.mean.result(), "constant": 3.0}

    model = Custom()
    model.compile("sgd", "mse")
    x, _ = data(64)
    history = model.fit(x, x[:, :1], epochs=3, verbose=0).history
    assert len(calls) == 1
    assert set(history) == {"constant", "loss", "mean", "mean_output"}
    assert history["constant"] == [3.0] * 3
    assert len(set(history["mean"])) == 3


def test_compute_loss_and_metrics_may_be_overridden() -> None:
    class Custom(keras.Sequential):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None):
            return keras.ops.mean(keras.ops.abs(y_pred - y)) + 10.0

        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            logs = super().compute_metrics(x, y, y_pred, sample_weight)
            return {**logs, "largest": keras.ops.max(y_pred)}

    model = Custom([layers.Dense(1)])
    model.compile("sgd")
    x, _ = data(20)
    logs = model.evaluate(x, x[:, :1], verbose=0, return_dict=True)
    assert logs["loss"] > 10
    assert logs["largest"] == pytest.approx(float(model.predict(x).max()))


def test_freezing_a_layer_is_seen_without_compile() -> None:
    x, y = data(20)
    model = classifier()
    model.fit(x, y, verbose=0)
    model.layers[0].trainable = False
    before = model.get_weights()
    model.fit(x, y, verbose=0)
    after = model.get_weights()
    assert np.array_equal(before[0], after[0])
    assert not np.array_equal(before[2], after[2])


def test_compiling_again_changes_what_is_trained() -> None:
    x, _ = data(20)
    model = keras.Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(x, x[:, :1], verbose=0)
    model.compile("sgd", "mae", metrics=["mse"])
    logs = model.evaluate(x, x[:, :1], verbose=0, return_dict=True)
    error = model.predict(x) - x[:, :1]
    assert logs["loss"] == pytest.approx(float(np.abs(error).mean()), rel=1e-5)
    assert logs["mse"] == pytest.approx(float((error**2).mean()), rel=1e-5)


def test_batch_methods_report_their_batch() -> None:
    x, _ = data(20)
    model = keras.Sequential([layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.0), "mse", metrics=["mae"])
    first, second = (model.train_on_batch(x[i : i + 10], x[i : i + 10, :1]) for i in (0, 10))
    whole = model.evaluate(x, x[:, :1], verbose=0)
    assert np.mean([first, second], axis=0) == pytest.approx(whole, rel=1e-5)
    assert model.test_on_batch(x, x[:, :1], return_dict=True)["loss"] == pytest.approx(whole[0])
    np.testing.assert_array_equal(model.predict_on_batch(x), model.predict(x))


def test_mixed_precision_trains_in_float32_weights() -> None:
    x, y = data(64)
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [layers.Dense(8, dtype="mixed_bfloat16"), layers.Dense(3, activation="softmax")]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    losses = model.fit(x, y, epochs=3, verbose=0).history["loss"]
    assert np.all(np.isfinite(losses))
    assert all(w.dtype == "float32" for w in model.weights)


def test_fit_warns_of_nothing() -> None:
    x, y = data(40)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        classifier().fit(x, y, validation_split=0.2, epochs=2, verbose=0)


def test_losses_of_structures() -> None:
    inputs = keras.Input((4,))
    parts = {"a": (layers.Dense(1)(inputs), layers.Dense(1)(inputs)), "b": layers.Dense(1)(inputs)}
    model = keras.Model(inputs, parts)

    def distance(y_true, y_pred):
        return keras.ops.abs(y_true[0] - y_pred[1]) + keras.ops.abs(y_true[1] - y_pred[0])

    model.compile("sgd", loss={"a": distance, "b": ["mse", "mae"]}, loss_weights={"a": 2.0})
    x, _ = data(20)
    y = {"a": (x[:, :1], x[:, 1:2]), "b": x[:, :1]}
    history = model.fit(x, y, epochs=2, verbose=0).history
    assert list(history) == ["a_loss", "b_loss", "loss"]
    for total, a, b in zip(history["loss"], history["a_loss"], history["b_loss"]):
        assert total == pytest.approx(2 * a + b, rel=1e-5)


def test_metrics_in_the_first_epoch_are_complete() -> None:
    inputs = keras.Input((4,))
    model = keras.Model(
        inputs, [layers.Dense(1, name="a")(inputs), layers.Dense(1, name="b")(inputs)]
    )
    model.compile("sgd", "mse")
    x, _ = data(20)
    first, second = (
        model.fit(x, [x[:, :1], x[:, :1]], verbose=0, shuffle=False).history for _ in range(2)
    )
    assert list(first) == list(second) == ["a_loss", "b_loss", "loss"]
    assert second["loss"][0] < first["loss"][0]


def test_a_model_of_two_networks_without_call() -> None:
    class Pair(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.up, self.down = layers.Dense(8), layers.Dense(4)
            self.error = keras.metrics.Mean(name="error")

        def train_step(self, batch):
            x, _ = batch
            with keras.GradientTape() as tape:
                loss = keras.ops.mean(keras.ops.square(self.down(self.up(x)) - x))
            variables = self.trainable_variables
            self.optimizer.apply(tape.gradient(loss, variables), variables)
            self.error.update_state(loss)
            return {"error": self.error.result()}

    for eager in (False, True):
        model = Pair()
        model.compile(keras.optimizers.Adam(0.01), run_eagerly=eager)
        x, y = data(64)
        errors = model.fit(x, y, epochs=5, verbose=0).history["error"]
        assert errors[-1] < errors[0]


def test_threads_may_build_one_model_at_once() -> None:
    x, y = data(20)
    for _ in range(10):
        model = keras.Sequential([layers.Dense(8), layers.Dense(3, activation="softmax")])
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        with ThreadPoolExecutor(4) as pool:
            shapes = [pool.submit(lambda m=model: m.predict(x).shape) for _ in range(4)]
            assert {shape.result() for shape in shapes} == {(20, 3)}
            runs = [pool.submit(lambda m=model: m.fit(x, y, verbose=0)) for _ in range(4)]
            for run in runs:
                run.result()


def test_a_train_step_is_given_x_alone_as_it_is() -> None:
    seen: list[Any] = []

    class Own(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = keras.layers.Dense(3)

        def call(self, x: Any) -> Any:
            return self.dense(x)

        def train_step(self, data: Any) -> dict[str, Any]:
            seen.append(data)
            with keras.GradientTape() as tape:
                loss = keras.ops.mean(keras.ops.square(self(data) - data))
            gradients = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
            return {"loss": loss}

    model = Own()
    model.compile("sgd")
    model.fit(np.ones((8, 3), "float32"), batch_size=4, verbose=0)
    assert [x.shape for x in seen] == [(4, 3)]
