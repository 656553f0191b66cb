"""How a model was compiled, from files of Keras 2, as arguments of `compile`."""

from __future__ import annotations

from typing import Any

_DROPPED_OPTIMIZER = frozenset({"is_legacy_optimizer", "jit_compile", "decay", "lr"})
_NADAM_DECAY = 0.004
_LOSS_SCALE = ("initial_scale", "dynamic_growth_steps")
_COMPILE_ARGUMENTS = ("loss", "loss_weights", "metrics", "weighted_metrics")


def compile_config(training: dict[str, Any]) -> dict[str, Any]:
    """Returns arguments of `compile` as configs of Keras 3.

    Args:
        training: The `training_config` of an `.h5` file, or `compile_config` of a `.keras` file.
    """
    optimizer = training.get("optimizer_config", training.get("optimizer"))
    found = {key: _plain(training.get(key)) for key in _COMPILE_ARGUMENTS}
    found["optimizer"] = _optimizer(optimizer)
    return found


def _optimizer(config: Any) -> Any:
    if not isinstance(config, dict):
        return config
    inner = dict(config["config"])
    rate = inner.get("learning_rate", inner.get("lr", 0.001))
    if isinstance(rate, dict):
        rate = {**rate, "module": "keras.optimizers.schedules", "registered_name": None}
    decay = inner.get("decay") or 0.0
    if str(config["class_name"]).endswith("Nadam") and decay == _NADAM_DECAY:
        decay = 0.0  # tf.keras's name for that of its momentum
    if decay > 0.0:
        # lr / (1 + decay * iterations)
        rate = {
            "module": "keras.optimizers.schedules",
            "class_name": "InverseTimeDecay",
            "config": {"initial_learning_rate": rate, "decay_steps": 1, "decay_rate": decay},
            "registered_name": None,
        }
    kept = {k: v for k, v in inner.items() if k not in _DROPPED_OPTIMIZER}
    if kept.get("schedule_decay") == _NADAM_DECAY:  # the one that it has now
        del kept["schedule_decay"]
    if kept.get("epsilon", 0) is None:
        kept["epsilon"] = 1e-7
    if config["class_name"] == "LossScaleOptimizer" and "inner_optimizer" in kept:
        return {
            "module": "keras.optimizers",
            "class_name": "LossScaleOptimizer",
            "config": {
                "inner_optimizer": _optimizer(kept["inner_optimizer"]),
                **{k: kept[k] for k in _LOSS_SCALE if kept.get(k) is not None},
            },
            "registered_name": None,
        }
    return {
        "module": "keras.optimizers",
        "class_name": str(config["class_name"]).rpartition(">")[2],
        "config": {**kept, "learning_rate": rate},
        "registered_name": None,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        items = [_plain(item) for item in value]
        # Keras 2 listed the metrics of one output inside a list.
        return items[0] if len(items) == 1 and isinstance(items[0], list) else items
    if not isinstance(value, dict):
        return value
    if "class_name" not in value or "config" not in value:
        return {key: _plain(item) for key, item in value.items()}
    inner = dict(value["config"]) if isinstance(value["config"], dict) else value["config"]
    if isinstance(inner, dict) and "fn" in inner:  # a function with a name, wrapped
        return inner["fn"]
    if isinstance(inner, dict) and inner.get("reduction") == "auto":
        inner["reduction"] = "sum_over_batch_size"
    module = value.get("module")
    if module is None:
        from pronghorn import losses

        name = value["class_name"]
        module = "keras.losses" if hasattr(losses, name) else "keras.metrics"
    return {**value, "module": module, "config": inner, "registered_name": None}
