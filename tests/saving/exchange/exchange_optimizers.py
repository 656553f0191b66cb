"""Ways to compile a model: every optimizer with its options, losses, metrics and their weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from exchange_case import ExchangeCase

# Name of the case -> what is given to `compile`.
SETTINGS: dict[str, Callable[[Any], dict[str, Any]]] = {}


def optimizer(name: str, class_name: str, **options: Any) -> None:
    def settings(k: Any) -> dict[str, Any]:
        given = {key: v(k) if callable(v) else v for key, v in options.items()}
        return {"optimizer": getattr(k.optimizers, class_name)(**given), "loss": "mse"}

    SETTINGS[f"optimizer-{name}"] = settings


RATE = {"learning_rate": 0.02}
optimizer("sgd", "SGD", **RATE)
optimizer("nesterov", "SGD", **RATE, momentum=0.9, nesterov=True, weight_decay=0.1)
optimizer("clipnorm", "SGD", **RATE, clipnorm=0.1)
optimizer("clipvalue", "SGD", **RATE, clipvalue=0.05)
optimizer("global_clipnorm", "SGD", **RATE, global_clipnorm=0.2)
optimizer("ema", "Adam", **RATE, use_ema=True, ema_momentum=0.8, ema_overwrite_frequency=3)
optimizer("accumulation", "Adam", **RATE, gradient_accumulation_steps=2, weight_decay=0.1)
optimizer("adam", "Adam", **RATE, beta_1=0.8, beta_2=0.95, epsilon=1e-5)
optimizer("amsgrad", "Adam", **RATE, amsgrad=True)
optimizer("adamw", "AdamW", **RATE, weight_decay=0.2)
optimizer("adamax", "Adamax", **RATE)
optimizer("adagrad", "Adagrad", **RATE)
optimizer("adadelta", "Adadelta", **RATE)
optimizer("adafactor", "Adafactor", **RATE)
optimizer("nadam", "Nadam", **RATE)
optimizer("ftrl", "Ftrl", **RATE, l1_regularization_strength=0.01, beta=0.1)
optimizer("lamb", "Lamb", **RATE)
optimizer("lion", "Lion", **RATE)
optimizer("muon", "Muon", **RATE)
optimizer("rmsprop", "RMSprop", **RATE, momentum=0.5, centered=True)
optimizer("schedule_free", "ScheduleFreeAdamW", **RATE)
optimizer("loss_scale_factor", "SGD", **RATE, loss_scale_factor=16.0)
optimizer(
    "loss_scale",
    "LossScaleOptimizer",
    inner_optimizer=lambda k: k.optimizers.Adam(0.01),
    initial_scale=64.0,
    dynamic_growth_steps=2,
)
for schedule, arguments in {
    "ExponentialDecay": {"decay_steps": 2, "decay_rate": 0.5, "staircase": True},
    "InverseTimeDecay": {"decay_steps": 2, "decay_rate": 0.5},
    "PolynomialDecay": {"decay_steps": 4, "power": 2.0, "cycle": True},
    "CosineDecay": {"decay_steps": 6, "alpha": 0.1, "warmup_target": 0.1, "warmup_steps": 2},
    "CosineDecayRestarts": {"first_decay_steps": 2, "t_mul": 1.5},
}.items():
    optimizer(
        schedule,
        "SGD",
        learning_rate=lambda k, schedule=schedule, arguments=arguments: getattr(
            k.optimizers.schedules, schedule
        )(0.05, **arguments),
    )
optimizer(
    "PiecewiseConstantDecay",
    "SGD",
    learning_rate=lambda k: k.optimizers.schedules.PiecewiseConstantDecay([1, 2], [0.1, 0.05, 0.2]),
)


def compiled(name: str) -> Callable[[Any], Any]:
    def record(function: Any) -> Any:
        SETTINGS[f"compile-{name}"] = function
        return function

    return record


@compiled("loss_object")
def _loss_object(k: Any) -> dict[str, Any]:
    return {
        "optimizer": "adam",
        "loss": k.losses.MeanAbsoluteError(reduction="sum"),
        "metrics": ["mae", k.metrics.MeanSquaredError(name="squared")],
        "weighted_metrics": ["mape"],
    }


@compiled("function")
def _function(k: Any) -> dict[str, Any]:
    return {
        "optimizer": "RMSprop",
        "loss": k.losses.log_cosh,
        "metrics": [k.metrics.mean_squared_error],
    }


@compiled("auto_scale")
def _auto_scale(k: Any) -> dict[str, Any]:
    return {"optimizer": "sgd", "loss": "mse", "auto_scale_loss": False, "steps_per_execution": 3}


OPTIONS: dict[str, dict[str, Any]] = {
    # There it reads the average after it has changed it.
    "optimizer-schedule_free": {"backend": "jax"},
    # Keras updates numbers that it has no use for, and counts no steps outside of the inner one.
    "optimizer-adafactor": {"left_out": "kernel_velocity"},
    "optimizer-loss_scale": {"left_out": "optimizer/0"},
}


def _case(name: str, settings: Callable[[Any], dict[str, Any]]) -> ExchangeCase:
    def make(keras: Any) -> Any:
        layers = keras.layers
        model = keras.Sequential(
            [keras.Input((6,)), layers.Dense(5, activation="tanh"), layers.Dense(3)], name="net"
        )
        model.compile(**settings(keras))
        return model

    def inputs() -> Any:
        return np.random.default_rng(2).standard_normal((8, 6)).astype("float32")

    return ExchangeCase(name, make, inputs, steps=3, **OPTIONS.get(name, {}))


OPTIMIZERS = [_case(*item) for item in SETTINGS.items()]
