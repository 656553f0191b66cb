"""InputLayer and Input: where a functional model begins."""

from __future__ import annotations

import warnings
from typing import Any

from pronghorn import config
from pronghorn.dtypes import standardize_dtype
from pronghorn.layers.layer import Layer
from pronghorn.ops.keras_tensor import KerasTensor, standardize_shape
from pronghorn.ops.node import Node


class InputLayer(Layer):
    """The layer behind an `Input`.

    Args:
        shape: Shape without the batch dimension, `None` for unknown dimensions.
        batch_size: Batch size, if it is fixed.
        dtype: Dtype; by default `keras.config.floatx()`.
        sparse: Not supported: must be False.
        ragged: Not supported: must be False.
        batch_shape: Shape with the batch dimension, in place of `shape` and `batch_size`.
        input_tensor: KerasTensor to use as the input.
        optional: Whether the input may be None.
        name: Name.
    """

    def __init__(
        self,
        shape: Any = None,
        batch_size: int | None = None,
        dtype: Any = None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape: Any = None,
        input_tensor: Any = None,
        optional: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name)
        kwargs.pop("trainable", None)
        if "input_shape" in kwargs:
            warnings.warn(
                "Argument `input_shape` is deprecated. Use `shape` instead.", stacklevel=2
            )
            shape = kwargs.pop("input_shape")
        if "batch_input_shape" in kwargs:
            batch_shape = kwargs.pop("batch_input_shape")
        if kwargs:
            raise ValueError(f"Unrecognized keyword arguments passed to InputLayer: {kwargs}")
        if input_tensor is not None and (sparse or ragged):
            raise ValueError(
                "When providing the `input_tensor` argument, you cannot provide an incompatible "
                f"`{'sparse' if sparse else 'ragged'}` argument."
            )
        if sparse or ragged:
            raise NotImplementedError(
                f"InputLayer '{self.name}': sparse and ragged inputs are not supported. "
                f"Received: sparse={sparse}, ragged={ragged}."
            )
        if input_tensor is not None:
            if not isinstance(input_tensor, KerasTensor):
                raise ValueError(
                    "Argument `input_tensor` must be a KerasTensor. "
                    f"Received invalid type: input_tensor={input_tensor} (of type "
                    f"{type(input_tensor)})"
                )
            _check_agreement(input_tensor, shape, batch_size, batch_shape, dtype)
            batch_shape, dtype = input_tensor.shape, input_tensor.dtype
        elif shape is not None and batch_shape is not None:
            raise ValueError("You cannot pass both `shape` and `batch_shape` at the same time.")
        elif batch_size is not None and batch_shape is not None:
            raise ValueError(
                "You cannot pass both `batch_size` and `batch_shape` at the same time."
            )
        elif shape is None and batch_shape is None:
            raise ValueError("You must pass a `shape` argument.")
        if batch_shape is None:
            batch_shape = (batch_size, *standardize_shape(shape))
        self._batch_shape = standardize_shape(batch_shape)
        self._dtype = standardize_dtype(config.floatx() if dtype is None else dtype)
        self.optional = optional
        if input_tensor is None:
            input_tensor = KerasTensor(self._batch_shape, self._dtype, name=name)
        Node(operation=self, call_args=(), call_kwargs={}, outputs=input_tensor)
        self.built = True

    def call(self) -> None:
        """Does nothing: an input has no computation."""

    @property
    def batch_shape(self) -> tuple[int | None, ...]:
        """Shape with the batch dimension."""
        return self._batch_shape

    @property
    def dtype(self) -> str:
        """Dtype of the input."""
        return self._dtype

    @property
    def sparse(self) -> bool:
        """Always False."""
        return False

    @property
    def ragged(self) -> bool:
        """Always False."""
        return False

    def get_config(self) -> dict[str, Any]:
        return {
            "batch_shape": self.batch_shape,
            "dtype": self.dtype,
            "sparse": False,
            "ragged": False,
            "name": self.name,
            "optional": self.optional,
        }


def _check_agreement(
    tensor: KerasTensor, shape: Any, batch_size: Any, batch_shape: Any, dtype: Any
) -> None:
    if batch_size is not None and tensor.shape[0] != batch_size:
        raise ValueError(
            "When providing the `input_tensor` argument, you cannot provide an incompatible "
            f"`batch_size` argument. Received: batch_size={batch_size}, "
            f"input_tensor.shape={tensor.shape}"
        )
    if shape is not None and standardize_shape(shape) != tensor.shape[1:]:
        raise ValueError(
            "When providing the `input_tensor` argument, you cannot provide an incompatible "
            f"`shape` argument. Received: shape={shape}, input_tensor.shape={tensor.shape}"
        )
    if batch_shape is not None and standardize_shape(batch_shape) != tensor.shape:
        raise ValueError(
            "When providing the `input_tensor` argument, you cannot provide an incompatible "
            f"`batch_shape` argument. Received: batch_shape={batch_shape}, "
            f"input_tensor.shape={tensor.shape}"
        )
    if dtype is not None and standardize_dtype(dtype) != tensor.dtype:
        raise ValueError(
            "When providing the `input_tensor` argument, you cannot provide an incompatible "
            f"`dtype` argument. Received: dtype={dtype}, input_tensor.dtype={tensor.dtype}"
        )


def Input(
    shape: Any = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: Any = None,
    name: str | None = None,
    tensor: Any = None,
    optional: bool = False,
) -> Any:
    """Returns the KerasTensor that a functional model begins with.

    Args:
        shape: Shape without the batch dimension, `None` for unknown dimensions.
        batch_size: Batch size, if it is fixed.
        dtype: Dtype; by default `keras.config.floatx()`.
        sparse: Not supported: must be False.
        ragged: Not supported: must be False.
        batch_shape: Shape with the batch dimension, in place of `shape` and `batch_size`.
        name: Name of the input.
        tensor: KerasTensor to use as the input.
        optional: Whether the input may be None.

    Returns:
        A KerasTensor.

    Example:

    >>> import pronghorn as keras
    >>> x = keras.Input(shape=(32,))
    >>> y = keras.layers.Dense(16, activation="softmax")(x)
    >>> keras.Model(x, y).output_shape
    (None, 16)
    """
    layer = InputLayer(
        shape=shape,
        batch_size=batch_size,
        dtype=dtype,
        sparse=sparse,
        ragged=ragged,
        batch_shape=batch_shape,
        input_tensor=tensor,
        optional=optional,
        name=name,
    )
    return layer.output
