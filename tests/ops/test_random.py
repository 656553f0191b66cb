"""Random numbers: distributions, seeds, the state of generators, traced draws."""

from __future__ import annotations

import math

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import ops, random
from pronghorn.random import SeedGenerator
from pronghorn.trace import Trace
from pronghorn.utils import set_random_seed

N = 100_000
ERROR = 5 / math.sqrt(N)  # five standard errors of a mean of N numbers of unit variance


def test_uniform_distribution() -> None:
    x = random.uniform((N,), -1.0, 3.0, seed=1).numpy()
    assert x.min() >= -1.0
    assert x.max() < 3.0
    assert abs(x.mean() - 1.0) < 4 * math.sqrt(1 / 12) * ERROR
    counts = np.histogram(x, 16)[0]
    assert np.abs(counts - N / 16).max() < 5 * math.sqrt(N / 16)


def test_normal_distribution() -> None:
    x = random.normal((N,), 2.0, 3.0, seed=1).numpy()
    assert abs(x.mean() - 2.0) < 3 * ERROR
    assert abs(x.std() / 3.0 - 1.0) < ERROR
    z = (x - 2.0) / 3.0
    assert abs((z**3).mean()) < math.sqrt(15) * ERROR
    assert abs((z**4).mean() - 3.0) < math.sqrt(96) * ERROR
    inside = math.erf(1 / math.sqrt(2))
    assert abs((np.abs(z) < 1).mean() - inside) < ERROR


def test_truncated_normal_distribution() -> None:
    x = random.truncated_normal((N,), 1.0, 0.5, seed=1).numpy()
    assert np.abs(x - 1.0).max() <= 1.0
    assert abs(x.mean() - 1.0) < 0.5 * ERROR
    # the deviation of a normal that is cut off at 2: 1 - 4 density(2) / (2 area(2))
    density, area = math.exp(-2) / math.sqrt(2 * math.pi), math.erf(math.sqrt(2))
    assert abs(x.std() / 0.5 - math.sqrt(1 - 4 * density / area)) < ERROR


def test_randint_distribution() -> None:
    x = random.randint((N,), -3, 4, seed=1).numpy()
    assert x.dtype == np.int32
    values, counts = np.unique(x, return_counts=True)
    assert values.tolist() == list(range(-3, 4))
    assert np.abs(counts - N / 7).max() < 5 * math.sqrt(N / 7)


def test_categorical_distribution() -> None:
    p = np.array([0.1, 0.6, 0.3])
    x = random.categorical(np.log(p)[None].astype(np.float32), N, seed=1).numpy()
    found = np.bincount(x[0], minlength=3) / N
    assert np.abs(found - p).max() < ERROR


@pytest.mark.parametrize(
    ("x", "mean", "variance"),
    [
        (lambda: random.gamma((N,), 2.0, seed=1), 2.0, 2.0),
        (lambda: random.beta((N,), 1.0, 3.0, seed=1), 0.25, 3 / 80),
        (lambda: random.binomial((N,), 10, 0.3, seed=1), 3.0, 2.1),
    ],
)
def test_other_distributions(x: object, mean: float, variance: float) -> None:
    values = x().numpy()  # type: ignore[operator]
    assert abs(values.mean() - mean) < math.sqrt(variance) * ERROR
    assert abs(values.var() / variance - 1) < 5 * ERROR


def test_dropout_keeps_the_mean() -> None:
    y = random.dropout(np.ones((N,), np.float32), 0.25, seed=1).numpy()
    assert set(np.unique(y)) == {np.float32(0), np.float32(1 / 0.75)}
    assert abs((y == 0).mean() - 0.25) < ERROR


def test_dropout_noise_shape() -> None:
    y = random.dropout(np.ones((64, 5), np.float32), 0.5, noise_shape=(None, 1), seed=1).numpy()
    assert (y == y[:, :1]).all()
    assert len(np.unique(y)) == 2


def test_shuffle_permutes() -> None:
    x = np.arange(1000)
    y = random.shuffle(x, seed=1).numpy()
    assert (y != x).any()
    assert (np.sort(y) == x).all()


def test_same_seed_same_numbers() -> None:
    a, b = random.normal((3,), seed=7).numpy(), random.normal((3,), seed=7).numpy()
    assert (a == b).all()
    assert (a != random.normal((3,), seed=8).numpy()).any()


def test_generator_steps() -> None:
    generator = SeedGenerator(5)
    a, b = random.normal((3,), seed=generator).numpy(), random.normal((3,), seed=generator).numpy()
    assert (a != b).any()
    assert generator.state.numpy().tolist() == [5, 2]
    again = SeedGenerator.from_config(generator.get_config())
    assert (random.normal((3,), seed=again).numpy() == a).all()


def test_traced_draws_advance_with_each_run() -> None:
    generator = SeedGenerator(5)
    with Trace() as trace:
        program = trace.compile([random.uniform((4,), seed=generator)])
    first, second = program()[0].numpy(), program()[0].numpy()
    fresh = SeedGenerator(5)
    assert (first == random.uniform((4,), seed=fresh).numpy()).all()
    assert (second == random.uniform((4,), seed=fresh).numpy()).all()


def test_set_random_seed_repeats_everything() -> None:
    def draw() -> list[float]:
        set_random_seed(3)
        own = SeedGenerator()
        return [float(random.uniform(())), float(random.uniform((), seed=own)), np.random.rand()]

    assert draw() == draw()


def test_clear_session_forgets_the_global_generator() -> None:
    set_random_seed(3)
    a = float(random.uniform(()))
    keras.utils.clear_session()
    set_random_seed(3)
    assert float(random.uniform(())) == a


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: random.uniform((2,), dtype="int32"), "floating point"),
        (lambda: random.randint((2,), 0, 5, dtype="float32"), "integer"),
        (lambda: random.normal((2,), seed="a"), "seed"),
        (lambda: random.categorical([0.1, 0.2], 3), "2-D"),
        (lambda: SeedGenerator(1.5), "seed"),
        (lambda: SeedGenerator(-1), "seed"),
        (lambda: random.dropout([1.0], -0.1), "rate"),
        (lambda: random.dropout(np.ones((2, 3)), 0.5, noise_shape=(2, 2)), "noise_shape"),
        (lambda: set_random_seed("a"), "seed"),
    ],
)
def test_errors(call: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()  # type: ignore[operator]


def test_numbers_in_half() -> None:
    assert random.normal((2,), dtype="bfloat16", seed=1).dtype == "bfloat16"
    assert ops.cast(random.uniform((2,), dtype="float16", seed=1), "float32").shape == (2,)
