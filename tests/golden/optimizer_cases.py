"""Cases of optimizers and schedules, the same for the script that stores Keras's numbers and for
the tests that compare with them. Plain data: class names and arguments."""

import numpy as np

STEPS = 10
SHAPES = {"kernel": (4, 3), "bias": (3,), "scale": ()}

# name -> (class, arguments, arguments of exclude_from_weight_decay or None)
OPTIMIZERS = {
    "sgd": ("SGD", {"learning_rate": 0.1}, None),
    "sgd_momentum": ("SGD", {"learning_rate": 0.1, "momentum": 0.9}, None),
    "sgd_nesterov": ("SGD", {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True}, None),
    "sgd_weight_decay": ("SGD", {"learning_rate": 0.1, "weight_decay": 0.2}, None),
    "sgd_weight_decay_excluded": (
        "SGD",
        {"learning_rate": 0.1, "weight_decay": 0.2},
        {"var_names": ["bias"]},
    ),
    "sgd_clipnorm": ("SGD", {"learning_rate": 0.1, "clipnorm": 0.5}, None),
    "sgd_clipvalue": ("SGD", {"learning_rate": 0.1, "clipvalue": 0.3}, None),
    "sgd_global_clipnorm": ("SGD", {"learning_rate": 0.1, "global_clipnorm": 0.7}, None),
    "sgd_ema": (
        "SGD",
        {
            "learning_rate": 0.1,
            "use_ema": True,
            "ema_momentum": 0.8,
            "ema_overwrite_frequency": 3,
        },
        None,
    ),
    "sgd_accumulation": ("SGD", {"learning_rate": 0.1, "gradient_accumulation_steps": 3}, None),
    "sgd_loss_scale": ("SGD", {"learning_rate": 0.1, "loss_scale_factor": 8.0}, None),
    "adam": ("Adam", {"learning_rate": 0.05}, None),
    "adam_betas": ("Adam", {"learning_rate": 0.05, "beta_1": 0.7, "beta_2": 0.9}, None),
    "adam_epsilon": ("Adam", {"learning_rate": 0.05, "epsilon": 0.1}, None),
    "adam_amsgrad": ("Adam", {"learning_rate": 0.05, "amsgrad": True, "beta_2": 0.5}, None),
    "adam_accumulation": (
        "Adam",
        {"learning_rate": 0.05, "gradient_accumulation_steps": 2, "weight_decay": 0.1},
        None,
    ),
    "adam_accumulation_ema": (
        "Adam",
        {
            "learning_rate": 0.05,
            "gradient_accumulation_steps": 2,
            "use_ema": True,
            "ema_momentum": 0.5,
            "ema_overwrite_frequency": 2,
        },
        None,
    ),
    "adam_clipnorm": ("Adam", {"learning_rate": 0.05, "clipnorm": 0.1}, None),
    "adamw": ("AdamW", {"learning_rate": 0.05, "weight_decay": 0.3}, None),
    "rmsprop": ("RMSprop", {"learning_rate": 0.05}, None),
    "rmsprop_momentum": ("RMSprop", {"learning_rate": 0.05, "momentum": 0.5, "rho": 0.8}, None),
    "rmsprop_centered": ("RMSprop", {"learning_rate": 0.05, "centered": True}, None),
    "rmsprop_all": (
        "RMSprop",
        {"learning_rate": 0.02, "centered": True, "momentum": 0.9, "epsilon": 1e-3},
        None,
    ),
    "adagrad": ("Adagrad", {"learning_rate": 0.3}, None),
    "adagrad_initial": (
        "Adagrad",
        {"learning_rate": 0.3, "initial_accumulator_value": 1.0, "epsilon": 1e-2},
        None,
    ),
    "adadelta": ("Adadelta", {"learning_rate": 1.0}, None),
    "adadelta_rho": ("Adadelta", {"learning_rate": 10.0, "rho": 0.5, "epsilon": 1e-4}, None),
    "adamax": ("Adamax", {"learning_rate": 0.05}, None),
    "adamax_betas": ("Adamax", {"learning_rate": 0.05, "beta_1": 0.5, "beta_2": 0.8}, None),
    "nadam": ("Nadam", {"learning_rate": 0.05}, None),
    "nadam_betas": ("Nadam", {"learning_rate": 0.05, "beta_1": 0.8, "beta_2": 0.95}, None),
    "ftrl": ("Ftrl", {"learning_rate": 0.3}, None),
    "ftrl_all": (
        "Ftrl",
        {
            "learning_rate": 0.3,
            "learning_rate_power": -0.4,
            "initial_accumulator_value": 0.2,
            "l1_regularization_strength": 0.05,
            "l2_regularization_strength": 0.02,
            "l2_shrinkage_regularization_strength": 0.03,
            "beta": 0.1,
        },
        None,
    ),
    "lion": ("Lion", {"learning_rate": 0.02}, None),
    "lion_betas": ("Lion", {"learning_rate": 0.02, "beta_1": 0.5, "beta_2": 0.7}, None),
    "muon": ("Muon", {"learning_rate": 0.05}, None),
    "muon_all": (
        "Muon",
        {
            "learning_rate": 0.05,
            "nesterov": False,
            "momentum": 0.8,
            "ns_steps": 3,
            "rms_rate": None,
            "adam_lr_ratio": 0.5,
            "weight_decay": 0.2,
            "adam_weight_decay": 0.1,
        },
        None,
    ),
    "schedule_free": ("ScheduleFreeAdamW", {"learning_rate": 0.05}, None),
    "schedule_free_all": (
        "ScheduleFreeAdamW",
        {
            "learning_rate": 0.05,
            "beta_1": 0.7,
            "beta_2": 0.9,
            "epsilon": 1e-3,
            "warmup_steps": 4,
            "weight_decay": 0.2,
        },
        None,
    ),
    "lamb": ("Lamb", {"learning_rate": 0.05}, None),
    "adafactor": ("Adafactor", {"learning_rate": 0.5}, None),
    "adafactor_absolute": (
        "Adafactor",
        {"learning_rate": 1.0, "relative_step": False, "clip_threshold": 0.5},
        None,
    ),
}

