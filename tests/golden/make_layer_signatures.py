"""Writes layer_signatures.json: constructor signatures and default configs of Keras 3.15's layers.

Run by hand: `KERAS_BACKEND=jax JAX_PLATFORMS=cpu python tests/golden/make_layer_signatures.py`.
"""

from __future__ import annotations

import inspect
import json
import pathlib
from typing import Any

# The constructor arguments that have no default, for the layers that need some.
ARGUMENTS: dict[str, list[Any]] = {
    "Activation": ["relu"],
    "AdaptiveAveragePooling1D": [3],
    "AdaptiveAveragePooling2D": [3],
    "AdaptiveAveragePooling3D": [3],
    "AdaptiveMaxPooling1D": [3],
    "AdaptiveMaxPooling2D": [3],
    "AdaptiveMaxPooling3D": [3],
    "AlphaDropout": [0.5],
    "AveragePooling1D": [2],
    "AveragePooling2D": [2],
    "AveragePooling3D": [2],
    "AugMix": [],
    "AutoContrast": [],
    "CategoryEncoding": [3],
    "CenterCrop": [3, 4],
    "CutMix": [],
    "Equalization": [],
    "MixUp": [],
    "RandAugment": [],
    "RandomBrightness": [0.5],
    "RandomColorDegeneration": [[0.25, 0.5]],
    "RandomColorJitter": [],
    "RandomContrast": [[0.5, 0.5]],
    "RandomElasticTransform": [],
    "RandomErasing": [],
    "RandomFlip": [],
    "RandomGaussianBlur": [],
    "RandomHue": [0.5],
    "RandomInvert": [],
    "RandomPerspective": [],
    "RandomPosterization": [4],
    "RandomRotation": [0.5],
    "RandomSaturation": [[0.25, 0.5]],
    "RandomSharpness": [0.5],
    "RandomShear": [],
    "RandomTranslation": [0.5, 0.5],
    "RandomZoom": [0.5],
    "Resizing": [3, 4],
    "Solarization": [],
    "ConvLSTM1D": [2, 3],
    "ConvLSTM2D": [2, 3],
    "ConvLSTM3D": [2, 3],
    "Conv1D": [2, 3],
    "Conv2D": [2, 3],
    "Conv3D": [2, 3],
    "Conv1DTranspose": [2, 3],
    "Conv2DTranspose": [2, 3],
    "Conv3DTranspose": [2, 3],
    "Dense": [3],
    "DepthwiseConv1D": [3],
    "DepthwiseConv2D": [3],
    "Discretization": [[0.0, 1.0]],
    "Dot": [1],
    "Dropout": [0.5],
    "EinsumDense": ["ab,bc->ac", 3],
    "Embedding": [3, 2],
    "GRU": [3],
    "GRUCell": [3],
    "GaussianDropout": [0.5],
    "GaussianNoise": [0.5],
    "LSTM": [3],
    "LSTMCell": [3],
    "Permute": [[2, 1]],
    "RepeatVector": [2],
    "Rescaling": [2.0],
    "Reshape": [[2, -1]],
    "SeparableConv1D": [2, 3],
    "SeparableConv2D": [2, 3],
    "SimpleRNN": [3],
    "SimpleRNNCell": [3],
    "SpatialDropout1D": [0.5],
    "SpatialDropout2D": [0.5],
    "SpatialDropout3D": [0.5],
    "ActivityRegularization": [],
    "Add": [],
    "Average": [],
    "BatchNormalization": [],
    "Concatenate": [],
    "Cropping1D": [],
    "Cropping2D": [],
    "Cropping3D": [],
    "ELU": [],
    "Flatten": [],
    "GlobalAveragePooling1D": [],
    "GlobalAveragePooling2D": [],
    "GlobalAveragePooling3D": [],
    "GlobalMaxPooling1D": [],
    "GlobalMaxPooling2D": [],
    "GlobalMaxPooling3D": [],
    "GroupNormalization": [],
    "Identity": [],
    "LayerNormalization": [],
    "LeakyReLU": [],
    "Masking": [],
    "MaxPooling1D": [],
    "MaxPooling2D": [],
    "MaxPooling3D": [],
    "Maximum": [],
    "Minimum": [],
    "Multiply": [],
    "Normalization": [],
    "PReLU": [],
    "RMSNormalization": [],
    "ReLU": [],
    "Softmax": [],
    "Subtract": [],
    "UnitNormalization": [],
    "UpSampling1D": [],
    "UpSampling2D": [],
    "UpSampling3D": [],
    "ZeroPadding1D": [],
    "ZeroPadding2D": [],
    "ZeroPadding3D": [],
}


def describe(layers: Any, saving: Any, name: str) -> Any:
    """Returns signature, serialized form, and two flags of a layer made with its arguments."""
    cls = getattr(layers, name)
    parameters = [
        [p.name, None if p.default is p.empty else repr(p.default)]
        for p in list(inspect.signature(cls.__init__).parameters.values())[1:]
    ]
    layer = cls(*ARGUMENTS[name], name="layer")
    config = json.loads(json.dumps(saving.serialize_keras_object(layer)))
    return [parameters, config, bool(layer.supports_masking), bool(layer.built)]


def main() -> None:
    """Writes the file beside this script."""
    import keras

    found = {name: describe(keras.layers, keras.saving, name) for name in sorted(ARGUMENTS)}
    path = pathlib.Path(__file__).with_name("layer_signatures.json")
    lines = ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in found.items())
    path.write_text("{\n" + lines + "\n}\n")


if __name__ == "__main__":
    main()
