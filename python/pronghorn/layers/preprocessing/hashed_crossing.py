"""HashedCrossing: the combination of several categories as one of a fixed number of bins."""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn import config as global_config
from pronghorn import ops
from pronghorn.layers.arguments import Shape, is_integer, owner_name
from pronghorn.layers.layer import Layer
from pronghorn.layers.preprocessing.fingerprints import concatenated, fingerprint64
from pronghorn.layers.preprocessing.integer_encoding import encode_integers, encoded_shape
from pronghorn.layers.preprocessing.strings import as_strings
from pronghorn.ops.keras_tensor import KerasTensor
from pronghorn.tensor import Tensor

_KEY = 0xDECAFCAFFE


class HashedCrossing(Layer):
    """Crosses features: every combination of their values goes to a bin by a hash.

    Strings are hashed by FarmHash's Fingerprint64 (Pike and Alakuijala, 2014), integers stand for
    themselves; the same bins as TensorFlow's hashed crosses.

    Args:
        num_bins: Number of bins.
        output_mode: `"int"`: bins. `"one_hot"`: a vector for each sample.
        sparse: Not supported; must be false.
        name: Name of the layer.
        dtype: Dtype of the output, by default `int64` for bins.
        **kwargs: `trainable`.

    Call arguments:
        inputs: Two or more features, strings or integers, of the same shape.

    Input shape:
        Each `()`, `(batch,)` or `(batch, 1)`. Called on data before a model.

    Output shape:
        That of a feature for `"int"`, else `(..., num_bins)`.

    Raises:
        ValueError: If an argument is wrong, or shapes differ.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> layer = keras.layers.HashedCrossing(num_bins=5)
    >>> layer((np.array(["A", "B", "A"]), np.array([101, 101, 102]))).numpy().tolist()
    [1, 4, 1]
    """

    def __init__(
        self,
        num_bins: int,
        output_mode: str = "int",
        sparse: bool = False,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        if output_mode not in ("int", "one_hot"):
            raise ValueError(
                "HashedCrossing: Invalid value for argument `output_mode`. Expected 'int' or "
                f"'one_hot'. Received: output_mode={output_mode!r}."
            )
        if not is_integer(num_bins) or num_bins < 1:
            raise ValueError(
                f"HashedCrossing: num_bins must be a positive integer. Received: {num_bins!r}."
            )
        if sparse:
            raise ValueError("HashedCrossing: tensors are dense. Received: sparse=True.")
        if dtype is None:
            dtype = "int64" if output_mode == "int" else global_config.floatx()
        elif output_mode == "int" and dtype not in ("int32", "int64"):
            raise ValueError(
                'HashedCrossing: When `output_mode="int"`, `dtype` should be an integer type, '
                f"'int32' or 'int64'. Received: dtype={dtype}."
            )
        super().__init__(name=name, dtype=dtype, **kwargs)
        self.num_bins = num_bins
        self.output_mode = output_mode
        self.sparse = sparse
        self.built = True

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(inputs, (list, tuple)) and any(isinstance(x, KerasTensor) for x in inputs):
            return super().__call__(inputs, *args, **kwargs)
        return self.call(inputs)

    def call(self, inputs: Any) -> Any:
        """Returns the bins or vectors."""
        features = self._features(inputs)
        shape = features[0][0].shape
        hashed = [_KEY] * max(int(np.prod(shape)), 0)
        for values, is_text in features:
            for i, value in enumerate(values.reshape(-1).tolist()):
                code = fingerprint64(value.encode("utf-8")) if is_text else value & (1 << 64) - 1
                hashed[i] = concatenated(hashed[i], code)
        bins = np.array([h % self.num_bins for h in hashed], "int64").reshape(shape)
        found = ops.convert_to_tensor(bins)
        if self.output_mode == "int":
            return ops.cast(found, self.compute_dtype)
        return encode_integers(found, self.num_bins, "one_hot", self.compute_dtype)

    def _features(self, inputs: Any) -> list[tuple[np.ndarray, bool]]:
        owner = owner_name(self)
        if not isinstance(inputs, (list, tuple)) or len(inputs) < 2:
            raise ValueError(
                f"{owner}: `HashedCrossing` should be called on a list or tuple of at least two "
                f"inputs. Received: inputs={inputs!r}."
            )
        features = []
        for x in inputs:
            if isinstance(x, Tensor) and x.is_symbolic:
                raise TypeError(f"{owner}: it is called on data before the model, not inside it.")
            array = ops.convert_to_numpy(x) if isinstance(x, Tensor) else np.asarray(x)
            is_text = array.dtype.kind in "USO"
            if not is_text and array.dtype.kind not in "iub":
                raise ValueError(
                    f"{owner}: all `inputs` should have an integer or string dtype. "
                    f"Received: {array.dtype}."
                )
            features.append((as_strings(owner, array) if is_text else array, is_text))
        shapes = [values.shape for values, _ in features]
        if len(set(shapes)) > 1:
            raise ValueError(
                f"{owner}: all `inputs` should have equal shape. Received: shapes={shapes}."
            )
        if len(shapes[0]) > 2 or (len(shapes[0]) == 2 and shapes[0][1] != 1):
            raise ValueError(
                f"{owner}: all inputs should have shape `()`, `(batch_size)` or "
                f"`(batch_size, 1)`. Received: shape={shapes[0]}."
            )
        return features

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Returns the shape of the bins or vectors."""
        return encoded_shape(input_shape[0], self.num_bins, self.output_mode)

    def compute_output_spec(self, inputs: Any) -> Any:
        """Returns a symbolic tensor of the output's shape and dtype."""
        shape = self.compute_output_shape([x.shape for x in inputs])
        return KerasTensor(shape, dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "num_bins": self.num_bins,
            "output_mode": self.output_mode,
            "sparse": self.sparse,
        }
