"""The base class of optimizers: arguments, learning rate, state, errors."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from pronghorn import Variable, constraints, ops, optimizers, saving
from pronghorn.optimizers.schedules import ExponentialDecay, LearningRateSchedule
from pronghorn.trace import Trace

CLASSES = [
    "SGD",
    "Adam",
    "AdamW",
    "RMSprop",
    "Adagrad",
    "Adadelta",
    "Adamax",
    "Nadam",
    "Ftrl",
    "Lion",
    "Lamb",
    "Adafactor",
    "Muon",
    "ScheduleFreeAdamW",
]


def _variable(values=(1.0, 2.0), name="w"):
    return Variable(np.array(values, "float32"), name=name)


def _grad(*values):
    return ops.convert_to_tensor(np.array(values, "float32"))


@pytest.mark.parametrize("cls", CLASSES)
def test_config_round_trip(cls):
    optimizer = getattr(optimizers, cls)(learning_rate=0.25, name="mine")
    config = saving.serialize_keras_object(optimizer)
    assert config["module"] == "keras.optimizers"
    assert config["class_name"] == cls
    again = saving.deserialize_keras_object(config)
    assert type(again) is type(optimizer)
    assert again.get_config() == optimizer.get_config()
    assert again.name == "mine"


def test_config_with_a_schedule():
    optimizer = optimizers.Adam(ExponentialDecay(0.1, 10, 0.5))
    again = optimizers.deserialize(optimizers.serialize(optimizer))
    assert float(again.learning_rate) == float(optimizer.learning_rate)


@pytest.mark.parametrize("cls", CLASSES)
def test_pickle_and_continue(cls):
    v = _variable()
    optimizer = getattr(optimizers, cls)(learning_rate=0.1)
    optimizer.apply([_grad(0.5, -0.5)], [v])
    optimizer_2, v_2 = pickle.loads(pickle.dumps((optimizer, v)))
    optimizer.apply([_grad(0.5, -0.5)], [v])
    optimizer_2.apply([_grad(0.5, -0.5)], [v_2])
    np.testing.assert_array_equal(v.numpy(), v_2.numpy())
    np.testing.assert_array_equal(
        copy.deepcopy(optimizer).variables[0].numpy(), optimizer.variables[0].numpy()
    )


@pytest.mark.parametrize("cls", CLASSES)
def test_saved_state_continues_with_the_same_numbers(cls):
    v = _variable()
    optimizer = getattr(optimizers, cls)(learning_rate=0.1)
    optimizer.apply([_grad(0.5, -0.5)], [v])
    store = {}
    optimizer.save_own_variables(store)
    v_2 = _variable(v.numpy())
    optimizer_2 = getattr(optimizers, cls)(learning_rate=0.7)
    optimizer_2.build([v_2])
    optimizer_2.load_own_variables(store)
    for o, w in ((optimizer, v), (optimizer_2, v_2)):
        o.apply([_grad(0.1, 0.2)], [w])
    np.testing.assert_array_equal(v.numpy(), v_2.numpy())


def test_loading_another_number_of_variables_warns():
    optimizer = optimizers.Adam()
    with pytest.warns(UserWarning, match="Skipping variable loading"):
        optimizer.load_own_variables({"0": np.zeros(())})


def test_learning_rate_is_settable():
    optimizer = optimizers.SGD(0.1)
    v = _variable()
    optimizer.learning_rate = 1.0
    optimizer.apply([_grad(1.0, 1.0)], [v])
    np.testing.assert_allclose(v.numpy(), [0.0, 1.0])
    assert float(optimizer.learning_rate) == 1.0


def test_learning_rate_set_after_tracing_takes_effect():
    optimizer = optimizers.SGD(0.1)
    v = _variable()
    optimizer.build([v])
    with Trace() as trace:
        optimizer.apply([trace.input((2,), "float32")], [v])
        program = trace.compile([])
    optimizer.learning_rate = 1.0
    program(np.ones(2, "float32"))
    np.testing.assert_allclose(v.numpy(), [0.0, 1.0])


def test_learning_rate_can_become_a_schedule_but_not_a_number_again():
    optimizer = optimizers.SGD(0.1)
    assert len(optimizer.variables) == 2
    optimizer.learning_rate = ExponentialDecay(0.5, 1, 0.5)
    assert len(optimizer.variables) == 1
    assert float(optimizer.learning_rate) == 0.5
    with pytest.raises(TypeError, match="LearningRateSchedule"):
        optimizer.learning_rate = 0.1


@pytest.mark.parametrize("rate", ["a", -1.0, None, True])
def test_bad_learning_rate(rate):
    with pytest.raises(ValueError, match="learning_rate"):
        optimizers.SGD(rate)


@pytest.mark.parametrize(
    ("cls", "arguments", "message"),
    [
        ("SGD", {"momentum": 2}, "momentum=2"),
        ("SGD", {"clipnorm": 1.0, "clipvalue": 1.0}, "Only one of"),
        ("SGD", {"clipnorm": -1.0}, "clipnorm=-1.0"),
        ("SGD", {"use_ema": True, "ema_momentum": 2}, "ema_momentum=2"),
        ("SGD", {"use_ema": True, "ema_overwrite_frequency": 0}, "ema_overwrite_frequency=0"),
        ("SGD", {"gradient_accumulation_steps": 1}, "gradient_accumulation_steps=1"),
        ("SGD", {"lr": 1.0}, "lr"),
        ("AdamW", {"weight_decay": None}, "weight_decay=None"),
        ("Lion", {"beta_1": 0.0}, "beta_1=0.0"),
        ("Ftrl", {"learning_rate_power": 1.0}, "learning_rate_power=1.0"),
        ("Ftrl", {"l1_regularization_strength": -1.0}, "l1_regularization_strength=-1.0"),
        ("Adagrad", {"initial_accumulator_value": -1.0}, "initial_accumulator_value=-1.0"),
    ],
)
def test_bad_arguments(cls, arguments, message):
    with pytest.raises(ValueError, match=message):
        getattr(optimizers, cls)(**arguments)


def test_unknown_name_lists_near_ones():
    with pytest.raises(ValueError, match="adam"):
        optimizers.get("adamm")
    for bad in (3, object(), lambda x: x, optimizers.Adam):
        with pytest.raises(ValueError, match="Could not interpret optimizer"):
            optimizers.get(bad)


def test_get():
    assert optimizers.get(None) is None
    assert isinstance(optimizers.get("RMSprop"), optimizers.RMSprop)
    assert isinstance(optimizers.get("adamw"), optimizers.AdamW)
    made = optimizers.get({"class_name": "sgd", "config": {"momentum": 0.5}})
    assert made.momentum == 0.5
    assert optimizers.get(made) is made


def test_gradients_must_go_with_the_variables():
    v, w = _variable(), _variable(name="other")
    optimizer = optimizers.SGD()
    with pytest.raises(ValueError, match="must already be built"):
        optimizer.apply([_grad(1.0, 1.0)])
    with pytest.raises(ValueError, match=r"gradient.shape=\(3,\)"):
        optimizer.apply([_grad(1.0, 1.0, 1.0)], [v])
    with pytest.raises(ValueError, match="2 gradients, 1 variables"):
        optimizer.apply([_grad(1.0, 1.0)] * 2, [v])
    with pytest.raises(ValueError, match="Unknown variable"):
        optimizer.apply([_grad(1.0, 1.0)], [w])
    with pytest.raises(ValueError, match=r"No gradients provided.*w"):
        optimizer.apply([None], [v])
    np.testing.assert_array_equal(v.numpy(), [1.0, 2.0])
    assert int(optimizer.iterations) == 0


def test_a_missing_gradient_is_named():
    v, w = _variable(), _variable(name="unused")
    with pytest.warns(UserWarning, match="unused"):
        optimizers.SGD(1.0).apply([_grad(1.0, 1.0), None], [v, w])
    np.testing.assert_array_equal(w.numpy(), [1.0, 2.0])
    np.testing.assert_array_equal(v.numpy(), [0.0, 1.0])


def test_constraints_are_applied_after_the_update():
    v = _variable()
    v.constraint = constraints.NonNeg()
    optimizers.SGD(1.0).apply([_grad(3.0, 1.0)], [v])
    np.testing.assert_array_equal(v.numpy(), [0.0, 1.0])


def test_exclude_from_weight_decay_only_before_build():
    optimizer = optimizers.AdamW()
    optimizer.build([_variable()])
    with pytest.raises(ValueError, match="before the optimizer is built"):
        optimizer.exclude_from_weight_decay(var_names=["bias"])


def test_moving_averages_are_the_final_values():
    v = _variable()
    optimizer = optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5)
    optimizer.apply([_grad(1.0, 1.0)], [v])
    optimizer.apply([_grad(1.0, 1.0)], [v])
    optimizer.finalize_variable_values([v])
    np.testing.assert_allclose(v.numpy(), [-0.5, 0.5])


def test_stateless_apply_changes_no_variable():
    v = _variable()
    optimizer = optimizers.Adam(0.1)
    with pytest.raises(ValueError, match="must be built"):
        optimizer.stateless_apply([], [_grad(1.0, 1.0)], [v.value])
    optimizer.build([v])
    state = [x.value for x in optimizer.variables]
    new, new_state = optimizer.stateless_apply(state, [_grad(1.0, 1.0)], [v.value])
    np.testing.assert_array_equal(v.numpy(), [1.0, 2.0])
    assert int(optimizer.iterations) == 0
    np.testing.assert_allclose(np.asarray(new[0]), [0.9, 1.9], rtol=1e-5)
    assert int(new_state[0]) == 1


def test_a_custom_optimizer_is_traced():
    class SignDescent(optimizers.Optimizer):
        def build(self, variables):
            super().build(variables)
            self.counts = self.add_optimizer_variables(variables, "count")

        def update_step(self, gradient, variable, learning_rate):
            count = self.counts[self._get_variable_index(variable)]
            self.assign_add(count, ops.ones_like(gradient))
            self.assign_sub(variable, learning_rate * ops.sign(gradient))

    v = _variable()
    optimizer = SignDescent(0.5)
    optimizer.build([v])
    with Trace() as trace:
        optimizer.apply([trace.input((2,), "float32")], [v])
        program = trace.compile([])
    for _ in range(3):
        program(np.array([2.0, -2.0], "float32"))
    np.testing.assert_array_equal(v.numpy(), [-0.5, 3.5])
    np.testing.assert_array_equal(optimizer.counts[0].numpy(), [3.0, 3.0])


def test_base_classes_want_to_be_overridden():
    with pytest.raises(NotImplementedError, match="update_step"):
        optimizers.Optimizer(0.1).apply([_grad(1.0, 1.0)], [_variable()])
    with pytest.raises(NotImplementedError, match="__call__"):
        LearningRateSchedule()(1)


@pytest.mark.parametrize(
    ("cls", "arguments", "message"),
    [
        ("ExponentialDecay", (0.1, 0, 0.5), "decay_steps=0"),
        ("InverseTimeDecay", (0.1, -1, 0.5), "decay_steps=-1"),
        ("PolynomialDecay", (0.1, 0), "decay_steps=0"),
        ("CosineDecay", (0.1, 0), "decay_steps=0"),
        ("CosineDecayRestarts", (0.1, 0), "first_decay_steps=0"),
        ("PiecewiseConstantDecay", ([1, 2], [0.1, 0.2]), "length of boundaries"),
    ],
)
def test_bad_schedules(cls, arguments, message):
    with pytest.raises(ValueError, match=message):
        getattr(optimizers.schedules, cls)(*arguments)


@pytest.mark.parametrize("cls", CLASSES)
def test_updates_in_a_python_loop_become_one_program(cls):
    """Compiled from the third step on; a changed hyperparameter or learning rate takes effect."""
    optimizer = getattr(optimizers, cls)(learning_rate=0.1, weight_decay=0.1)
    reference = getattr(optimizers, cls)(learning_rate=0.1, weight_decay=0.1)
    reference._eager_programs.run = lambda *args: False
    v, w = _variable(), _variable()
    for step in range(9):
        if step == 4:
            optimizer.learning_rate = reference.learning_rate = 0.03
        if step == 6:
            optimizer.weight_decay = reference.weight_decay = 0.3
        grad = _grad(0.5 - 0.1 * step, 0.25 * step)
        optimizer.apply([grad], [v])
        reference.apply([grad], [w])
        np.testing.assert_allclose(v.numpy(), w.numpy(), rtol=1e-5, atol=1e-6)
    assert len(optimizer._eager_programs._programs) == 2
    assert not reference._eager_programs._programs


def test_apply_gradients_without_variables_is_an_error() -> None:
    optimizer = optimizers.SGD(name="o")
    expected = r"'o': apply_gradients expects pairs .* zip\(.* Received: a list of Tensor"
    with pytest.raises(ValueError, match=expected):
        optimizer.apply_gradients([ops.ones(2), ops.ones((2, 3))])
