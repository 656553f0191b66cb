"""Normalization: shifts and scales features to mean 0 and variance 1, learned from data."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pronghorn import config, ops
from pronghorn.layers.arguments import owner_name
from pronghorn.layers.layer import Layer
from pronghorn.layers.preprocessing.batches import from_lists, iterate_batches


class Normalization(Layer):
    """Shifts and scales each feature: `outputs = (inputs - mean) / sqrt(variance)`.

    Mean and variance are given, or learned from data by `adapt` before the layer is used. They are
    no trainable weights. A standard deviation below 1e-7 counts as 1e-7.

    Args:
        axis: Axis or axes that keep statistics of their own: -1 for one mean and variance per
            feature, `None` for one for all.
        mean: Mean, if known, of the shape that the kept axes have.
        variance: Variance, if known; to be given together with `mean`.
        invert: Whether to compute `inputs * sqrt(variance) + mean`, the way back.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        Any; the sizes of the kept axes must be known.

    Output shape:
        Same as the input.

    Raises:
        ValueError: If only one of `mean` and `variance` is given, or an axis is out of range.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> layer = keras.layers.Normalization()
    >>> layer.adapt(np.array([[1.0, 10.0], [3.0, 30.0]]))
    >>> layer(np.array([[1.0, 30.0]])).numpy().tolist()
    [[-1.0, 1.0]]
    """

    def __init__(
        self,
        axis: Any = -1,
        mean: Any = None,
        variance: Any = None,
        invert: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.axis: tuple[int, ...]
        if axis is None:
            self.axis = ()
        else:
            self.axis = (axis,) if isinstance(axis, int) else tuple(axis)
        self.input_mean = mean
        self.input_variance = variance
        self.invert = invert
        self.supports_masking = True
        self._build_input_shape: Any = None
        self._given: Any = None  # mean and variance, in the shape of the input
        if (mean is None) != (variance is None):
            raise ValueError(
                "Normalization: When setting values directly, both `mean` and `variance` must be "
                f"set. Received: mean={mean}, variance={variance}."
            )

    def build(self, input_shape: Any) -> None:  # type: ignore[override]
        """Creates the statistics for inputs of `input_shape`."""
        if input_shape is None:
            return
        rank = len(input_shape)
        if any(not -rank <= a < rank for a in self.axis):
            raise ValueError(
                f"{owner_name(self)}: All `axis` values must be in the range "
                f"[-{rank}, {rank}). Received: axis={self.axis}, "
                f"input_shape={tuple(input_shape)}."
            )
        kept = sorted(a % rank for a in self.axis)
        if any(input_shape[a] is None for a in kept):
            raise ValueError(
                f"{owner_name(self)}: All `axis` values to be kept must have a known shape. "
                f"Received: axis={self.axis}, input_shape={tuple(input_shape)}."
            )
        self._keep_axis = kept
        self._reduce_axis = [a for a in range(rank) if a not in kept]
        self._broadcast_shape = [input_shape[a] if a in kept else 1 for a in range(rank)]
        shape = tuple(input_shape[a] for a in kept)
        self._build_input_shape = tuple(input_shape)
        if self.input_mean is not None:
            self._given = (
                self._broadcast(self.input_mean, shape),
                self._broadcast(self.input_variance, shape),
            )
            self.built = True
            return
        self.adapt_mean = self.add_weight(
            name="mean", shape=shape, initializer="zeros", trainable=False
        )
        self.adapt_variance = self.add_weight(
            name="variance", shape=shape, initializer="ones", trainable=False
        )
        self.count = self.add_weight(
            name="count", shape=(), dtype="int32", initializer="zeros", trainable=False
        )
        self.built = True

    @property
    def mean(self) -> Any:
        """The mean by which inputs are shifted, in the shape of the input; `None` if not built."""
        return self._statistics()[0]

    @property
    def variance(self) -> Any:
        """The variance by which inputs are scaled, likewise."""
        return self._statistics()[1]

    def _statistics(self) -> tuple[Any, Any]:
        if not self.built:
            return None, None
        if self._given is not None:
            return self._given  # type: ignore[no-any-return]
        shape = self._broadcast_shape
        return ops.reshape(self.adapt_mean, shape), ops.reshape(self.adapt_variance, shape)

    def _broadcast(self, value: Any, shape: tuple[int, ...]) -> Any:
        array = np.asarray(ops.convert_to_numpy(value), dtype="float32")
        try:
            array = np.broadcast_to(array, shape)
        except ValueError as error:
            raise ValueError(
                f"{owner_name(self)}: mean and variance must broadcast to the sizes of the kept "
                f"axes, {shape}. Received: shape={array.shape}, axis={self.axis}, "
                f"input_shape={self._build_input_shape}."
            ) from error
        return ops.convert_to_tensor(array.reshape(self._broadcast_shape), dtype=self.compute_dtype)

    def adapt(self, data: Any) -> None:
        """Learns mean and variance from data; what was learned before is forgotten.

        Args:
            data: Array or tensor `(samples, ...)`, a `PyDataset`, or an iterable of batches:
            arrays,
                or tuples whose first element is the array.

        Raises:
            ValueError: If the layer was given its mean, there is no batch, or a batch has another
                shape than the layer was built for.
            TypeError: If a batch has no shape.
        """
        if self.input_mean is not None:
            raise ValueError(
                f"{owner_name(self)}: a layer with given mean and variance cannot be adapted. "
                f"Received: mean={self.input_mean}, variance={self.input_variance}."
            )
        # Moments of all samples so far, updated batch by batch in float64 (Chan et al., 1979).
        count = 0
        mean: Any = 0.0
        square: Any = 0.0
        for array in iterate_batches(owner_name(self), data):
            self._check_batch(array)
            axes = tuple(self._reduce_axis)
            n = math.prod(array.shape[a] for a in axes)
            if n == 0:
                continue
            batch_mean = array.mean(axis=axes, dtype="float64")
            batch_square = array.var(axis=axes, dtype="float64") * n
            difference = batch_mean - mean
            total = count + n
            mean = mean + difference * (n / total)
            square = square + batch_square + difference**2 * (count * n / total)
            count = total
        if count == 0:
            raise ValueError(
                f"{owner_name(self)}: adapt got an empty iterable. Received: data={data!r}."
            )
        self.adapt_mean.assign(np.asarray(mean, dtype="float32"))
        self.adapt_variance.assign(np.asarray(square / count, dtype="float32"))

    def _check_batch(self, array: np.ndarray) -> None:
        if not self.built:
            self.build((None, *array.shape[1:]) if array.ndim else array.shape)
        expected = self._build_input_shape
        kept_differ = len(expected) != array.ndim or any(
            array.shape[a] != expected[a] for a in self._keep_axis
        )
        if kept_differ:
            raise ValueError(
                f"{owner_name(self)}: adapt got data with an incompatible shape; the layer was "
                f"built for {expected}. Received: shape={array.shape}, axis={self.axis}."
            )

    def finalize_state(self) -> None:
        """Does nothing: the statistics are read from the weights whenever the layer is called."""

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        return super().__call__(from_lists(inputs), *args, **kwargs)

    def call(self, inputs: Any) -> Any:
        """Returns the normalized input, or with `invert` the way back."""
        x = ops.cast(inputs, self.compute_dtype)
        mean, variance = ops.cast(self.mean, x.dtype), ops.cast(self.variance, x.dtype)
        stddev = ops.maximum(ops.sqrt(variance), config.epsilon())
        if self.invert:
            return ops.add(mean, ops.multiply(x, stddev))
        return ops.divide(ops.subtract(x, mean), stddev)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Returns `input_shape`."""
        return input_shape

    def get_build_config(self) -> dict[str, Any] | None:
        """Returns the shape that the layer was built for."""
        if self._build_input_shape is None:
            return None
        return {"input_shape": self._build_input_shape}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Builds the layer for the shape that `get_build_config` gave."""
        if config:
            self.build(config["input_shape"])

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "axis": self.axis,
            "invert": self.invert,
            "mean": _plain(self.input_mean),
            "variance": _plain(self.input_variance),
        }


def _plain(value: Any) -> Any:
    return np.asarray(value).tolist() if hasattr(value, "__array__") else value
