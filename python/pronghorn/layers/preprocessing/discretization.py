"""Discretization: numbers as the bins that they fall into."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pronghorn import ops
from pronghorn.layers.arguments import Shape, is_integer, owner_name
from pronghorn.layers.layer import Layer
from pronghorn.layers.preprocessing.batches import from_lists, iterate_batches
from pronghorn.layers.preprocessing.integer_encoding import encode_integers, encoded_shape
from pronghorn.ops.keras_tensor import KerasTensor

_MODES = ("int", "one_hot", "multi_hot", "count")


class Discretization(Layer):
    """Maps each number to the index of its bin.

    With boundaries `b_0 < b_1 < ...` bin 0 holds `x < b_0`, bin i holds `b_(i-1) <= x < b_i` and
    the last one the rest. The boundaries are given, or `adapt` takes the quantiles of data.

    Args:
        bin_boundaries: Boundaries in ascending order; one bin more than there are boundaries.
        num_bins: Number of bins, if the boundaries are to be learned by `adapt`.
        epsilon: How exact the learned quantiles are: the data is summarized by `1 / epsilon` points
            or more.
        output_mode: `"int"`: indices. `"one_hot"`: a vector for each number. `"multi_hot"`: one
            vector per sample, with 1 for each bin that occurs. `"count"`: the same with the number
            of occurrences.
        sparse: Not supported; must be false.
        dtype: Dtype policy of the layer.
        name: Name of the layer.

    Input shape:
        `(samples,)` or `(batch, values)`.

    Output shape:
        Same as the input for `"int"`, else `(..., number of bins)`.

    Raises:
        ValueError: If not exactly one of `bin_boundaries` and `num_bins` is given, or the layer is
            called before `adapt`.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> layer = keras.layers.Discretization(bin_boundaries=[0.0, 1.0, 2.0])
    >>> layer(np.array([[-1.5, 1.0, 3.4, 0.5]])).numpy().tolist()
    [[0, 2, 3, 1]]
    """

    def __init__(
        self,
        bin_boundaries: Any = None,
        num_bins: int | None = None,
        epsilon: float = 0.01,
        output_mode: str = "int",
        sparse: bool = False,
        dtype: Any = None,
        name: str | None = None,
    ) -> None:
        if output_mode not in _MODES:
            raise ValueError(
                f"Discretization: output_mode must be one of {', '.join(map(repr, _MODES))}. "
                f"Received: output_mode={output_mode!r}."
            )
        super().__init__(name=name, dtype=dtype)
        received = f"Received: num_bins={num_bins}, bin_boundaries={bin_boundaries}."
        if sparse:
            raise ValueError("Discretization: tensors are dense. Received: sparse=True.")
        if num_bins is not None and bin_boundaries is not None:
            raise ValueError(
                "Discretization: Both `num_bins` and `bin_boundaries` should not be set. "
                + received
            )
        if num_bins is None and bin_boundaries is None:
            raise ValueError(
                "Discretization: You need to set either `num_bins` or `bin_boundaries`. " + received
            )
        if num_bins is not None and (not is_integer(num_bins) or num_bins < 1):
            raise ValueError(f"Discretization: num_bins must be a positive integer. {received}")
        self.num_bins = num_bins
        self.epsilon = epsilon
        self.output_mode = output_mode
        self.sparse = sparse
        self.bin_boundaries: list[float] | None = None
        if bin_boundaries is not None:
            boundaries = [float(b) for b in bin_boundaries]
            if boundaries != sorted(boundaries):
                raise ValueError(
                    f"Discretization: bin_boundaries must be in ascending order. {received}"
                )
            self.bin_boundaries = boundaries

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        return super().__call__(from_lists(inputs), *args, **kwargs)

    @property
    def output_dtype(self) -> str:
        """Dtype of the output: `"int32"` for indices."""
        return "int32" if self.output_mode == "int" else self.compute_dtype

    @property
    def _depth(self) -> int:
        if self.bin_boundaries is not None:
            return len(self.bin_boundaries) + 1
        return int(self.num_bins or 1)

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Learns boundaries that put equally many numbers into each bin.

        Args:
            data: Array or tensor, a `PyDataset`, or an iterable of arrays.
            steps: Number of batches to read, `None` for all.

        Raises:
            ValueError: If the boundaries were given to the constructor, or there is no data.
        """
        if self.num_bins is None:
            raise ValueError(
                f"{owner_name(self)}: Cannot adapt a Discretization layer that has been "
                "initialized with `bin_boundaries`, use `num_bins` instead."
            )
        size = max(math.ceil(1 / self.epsilon), self.num_bins) * 4
        values, weights = np.zeros(0), np.zeros(0)
        for batch in iterate_batches(owner_name(self), data, steps):
            flat = batch.reshape(-1).astype("float64")
            values = np.concatenate((values, flat))
            weights = np.concatenate((weights, np.ones(flat.size)))
            values, weights = _summarize(values, weights, size)
        if values.size == 0:
            raise ValueError(f"{owner_name(self)}: adapt got no data. Received: data={data!r}.")
        quantiles = np.arange(1, self.num_bins) / self.num_bins
        self.bin_boundaries = [float(b) for b in _quantiles(values, weights, quantiles)]

    def call(self, inputs: Any) -> Any:
        """Returns the indices or vectors of the bins."""
        if self.bin_boundaries is None:
            raise ValueError(
                f"{owner_name(self)}: You need to either pass `bin_boundaries` at construction "
                "time or call `adapt(dataset)` before calling the layer."
            )
        indices = ops.digitize(inputs, np.asarray(self.bin_boundaries, "float32"))
        return encode_integers(
            ops.cast(indices, "int32"), self._depth, self.output_mode, self.output_dtype
        )

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Returns the shape of the indices or vectors."""
        return encoded_shape(input_shape, self._depth, self.output_mode)

    def compute_output_spec(self, inputs: Any) -> Any:
        """Returns a symbolic tensor of the output's shape and dtype."""
        return KerasTensor(self.compute_output_shape(inputs.shape), dtype=self.output_dtype)

    def load_own_variables(self, store: Any) -> None:
        """Takes the boundaries from what tf.keras stores: values and how many numbers each has."""
        if not len(store):
            return
        values, counts = np.asarray(store["0"], "float32")
        if len(values) < self._depth:
            self.bin_boundaries = [float(b) for b in values[:-1]]
            return
        below = counts.cumsum()
        quantiles = np.arange(1, self._depth) / self._depth
        found = np.interp(quantiles, below / below[-1], values).astype("float32")
        self.bin_boundaries = [float(b) for b in found]

    def _stored_shapes(self, stored: Any) -> dict[str, tuple[int, ...]]:
        """Returns the shapes of the arrays that are expected among those of a file."""
        if self.num_bins is None or "0" not in stored:
            return {}
        shape = tuple(stored["0"].shape)
        return {"0": shape if len(shape) == 2 and shape[0] == 2 and shape[1] else (2, -1)}

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments, with boundaries that `adapt` learned."""
        return {
            "bin_boundaries": self.bin_boundaries,
            "num_bins": self.num_bins,
            "epsilon": self.epsilon,
            "output_mode": self.output_mode,
            "sparse": self.sparse,
            "name": self.name,
            "dtype": self.dtype,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Discretization:
        """Creates the layer that `get_config` described, adapted if that one was."""
        config = dict(config)
        learned = config.get("bin_boundaries")
        if learned is None or config.get("num_bins") is None:
            return cls(**config)
        layer = cls(**{**config, "bin_boundaries": None})
        layer.bin_boundaries = list(learned)
        return layer


def _summarize(values: np.ndarray, weights: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    # At most `size` points of the weighted distribution, at equal steps of the total weight.
    order = np.argsort(values, kind="stable")
    values, weights = values[order], weights[order]
    if values.size <= size:
        return values, weights
    total = weights.sum()
    points = _quantiles(values, weights, (np.arange(size) + 0.5) / size)
    points[0], points[-1] = values[0], values[-1]
    return points, np.full(size, total / size)


def _quantiles(values: np.ndarray, weights: np.ndarray, q: np.ndarray) -> np.ndarray:
    # Quantiles of sorted values, linear between the middles of their weights.
    place = (np.cumsum(weights) - 0.5 * weights) / weights.sum()
    found: np.ndarray = np.interp(q, place, values)
    return found
