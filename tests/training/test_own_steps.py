"""Models with a train_step of their own: the programs that guides teach run and learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import layers, ops


@pytest.fixture(autouse=True)
def _seed() -> None:
    keras.utils.set_random_seed(0)


@pytest.fixture(params=[False, True], ids=["program", "eager"])
def eager(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def _line(rows: int = 128) -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(0).normal(size=(rows, 4)).astype("float32")
    return x, (x @ [[1.0], [-2.0], [0.5], [0.0]] + 1).astype("float32")


def _classes(rows: int = 256) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    y = random.integers(0, 3, rows)
    x = 2 * random.normal(size=(3, 8))[y] + random.normal(size=(rows, 8))
    return x.astype("float32"), y


class OwnMetrics(keras.Model):
    """Metrics of its own in place of those of compile()."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = layers.Dense(1)
        self.loss_tracker = keras.metrics.Mean(name="loss")
        self.mae = keras.metrics.MeanAbsoluteError(name="mae")

    def call(self, x: Any) -> Any:
        return self.dense(x)

    def train_step(self, data: Any) -> Any:
        x, y = data
        with keras.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = keras.losses.mean_squared_error(y, y_pred)
        variables = self.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        self.loss_tracker.update_state(loss)
        self.mae.update_state(y, y_pred)
        return {m.name: m.result() for m in self.metrics}

    @property
    def metrics(self) -> list[Any]:
        return [self.loss_tracker, self.mae]


def test_own_metrics(eager: bool) -> None:
    x, y = _line()
    model = OwnMetrics()
    model.compile(keras.optimizers.Adam(0.1), run_eagerly=eager)
    history = model.fit(x, y, epochs=5 if eager else 20, verbose=0).history
    assert set(history) == {"loss", "mae"}
    assert history["loss"][-1] < history["loss"][0]
    if not eager:  # the metrics begin anew in each epoch
        error = np.abs(model.predict(x, verbose=0) - y).mean()
        assert history["mae"][-1] == pytest.approx(error, abs=0.1)


