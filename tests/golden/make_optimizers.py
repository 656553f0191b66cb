"""Stores what Keras's optimizers and schedules give, in optimizers.npz. Run by hand, with Keras
3.15.1: KERAS_BACKEND=jax python tests/golden/make_optimizers.py"""

import pathlib

import keras
import numpy as np
from optimizer_cases import OPTIMIZERS, SCHEDULE_STEPS, SCHEDULES, SHAPES, start_and_gradients


def main():
    numbers = {}
    first, steps = start_and_gradients()
    for name, (cls, arguments, excluded) in OPTIMIZERS.items():
        optimizer = getattr(keras.optimizers, cls)(**arguments)
        if excluded:
            optimizer.exclude_from_weight_decay(**excluded)
        variables = [keras.Variable(first[n], name=n) for n in SHAPES]
        rows = []
        for grads in steps:
            optimizer.apply([keras.ops.convert_to_tensor(grads[n]) for n in SHAPES], variables)
            rows.append(np.concatenate([np.ravel(v.numpy()) for v in variables]))
        numbers[name] = np.stack(rows).astype("float32")
    for name, (cls, arguments, options) in SCHEDULES.items():
        schedule = getattr(keras.optimizers.schedules, cls)(*arguments, **options)
        numbers["schedule_" + name] = np.array(
            [float(schedule(step)) for step in SCHEDULE_STEPS], dtype="float32"
        )
    np.savez_compressed(pathlib.Path(__file__).parent / "optimizers.npz", **numbers)


if __name__ == "__main__":
    main()
