"""Hashing: strings or integers as one of a fixed number of bins."""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn import config as global_config
from pronghorn import ops
from pronghorn.layers.arguments import Shape, is_integer, owner_name
from pronghorn.layers.layer import Layer
from pronghorn.layers.preprocessing.fingerprints import hash_text
from pronghorn.layers.preprocessing.integer_encoding import encode_integers, encoded_shape
from pronghorn.layers.preprocessing.strings import as_strings
from pronghorn.ops.keras_tensor import KerasTensor
from pronghorn.tensor import Tensor

_MODES = ("int", "one_hot", "multi_hot", "count")


class Hashing(Layer):
    """Maps strings or integers to bins by a hash that is the same everywhere.

    FarmHash's Fingerprint64 without a salt (Pike and Alakuijala, 2014), SipHash-2-4 with one
    (Aumasson and Bernstein, 2012). Integers are hashed by their decimal text.

    Args:
        num_bins: Number of bins, that of `mask_value` included.
        mask_value: What goes into bin 0, all else into the others; `None`: no such value.
        salt: An integer or a pair of them, key of the hash.
        output_mode: `"int"`: bins. `"one_hot"`: a vector for each value. `"multi_hot"`: one per
            sample, with 1 for each bin that occurs. `"count"`: with the number of occurrences.
        sparse: Not supported; must be false.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        Any, `(samples,)` or `(batch, values)` for vectors. Called on data before a model.

    Output shape:
        Same as the input for `"int"`, else `(..., num_bins)`.

    Raises:
        ValueError: If an argument is wrong.

    Example:

    >>> import pronghorn as keras
    >>> keras.layers.Hashing(num_bins=3)([["A"], ["B"], ["C"], ["D"], ["E"]]).numpy().tolist()
    [[1], [0], [1], [1], [2]]
    """

    def __init__(
        self,
        num_bins: int,
        mask_value: Any = None,
        salt: Any = None,
        output_mode: str = "int",
        sparse: bool = False,
        **kwargs: Any,
    ) -> None:
        if not is_integer(num_bins) or num_bins <= 0:
            raise ValueError(
                "Hashing: The `num_bins` for `Hashing` cannot be `None` or non-positive values. "
                f"Received: num_bins={num_bins}."
            )
        if output_mode not in _MODES:
            raise ValueError(
                "Hashing: Invalid value for argument `output_mode`. Expected one of "
                f"{', '.join(map(repr, _MODES))}. Received: output_mode={output_mode!r}."
            )
        if sparse and output_mode == "int":
            raise ValueError(
                "Hashing: `sparse` may only be true if `output_mode` is not 'int'. "
                "Received: sparse=True, output_mode='int'."
            )
        if sparse:
            raise ValueError("Hashing: tensors are dense. Received: sparse=True.")
        if salt is not None and not isinstance(salt, int):
            pair = isinstance(salt, (tuple, list)) and len(salt) == 2
            if not pair or not all(isinstance(s, int) for s in salt):
                raise ValueError(
                    "Hashing: The `salt` argument for `Hashing` can only be a tuple of size 2 "
                    f"integers, or a single integer. Received: salt={salt!r}."
                )
        if kwargs.get("dtype") is None:
            kwargs["dtype"] = "int64" if output_mode == "int" else global_config.floatx()
        elif output_mode == "int" and kwargs["dtype"] not in ("int32", "int64"):
            raise ValueError(
                'Hashing: When `output_mode="int"`, `dtype` should be an integer type, '
                f"'int32' or 'int64'. Received: dtype={kwargs['dtype']}."
            )
        super().__init__(**kwargs)
        self.num_bins = num_bins
        self.mask_value = mask_value
        self.strong_hash = salt is not None
        self.salt = (
            [salt, salt] if isinstance(salt, int) else (None if salt is None else list(salt))
        )
        self.output_mode = output_mode
        self.sparse = sparse
        self.built = True

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(inputs, KerasTensor):
            return super().__call__(inputs, *args, **kwargs)
        return self.call(inputs)

    def call(self, inputs: Any) -> Any:
        """Returns the bins or vectors."""
        values, masked = self._values(inputs)
        if values.size == 0:
            bins = np.zeros(values.shape, "int64")
        else:
            unique, places = np.unique(values.reshape(-1).astype(str), return_inverse=True)
            hashed = np.array([self._bin(text) for text in unique.tolist()], "int64")
            bins = hashed[places].reshape(values.shape)
        if masked is not None:
            bins[masked] = 0
        found = ops.convert_to_tensor(bins)
        if self.output_mode == "int":
            return ops.cast(found, self.compute_dtype)
        return encode_integers(found, self.num_bins, self.output_mode, self.compute_dtype)

    def _values(self, inputs: Any) -> tuple[np.ndarray, np.ndarray | None]:
        if isinstance(inputs, Tensor) and inputs.is_symbolic:
            raise TypeError(
                f"{owner_name(self)}: it is called on data before the model, not inside it."
            )
        array = inputs if isinstance(inputs, np.ndarray) else None
        if array is None:
            is_text = _first(inputs, (str, bytes))
            array = (
                as_strings(owner_name(self), inputs)
                if is_text
                else np.asarray(ops.convert_to_numpy(inputs))
            )
        if array.dtype.kind in "USO":
            array = as_strings(owner_name(self), array)
        elif array.dtype.kind not in "iub":
            raise TypeError(
                f"{owner_name(self)}: expected integers or strings. Received: {array.dtype}."
            )
        if self.mask_value is None:
            return array, None
        return array, np.asarray(array == self.mask_value, bool).reshape(array.shape)

    def _bin(self, text: str) -> int:
        hashed = hash_text(text, self.salt)
        if self.mask_value is None or self.num_bins == 1:
            return hashed % self.num_bins
        return hashed % (self.num_bins - 1) + 1

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Returns the shape of the bins or vectors."""
        return encoded_shape(input_shape, self.num_bins, self.output_mode)

    def compute_output_spec(self, inputs: Any) -> Any:
        """Returns a symbolic tensor of the output's shape and dtype."""
        return KerasTensor(self.compute_output_shape(inputs.shape), dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "num_bins": self.num_bins,
            "salt": self.salt,
            "mask_value": self.mask_value,
            "output_mode": self.output_mode,
            "sparse": self.sparse,
        }


def _first(data: Any, kinds: tuple[type, ...]) -> bool:
    while isinstance(data, (list, tuple)) and data:
        data = data[0]
    return isinstance(data, kinds)