class CompiledMetrics(keras.Model):
    """The loss and metrics of compile(), in a step of its own, with weights of samples."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = layers.Dense(1)

    def call(self, x: Any) -> Any:
        return self.dense(x)

    def train_step(self, data: Any) -> Any:
        x, y, sample_weight = data if len(data) == 3 else (*data, None)
        with keras.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(y=y, y_pred=y_pred, sample_weight=sample_weight)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss)
            else:
                metric.update_state(y, y_pred, sample_weight=sample_weight)
        return {m.name: m.result() for m in self.metrics}

    def test_step(self, data: Any) -> Any:
        x, y = data
        y_pred = self(x, training=False)
        loss = self.compute_loss(y=y, y_pred=y_pred)
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss)
            else:
                metric.update_state(y, y_pred)
        return {m.name: m.result() for m in self.metrics}


def test_compiled_metrics_with_weights(eager: bool) -> None:
    x, y = _line()

    def run(cls: Any) -> Any:
        keras.utils.set_random_seed(0)
        model = cls() if cls is CompiledMetrics else keras.Sequential([layers.Dense(1)])
        model.compile("sgd", "mean_squared_error", metrics=["mae"], run_eagerly=eager)
        history = model.fit(x, y, epochs=3, verbose=0, batch_size=32, sample_weight=y[:, 0] ** 2)
        return history.history["loss"], model.evaluate(x, y, verbose=0, return_dict=True)

    (losses, own), (reference, built_in) = run(CompiledMetrics), run(None)
    np.testing.assert_allclose(losses, reference, rtol=1e-5)
    assert own["loss"] == pytest.approx(built_in["loss"], rel=1e-5)


class GAN(keras.Model):
    """Two networks and two optimizers."""

    def __init__(self, discriminator: Any, generator: Any, latent: int) -> None:
        super().__init__()
        self.discriminator = discriminator
        self.generator = generator
        self.latent = latent
        self.seed_generator = keras.random.SeedGenerator(1)
        self.built = True

    def compile(self, d_optimizer: Any, g_optimizer: Any, loss_fn: Any, **kwargs: Any) -> None:
        super().compile(**kwargs)
        self.d_optimizer = d_optimizer
        self.g_optimizer = g_optimizer
        self.loss_fn = loss_fn
        self.d_loss = keras.metrics.Mean(name="d_loss")
        self.g_loss = keras.metrics.Mean(name="g_loss")

    @property
    def metrics(self) -> list[Any]:
        return [self.d_loss, self.g_loss]

    def train_step(self, real: Any) -> Any:
        rows = ops.shape(real)[0]
        noise = keras.random.normal((rows, self.latent), seed=self.seed_generator)
        combined = ops.concatenate([self.generator(noise), real], axis=0)
        labels = ops.concatenate([ops.ones((rows, 1)), ops.zeros((rows, 1))], axis=0)
        labels += 0.05 * keras.random.uniform(ops.shape(labels), seed=self.seed_generator)
        with keras.GradientTape() as tape:
            d_loss = self.loss_fn(labels, self.discriminator(combined))
        weights = self.discriminator.trainable_weights
        self.d_optimizer.apply_gradients(zip(tape.gradient(d_loss, weights), weights))
        noise = keras.random.normal((rows, self.latent), seed=self.seed_generator)
        with keras.GradientTape() as tape:
            scores = self.discriminator(self.generator(noise))
            g_loss = self.loss_fn(ops.zeros((rows, 1)), scores)
        weights = self.generator.trainable_weights
        self.g_optimizer.apply_gradients(zip(tape.gradient(g_loss, weights), weights))
        self.d_loss.update_state(d_loss)
        self.g_loss.update_state(g_loss)
        return {"d_loss": self.d_loss.result(), "g_loss": self.g_loss.result()}


def test_gan(eager: bool) -> None:
    real = np.random.default_rng(0).normal([3.0, -1.0], 0.3, (512, 2)).astype("float32")
    discriminator = keras.Sequential(
        [keras.Input((2,)), layers.Dense(16), layers.LeakyReLU(0.2), layers.Dense(1)]
    )
    generator = keras.Sequential(
        [keras.Input((4,)), layers.Dense(16, activation="relu"), layers.Dense(2)]
    )
    gan = GAN(discriminator, generator, 4)
    gan.compile(
        keras.optimizers.Adam(0.01),
        keras.optimizers.Adam(0.01),
        keras.losses.BinaryCrossentropy(from_logits=True),
        run_eagerly=eager,
    )
    before = [w.numpy() for w in discriminator.weights]
    history = gan.fit(real, epochs=2 if eager else 30, batch_size=64, verbose=0).history
    assert set(history) == {"d_loss", "g_loss"}
    assert all(np.any(w.numpy() != b) for w, b in zip(discriminator.weights, before))
    if not eager:
        made = generator.predict(np.random.default_rng(1).normal(size=(256, 4)), verbose=0)
        # Where it was is 3.2 away.
        assert np.linalg.norm(made.mean(0) - [3.0, -1.0]) < 1.5


class Distiller(keras.Model):
    """A student learns from a teacher, by compute_loss."""

    def __init__(self, student: Any, teacher: Any) -> None:
        super().__init__()
        self.student = student
        self.teacher = teacher

    def compile(self, distillation_loss: Any, student_loss: Any, **kwargs: Any) -> None:
        super().compile(**kwargs)
        self.distillation_loss = distillation_loss
        self.student_loss = student_loss

    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, **kwargs: Any) -> Any:
        teacher = self.teacher(x, training=False)
        soft = self.distillation_loss(
            ops.softmax(teacher / 3, axis=1), ops.softmax(y_pred / 3, axis=1)
        )
        return 0.1 * self.student_loss(y, y_pred) + 0.9 * 9 * soft

    def call(self, x: Any) -> Any:
        return self.student(x)


def test_distillation(eager: bool) -> None:
    x, y = _classes()
    teacher = keras.Sequential([keras.Input((8,)), layers.Dense(16, "relu"), layers.Dense(3)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    teacher.compile(keras.optimizers.Adam(0.02), loss)
    teacher.fit(x, y, epochs=10, verbose=0)
    before = teacher.get_weights()
    distiller = Distiller(keras.Sequential([keras.Input((8,)), layers.Dense(3)]), teacher)
    distiller.teacher.trainable = False
    distiller.compile(
        optimizer=keras.optimizers.Adam(0.05),
        metrics=[keras.metrics.SparseCategoricalAccuracy()],
        student_loss=loss,
        distillation_loss=keras.losses.KLDivergence(),
        run_eagerly=eager,
    )
    distiller.fit(x, y, epochs=2 if eager else 10, batch_size=64, verbose=0)
    results = distiller.evaluate(x, y, verbose=0, return_dict=True)
    assert results["sparse_categorical_accuracy"] > (0.4 if eager else 0.9)
    for now, then in zip(teacher.get_weights(), before):
        np.testing.assert_array_equal(now, then)


class Sampling(layers.Layer):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator(3)

    def call(self, inputs: Any) -> Any:
        mean, log_variance = inputs
        noise = keras.random.normal(ops.shape(mean), seed=self.seed_generator)
        return mean + ops.exp(0.5 * log_variance) * noise


def _kl(mean: Any, log_variance: Any) -> Any:
    terms = 1 + log_variance - ops.square(mean) - ops.exp(log_variance)
    return ops.mean(-0.5 * ops.sum(terms, axis=1))


def _coders() -> tuple[keras.Model, keras.Model]:
    inputs = keras.Input((8,))
    hidden = layers.Dense(16, activation="relu")(inputs)
    mean, log_variance = layers.Dense(2)(hidden), layers.Dense(2)(hidden)
    encoder = keras.Model(inputs, [mean, log_variance, Sampling()([mean, log_variance])])
    decoder = keras.Sequential([keras.Input((2,)), layers.Dense(16, "relu"), layers.Dense(8)])
    return encoder, decoder


class VAE(keras.Model):
    """A variational autoencoder with a train_step."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = _coders()
        self.total = keras.metrics.Mean(name="total_loss")
        self.kl = keras.metrics.Mean(name="kl_loss")

    @property
    def metrics(self) -> list[Any]:
        return [self.total, self.kl]

    def train_step(self, data: Any) -> Any:
        with keras.GradientTape() as tape:
            mean, log_variance, z = self.encoder(data)
            error = ops.mean(ops.sum(ops.square(data - self.decoder(z)), axis=1))
            kl = _kl(mean, log_variance)
            total = error + kl
        gradients = tape.gradient(total, self.trainable_weights)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_weights))
        self.total.update_state(total)
        self.kl.update_state(kl)
        return {"loss": self.total.result(), "kl_loss": self.kl.result()}


