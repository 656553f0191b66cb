"""pronghorn.function: signatures, variables, structures, methods, what it refuses."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from typing import Any

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import ops


def test_one_trace_for_each_signature() -> None:
    traced = []

    @keras.function
    def f(x: Any, n: int = 2, flag: Any = None) -> Any:
        traced.append((x.shape, n, flag))
        return x * n

    for _ in range(3):
        np.testing.assert_array_equal(f(np.float32([1, 2])), [2, 4])
    assert len(traced) == 1
    np.testing.assert_array_equal(f(np.float32([1, 2, 3])), [2, 4, 6])
    np.testing.assert_array_equal(f(np.float32([1, 2]), 3), [3, 6])
    np.testing.assert_array_equal(f(np.float32([1, 2]), n=True), [1, 2])
    np.testing.assert_array_equal(f(np.float32([1, 2]), n=1), [1, 2])
    assert len(traced) == f.signature_count == 5
    f(ops.ones((2,)), 2)
    f(ops.zeros((2,)), 2)
    assert len(traced) == 6


def test_float64_and_scalars() -> None:
    @keras.function
    def f(x: Any, y: Any) -> Any:
        return x + y

    found = f(np.array([1.0, 2.0]), np.float64(1))
    assert found.dtype == "float32"
    np.testing.assert_array_equal(found, [2, 3])
    np.testing.assert_array_equal(f(np.arange(6.0)[::2], 1), [1, 3, 5])


def test_structures_and_constants() -> None:
    @keras.function
    def f(data: dict[str, Any]) -> Any:
        return {"sum": data["a"] + data["b"][0], "same": data["b"], "k": 3, "none": None}

    found = f({"a": np.float32(1), "b": (np.float32(2), np.float32(3))})
    assert float(found["sum"]) == 3.0
    assert [float(x) for x in found["same"]] == [2.0, 3.0]
    assert (found["k"], found["none"]) == (3, None)
    assert keras.function(lambda: None)() is None
    assert keras.function(lambda x: [x])(np.float32(2))[0].numpy() == 2


def test_variables_are_read_and_assigned() -> None:
    v = keras.Variable(1.0)

    @keras.function
    def f(x: Any) -> Any:
        v.assign_add(x)
        return v

    assert float(f(np.float32(2))) == 3.0
    v.assign(10.0)
    assert float(f(np.float32(2))) == 12.0
    assert float(v) == 12.0


def test_random_numbers_differ_between_calls() -> None:
    generator = keras.random.SeedGenerator(3)

    @keras.function
    def f() -> Any:
        return keras.random.uniform((4,), seed=generator)

    first, second = f().numpy(), f().numpy()
    assert (first != second).all()
    generator = keras.random.SeedGenerator(3)
    np.testing.assert_array_equal(keras.random.uniform((4,), seed=generator), first)


def test_variables_made_in_the_first_trace_only() -> None:
    made: dict[str, Any] = {}

    @keras.function
    def once(x: Any) -> Any:
        if "v" not in made:
            made["v"] = keras.Variable(2.0)
        return made["v"] * x

    assert float(once(np.float32(3))) == 6.0
    np.testing.assert_array_equal(once(np.float32([3, 4])), [6, 8])

    @keras.function
    def always(x: Any) -> Any:
        return keras.Variable(2.0) * x

    always(np.float32(3))
    with pytest.raises(ValueError, match="first traced"):
        always(np.float32([3, 4]))


def test_methods_belong_to_their_instance() -> None:
    class Counter:
        def __init__(self) -> None:
            self.n = keras.Variable(0.0)

        @keras.function
        def add(self, x: Any) -> Any:
            """Adds."""
            self.n.assign_add(x)
            return self.n

    a, b = Counter(), Counter()
    a.add(np.float32(1))
    assert float(a.add(np.float32(1))) == 2.0
    assert float(b.add(np.float32(5))) == 5.0
    assert a.add is a.add
    assert Counter.add.__doc__ == "Adds."
    gone = weakref.ref(a)
    del a
    gc.collect()
    assert gone() is None


def test_inside_a_tape_and_a_trace_it_is_called_as_it_is() -> None:
    v = keras.Variable(3.0)
    square = keras.function(lambda: v * v)
    square()
    with keras.GradientTape() as tape:
        y = square()
    assert float(tape.gradient(y, v)) == 6.0
    assert float(keras.function(lambda: square() + 1.0)()) == 10.0


def test_functional_inputs() -> None:
    x = keras.Input((3,))
    y = keras.function(lambda x: x * 2.0)(x)
    assert y.shape == (None, 3)


def test_reading_data_inside_a_trace_is_refused_and_changes_nothing() -> None:
    v = keras.Variable(1.0)

    @keras.function
    def f(x: Any) -> Any:
        v.assign(5.0)
        return x.numpy()

    for _ in range(2):
        with pytest.raises(TypeError, match="no values yet"):
            f(np.float32(1))
    assert float(v) == 1.0 and f.signature_count == 0


@keras.function
def _doubled(x: Any) -> Any:
    return x * 2.0


def test_copies_and_pickles() -> None:
    found = pickle.loads(pickle.dumps(keras.function(ops.square)))
    assert float(found(np.float32(3))) == 9.0
    assert pickle.loads(pickle.dumps(_doubled)) is _doubled
    assert float(copy.deepcopy(found)(np.float32(3))) == 9.0


def test_signatures_are_bounded() -> None:
    @keras.function
    def f(n: int) -> Any:
        return ops.ones(()) * n

    for n in range(100):
        assert float(f(n)) == n
    assert f.signature_count == 64


def test_decorator_forms_and_errors() -> None:
    @keras.function()
    def f(x: Any) -> Any:
        return x + 1

    assert int(f(np.int32(1))) == 2
    assert keras.function(f) is f
    with pytest.raises(TypeError, match="callable"):
        keras.function(3)


def test_own_loop_gives_the_numbers_of_fit() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(64, 4)).astype("float32")
    y = rng.integers(0, 3, 64).astype("int32")

    def model() -> Any:
        keras.utils.set_random_seed(1)
        return keras.Sequential(
            [keras.Input((4,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(3)]
        )

    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    fitted = model()
    fitted.compile(keras.optimizers.Adam(0.01), loss_of)
    fitted.fit(x, y, batch_size=16, epochs=2, shuffle=False, verbose=0)

    own = model()
    optimizer = keras.optimizers.Adam(0.01)

    @keras.function
    def step(x: Any, y: Any) -> Any:
        with keras.GradientTape() as tape:
            loss = loss_of(y, own(x, training=True))
        gradients = tape.gradient(loss, own.trainable_variables)
        optimizer.apply_gradients(zip(gradients, own.trainable_variables))
        return loss

    for _ in range(2):
        for k in range(0, 64, 16):
            step(x[k : k + 16], y[k : k + 16])
    for a, b in zip(fitted.get_weights(), own.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_train_step_written_with_a_tape() -> None:
    class Custom(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = keras.layers.Dense(1)

        def call(self, x: Any) -> Any:
            return self.dense(x)

        def train_step(self, data: Any) -> dict[str, Any]:
            x, y = data
            with keras.GradientTape() as tape:
                loss = self.compute_loss(y=y, y_pred=self(x, training=True))
            gradients = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
            return {"own": loss}

    rng = np.random.default_rng(0)
    x = rng.normal(size=(64, 3)).astype("float32")
    y = x @ np.float32([[1], [2], [3]])
    for eagerly in (False, True):
        keras.utils.set_random_seed(0)
        model = Custom()
        model.compile(keras.optimizers.Adam(0.1), "mse", run_eagerly=eagerly)
        history = model.fit(x, y, epochs=20, verbose=0).history["own"]
        assert history[-1] < 0.1 * history[0]


def test_nested_tensors_are_another_signature() -> None:
    @keras.function
    def f(x: Any) -> Any:
        return x[0] if isinstance(x, (list, tuple)) else x * 2

    x = np.float32([[1, 2]])
    for _ in range(2):
        np.testing.assert_array_equal(f([x]), x)
        np.testing.assert_array_equal(f(x), 2 * x)
    np.testing.assert_array_equal(f(x=x), 2 * x)
    assert f.signature_count == 3


def test_arrays_that_are_not_as_the_program_wants_them() -> None:
    @keras.function
    def f(x: Any) -> Any:
        return x + 1

    x = np.arange(6, dtype="float32").reshape(2, 3)
    np.testing.assert_array_equal(f(x), x + 1)
    for other in (x[::-1], np.asfortranarray(x), x.astype("float64"), x.astype(">f4"), x[:1]):
        np.testing.assert_array_equal(f(other), other + 1)
    bfloat16 = ops.cast(x, "bfloat16")
    assert f(bfloat16).dtype == "bfloat16"
    np.testing.assert_array_equal(f(ops.convert_to_tensor(x)), x + 1)
    with pytest.raises(TypeError):
        f()
    np.testing.assert_array_equal(f(x), x + 1)
