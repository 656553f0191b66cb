"""Loops of one's own: the programs that guides teach, op by op and under function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import layers, ops


def _eagerly(f: Callable[..., Any]) -> Callable[..., Any]:
    return f


@pytest.fixture(params=[_eagerly, keras.function], ids=["eager", "function"])
def run(request: pytest.FixtureRequest) -> Any:
    keras.utils.set_random_seed(0)
    return request.param


def _classes(rows: int = 256) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    y = random.integers(0, 3, rows)
    x = 2 * random.normal(size=(3, 8))[y] + random.normal(size=(rows, 8))
    return x.astype("float32"), y


def _network(*after: Any) -> keras.Model:
    return keras.Sequential(
        [keras.Input((8,)), layers.Dense(16, activation="relu"), *after, layers.Dense(3)]
    )


def test_training_and_validation_with_metrics(run: Any) -> None:
    x, y = _classes()
    model = _network(layers.Dropout(0.1))
    loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = keras.optimizers.Adam(0.02)
    accuracy = keras.metrics.SparseCategoricalAccuracy()
    val_accuracy = keras.metrics.SparseCategoricalAccuracy()

    @run
    def train_step(x: Any, y: Any) -> Any:
        with keras.GradientTape() as tape:
            logits = model(x, training=True)
            loss = loss_fn(y, logits) + sum(model.losses)
        gradients = tape.gradient(loss, model.trainable_weights)
        optimizer.apply_gradients(zip(gradients, model.trainable_weights))
        accuracy.update_state(y, logits)
        return loss

    @run
    def test_step(x: Any, y: Any) -> None:
        val_accuracy.update_state(y, model(x, training=False))

    seen = []
    for _ in range(4):
        for first in range(0, 192, 64):
            loss = train_step(x[first : first + 64], y[first : first + 64])
            assert np.isfinite(float(loss))
        test_step(x[192:], y[192:])
        seen.append((float(accuracy.result()), float(val_accuracy.result())))
        accuracy.reset_state()
        val_accuracy.reset_state()
    assert seen[-1][0] > seen[0][0] and seen[-1][1] > 0.85
    assert float(accuracy.result()) == 0


class Penalty(layers.Layer):
    def call(self, x: Any) -> Any:
        self.add_loss(0.1 * ops.mean(ops.square(x)))
        return x


def test_losses_of_layers(run: Any) -> None:
    x, _ = _classes(32)
    regular = layers.Dense(4, kernel_regularizer=keras.regularizers.L2(0.5))
    model = keras.Sequential([keras.Input((8,)), regular, Penalty()])

    @run
    def losses(x: Any) -> Any:
        with keras.GradientTape() as tape:
            model(x)
            total = sum(model.losses)
        return total, tape.gradient(total, regular.kernel), len(model.losses)

    for _ in range(2):
        total, gradient, count = losses(x)
        kernel = regular.kernel.numpy()
        y = x @ kernel
        assert count == 2
        expected = 0.5 * np.sum(kernel**2) + 0.1 * np.mean(y**2)
        np.testing.assert_allclose(float(total), expected, rtol=1e-5)
        np.testing.assert_allclose(gradient, kernel + 0.2 / y.size * x.T @ y, rtol=1e-4, atol=1e-5)


def test_accumulation_by_hand(run: Any) -> None:
    x, y = _classes(64)
    model = _network()
    loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    sums = [keras.Variable(ops.zeros(v.shape)) for v in model.trainable_variables]
    optimizer = keras.optimizers.SGD(0.1)

    @run
    def accumulate(x: Any, y: Any) -> None:
        with keras.GradientTape() as tape:
            loss = loss_fn(y, model(x, training=True)) / 4
        for total, gradient in zip(sums, tape.gradient(loss, model.trainable_variables)):
            total.assign_add(gradient)

    @run
    def update() -> None:
        optimizer.apply(sums, model.trainable_variables)
        for total in sums:
            total.assign(ops.zeros_like(total))

    expected = keras.models.clone_model(model)
    expected.set_weights(model.get_weights())
    for first in range(0, 64, 16):
        accumulate(x[first : first + 16], y[first : first + 16])
    update()
    with keras.GradientTape() as tape:
        loss = loss_fn(y, expected(x))
    variables = expected.trainable_variables
    keras.optimizers.SGD(0.1).apply(tape.gradient(loss, variables), variables)
    for a, b in zip(model.get_weights(), expected.get_weights()):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    assert all(not np.any(total.numpy()) for total in sums)


def test_gradient_penalty(run: Any) -> None:
    """Wasserstein GAN with a penalty (Gulrajani 2017): a gradient of a gradient."""
    random = np.random.default_rng(0)
    real = random.normal(1, 1, (32, 4)).astype("float32")
    fake = random.normal(0, 1, (32, 4)).astype("float32")
    critic = keras.Sequential([keras.Input((4,)), layers.Dense(8, "tanh"), layers.Dense(1)])
    optimizer = keras.optimizers.Adam(0.01)

    @run
    def step(real: Any, fake: Any) -> Any:
        alpha = keras.random.uniform((ops.shape(real)[0], 1), seed=1)
        mixed = real + alpha * (fake - real)
        with keras.GradientTape() as tape:
            with keras.GradientTape() as inner:
                inner.watch(mixed)
                score = critic(mixed, training=True)
            slope = inner.gradient(score, mixed)
            norm = ops.sqrt(ops.sum(ops.square(slope), axis=1))
            penalty = ops.mean(ops.square(norm - 1.0))
            loss = ops.mean(critic(fake)) - ops.mean(critic(real)) + 10 * penalty
        variables = critic.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        return loss, penalty

    losses = [float(step(real, fake)[0]) for _ in range(40)]
    assert losses[-1] < losses[0]
    # The gradient of the penalty, against differences of the penalty.
    kernel = critic.layers[0].kernel

    def penalty_at(value: Any) -> float:
        kernel.assign(value)
        with keras.GradientTape() as tape:
            points = ops.convert_to_tensor(real)
            tape.watch(points)
            score = critic(points)
        slope = np.asarray(tape.gradient(score, points), np.float64)
        return float(np.mean((np.sqrt((slope**2).sum(1)) - 1) ** 2))

    @run
    def penalty_gradient(points: Any) -> Any:
        with keras.GradientTape() as tape:
            with keras.GradientTape() as inner:
                inner.watch(points)
                score = critic(points)
            slope = inner.gradient(score, points)
            norm = ops.sqrt(ops.sum(ops.square(slope), axis=1))
            value = ops.mean(ops.square(norm - 1.0))
        return tape.gradient(value, kernel)

    found = np.asarray(penalty_gradient(ops.convert_to_tensor(real)))
    start = kernel.numpy()
    direction = np.random.default_rng(2).normal(size=start.shape).astype("float32")
    change = penalty_at(start + 1e-2 * direction) - penalty_at(start - 1e-2 * direction)
    assert np.sum(found * direction) == pytest.approx(change / 2e-2, rel=0.02, abs=1e-3)


def test_policy_gradient_of_an_episode() -> None:
    """Actor and critic on a toy task: a Python loop of unknown length inside of the tape."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((2,))
    hidden = layers.Dense(16, activation="relu")(inputs)
    model = keras.Model(
        inputs, [layers.Dense(2, activation="softmax")(hidden), layers.Dense(1)(hidden)]
    )
    optimizer = keras.optimizers.Adam(0.05)
    huber = keras.losses.Huber()
    random = np.random.default_rng(0)
    rewards_of_episodes = []
    for _ in range(25):
        with keras.GradientTape() as tape:
            log_probabilities, values, rewards = [], [], []
            state = random.normal(size=2).astype("float32")
            for _ in range(random.integers(3, 8)):
                probabilities, value = model(ops.expand_dims(ops.convert_to_tensor(state), 0))
                p = np.squeeze(np.asarray(probabilities))
                action = int(random.random() < p[1])
                log_probabilities.append(ops.log(probabilities[0, action]))
                values.append(value[0, 0])
                rewards.append(1.0 if action == int(state[0] > 0) else 0.0)
                state = random.normal(size=2).astype("float32")
            losses = []
            for log_probability, value, reward in zip(log_probabilities, values, rewards):
                losses.append(-log_probability * (reward - float(value)))
                losses.append(huber(ops.expand_dims(reward, 0), ops.expand_dims(value, 0)))
            loss = sum(losses)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        rewards_of_episodes.append(np.mean(rewards))
    assert np.isfinite(float(loss))
    assert np.mean(rewards_of_episodes[-8:]) > 0.5


