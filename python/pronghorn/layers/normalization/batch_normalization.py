"""BatchNormalization: normalizes each channel with the statistics of the batch."""

from __future__ import annotations

import math
from typing import Any

from pronghorn import config, initializers, ops
from pronghorn.layers.arguments import owner_name
from pronghorn.layers.input_spec import InputSpec
from pronghorn.layers.normalization.base_normalization import BaseNormalization, to_float32
from pronghorn.layers.normalization.batch_renorm import check_clipping, renorm_correction
from pronghorn.ops.nn.normalization import batch_norm_of_batch


class BatchNormalization(BaseNormalization):
    """Normalizes each channel to mean 0 and variance 1, then scales and shifts it.

    While training, with mean m and (biased) variance v of the batch over all axes but `axis`:
    `y = gamma * (x - m) / sqrt(v + epsilon) + beta`, and the moving statistics are updated:
    `moving = momentum * moving + (1 - momentum) * statistic`. Otherwise the moving statistics take
    the place of m and v. A layer with `trainable=False` always uses the moving statistics. Source:
    Ioffe and Szegedy, "Batch Normalization", 2015, algorithm 1.

    Args:
        axis: The axis of the channels: 1 for `"channels_first"` data.
        momentum: Momentum of the moving statistics.
        epsilon: Small number added to the variance.
        center: Whether to add `beta`.
        scale: Whether to multiply by `gamma`.
        beta_initializer: Initializer of `beta`.
        gamma_initializer: Initializer of `gamma`.
        moving_mean_initializer: Initializer of the moving mean.
        moving_variance_initializer: Initializer of the moving variance.
        beta_regularizer: Regularizer of `beta`.
        gamma_regularizer: Regularizer of `gamma`.
        beta_constraint: Constraint of `beta`, applied after each update.
        gamma_constraint: Constraint of `gamma`.
        renorm: Whether to correct the batch's statistics towards moving ones (Ioffe, "Batch
            Renormalization", 2017): `y = gamma * ((x - m) / s * r + d) + beta` with
            `r = s / moving_s` and `d = (m - moving_m) / moving_s`, both clipped and held constant
            for the gradient.
        renorm_clipping: Dict with limits of the correction: `"rmax"`, `"rmin"` for r, `"dmax"` for
            the absolute value of d.
        renorm_momentum: Momentum of the moving statistics of the correction.
        synchronized: Not supported; must be false.
        **kwargs: `name`, `dtype`, `trainable`.

    Call arguments:
        inputs: Tensor of rank 2 or more.
        training: Whether to use the batch's statistics and update the moving ones.
        mask: Boolean mask `(batch, ...)`, without the last axis: only positions where it is true
            count for the statistics.

    Input shape:
        `(batch, ..., channels)`, or as `axis` says.

    Output shape:
        Same as the input.

    Raises:
        ValueError: If the size of `axis` is unknown, or `renorm_clipping` is wrong.
        NotImplementedError: If `synchronized` is true.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> layer = keras.layers.BatchNormalization()
    >>> y = layer(np.array([[1.0], [3.0]]), training=True)
    >>> y.numpy().round(2).tolist()
    [[-1.0], [1.0]]
    """

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: dict[str, float] | None = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        if synchronized:
            raise NotImplementedError(
                "BatchNormalization: statistics across several machines are not supported. "
                f"Received: synchronized={synchronized}."
            )
        super().__init__(
            epsilon,
            center,
            scale,
            beta_initializer,
            gamma_initializer,
            beta_regularizer,
            gamma_regularizer,
            beta_constraint,
            gamma_constraint,
            **kwargs,
        )
        self.axis = int(axis)
        self.momentum = float(momentum)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.synchronized = synchronized
        self.renorm = renorm
        self.renorm_momentum = renorm_momentum
        self.renorm_clipping = check_clipping(renorm_clipping) if renorm else renorm_clipping

    def build(self, input_shape: Any) -> None:  # type: ignore[override]
        """Creates `gamma`, `beta` and the moving statistics, one number per channel."""
        rank = len(input_shape)
        if not -rank <= self.axis < rank:
            raise ValueError(
                f"{owner_name(self)}: axis must be an axis of the input. "
                f"Received: axis={self.axis}, input_shape={tuple(input_shape)}."
            )
        channels = input_shape[self.axis]
        if channels is None:
            raise ValueError(
                f"{owner_name(self)}: the axis of the channels must have a known size. "
                f"Received: axis={self.axis}, input_shape={tuple(input_shape)}."
            )
        shape = (channels,)
        self.add_gamma(shape)
        self.add_beta(shape)
        self.moving_mean = self._add_statistic("moving_mean", shape, self.moving_mean_initializer)
        self.moving_variance = self._add_statistic(
            "moving_variance", shape, self.moving_variance_initializer
        )
        if self.renorm:
            # The standard deviations start where the moving variance does.
            stddev = _SquareRoot(self.moving_variance_initializer)
            self.moving_stddev = self._add_statistic("moving_stddev", shape, stddev)
            self.renorm_mean = self._add_statistic(
                "renorm_mean", shape, self.moving_mean_initializer
            )
            self.renorm_stddev = self._add_statistic("renorm_stddev", shape, stddev)
        self.input_spec = InputSpec(ndim=rank, axes={self.axis: channels})
        self._reduction_axes = [a for a in range(rank) if a != self.axis % rank]
        self.built = True

    def _add_statistic(self, name: str, shape: tuple[int, ...], initializer: Any) -> Any:
        return self.add_weight(
            name=name, shape=shape, initializer=initializer, trainable=False, autocast=False
        )

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Returns the normalized input."""
        if mask is not None:
            self._check_mask(inputs, mask)
        x = to_float32(inputs)
        if training and self.trainable:
            y = self._normalize_with_batch(x, mask)
        else:
            y = ops.batch_normalization(
                x,
                mean=self.moving_mean,
                variance=self.moving_variance,
                axis=self.axis,
                offset=self.beta,
                scale=self.gamma,
                epsilon=self.epsilon,
            )
        return ops.cast(y, self.compute_dtype)

    def _check_mask(self, inputs: Any, mask: Any) -> None:
        shape, mask_shape = tuple(inputs.shape), tuple(mask.shape)
        if len(mask_shape) != len(shape) - 1:
            raise ValueError(
                f"{owner_name(self)}: The mask should be one dimension less than the inputs. "
                f"Received: mask.shape={mask_shape}, inputs.shape={shape}."
            )

    def _normalize_with_batch(self, x: Any, mask: Any) -> Any:
        last = self.axis in (-1, len(x.shape) - 1)
        if last and mask is None and not self.renorm:
            shape = (x.shape[-1],)
            gamma = ops.ones(shape) if self.gamma is None else self.gamma.value
            beta = ops.zeros(shape) if self.beta is None else self.beta.value
            y, mean, variance = batch_norm_of_batch(x, gamma, beta, self.epsilon)
            _move(self.moving_variance, variance, self.momentum)
            _move(self.moving_mean, mean, self.momentum)
            return y
        mean, variance = self._moments(x, mask)
        scale, offset = self.gamma, self.beta
        if self.renorm:
            stddev = ops.sqrt(ops.add(variance, self.epsilon))
            r, d = renorm_correction(
                mean, stddev, self.renorm_mean, self.renorm_stddev, self.renorm_clipping
            )
            # gamma * (n * r + d) + beta = (gamma * r) * n + (gamma * d + beta)
            scale = r if self.gamma is None else ops.multiply(self.gamma, r)
            shift = d if self.gamma is None else ops.multiply(self.gamma, d)
            offset = shift if self.beta is None else ops.add(shift, self.beta)
            self._update_renorm(mean, stddev)
        else:
            _move(self.moving_variance, variance, self.momentum)
            _move(self.moving_mean, mean, self.momentum)
        return ops.batch_normalization(
            x,
            mean=mean,
            variance=variance,
            axis=self.axis,
            offset=offset,
            scale=scale,
            epsilon=self.epsilon,
        )

    def _update_renorm(self, mean: Any, stddev: Any) -> None:
        _move(self.renorm_mean, mean, self.renorm_momentum)
        _move(self.renorm_stddev, stddev, self.renorm_momentum)
        _move(self.moving_mean, mean, self.momentum)
        _move(self.moving_stddev, stddev, self.momentum)
        variance = ops.subtract(ops.square(self.moving_stddev.value), self.epsilon)
        self.moving_variance.assign(ops.maximum(variance, 0.0))

    def _moments(self, x: Any, mask: Any) -> tuple[Any, Any]:
        if mask is None:
            mean, variance = ops.moments(x, axes=self._reduction_axes)
            return mean, variance
        weights = ops.expand_dims(ops.cast(mask, x.dtype), axis=-1)
        # A mask may have axes of size 1 that stand for several positions.
        repeats = math.prod(x.shape[a] // weights.shape[a] for a in self._reduction_axes)
        count = ops.sum(weights, axis=self._reduction_axes, keepdims=True)
        count = ops.add(ops.multiply(count, repeats), config.epsilon())
        total = ops.sum(ops.multiply(x, weights), axis=self._reduction_axes, keepdims=True)
        mean = ops.divide(total, count)
        squares = ops.multiply(weights, ops.square(ops.subtract(x, mean)))
        variance = ops.divide(ops.sum(squares, axis=self._reduction_axes, keepdims=True), count)
        shape = (x.shape[self.axis],)
        return ops.reshape(mean, shape), ops.reshape(variance, shape)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "axis": self.axis,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            **self.affine_config(),
            "moving_mean_initializer": initializers.serialize(self.moving_mean_initializer),
            "moving_variance_initializer": initializers.serialize(self.moving_variance_initializer),
            "synchronized": self.synchronized,
            "renorm": self.renorm,
            "renorm_clipping": self.renorm_clipping,
            "renorm_momentum": self.renorm_momentum,
        }


class _SquareRoot:
    # Initializer whose values are the square roots of another's.
    def __init__(self, initializer: Any) -> None:
        self.initializer = initializer

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return ops.sqrt(self.initializer(shape, dtype=dtype))


def _move(variable: Any, value: Any, momentum: float) -> None:
    kept = ops.multiply(variable.value, momentum)
    variable.assign(ops.add(kept, ops.multiply(ops.cast(value, variable.dtype), 1.0 - momentum)))
