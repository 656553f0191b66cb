"""Recurrent layers: shapes, masks, states, dropout, threads, and what they say to wrong inputs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from check_layer import check_layer

import pronghorn as keras
from pronghorn import _core, layers, ops

FUSED = [layers.SimpleRNN, layers.LSTM, layers.GRU]


def data(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape).astype("float32")


@pytest.mark.parametrize("kind", FUSED)
def test_layer(kind: Any) -> None:
    check_layer(kind, {"units": 5, "return_sequences": True}, (3, 4, 6))
    check_layer(kind, {"units": 3, "go_backwards": True, "dropout": 0.2}, (2, 5, 4))
    check_layer(kind, {"units": 3, "recurrent_dropout": 0.2, "activation": "relu"}, (2, 5, 4))


def test_wrappers() -> None:
    inner = layers.LSTM(3, return_sequences=True)
    check_layer(layers.Bidirectional, {"layer": inner, "merge_mode": "sum"}, (2, 5, 4))
    check_layer(layers.TimeDistributed, {"layer": layers.Dense(3)}, (2, 5, 4))
    check_layer(layers.RNN, {"cell": layers.GRUCell(3)}, (2, 5, 4))
    check_layer(layers.ConvLSTM1D, {"filters": 2, "kernel_size": 2}, (2, 3, 5, 2))


@pytest.mark.parametrize("kind", FUSED)
@pytest.mark.parametrize("units", [1, 7, 130])
@pytest.mark.parametrize(("batch", "time"), [(1, 1), (3, 4), (33, 2)])
def test_fused_layer_equals_its_cell_step_by_step(
    kind: Any, units: int, batch: int, time: int
) -> None:
    x = data(batch, time, 3)
    mask = np.random.default_rng(1).random((batch, time)) < 0.6
    mask[0] = False
    for args in ({}, {"go_backwards": True, "return_sequences": True, "return_state": True}):
        layer = kind(units, **args)
        layer.build(x.shape)
        unrolled = layers.RNN(layer.cell, **args)
        for call in ({}, {"mask": mask}):
            found, expected = layer(x, **call), unrolled(x, **call)
            for a, b in zip(keras.tree.flatten(found), keras.tree.flatten(expected)):
                np.testing.assert_allclose(a.numpy(), b.numpy(), atol=1e-5)


@pytest.mark.parametrize("kind", FUSED)
@pytest.mark.parametrize(("batch", "units"), [(1, 400), (32, 64), (5, 420)])
def test_training_has_the_same_bits_for_any_number_of_threads(
    kind: Any, batch: int, units: int
) -> None:
    x, y = data(batch, 3, 8), data(batch, 3, units)
    results = []
    before = _core.num_threads()
    try:
        for count in (1, 2, 3, 8):
            _core.set_num_threads(count)
            keras.utils.set_random_seed(1)
            model = keras.Sequential([keras.Input((3, 8)), kind(units, return_sequences=True)])
            model.compile("sgd", "mse")
            model.fit(x, y, batch_size=batch, epochs=2, verbose=0)
            results.append([w.numpy().tobytes() for w in model.weights])
    finally:
        _core.set_num_threads(before)
    assert all(r == results[0] for r in results[1:])


def test_masks_pass_through_layers() -> None:
    tokens = np.array([[1, 2, 0, 0], [3, 0, 0, 0]])
    x = layers.Embedding(5, 3, mask_zero=True)(tokens)
    y = layers.LSTM(4, return_sequences=True)(x)
    for layer in (
        layers.Bidirectional(layers.GRU(3, return_sequences=True)),
        layers.TimeDistributed(layers.Dense(2)),
        layers.Dense(2),
    ):
        y = layer(y)
        np.testing.assert_array_equal(y._keras_mask.numpy(), tokens != 0)
    assert getattr(layers.SimpleRNN(2)(y), "_keras_mask", None) is None
    short = layers.LSTM(4, return_state=True)
    full = short(layers.Masking()(ops.multiply(x, ops.cast(x._keras_mask, "float32")[..., None])))
    alone = short(x[:1, :2])
    np.testing.assert_allclose(full[2].numpy()[:1], alone[2].numpy(), atol=1e-6)


def test_a_mask_keeps_padded_steps_out_of_loss_and_gradient() -> None:
    tokens = np.array([[1, 2, 3, 0], [4, 0, 0, 0]])
    losses = []
    for padding in (0.0, 9.0):
        keras.utils.set_random_seed(1)
        model = keras.Sequential(
            [
                keras.Input((4,)),
                layers.Embedding(5, 3, mask_zero=True),
                layers.GRU(4, return_sequences=True),
                layers.Dense(1),
            ]
        )
        model.compile("sgd", "mse")
        y = np.where(tokens[..., None] > 0, 1.0, padding).astype("float32")
        losses.append(model.fit(tokens, y, epochs=3, verbose=0).history["loss"])
    assert losses[0] == losses[1]


def test_stateful_layer_goes_on_where_it_ended() -> None:
    x = data(2, 6, 3)
    layer = layers.LSTM(4, stateful=True, return_sequences=True)
    first, second = layer(x[:, :2]).numpy(), layer(x[:, 2:]).numpy()
    whole = layers.LSTM(4, return_sequences=True)
    whole.build(x.shape)
    whole.set_weights([w.numpy() for w in layer.trainable_weights])
    np.testing.assert_allclose(np.concatenate([first, second], 1), whole(x).numpy(), atol=1e-6)
    layer.reset_state()
    np.testing.assert_array_equal(layer(x[:, :2]).numpy(), first)


@pytest.mark.parametrize("kind", FUSED)
def test_dropout_masks_are_the_same_in_all_steps(kind: Any) -> None:
    layer = kind(3, dropout=0.5, return_sequences=True, seed=3, activation=None)
    x = np.ones((2, 4, 50), "float32")
    a = layer(x, training=True).numpy()
    assert np.abs(a - layer(x, training=True).numpy()).max() > 0
    np.testing.assert_array_equal(layer(x).numpy(), layer(x).numpy())


@pytest.mark.parametrize("kind", FUSED)
def test_errors(kind: Any) -> None:
    layer = kind(3)
    name = kind.__name__
    with pytest.raises(ValueError, match=rf"{name} '\w+': expected rank 3 .*Reshape.*TimeDistrib"):
        layer(data(2, 5, 5, 3))
    with pytest.raises(ValueError, match=f"{name} .*expected rank 3"):
        kind(3)(data(2, 5))
    with pytest.raises(ValueError, match=r"mask of shape \(batch, timesteps\) = \(2, 5\)"):
        layer(data(2, 5, 3), mask=np.ones((2, 4), bool))
    with pytest.raises(ValueError, match="expected sequences of one step or more"):
        kind(3)(np.zeros((2, 0, 3), "float32"))
    with pytest.raises(ValueError, match="units must be a positive integer"):
        kind(0)
    stateful = kind(3, stateful=True)
    stateful(data(2, 5, 3))
    with pytest.raises(ValueError, match="Expected batch size: 2. Received batch size: 3"):
        stateful(data(3, 5, 3))


def test_errors_of_other_recurrent_layers() -> None:
    rank = r"expected rank 3 \(batch, timesteps, features\)"
    for cell in (layers.LSTMCell(3), [layers.GRUCell(3), layers.LSTMCell(2)]):
        with pytest.raises(ValueError, match=f"RNN .*{rank}"):
            layers.RNN(cell)(data(2, 5))
        with pytest.raises(ValueError, match=rf"RNN .*{rank}.*TimeDistributed\(Flatten"):
            layers.RNN(cell)(layers.Conv2D(2, 3)(keras.Input((8, 8, 1))))
        with pytest.raises(ValueError, match="RNN .*expected sequences of one step or more"):
            layers.RNN(cell)(data(2, 0, 3))
    with pytest.raises(ValueError, match=rf"'forward_\w+': {rank}.*TimeDistributed\(Flatten"):
        layers.Bidirectional(layers.GRU(3))(data(2, 5, 5, 3))
    with pytest.raises(ValueError, match=r"mask of shape \(batch, timesteps\) = \(2, 4\)"):
        layers.Bidirectional(layers.GRU(3))(data(2, 4, 3), mask=np.ones((2, 5), bool))
    with pytest.raises(ValueError, match=r"mask of shape \(batch, timesteps\) = \(2, 4\)"):
        layers.ConvLSTM1D(2, 3)(data(2, 4, 5, 3), mask=np.ones((2, 3), bool))
    model = keras.Sequential([keras.Input((None, 3)), layers.LSTM(2)])
    with pytest.raises(ValueError, match="LSTM .*expected sequences of one step or more"):
        model.predict(np.zeros((2, 0, 3), "float32"), verbose=0)


def test_errors_of_initial_states() -> None:
    with pytest.raises(ValueError, match=r"LSTM 'a': expected 2 initial states, .*Received: 1\."):
        layers.LSTM(2, name="a")(data(2, 4, 3), initial_state=[data(2, 2)])
    with pytest.raises(ValueError, match=r"GRU 'b': expected 1 initial states, .*Received: 2\."):
        layers.GRU(2, name="b")(data(2, 4, 3), initial_state=[data(2, 2), data(2, 2)])
    wanted = r"GRU 'c': expected initial states of shapes \[\(2, 2\)\]. .*\(3, 2\)"
    with pytest.raises(ValueError, match=wanted):
        layers.GRU(2, name="c")(data(2, 4, 3), initial_state=data(3, 2))
    with pytest.raises(ValueError, match=r"Bidirectional 'd': expected 4 .*Received: 2\."):
        both = layers.Bidirectional(layers.LSTM(2), name="d")
        both(data(2, 4, 3), initial_state=[data(2, 2), data(2, 2)])


def test_error_of_another_number_of_features() -> None:
    for cell in (layers.LSTMCell(2), [layers.GRUCell(2), layers.LSTMCell(3)]):
        layer = layers.RNN(cell, name="a")
        layer(data(2, 4, 3))
        with pytest.raises(ValueError, match=r"RNN 'a': expected 3 features, .*\(2, 4, 5\)"):
            layer(data(2, 4, 5))


def test_a_mask_is_taken_from_lists() -> None:
    layer, x = layers.LSTM(2), data(2, 3, 4)
    mask = [[True, True, False], [True, False, False]]
    expected = layer(x, mask=np.array(mask)).numpy()
    np.testing.assert_array_equal(layer(x, mask=mask).numpy(), expected)


class Cell(layers.Layer):
    """A custom cell that returns what `result` makes of the input and the states."""

    def __init__(self, units: int = 3, result: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.state_size, self.result = units, result

    def call(self, inputs: Any, states: Any) -> Any:
        h = ops.add(inputs, states[0])
        return self.result(h) if self.result else (h, [h])


def test_errors_of_custom_cells() -> None:
    with pytest.raises(ValueError, match=r"RNN .*\(output, states\). Received: Tensor from Cell"):
        layers.RNN(Cell(result=lambda h: h))(data(2, 4, 3))
    with pytest.raises(ValueError, match=r"expected states of shapes \[\(2, 3\)\] .*\(2, 2\)"):
        layers.RNN(Cell(result=lambda h: (h, [h[:, :2]])))(data(2, 4, 3))
    with pytest.raises(ValueError, match="Received: shapes=.*from Cell"):
        layers.RNN(Cell(result=lambda h: (h, [h, h])))(data(2, 4, 3))
    with pytest.raises(ValueError, match="StackedRNNCells: expected at least one cell"):
        layers.RNN([])


def test_bidirectional_takes_recurrent_layers_with_custom_cells_only() -> None:
    assert layers.Bidirectional(layers.RNN(Cell()))(data(2, 4, 3)).shape == (2, 6)
    with pytest.raises(ValueError, match="expected a recurrent layer.*without go_backwards"):
        layers.Bidirectional(layers.Dense(3))


def test_convolution_into_lstm_names_the_way_out() -> None:
    model = keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2D(2, 3)])
    with pytest.raises(ValueError, match=r"TimeDistributed\(Flatten\(\)\)"):
        model.add(layers.LSTM(3))
    model = keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2D(2, 3)])
    model.add(layers.TimeDistributed(layers.Flatten()))
    model.add(layers.LSTM(3))
    assert model.output_shape == (None, 3)


def test_a_stateful_layer_trained_on_one_batch_size_serves_another() -> None:
    def model(batch: int) -> Any:
        return keras.Sequential(
            [keras.Input(batch_shape=(batch, 4, 3)), layers.LSTM(5, stateful=True), layers.Dense(1)]
        )

    trained, serving = model(8), model(1)
    assert [len(trained.weights), trained.count_params()] == [5, 186]
    serving.set_weights(trained.get_weights())
    x = np.random.default_rng(0).normal(size=(8, 4, 3)).astype("float32")
    np.testing.assert_allclose(serving(x[:1]), trained(x)[:1], rtol=1e-5, atol=1e-6)
