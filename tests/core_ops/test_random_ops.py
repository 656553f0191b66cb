"""Random numbers: their distribution, and that they depend on key and position alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from check_core import apply, check, random

KEY = np.array([7, 3], np.uint32)
COUNT = 1_000_003
FILLS = ["random_bits", "random_uniform", "random_normal", "random_truncated_normal"]


def draw(name: str, shape: list[int], key: np.ndarray = KEY, **attrs: Any) -> np.ndarray:
    result: np.ndarray = apply(name, [key], shape=shape, **attrs)[0]
    return result


def philox(seed: int, stream: int, block: int) -> list[int]:
    """Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", section 3.3."""
    c = [block & 0xFFFFFFFF, block >> 32, 0, 0]
    k = [seed, stream]
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [
            (p1 >> 32) ^ c[1] ^ k[0],
            p1 & 0xFFFFFFFF,
            (p0 >> 32) ^ c[3] ^ k[1],
            p0 & 0xFFFFFFFF,
        ]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


def test_bits_are_those_of_philox() -> None:
    bits = draw("random_bits", [1000])
    wanted = [word for block in range(250) for word in philox(7, 3, block)]
    np.testing.assert_array_equal(bits, wanted)


@pytest.mark.parametrize("name", FILLS)
@pytest.mark.parametrize("shape", [[0], [1], [127], [129], [8191], [8193], [100, 1000]])
def test_numbers_depend_on_the_position_alone(name: str, shape: list[int]) -> None:
    longer = draw(name, [200_000])
    np.testing.assert_array_equal(draw(name, shape).ravel(), longer[: int(np.prod(shape))])
    check(name, [KEY], lambda key: longer[: int(np.prod(shape))].reshape(shape), shape=shape)


@pytest.mark.parametrize("name", FILLS)
def test_keys_differ(name: str) -> None:
    for key in ([8, 3], [7, 4]):
        other = draw(name, [1000], np.array(key, np.uint32))
        assert np.mean(other == draw(name, [1000])) < 0.01


def test_uniform() -> None:
    u = draw("random_uniform", [COUNT], low=-1.0, high=3.0).astype(np.float64)
    assert u.min() >= -1
    assert u.max() < 3
    assert abs(u.mean() - 1) < 5 * 4 / np.sqrt(12 * COUNT)
    assert abs(u.var() - 16 / 12) < 0.01
    tight = draw("random_uniform", [COUNT], low=1.0, high=float(np.nextafter(np.float32(1), 2)))
    assert (tight == 1).all()


def test_normal() -> None:
    z = (draw("random_normal", [COUNT], mean=1.0, stddev=2.0).astype(np.float64) - 1) / 2
    error = 5 / np.sqrt(COUNT)
    assert abs(z.mean()) < error
    assert abs(z.var() - 1) < error * np.sqrt(2)
    assert abs((z**3).mean()) < error * np.sqrt(15)
    assert abs((z**4).mean() - 3) < error * np.sqrt(96)
    for lag in (1, 2, 32, 64, 128):
        assert abs((z[:-lag] * z[lag:]).mean()) < error


def test_truncated_normal() -> None:
    z = draw("random_truncated_normal", [COUNT], mean=0.0, stddev=1.0).astype(np.float64)
    assert np.abs(z).max() <= 2
    assert abs(z.mean()) < 5 / np.sqrt(COUNT)
    # 1 - 2 * 2 * phi(2) / (Phi(2) - Phi(-2))
    assert abs(z.var() - 0.7737413) < 0.005


def test_dropout() -> None:
    x = random(np.random.default_rng(0), (COUNT,))
    (y,) = apply("dropout", [x, KEY], rate=0.3)
    kept = draw("random_bits", [COUNT]) >= int(0.3 * 2**32)
    np.testing.assert_allclose(y, np.where(kept, x / 0.7, 0), rtol=1e-6)
    assert abs(kept.mean() - 0.7) < 0.003
    np.testing.assert_array_equal(apply("dropout", [x, KEY], rate=0.0)[0], x)
    assert (apply("dropout", [x, KEY], rate=1.0)[0] == 0).all()


def test_gradient_of_dropout_uses_the_same_mask() -> None:
    x = random(np.random.default_rng(0), (50,))
    kept = draw("random_bits", [50]) >= 2**31
    check("dropout", [x, KEY], lambda x, key: 2 * x * kept, grads=[0], rate=0.5)


def test_errors() -> None:
    with pytest.raises(ValueError, match=r"^random_uniform: key must be uint32"):
        apply("random_uniform", [KEY.astype(np.int32)], shape=[3])
    with pytest.raises(ValueError, match=r"^dropout: rate must be in \[0, 1\]"):
        apply("dropout", [np.zeros(3, np.float32), KEY], rate=1.5)
