"""cross_validate(): how well a model does on data that it has not seen, by k trainings."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from pronghorn.training.data_adapters.batch import (
    flatten_batch,
    from_numbers,
    map_leaves,
    to_array,
)
from pronghorn.utils.k_fold import k_fold


class CrossValidationMixin:
    """The part of `Trainer` that cross-validates."""

    def cross_validate(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        k: int = 5,
        shuffle: bool = True,
        stratify: bool = False,
        seed: int | None = None,
        **fit_arguments: Any,
    ) -> dict[str, list[float]]:
        """Trains k clones of the model, each on all but one of k parts of the rows.

        Each clone begins with new weights and is evaluated on the part that it has not seen. The
        model itself stays as it is.

        Args:
            x: arrays `(samples, ...)`, or a list or dict of them.
            y: targets, like `x`.
            sample_weight: weights of the samples.
            k: number of parts.
            shuffle: whether rows go to the parts at random.
            stratify: whether each part gets its share of each class of `y`, integer or one-hot
                labels.
            seed: seed of the parts, see `utils.k_fold`.
            **fit_arguments: arguments of `fit`, such as `epochs` and `batch_size`.

        Returns:
            A dict of "loss" and the names of the metrics to lists of k values.

        Raises:
            ValueError: arguments that do not fit the data; `validation_data` among
                `fit_arguments`.

        Example:

        >>> import numpy as np
        >>> import pronghorn as keras
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile("sgd", "mean_squared_error")
        >>> x = np.random.default_rng(0).normal(size=(50, 2))
        >>> scores = model.cross_validate(x, x[:, 0], k=5, epochs=2, verbose=0)
        >>> len(scores["loss"])
        5
        """
        from pronghorn.models.cloning import clone_model

        self._assert_compiled("cross_validate")  # type: ignore[attr-defined]
        if "validation_data" in fit_arguments:
            raise ValueError(
                "cross_validate: each clone is evaluated on the rows held back, so it takes no "
                "validation_data. Use validation_split for early stopping."
            )
        data = {"x": x, "y": y, "sample_weight": sample_weight}
        arrays = {
            name: map_leaves(partial(to_array, name=name), from_numbers(value, name))
            for name, value in data.items()
        }
        leaves = flatten_batch((arrays["x"], arrays["y"], arrays["sample_weight"]))[1]
        lengths = {len(leaf) for leaf in leaves}
        if len(lengths) != 1:
            raise ValueError(
                "cross_validate: expected the same number of samples in all arrays. "
                f"Received: {sorted(lengths)}."
            )
        labels = None
        if stratify:
            targets = flatten_batch(arrays["y"])[1]
            if len(targets) != 1 or targets[0].ndim > 2:
                raise ValueError(
                    "cross_validate: stratify=True needs one array of labels. "
                    f"Received: y with shapes {[t.shape for t in targets]}."
                )
            labels = targets[0]
        scores: dict[str, list[float]] = {}
        for train, test in k_fold(lengths.pop(), k, shuffle, labels, seed):
            model = clone_model(self)  # type: ignore[arg-type]
            model.fit(**_rows(arrays, train), **fit_arguments)
            size = fit_arguments.get("batch_size")
            held_back = _rows(arrays, test)
            results = model.evaluate(**held_back, batch_size=size, verbose=0, return_dict=True)
            for name, value in results.items():
                scores.setdefault(name, []).append(float(value))
        return scores


def _rows(arrays: dict[str, Any], rows: np.ndarray) -> dict[str, Any]:
    return {name: map_leaves(lambda leaf: leaf[rows], value) for name, value in arrays.items()}
