"""Configs of losses, metrics, optimizers, ...: those of Keras, which reads them, both ways."""

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Iterator
from typing import Any

import pytest
from keras_process import keras_process  # noqa: F401  (a fixture)

import pronghorn as keras

# Arguments without which a class cannot be made, and some with other values than the default.
ARGUMENTS: dict[str, dict[str, Any]] = {
    "CategoricalFocalCrossentropy": {"alpha": 0.3, "gamma": 1.5, "label_smoothing": 0.1},
    "BinaryCrossentropy": {"from_logits": True},
    "Tversky": {"alpha": 0.3, "beta": 0.6},
    "AUC": {"num_thresholds": 20, "curve": "PR", "summation_method": "minoring"},
    "BinaryAccuracy": {"threshold": 0.3},
    "BinaryIoU": {"target_class_ids": [1], "threshold": 0.3},
    "IoU": {"num_classes": 3, "target_class_ids": [0, 2]},
    "MeanIoU": {"num_classes": 3, "ignore_class": 1},
    "OneHotIoU": {"num_classes": 3, "target_class_ids": [0, 2]},
    "OneHotMeanIoU": {"num_classes": 3},
    "MeanRelativeError": {"normalizer": [1.0, 2.0]},
    "Precision": {"top_k": 3, "class_id": 1},
    "PrecisionAtRecall": {"recall": 0.5},
    "RecallAtPrecision": {"precision": 0.5},
    "SensitivityAtSpecificity": {"specificity": 0.5},
    "SpecificityAtSensitivity": {"sensitivity": 0.5},
    "TopKCategoricalAccuracy": {"k": 2},
    "SparseTopKCategoricalAccuracy": {"k": 2, "from_sorted_ids": True},
    "FBetaScore": {"average": "macro", "beta": 0.5},
    "R2Score": {"class_aggregation": "variance_weighted_average", "num_regressors": 1},
    "Adam": {"learning_rate": 0.01, "amsgrad": True, "clipnorm": 1.0, "weight_decay": 0.1},
    "SGD": {"momentum": 0.9, "nesterov": True, "use_ema": True, "ema_overwrite_frequency": 5},
    "Adafactor": {"learning_rate": 0.01, "relative_step": False},
    "ExponentialDecay": {"initial_learning_rate": 0.1, "decay_steps": 3, "decay_rate": 0.5},
    "InverseTimeDecay": {"initial_learning_rate": 0.1, "decay_steps": 3, "decay_rate": 0.5},
    "PolynomialDecay": {"initial_learning_rate": 0.1, "decay_steps": 3},
    "CosineDecay": {"initial_learning_rate": 0.1, "decay_steps": 3, "warmup_steps": 2},
    "CosineDecayRestarts": {"initial_learning_rate": 0.1, "first_decay_steps": 3},
    "PiecewiseConstantDecay": {"boundaries": [1, 5], "values": [0.1, 0.2, 0.3]},
    "Constant": {"value": 0.5},
    "VarianceScaling": {"scale": 2.0, "mode": "fan_out", "seed": 3},
    "RandomNormal": {"mean": 0.5, "stddev": 0.1, "seed": 3},
    "L1L2": {"l1": 0.1, "l2": 0.2},
    "OrthogonalRegularizer": {"factor": 0.2, "mode": "columns"},
    "MaxNorm": {"max_value": 3, "axis": [0, 1]},
    "MinMaxNorm": {"min_value": 0.5, "rate": 0.7},
}
NAMESPACES = (
    "losses",
    "metrics",
    "optimizers",
    "optimizers.schedules",
    "initializers",
    "regularizers",
    "constraints",
)
# Bases of other classes, and those that are given other objects.
LEFT_OUT = {
    "Constraint",
    "Initializer",
    "LearningRateSchedule",
    "Loss",
    "LossFunctionWrapper",
    "LossScaleOptimizer",
    "MeanMetricWrapper",
    "Metric",
    "MultiOptimizer",
    "Optimizer",
    "OptimizerMap",
    "RandomInitializer",
    "Regularizer",
}


def objects() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for namespace in NAMESPACES:
        module = importlib.import_module(f"pronghorn.{namespace}")
        seen = set()
        for name in module.__all__:
            cls = getattr(module, name)
            if inspect.isclass(cls) and name not in LEFT_OUT and cls not in seen:
                seen.add(cls)
                yield namespace, cls.__name__, ARGUMENTS.get(cls.__name__, {})


def plain(config: Any) -> Any:
    return json.loads(json.dumps(config))


OBJECTS = list(objects())


@pytest.mark.parametrize("found", OBJECTS, ids=lambda x: f"{x[0]}.{x[1]}")
def test_configs_come_back(found) -> None:
    namespace, name, args = found
    made = getattr(importlib.import_module(f"pronghorn.{namespace}"), name)(**args)
    config = plain(keras.saving.serialize_keras_object(made))
    assert set(config) >= {"module", "class_name", "config", "registered_name"}
    assert config["module"] == f"keras.{namespace}" and config["class_name"] == name
    again = keras.saving.deserialize_keras_object(config)
    assert type(again) is type(made)
    assert plain(keras.saving.serialize_keras_object(again)) == config


# What Keras leaves out of its own configurations: ours bring it back.
MORE_THAN_KERAS = {
    "losses.CosineSimilarity": {"axis"},
    "metrics.CosineSimilarity": {"axis"},
    "losses.Huber": {"delta"},
    "initializers.Identity": {"gain"},
    "losses.SparseCategoricalCrossentropy": {"axis"},
}


def same(a: Any, b: Any) -> bool:
    # Keras passes some numbers through float32.
    if isinstance(a, float) and isinstance(b, float):
        return abs(a - b) <= 2.0**-23 * abs(a)
    return bool(a == b)


@pytest.mark.slow
def test_configs_of_keras(keras_process: Any, tmp_path) -> None:  # noqa: F811
    asked = []
    for namespace, name, args in OBJECTS:
        made = getattr(importlib.import_module(f"pronghorn.{namespace}"), name)(**args)
        asked.append([namespace, name, args, keras.saving.serialize_keras_object(made)])
    (tmp_path / "asked.json").write_text(json.dumps(asked))
    out = tmp_path / "found.json"
    keras_process.request("objects", "", tmp_path / "asked.json", out)
    problems = []
    for (namespace, name, _, config), (of_keras, read_by_keras) in zip(
        plain(asked), json.loads(out.read_text())
    ):
        label = f"{namespace}.{name}"
        if of_keras is None and read_by_keras.startswith("ImportError"):
            continue  # the package is not beside Keras
        if of_keras is None:
            problems.append(f"{label}: {read_by_keras}")
            continue
        more = MORE_THAN_KERAS.get(label, set())
        config["config"] = {k: v for k, v in config["config"].items() if k not in more}
        for what, other in (("written", of_keras), ("read", read_by_keras)):
            # Names are numbered in a process; the default of integers is that of the backend.
            for key in sorted({*config["config"], *other["config"]} - {"name", "dtype"}):
                if not same(config["config"].get(key), other["config"].get(key)):
                    pair = f"{config['config'].get(key)} is not {other['config'].get(key)}"
                    problems.append(f"{label}, {what}: {key}: {pair}")
            if {**config, "config": None} != {**other, "config": None}:
                problems.append(f"{label}, {what}: {config} is not {other}")
        again = keras.saving.deserialize_keras_object(of_keras)
        if type(again).__name__ != name:
            problems.append(f"{label}: read as {again}")
    assert not problems, "\n".join(problems)
