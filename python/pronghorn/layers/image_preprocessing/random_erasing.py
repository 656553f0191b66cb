"""RandomErasing: random rectangles of images filled."""

from __future__ import annotations

from typing import Any

from pronghorn import ops, random
from pronghorn.layers.image_preprocessing.base_image_preprocessing_layer import per_image
from pronghorn.layers.image_preprocessing.base_recolor import BaseRecolor
from pronghorn.layers.image_preprocessing.boxes import box_masks, random_span
from pronghorn.layers.image_preprocessing.ranges import number_range


class RandomErasing(BaseRecolor):
    """Fills a random rectangle of some images while training.

    Zhong, Zheng, Kang, Li and Yang, "Random erasing data augmentation", 2017.

    Args:
        factor: Range of the probability that an image is changed: two numbers, or one for from 0;
            from 0 to 1.
        scale: Range of the squares of the rectangle's height and width, as shares of those of the
            image: two numbers, or one for from 0; from 0 to 1.
        fill_value: A number, one for each of three channels, or `None` for normal noise times the
            largest value.
        value_range: Smallest and largest value that a pixel can have.
        seed: Seed of the layer's generator.
        data_format: `"channels_last"` or `"channels_first"`; the configured default if `None`.
        **kwargs: `name`, `dtype`, `trainable`.

    Input shape:
        `(batch, height, width, channels)` or `(height, width, channels)`, or channels first.

    Output shape:
        Same as the input; the layer's compute dtype.

    Example:

    >>> import numpy as np
    >>> import pronghorn as keras
    >>> layer = keras.layers.RandomErasing((1.0, 1.0), (1.0, 1.0), fill_value=7.0)
    >>> layer(np.array([[[1.0], [2.0]]])).numpy().ravel().tolist()
    [7.0, 7.0]
    """

    def __init__(
        self,
        factor: Any = 1.0,
        scale: Any = (0.02, 0.33),
        fill_value: Any = None,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(value_range, seed, data_format=data_format, **kwargs)
        self.factor = number_range("RandomErasing", "factor", factor, 0, 1)
        self.scale = number_range("RandomErasing", "scale", scale, 0, 1)
        numbers = fill_value if isinstance(fill_value, (tuple, list)) else [fill_value] * 3
        if fill_value is not None and (
            len(numbers) != 3 or any(not isinstance(v, (int, float)) for v in numbers)
        ):
            raise ValueError(
                "RandomErasing: The `fill_value` argument should be a number (or a list of three "
                f"numbers) or None. Received: fill_value={fill_value}"
            )
        self.fill_value = fill_value

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Draws which images are changed, the rectangles, and what fills them."""
        if not training:
            return None
        batch, height, width = self._sizes(data)
        seed = self.generator if seed is None else seed
        sides = ops.sqrt(random.uniform((batch, 2), *self.scale, seed=seed))
        columns = random_span(batch, width, sides[:, 0], seed)
        rows = random_span(batch, height, sides[:, 1], seed)
        shape = tuple((data["images"] if isinstance(data, dict) else data).shape)
        return {
            "apply_erasing": self._chosen(batch, self.factor, seed),
            "batch_masks": box_masks(rows, columns, height, width, self.data_format),
            "fill_value": self._clip(self._fill((batch, *shape[-3:]), seed)),
        }

    def _fill(self, shape: tuple[int, ...], seed: Any) -> Any:
        if self.fill_value is None:
            return random.normal(shape, seed=seed) * self.value_range[1]
        if isinstance(self.fill_value, (tuple, list)):
            each = [1, 1, 1, 1]
            each[self._channel_axis] = 3
            return ops.reshape(ops.convert_to_tensor([float(v) for v in self.fill_value]), each)
        return ops.convert_to_tensor(float(self.fill_value))

    def _recolor(self, images: Any, transformation: Any) -> Any:
        chosen = ops.logical_and(
            transformation["batch_masks"], per_image(transformation["apply_erasing"])
        )
        return ops.where(chosen, ops.cast(transformation["fill_value"], images.dtype), images)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "factor": self.factor,
            "scale": self.scale,
            "fill_value": self.fill_value,
        }