# name -> (class, arguments)
SCHEDULES = {
    "exponential": ("ExponentialDecay", [0.1, 7, 0.9], {}),
    "exponential_staircase": ("ExponentialDecay", [0.1, 7, 0.9], {"staircase": True}),
    "inverse_time": ("InverseTimeDecay", [0.1, 7, 0.5], {}),
    "inverse_time_staircase": ("InverseTimeDecay", [0.1, 7, 0.5], {"staircase": True}),
    "polynomial": ("PolynomialDecay", [0.1, 20], {"end_learning_rate": 0.01}),
    "polynomial_power": ("PolynomialDecay", [0.1, 20], {"power": 2.5}),
    "polynomial_cycle": ("PolynomialDecay", [0.1, 20], {"power": 0.5, "cycle": True}),
    "piecewise": ("PiecewiseConstantDecay", [[5, 20], [0.1, 0.03, 0.01]], {}),
    "cosine": ("CosineDecay", [0.1, 30], {}),
    "cosine_alpha": ("CosineDecay", [0.1, 30], {"alpha": 0.2}),
    "cosine_warmup": (
        "CosineDecay",
        [0.01, 20],
        {"warmup_target": 0.1, "warmup_steps": 10, "alpha": 0.1},
    ),
    "restarts": ("CosineDecayRestarts", [0.1, 7], {}),
    "restarts_all": (
        "CosineDecayRestarts",
        [0.1, 7],
        {"t_mul": 1.5, "m_mul": 0.8, "alpha": 0.05},
    ),
    "restarts_equal": ("CosineDecayRestarts", [0.1, 7], {"t_mul": 1.0, "m_mul": 0.5}),
}
SCHEDULE_STEPS = [0, 1, 2, 5, 6, 7, 8, 10, 13, 15, 20, 21, 25, 30, 31, 40, 100]


def start_and_gradients():
    """Returns the first values of the variables and their gradients at each step, by name."""
    rng = np.random.default_rng(7)
    first = {n: rng.normal(size=s).astype("float32") for n, s in SHAPES.items()}
    grads = [
        {n: np.asarray(rng.normal(size=s), dtype="float32") for n, s in SHAPES.items()}
        for _ in range(STEPS)
    ]
    return {n: np.asarray(v, dtype="float32") for n, v in first.items()}, grads
