"""The forms of data: arrays and their relatives, generators, iterables, PyDataset."""

from __future__ import annotations

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import layers
from pronghorn.training.data_adapters import pack_x_y_sample_weight, unpack_x_y_sample_weight

X = np.random.default_rng(0).random((40, 4), "float32")
Y = X[:, :1] * 2


def model() -> keras.Model:
    keras.utils.set_random_seed(1)
    found = keras.Sequential([layers.Dense(1)])
    found.compile("sgd", "mse")
    return found


def reference(**options) -> list[float]:
    """Losses of the plain arrays in their order."""
    return (
        model()
        .fit(X, Y, batch_size=10, epochs=2, shuffle=False, verbose=0, **options)
        .history["loss"]
    )


def batches():
    for i in range(0, 40, 10):
        yield X[i : i + 10], Y[i : i + 10]


class Loader:
    """What a PyTorch DataLoader looks like from outside: `len`, `iter`, lists of tensors."""

    class Tensor:
        def __init__(self, array):
            self.array = array

        def detach(self):
            return self

        def cpu(self):
            return self

        def __array__(self, dtype=None, copy=None):
            return np.asarray(self.array, dtype)

    def __len__(self):
        return 4

    def __iter__(self):
        return iter([[self.Tensor(x), self.Tensor(y)] for x, y in batches()])


class Rows(keras.utils.PyDataset):
    def __init__(self, **options):
        super().__init__(**options)
        self.begun = self.ended = 0

    def __len__(self):
        return 4

    def __getitem__(self, index):
        rows = slice(index * 10, index * 10 + 10)
        return X[rows], Y[rows]

    def on_epoch_begin(self):
        self.begun += 1

    def on_epoch_end(self):
        self.ended += 1


def test_iterables_of_batches() -> None:
    found = model().fit(Loader(), epochs=2, verbose=0).history["loss"]
    assert found == pytest.approx(reference(), rel=1e-5)


def test_a_generator_with_steps() -> None:
    def endless():
        while True:
            yield from batches()

    found = model().fit(endless(), steps_per_epoch=4, epochs=2, verbose=0).history["loss"]
    assert found == pytest.approx(reference(), rel=1e-5)


def test_a_generator_without_end_as_validation_data() -> None:
    def endless():
        while True:
            yield from batches()

    history = (
        model()
        .fit(X, Y, epochs=2, validation_data=endless(), validation_steps=4, verbose=0)
        .history
    )
    assert len(history["val_loss"]) == 2


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"workers": 3, "max_queue_size": 2},
        {"workers": 2, "use_multiprocessing": True},
    ],
)
def test_py_dataset(options) -> None:
    rows = Rows(**options)
    found = model().fit(rows, epochs=2, shuffle=False, verbose=0).history["loss"]
    assert found == pytest.approx(reference(), rel=1e-5)
    assert (rows.begun, rows.ended) == (2, 2)


def test_batches_of_several_sizes() -> None:
    sizes = [10, 3, 10, 17]
    ends = np.cumsum(sizes)
    parts = [(X[e - s : e], Y[e - s : e]) for s, e in zip(sizes, ends)]

    class Parts:
        def __iter__(self):
            return iter(parts)

    trained = model()
    history = trained.fit(Parts(), epochs=3, verbose=0)
    assert len(history.history["loss"]) == 3
    assert len(trained._programs.steps) == 3
    assert trained.predict(Parts()).shape == (40, 1)


def test_pandas_frames_and_series() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abcd"))
    series = pandas.Series(Y[:, 0])
    trained = model()
    found = trained.fit(frame, series, batch_size=10, epochs=2, shuffle=False, verbose=0).history[
        "loss"
    ]
    assert found == pytest.approx(reference(), rel=1e-5)
    np.testing.assert_array_equal(trained.predict(frame), trained.predict(X))


def test_frames_of_several_types() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abcd"))
    mixed = frame.assign(a=X[:, 0] > 0.5, b=(X[:, 1] * 9).astype(int), c=(X[:, 2] * 9).round())
    mixed["c"] = mixed["c"].astype("Int64")
    expected = np.stack([mixed[name].to_numpy("float32") for name in "abcd"], axis=1)
    trained = model()
    trained.fit(mixed, Y, verbose=0)
    np.testing.assert_array_equal(trained.predict(mixed), trained.predict(expected))
    with pytest.raises(ValueError, match=r"columns \['d'\] of other types"):
        trained.predict(frame.assign(d="x", a=X[:, 0] > 0))


def test_lists_of_numbers() -> None:
    x, y = X.tolist(), Y.tolist()
    trained = model()
    found = trained.fit(x, y, batch_size=10, epochs=2, shuffle=False, verbose=0).history["loss"]
    assert found == pytest.approx(reference(), rel=1e-5)
    trained.fit(x, y, sample_weight=[1] * len(x), validation_split=0.2, verbose=0)
    assert trained.evaluate(x, y, verbose=0) == trained.evaluate(X, Y, verbose=0)
    np.testing.assert_array_equal(trained.predict(x), trained.predict(X))
    np.testing.assert_array_equal(trained.predict_on_batch(x), trained.predict_on_batch(X))
    trained.fit(x, range(len(x)), verbose=0)


