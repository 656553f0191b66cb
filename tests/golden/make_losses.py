"""Stores what Keras's losses, regularizers, constraints, activations and initializers give, in
losses.npz. Run by hand, with Keras 3.15.1: KERAS_BACKEND=jax python tests/golden/make_losses.py"""

import pathlib

import keras
import numpy as np
from loss_cases import (
    ACTIVATION_INPUT,
    ACTIVATIONS,
    CONSTRAINTS,
    LOSSES,
    REDUCTIONS,
    REGULARIZERS,
    STFT,
    WEIGHT,
    WEIGHTED,
    sample_weight,
)


def main():
    numbers = {}
    for name, (cls, arguments, y_true, y_pred) in LOSSES.items():
        for reduction in ("sum_over_batch_size", "none"):
            loss = getattr(keras.losses, cls)(reduction=reduction, **arguments)
            numbers[f"loss/{name}/{reduction}"] = np.asarray(loss(y_true, y_pred))
        if name in WEIGHTED:
            weight = sample_weight(numbers[f"loss/{name}/none"].shape)
            for reduction in REDUCTIONS:
                loss = getattr(keras.losses, cls)(reduction=reduction, **arguments)
                numbers[f"weighted/{name}/{reduction}"] = np.asarray(loss(y_true, y_pred, weight))
    weight = keras.ops.convert_to_tensor(WEIGHT)
    for name, (cls, arguments) in REGULARIZERS.items():
        regularizer = getattr(keras.regularizers, cls)(**arguments)
        numbers[f"regularizer/{name}"] = np.asarray(regularizer(weight))
    for name, (cls, arguments) in CONSTRAINTS.items():
        constraint = getattr(keras.constraints, cls)(**arguments)
        numbers[f"constraint/{name}"] = np.asarray(constraint(weight))
    for name in ACTIVATIONS:
        numbers[f"activation/{name}"] = np.asarray(
            getattr(keras.activations, name)(keras.ops.convert_to_tensor(ACTIVATION_INPUT))
        )
    for name, arguments in STFT.items():
        numbers[f"stft/{name}"] = np.asarray(keras.initializers.STFT(**arguments)((8, 1, 9)))
    np.savez_compressed(pathlib.Path(__file__).parent / "losses.npz", **numbers)


if __name__ == "__main__":
    main()