def test_stateless_loop(run: Any) -> None:
    """State as values that go in and come out, as programs for JAX are written."""
    x, y = _classes(64)
    model = _network(layers.BatchNormalization())
    optimizer = keras.optimizers.Adam(0.02)
    optimizer.build(model.trainable_variables)
    loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def compute(trainable: Any, fixed: Any, x: Any, y: Any) -> Any:
        y_pred, fixed = model.stateless_call(trainable, fixed, x, training=True)
        return loss_fn(y, y_pred), (y_pred, fixed)

    gradient_of = keras.value_and_grad(compute, has_aux=True)

    @run
    def step(state: Any, x: Any, y: Any) -> Any:
        trainable, fixed, slots = state
        (loss, (_, fixed)), gradients = gradient_of(trainable, fixed, x, y)
        trainable, slots = optimizer.stateless_apply(slots, gradients, trainable)
        return loss, (trainable, fixed, slots)

    variables = (model.trainable_variables, model.non_trainable_variables, optimizer.variables)
    state: Any = tuple([v.value for v in group] for group in variables)
    before = model.get_weights()
    losses = []
    for _ in range(10):
        loss, state = step(state, x, y)
        losses.append(float(loss))
    assert losses[-1] < 0.6 * losses[0]
    for now, then in zip(model.get_weights(), before):
        np.testing.assert_array_equal(now, then)
    for group, values in zip(variables, state):
        for variable, value in zip(group, values):
            variable.assign(value)
    assert float(loss_fn(y, model(x))) < losses[0]


