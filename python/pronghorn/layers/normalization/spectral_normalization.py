"""SpectralNormalization: keeps the spectral norm of another layer's kernel at 1."""

from __future__ import annotations

from typing import Any

from pronghorn import initializers, ops
from pronghorn.layers.core.wrapper import Wrapper
from pronghorn.layers.input_spec import InputSpec
from pronghorn.layers.layer import Layer


class SpectralNormalization(Wrapper):
    """Divides the kernel of a layer by an estimate of its largest singular value.

    Each call with `training=True` runs `power_iterations` steps of the power method on the kernel
    W, reshaped to `(rest, last axis)`: `v = normalize(u W^T)`, `u = normalize(v W)`, `sigma = v W
    u^T`, and replaces W by `W / sigma`. Source: Miyato et al., "Spectral Normalization for
    Generative Adversarial Networks", 2018, algorithm 1.

    Args:
        layer: Layer with a `kernel` or `embeddings`.
        power_iterations: Number of steps of the power method per call.
        **kwargs: `name`, `dtype`, `trainable`.

    Call arguments:
        inputs: Input of the layer.
        training: Whether to normalize the kernel.

    Input shape:
        That of the layer.

    Output shape:
        That of the layer.

    Raises:
        ValueError: If `power_iterations` is below 1, or the layer has no kernel.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> layer = keras.layers.SpectralNormalization(keras.layers.Dense(4))
    >>> layer(np.ones((2, 3)), training=True).shape
    (2, 4)
    """

    def __init__(self, layer: Layer, power_iterations: int = 1, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        if power_iterations <= 0:
            raise ValueError(
                "SpectralNormalization: `power_iterations` should be greater than zero. "
                f"Received: `power_iterations={power_iterations}`."
            )
        self.power_iterations = power_iterations

    def build(self, input_shape: Any) -> None:  # type: ignore[override]
        """Builds the layer and creates the vector u of the power method."""
        super().build(input_shape)
        self.input_spec = InputSpec(shape=[None, *input_shape[1:]])
        if hasattr(self.layer, "kernel"):
            self.kernel = self.layer.kernel
        elif hasattr(self.layer, "embeddings"):
            self.kernel = self.layer.embeddings
        else:
            raise ValueError(
                f"SpectralNormalization '{self.name}': {type(self.layer).__name__} object has no "
                "attribute 'kernel' nor 'embeddings'."
            )
        self.kernel_shape = tuple(self.kernel.shape)
        self.vector_u = self.add_weight(
            name="vector_u",
            shape=(1, self.kernel_shape[-1]),
            initializer=initializers.TruncatedNormal(stddev=0.02),
            trainable=False,
            dtype=self.kernel.dtype,
        )

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Returns the layer's output, after normalizing its kernel if `training`."""
        if training:
            vector, kernel = self.normalized_weights()
            self.vector_u.assign(ops.cast(vector, self.vector_u.dtype))
            self.kernel.assign(ops.cast(kernel, self.kernel.dtype))
        return ops.cast(self.layer(inputs), self.compute_dtype)

    def normalized_weights(self) -> tuple[Any, Any]:
        """Returns the new u and `W / sigma`; a kernel of zeros is left as it is."""
        weights = ops.reshape(self.kernel, (-1, self.kernel_shape[-1]))
        fixed = ops.stop_gradient(weights)
        vector_u = ops.convert_to_tensor(self.vector_u)
        for _ in range(self.power_iterations):
            vector_v = ops.normalize(ops.matmul(vector_u, ops.transpose(fixed)), axis=-1)
            vector_u = ops.normalize(ops.matmul(vector_v, fixed), axis=-1)
        vector_u = ops.stop_gradient(vector_u)
        vector_v = ops.stop_gradient(vector_v)
        sigma = ops.matmul(ops.matmul(vector_v, weights), ops.transpose(vector_u))
        sigma = ops.reshape(sigma, ())
        sigma = ops.where(ops.equal(sigma, 0), ops.ones_like(sigma), sigma)
        kernel = ops.reshape(ops.divide(weights, sigma), self.kernel_shape)
        return vector_u, kernel

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Returns the layer's output shape."""
        return self.layer.compute_output_shape(input_shape)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "power_iterations": self.power_iterations}