class LossOfALayer(keras.Model):
    """The same by add_loss, trained by the step of the library."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = _coders()

    def call(self, x: Any) -> Any:
        mean, log_variance, z = self.encoder(x)
        self.add_loss(_kl(mean, log_variance))
        return self.decoder(z)


def test_variational_autoencoders(eager: bool) -> None:
    x, _ = _classes()
    own = VAE()
    own.compile(keras.optimizers.Adam(0.01), run_eagerly=eager)
    epochs, part = (2, 1.0) if eager else (10, 0.7)
    history = own.fit(x, epochs=epochs, batch_size=64, verbose=0).history
    assert set(history) == {"loss", "kl_loss"}
    assert history["loss"][-1] < part * history["loss"][0]
    by_layer = LossOfALayer()
    by_layer.compile(
        keras.optimizers.Adam(0.01), lambda y, p: ops.sum(ops.square(y - p), -1), run_eagerly=eager
    )
    losses = by_layer.fit(x, x, epochs=epochs, batch_size=64, verbose=0).history["loss"]
    assert losses[-1] < part * losses[0]
    assert len(by_layer.losses) in (0, 1)  # of the last call, not one of each step


class Quantizer(layers.Layer):
    """Vectors of a code book in place of the inputs; the gradient passes straight through."""

    def build(self, shape: Any) -> None:
        self.codes = self.add_weight(shape=(shape[-1], 6), initializer="uniform", name="codes")

    def call(self, x: Any) -> Any:
        distances = (
            ops.sum(x**2, axis=1, keepdims=True)
            + ops.sum(self.codes**2, axis=0)
            - 2 * ops.matmul(x, self.codes)
        )
        chosen = ops.one_hot(ops.argmin(distances, axis=1), 6)
        quantized = ops.matmul(chosen, ops.transpose(self.codes))
        self.add_loss(
            0.25 * ops.mean((ops.stop_gradient(quantized) - x) ** 2)
            + ops.mean((quantized - ops.stop_gradient(x)) ** 2)
        )
        return x + ops.stop_gradient(quantized - x)


def test_straight_through(eager: bool) -> None:
    x, _ = _classes()
    model = keras.Sequential([keras.Input((8,)), layers.Dense(4), Quantizer(), layers.Dense(8)])
    model.compile(keras.optimizers.Adam(0.01), "mean_squared_error", run_eagerly=eager)
    before = [w.numpy() for w in model.trainable_weights]
    model.fit(x, x, epochs=2, verbose=0)
    assert all(np.any(w.numpy() != b) for w, b in zip(model.trainable_weights, before))


class Momentum(keras.Model):
    """A second network that follows the first one, by assignments inside of the step."""

    def __init__(self) -> None:
        super().__init__()
        self.online = keras.Sequential([keras.Input((4,)), layers.Dense(1)])
        self.target = keras.Sequential([keras.Input((4,)), layers.Dense(1)])
        self.target.trainable = False

    def call(self, x: Any) -> Any:
        return self.online(x)

    def train_step(self, data: Any) -> Any:
        logs = super().train_step(data)
        for slow, fast in zip(self.target.weights, self.online.weights):
            slow.assign(0.9 * slow + 0.1 * fast)
        return {**logs, "distance": ops.mean(ops.abs(self.target(data[0]) - self(data[0])))}


def test_a_network_that_follows(eager: bool) -> None:
    x, y = _line()
    model = Momentum()
    model.compile(keras.optimizers.Adam(0.1), "mean_squared_error", run_eagerly=eager)
    history = model.fit(x, y, epochs=2 if eager else 30, verbose=0).history
    assert set(history) == {"loss", "distance"}
    assert eager or history["distance"][-1] < 0.5


class OwnPredict(OwnMetrics):
    def predict_step(self, data: Any) -> Any:
        y = super().predict_step(data)
        return {"value": y, "positive": y > 0}


def test_own_predict_step(eager: bool) -> None:
    x, _ = _line(100)
    model = OwnPredict()
    model.compile("sgd", run_eagerly=eager)
    found = model.predict(x, batch_size=32, verbose=0)
    assert found["value"].shape == (100, 1)
    np.testing.assert_array_equal(found["positive"], found["value"] > 0)


def test_accumulated_gradients() -> None:
    x, y = _line(64)

    def run(accumulated: int | None, batch_size: int) -> list[np.ndarray]:
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input((4,)), layers.Dense(1)])
        optimizer = keras.optimizers.SGD(0.1, gradient_accumulation_steps=accumulated)
        model.compile(optimizer, "mean_squared_error")
        model.fit(x, y, batch_size=batch_size, epochs=3, verbose=0, shuffle=False)
        return model.get_weights()

    for a, b in zip(run(4, 8), run(None, 32)):
        np.testing.assert_allclose(a, b, rtol=1e-5)


def test_a_frozen_part_is_tuned_later() -> None:
    x, y = _classes()
    base = keras.Sequential([keras.Input((8,)), layers.Dense(8), layers.BatchNormalization()])
    inputs = keras.Input((8,))
    base.trainable = False
    model = keras.Model(inputs, layers.Dense(3)(base(inputs, training=False)))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.05), loss, metrics=["accuracy"])
    before = [w.numpy() for w in base.weights]
    model.fit(x, y, epochs=5, verbose=0)
    for weight, then in zip(base.weights, before):
        np.testing.assert_array_equal(weight.numpy(), then)
    base.trainable = True
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    model.fit(x, y, epochs=3, verbose=0)
    assert np.any(base.weights[0].numpy() != before[0])


def test_gan_by_train_on_batch() -> None:
    discriminator = keras.Sequential([keras.Input((2,)), layers.Dense(1, activation="sigmoid")])
    discriminator.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    generator = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    discriminator.trainable = False
    z = keras.Input((3,))
    combined = keras.Model(z, discriminator(generator(z)))
    combined.compile("adam", "binary_crossentropy")
    random = np.random.default_rng(0)
    noise, real = random.normal(size=(16, 3)), random.normal(size=(16, 2))
    weights = discriminator.get_weights()
    combined.train_on_batch(noise, np.ones((16, 1)))
    for now, then in zip(discriminator.get_weights(), weights):
        np.testing.assert_array_equal(now, then)
    made = generator.predict(noise, verbose=0)
    discriminator.trainable = True
    loss, accuracy = discriminator.train_on_batch(
        np.concatenate([real, made]), np.repeat([[1.0], [0.0]], 16, axis=0)
    )
    assert loss > 0 and 0 <= accuracy <= 1
