"""RandomGaussianBlur: images blurred at random."""

from __future__ import annotations

from typing import Any

from pronghorn import ops, random
from pronghorn.layers.image_preprocessing.base_image_preprocessing_layer import per_image
from pronghorn.layers.image_preprocessing.base_recolor import BaseRecolor
from pronghorn.layers.image_preprocessing.ranges import number_range


class RandomGaussianBlur(BaseRecolor):
    """Blurs some images by a Gaussian of random width while training.

    Args:
        factor: Range of the probability that an image is blurred: two numbers, or one for from 0;
            from 0 to 1.
        kernel_size: How many columns and rows the Gaussian reaches over: an odd integer, or two.
        sigma: Range of its standard deviation in pixels, one draw for all images along columns and
            one along rows: two numbers, or one for from 0; from 0 to 1.
        value_range: Smallest and largest value that a pixel can have.
        data_format: `"channels_last"` or `"channels_first"`; the configured default if `None`.
        seed: Seed of the layer's generator.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        `(batch, height, width, channels)` or `(height, width, channels)`, or channels first.

    Output shape:
        Same as the input; the layer's compute dtype.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> keras.layers.RandomGaussianBlur(1.0, 3, 0.8, seed=1)(np.ones((4, 4, 3))).shape
    (4, 4, 3)
    """

    def __init__(
        self,
        factor: Any = 1.0,
        kernel_size: Any = 3,
        sigma: Any = 1.0,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(value_range, seed, data_format=data_format, **kwargs)
        self.factor = number_range("RandomGaussianBlur", "factor", factor, 0, 1)
        pair = tuple(kernel_size) if isinstance(kernel_size, (tuple, list)) else (kernel_size,) * 2
        if len(pair) != 2 or any(not isinstance(k, int) or k < 1 or k % 2 == 0 for k in pair):
            raise ValueError(
                "RandomGaussianBlur: kernel_size must be an odd number, or two. "
                f"Received: kernel_size={kernel_size}"
            )
        self.kernel_size = pair
        self.sigma = number_range("RandomGaussianBlur", "sigma", sigma, 0, 1)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Draws which images are blurred, and the widths of the Gaussian."""
        if not training:
            return None
        batch, _, _ = self._sizes(data)
        seed = self.generator if seed is None else seed
        return {
            "should_apply_blur": self._chosen(batch, self.factor, seed),
            "blur_factor": random.uniform((2,), *self.sigma, seed=seed) + 1e-6,
        }

    def _recolor(self, images: Any, transformation: Any) -> Any:
        blurred = ops.image.gaussian_blur(
            images, self.kernel_size, transformation["blur_factor"], data_format=self.data_format
        )
        chosen = per_image(transformation["should_apply_blur"])
        return self._clip(ops.where(chosen, blurred, images))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "factor": self.factor,
            "kernel_size": self.kernel_size,
            "sigma": self.sigma,
        }
