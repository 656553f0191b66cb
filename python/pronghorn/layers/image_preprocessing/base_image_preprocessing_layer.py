"""BaseImagePreprocessingLayer: a random transformation, drawn once and applied to images, labels
and masks alike."""

from __future__ import annotations

from typing import Any

from pronghorn import ops
from pronghorn.config import standardize_data_format
from pronghorn.layers.arguments import owner_name
from pronghorn.layers.layer import Layer
from pronghorn.random import SeedGenerator


class BaseImagePreprocessingLayer(Layer):
    """Base of the layers that prepare images.

    A subclass draws in `get_random_transformation` what `transform_images`, `transform_labels` and
    `transform_segmentation_masks` apply. All of them see batches; a single image is a batch of one.

    Args:
        data_format: `"channels_last"` or `"channels_first"`; the configured default if `None`.
        bounding_box_format: must be `None`: bounding boxes are not transformed.
        **kwargs: `name`, `dtype`, `trainable`.

    Call arguments:
        data: images, or a dict of `"images"` and any of `"labels"` and `"segmentation_masks"`.
        training: whether random layers do anything; `True` outside of a model.
    """

    def __init__(
        self, data_format: str | None = None, bounding_box_format: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if bounding_box_format is not None:
            raise NotImplementedError(
                f"{owner_name(self)}: bounding boxes are not transformed. "
                f"Received: bounding_box_format={bounding_box_format!r}."
            )
        self.data_format = standardize_data_format(data_format)
        self._allow_non_tensor_positional_args = True

    def _has_unbuilt_state(self) -> bool:
        return False  # such layers have no weights, nor have those that they are made of

    def _set_seed(self, seed: int | None) -> None:
        self.seed = seed
        self.generator = SeedGenerator(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Returns what is applied to a batch, drawn with `seed` or the layer's generator.

        Args:
            data: images, or a dict with `"images"`.
            training: whether anything is to be done.
            seed: an integer or a SeedGenerator.
        """
        del data, training, seed
        return None

    def transform_images(self, images: Any, transformation: Any, training: bool = True) -> Any:
        """Returns the images transformed."""
        raise NotImplementedError(f"{type(self).__name__}: implement `transform_images()`.")

    def transform_labels(self, labels: Any, transformation: Any, training: bool = True) -> Any:
        """Returns the labels, changed where the transformation mixes images."""
        del transformation, training
        return labels

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any, training: bool = True
    ) -> Any:
        """Returns the masks, moved as the images are."""
        del transformation, training
        return segmentation_masks

    def transform_single_image(self, image: Any, transformation: Any, training: bool = True) -> Any:
        """Returns one image transformed."""
        return self._single(self.transform_images, image, transformation, training)

    def _single(self, function: Any, value: Any, transformation: Any, training: bool) -> Any:
        batch = ops.expand_dims(value, 0)
        return ops.squeeze(function(batch, transformation, training=training), 0)

    def call(self, data: Any, training: bool = True) -> Any:
        """Returns images, or the dict, transformed."""
        is_dict = isinstance(data, dict)
        if is_dict and "images" not in data:
            raise ValueError(
                f'{owner_name(self)}: expected images or a dict with "images". '
                f"Received: a dict with {sorted(data)}."
            )
        if is_dict and "bounding_boxes" in data:
            raise NotImplementedError(
                f"{owner_name(self)}: bounding boxes are not transformed. "
                'Received: a dict with "bounding_boxes".'
            )
        images = ops.convert_to_tensor(data["images"] if is_dict else data)
        single = self._is_single(images)
        transformation = self.get_random_transformation(
            {**data, "images": images} if is_dict else images, training=training
        )
        functions = {
            "images": self.transform_images,
            "labels": self.transform_labels,
            "segmentation_masks": self.transform_segmentation_masks,
        }

        def apply(name: str, value: Any) -> Any:
            value = ops.convert_to_tensor(value)
            if single:
                return self._single(functions[name], value, transformation, training)
            return functions[name](value, transformation, training=training)

        if not is_dict:
            return apply("images", images)
        return {k: apply(k, v) if k in functions else v for k, v in data.items()}

    def _is_single(self, images: Any) -> bool:
        if len(images.shape) not in (3, 4):
            raise ValueError(
                f"{owner_name(self)}: Expected the input image to be rank 3 or 4. "
                f"Received: shape={tuple(images.shape)}."
            )
        return len(images.shape) == 3

    def _sizes(self, data: Any) -> tuple[int, int, int]:
        """Returns how many images there are, their height and their width."""
        shape = tuple((data["images"] if isinstance(data, dict) else data).shape)
        batch = shape[0] if len(shape) == 4 else 1
        height, width = shape[-3:-1] if self.data_format == "channels_last" else shape[-2:]
        return batch, height, width

    @property
    def _channel_axis(self) -> int:
        return -1 if self.data_format == "channels_last" else -3

    @property
    def _height_axis(self) -> int:
        return -3 if self.data_format == "channels_last" else -2

    def _resized_shape(self, input_shape: Any, height: int, width: int) -> Any:
        shape = list(input_shape)
        shape[self._height_axis], shape[self._height_axis + 1] = height, width
        return tuple(shape)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Returns `input_shape`."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "data_format": self.data_format}


def per_image(x: Any) -> Any:
    """Returns one number for each image, `(batch,)`, in a form that broadcasts to images."""
    return ops.reshape(x, (-1, 1, 1, 1))
