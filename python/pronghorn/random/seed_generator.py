"""SeedGenerator: where random functions get their keys from, a new one for every call.

A key is a pair (seed, counter) for the counter-based generator Philox4x32-10 (Salmon 2011). The
state is a Variable, so a traced program draws new numbers in every run, and a saved state resumes.
"""

from __future__ import annotations

import random as _python_random
import threading
from typing import Any

import numpy as np

from pronghorn.naming import auto_name, name_scope, on_clear_session
from pronghorn.ops.arguments import apply
from pronghorn.random.keyed_draws import scoped_key
from pronghorn.tensor import Tensor, convert_to_tensor
from pronghorn.trace import suspended
from pronghorn.variable import Variable

_lock = threading.Lock()
_global: list[SeedGenerator] = []


def make_seed() -> int:
    """Returns a seed drawn from Python's generator, which `utils.set_random_seed` sets."""
    return _python_random.randint(1, int(1e9))


def _as_state(seed: int) -> np.ndarray:
    if not 0 <= int(seed) < 2**32:
        raise ValueError(f"Argument `seed` must be in [0, 2**32). Received: seed={seed}")
    return np.array([int(seed), 0], np.uint32)


class SeedGenerator:
    """A source of keys for random functions: `seed=generator` draws a new one in every call.

    Args:
        seed: an integer from 0 to 2**32 - 1; by default a random one.
        name: a name.
        **kwargs: none are accepted.

    Raises:
        ValueError: if the seed is not such an integer.

    Example:

    >>> import pronghorn as keras
    >>> generator = keras.random.SeedGenerator(seed=1)
    >>> keras.random.uniform((2,), seed=generator).shape
    (2,)
    """

    def __init__(self, seed: int | None = None, name: str | None = None, **kwargs: Any) -> None:
        if kwargs:
            raise ValueError(f"Unrecognized keyword arguments: {kwargs}")
        self.name = auto_name(type(self).__name__) if name is None else name
        if seed is None:
            seed = make_seed()
        if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
            raise ValueError(f"Argument `seed` must be an integer. Received: seed={seed}")
        self.seed = int(seed)
        self._initial_seed = self.seed
        start = _as_state(self.seed)
        with name_scope(self.name, caller=self):
            self.state = Variable(
                start,
                dtype="uint32",
                trainable=False,
                autocast=False,
                name="seed_generator_state",
            )

    def next(self, ordered: bool = True) -> Tensor:
        """Returns the current key and steps to the next one.

        Args:
            ordered: accepted as in Keras; keys are always in order.

        Returns:
            A uint32 tensor of shape `(2,)`: seed and counter.
        """
        del ordered
        scoped = scoped_key(self)
        if scoped is not None:
            return scoped
        key: Tensor = convert_to_tensor(self.state)
        step = convert_to_tensor(np.array([0, 1], np.uint32))
        self.state.assign(apply("add", key, step))
        return key

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments.

        Returns:
            A dict.
        """
        return {"seed": self._initial_seed, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> SeedGenerator:
        """Returns a generator with the given configuration.

        Args:
            config: what `get_config` returned.

        Returns:
            A SeedGenerator.
        """
        return cls(**config)


def global_seed_generator() -> SeedGenerator:
    """Returns the generator that random functions use when no seed is given.

    Returns:
        A SeedGenerator, the same one until `utils.clear_session`.
    """
    with _lock:
        if not _global:
            with suspended():
                _global.append(SeedGenerator(name="global_seed_generator"))
        return _global[0]


@on_clear_session
def reset_global_seed_generator() -> None:
    """Forgets the global generator; the next use makes one with a new seed."""
    with _lock:
        _global.clear()


def seed_global_generator(seed: int) -> None:
    """Starts the global generator again from a seed. Programs that use it draw from there on."""
    start = _as_state(seed)
    generator = global_seed_generator()
    with suspended():
        generator.state.assign(start)
    generator.seed = generator._initial_seed = int(seed)


def draw_key(seed: Any) -> Tensor:
    """Returns the key for an argument `seed`: an int, a SeedGenerator or `None`.

    Raises:
        ValueError: for anything else.
    """
    if seed is None:
        return global_seed_generator().next()
    if isinstance(seed, SeedGenerator):
        return seed.next()
    if isinstance(seed, (int, np.integer)) and not isinstance(seed, bool):
        return convert_to_tensor(_as_state(int(seed)))
    if isinstance(seed, Tensor):
        return seed
    raise ValueError(
        "Argument `seed` must be either an integer or an instance of `SeedGenerator`. "
        f"Received: seed={seed} (of type {type(seed)})"
    )