def test_custom_gradient_in_a_layer(run: Any) -> None:
    @ops.custom_gradient
    def reversed_gradient(x: Any) -> Any:
        def gradient(*args: Any, upstream: Any = None) -> Any:
            if upstream is None:
                (upstream,) = args
            return -upstream

        return ops.copy(x), gradient

    class Reversal(layers.Layer):
        def call(self, x: Any) -> Any:
            return reversed_gradient(x)

    x, _ = _classes(16)
    first, last = layers.Dense(4), layers.Dense(1)
    model = keras.Sequential([keras.Input((8,)), first, Reversal(), last])
    plain = keras.Sequential([keras.Input((8,)), first, last])

    @run
    def gradients(x: Any) -> Any:
        found = []
        for network in (model, plain):
            with keras.GradientTape() as tape:
                loss = ops.mean(network(x) ** 2)
            found.append(tape.gradient(loss, [first.kernel, last.kernel]))
        return found

    (a, b), (c, d) = gradients(x)
    np.testing.assert_allclose(a, -np.asarray(c), rtol=1e-6)
    np.testing.assert_array_equal(b, d)


def test_schedule_clipping_and_minimize(run: Any) -> None:
    w = keras.Variable([3.0, -4.0])
    schedule = keras.optimizers.schedules.ExponentialDecay(0.5, 1, 0.5)
    optimizer = keras.optimizers.SGD(schedule, global_clipnorm=1.0)

    @run
    def step() -> Any:
        optimizer.minimize(lambda: ops.sum(w * w), [w])
        return optimizer.learning_rate

    assert float(step()) == 0.25
    np.testing.assert_allclose(w.numpy(), [3 - 0.3, -4 + 0.4], rtol=1e-6)
    assert float(step()) == 0.125
    np.testing.assert_allclose(w.numpy(), [2.7 - 0.15, -3.6 + 0.2], rtol=1e-6)