@pytest.mark.parametrize("dtype", ["float64", "float16", "int64", "uint8", "bool"])
def test_dtypes_of_arrays(dtype: str) -> None:
    x = (X * 3).astype(dtype)
    found = model().fit(x, Y, shuffle=False, verbose=0).history["loss"]
    same = model().fit(x.astype("float32"), Y, shuffle=False, verbose=0).history["loss"]
    assert found == pytest.approx(same, rel=1e-5)


def test_arrays_that_are_not_contiguous() -> None:
    wide = np.zeros((40, 8), "float32")
    wide[:, ::2] = X
    found = (
        model()
        .fit(wide[:, ::2], Y, batch_size=10, epochs=2, shuffle=False, verbose=0)
        .history["loss"]
    )
    assert found == reference()


def test_tensors() -> None:
    x = keras.ops.convert_to_tensor(X)
    assert model().evaluate(x, keras.ops.convert_to_tensor(Y), verbose=0) == pytest.approx(
        model().evaluate(X, Y, verbose=0)
    )


def test_dicts_and_lists_of_inputs() -> None:
    a, b = keras.Input((4,), name="a"), keras.Input((1,), name="b")
    trained = keras.Model({"a": a, "b": b}, layers.Dense(1)(layers.Concatenate()([a, b])))
    trained.compile("sgd", "mse")
    trained.fit({"a": X, "b": Y}, Y, verbose=0)
    assert trained.predict({"b": Y, "a": X}).shape == (40, 1)
    listed = keras.Model([a, b], layers.Dense(1)(layers.Concatenate()([a, b])))
    listed.compile("sgd", "mse")
    listed.fit([X, Y], Y, verbose=0)
    assert listed.predict([X, Y]).shape == (40, 1)


def test_predict_keeps_the_structure_of_outputs() -> None:
    inputs = keras.Input((4,))
    outputs = {"b": layers.Dense(2)(inputs), "a": layers.Dense(3)(inputs)}
    found = keras.Model(inputs, outputs).predict(X, batch_size=16)
    assert found["a"].shape == (40, 3) and found["b"].shape == (40, 2)
    two = keras.Model(inputs, list(outputs.values())).predict(X, batch_size=16)
    assert [o.shape for o in two] == [(40, 2), (40, 3)]


def test_predict_of_parts_equals_predict_of_all() -> None:
    trained = model()
    whole = trained.predict(X, batch_size=40)
    for size in (1, 7, 16, 100):
        np.testing.assert_allclose(trained.predict(X, batch_size=size), whole, rtol=1e-6)
    assert trained.predict(X, batch_size=8, steps=2).shape == (16, 1)
    found = trained.predict(X[:1])
    found += 1  # an array of one's own
    np.testing.assert_allclose(trained.predict(X[:1]), whole[:1], rtol=1e-6)


def test_predict_sees_new_weights() -> None:
    trained = model()
    trained.predict(X[:1])
    trained.set_weights([w * 0 + 1 for w in trained.get_weights()])
    assert trained.predict(X[:1])[0, 0] == pytest.approx(X[0].sum() + 1)


def test_predict_sees_a_layer_that_was_added() -> None:
    trained = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    trained.predict(X[:1])
    trained.predict(X[:1])
    trained.add(layers.Dense(5))
    assert trained.predict(X[:1]).shape == (1, 5)
    trained.pop()
    assert trained.predict(X[:1]).shape == (1, 2)


def test_outputs_of_another_length_are_joined() -> None:
    class Totals(keras.Model):
        def call(self, x):
            return keras.ops.sum(x, axis=0, keepdims=True)

    assert Totals().predict(X, batch_size=10).shape == (4, 4)


@pytest.mark.parametrize(
    ("data", "parts"),
    [(1, (1, None, None)), ((1,), (1, None, None)), ((1, 2), (1, 2, None)), ([1, 2, 3], (1, 2, 3))],
)
def test_unpack(data, parts) -> None:
    assert unpack_x_y_sample_weight(data) == parts


def test_pack() -> None:
    assert pack_x_y_sample_weight(1) == 1
    assert pack_x_y_sample_weight([1]) == ([1],)
    assert pack_x_y_sample_weight(1, 2, 3) == (1, 2, 3)
    with pytest.raises(ValueError, match="4 elements"):
        unpack_x_y_sample_weight((1, 2, 3, 4))


def test_a_built_model_asks_an_iterable_for_no_batch_more_than_it_trains_on() -> None:
    trained = model()
    trained.fit(X, Y, verbose=0)

    class Counting(Loader):
        passes = 0

        def __iter__(self):
            Counting.passes += 1
            return super().__iter__()

    trained.fit(Counting(), epochs=2, verbose=0)
    assert Counting.passes == 2


def test_iterables_without_batches() -> None:
    class Empty:
        def __iter__(self):
            return iter(())

    trained = model()
    for _ in range(2):
        with pytest.raises(ValueError, match="at least one batch"):
            trained.fit(Empty(), verbose=0)
        trained.fit(X, Y, verbose=0)
    with pytest.raises(ValueError, match="at least one batch"):
        trained.evaluate(Empty(), verbose=0)
    with pytest.raises(ValueError, match="at least one batch"):
        trained.predict(Empty(), verbose=0)


def test_a_generator_that_ends_ends_the_run() -> None:
    with pytest.warns(UserWarning, match="after 1 of 3 epochs"):
        history = model().fit(batches(), epochs=3, verbose=0)
    assert len(history.history["loss"]) == 1
