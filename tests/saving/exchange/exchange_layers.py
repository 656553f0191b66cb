"""A model for each layer of the library; several where its arguments make other weights."""

from __future__ import annotations

from typing import Any

import numpy as np
from exchange_case import ExchangeCase

# Class, arguments (functions are called with the library), shapes of the inputs without the batch,
# and what differs from the usual case: "integers" (inputs from 0 to below it), "call" (arguments of
# the call), "trained", "spec" (name of the case after the class).
ROWS: list[tuple[Any, ...]] = []


def row(layer: str, args: dict[str, Any], *shapes: tuple[int, ...], **options: Any) -> None:
    ROWS.append((layer, args, shapes, options))


MAP = (6, 5, 3)
FIRST = {"data_format": "channels_first"}
REGULARIZED = {
    "kernel_regularizer": lambda k: k.regularizers.L1L2(0.01, 0.02),
    "bias_regularizer": "l2",
    "activity_regularizer": lambda k: k.regularizers.L2(0.01),
    "kernel_constraint": lambda k: k.constraints.MaxNorm(0.7),
    "kernel_initializer": lambda k: k.initializers.HeNormal(seed=3),
}

# Core.
row("Dense", {"units": 4, "activation": "gelu", **REGULARIZED}, (5,))
row("Dense", {"units": 4, "use_bias": False, "trainable": False}, (3, 5), case="frozen")
row("Dense", {"units": 4, "dtype": "mixed_bfloat16"}, (3, 5), case="mixed", trained=False)
row("Dense", {"units": 4, "lora_rank": 2}, (3, 5), case="lora")
row("EinsumDense", {"equation": "abc,cd->abd", "output_shape": (None, 4), "bias_axes": "d"}, (3, 5))
row(
    "EinsumDense",
    {"equation": "abc,cd->abd", "output_shape": (None, 4), "lora_rank": 2},
    (3, 5),
    case="lora",
)
row("Embedding", {"input_dim": 7, "output_dim": 3}, (5,), integers=7)
row("Embedding", {"input_dim": 7, "output_dim": 3, "lora_rank": 2}, (5,), integers=7, case="lora")
row("ReversibleEmbedding", {"input_dim": 7, "output_dim": 3}, (5,), integers=7)
row(
    "ReversibleEmbedding",
    {"input_dim": 7, "output_dim": 3, "tie_weights": False},
    (5,),
    integers=7,
    trained=False,
    case="untied",
)
row("Identity", {}, (4,))
row("InputLayer", {}, (4,))
row("Masking", {"mask_value": 0.5}, (4, 3))
row("Activation", {"activation": "softplus"}, (4,))
row("ELU", {"alpha": 0.3}, (4,))
row("LeakyReLU", {"negative_slope": 0.2}, (4,))
row("PReLU", {"shared_axes": [1]}, (4, 3))
row("ReLU", {"max_value": 1.0, "negative_slope": 0.1, "threshold": 0.2}, (4,))
row("Softmax", {"axis": -2}, (4, 3))

# Convolutions.
row("Conv1D", {"filters": 4, "kernel_size": 3, "padding": "causal", "dilation_rate": 2}, (8, 3))
row("Conv1D", {"filters": 4, "kernel_size": 3, "lora_rank": 2}, (8, 3), case="lora")
row("Conv1DTranspose", {"filters": 4, "kernel_size": 3, "strides": 2, "output_padding": 1}, (5, 3))
row("Conv2D", {"filters": 4, "kernel_size": (3, 2), "padding": "same", **REGULARIZED}, MAP)
row("Conv2D", {"filters": 4, "kernel_size": 2, "groups": 2, "strides": 2}, (6, 5, 4), case="groups")
row("Conv2DTranspose", {"filters": 4, "kernel_size": 3, "strides": 2, "padding": "same"}, MAP)
row("Conv3D", {"filters": 4, "kernel_size": 2, "strides": (1, 2, 1)}, (4, 4, 3, 2))
row("Conv3DTranspose", {"filters": 2, "kernel_size": 2, "strides": 2}, (3, 2, 3, 2))
row("DepthwiseConv1D", {"kernel_size": 3, "depth_multiplier": 2}, (7, 3))
row("DepthwiseConv2D", {"kernel_size": 3, "depth_multiplier": 2, "padding": "same"}, MAP)
row("SeparableConv1D", {"filters": 4, "kernel_size": 3, "depth_multiplier": 2}, (7, 3))
row("SeparableConv2D", {"filters": 4, "kernel_size": 3, "padding": "same"}, MAP)

# Pooling.
for n, shape in ((1, (7, 2)), (2, (7, 6, 2)), (3, (4, 5, 6, 2))):
    for kind in ("Max", "Average"):
        row(f"{kind}Pooling{n}D", {"pool_size": 2, "strides": 1, "padding": "same"}, shape)
        row(f"Global{kind}Pooling{n}D", {"keepdims": True}, shape)
        row(f"Adaptive{kind}Pooling{n}D", {"output_size": 2}, shape)
    row(f"Cropping{n}D", {"cropping": ((1, 0),) * n if n > 1 else (1, 0)}, shape)
    row(f"UpSampling{n}D", {"size": (2,) * n if n > 1 else 2}, shape)
    row(f"ZeroPadding{n}D", {"padding": ((1, 0),) * n if n > 1 else (1, 0)}, shape)
    row(f"SpatialDropout{n}D", {"rate": 0.3, "seed": 4}, shape)
row("UpSampling2D", {"size": 2, "interpolation": "bilinear"}, MAP, case="bilinear")

# Merging.
for kind in ("Add", "Average", "Maximum", "Minimum", "Multiply"):
    row(kind, {}, (3, 4), (3, 4), (1, 4))
row("Subtract", {}, (3, 4), (3, 4))
row("Concatenate", {"axis": 1}, (3, 4), (2, 4))
row("Dot", {"axes": (1, 2), "normalize": True}, (3, 4), (5, 3))

# Normalization.
row("BatchNormalization", {"momentum": 0.8}, MAP)
row("BatchNormalization", {"axis": 1, "scale": False}, MAP, case="axis")
row("BatchNormalization", {"renorm": True}, (4,), case="renorm")
row("GroupNormalization", {"groups": 2}, (5, 4))
row("LayerNormalization", {"axis": [1, 2]}, (5, 4))
row("RMSNormalization", {}, (5, 4))
row("UnitNormalization", {"axis": 1}, (5, 4))
row("SpectralNormalization", {"layer": lambda k: k.layers.Dense(3), "power_iterations": 2}, (5,))
row(
    "SpectralNormalization",
    {"layer": lambda k: k.layers.Conv2D(3, 2)},
    MAP,
    case="convolution",
)

# Reshaping.
row("Flatten", {}, MAP)
row("Flatten", FIRST, MAP, case="first")
row("Permute", {"dims": (2, 1, 3)}, MAP)
row("RepeatVector", {"n": 3}, (4,))
row("Reshape", {"target_shape": (-1, 2)}, (4, 3))

# Regularization: their random numbers are the library's own, so steps are not compared.
row("ActivityRegularization", {"l1": 0.1, "l2": 0.2}, (4,))
row("AlphaDropout", {"rate": 0.3, "noise_shape": (None, 1), "seed": 1}, (4,))
row("Dropout", {"rate": 0.3, "noise_shape": (None, 1), "seed": 1}, (4,))
row("GaussianDropout", {"rate": 0.3, "seed": 1}, (4,))
row("GaussianNoise", {"stddev": 0.3}, (4,))

# Attention.
row("AdditiveAttention", {"use_scale": True}, (4, 3), (5, 3))
row("Attention", {"use_scale": True, "score_mode": "concat"}, (4, 3), (5, 3))
row("Attention", {"score_mode": "dot"}, (4, 3), (5, 3), (5, 3), trained=False, case="values")
HEADS = {"num_heads": 2, "key_dim": 3}
row("MultiHeadAttention", HEADS, (4, 6), (5, 6), calls=True)
row(
    "MultiHeadAttention",
    {**HEADS, "value_dim": 4, "output_shape": 7, "use_bias": False},
    (4, 6),
    (5, 6),
    calls=True,
    case="values",
)
row(
    "MultiHeadAttention",
    {**HEADS, "attention_axes": (1, 2), "kernel_regularizer": "l2"},
    (2, 3, 6),
    (2, 3, 6),
    calls=True,
    case="axes",
)
row(
    "MultiHeadAttention",
    HEADS,
    (4, 6),
    (5, 6),
    calls=True,
    call={"return_attention_scores": True, "use_causal_mask": True},
    trained=False,
    case="scores",
)
row(
    "GroupQueryAttention",
    {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2},
    (4, 6),
    (5, 6),
    calls=True,
)

# Recurrent.
row("SimpleRNN", {"units": 3, "return_sequences": True}, (4, 5))
row("LSTM", {"units": 3, "unit_forget_bias": False, "go_backwards": True}, (4, 5))
row("LSTM", {"units": 3, "return_state": True, "return_sequences": True}, (4, 5), case="state")
row("GRU", {"units": 3, "recurrent_regularizer": "l2"}, (4, 5))
row("GRU", {"units": 3, "reset_after": False}, (4, 5), case="before")
row("SimpleRNNCell", {"units": 3}, (4, 5), cell=True)
row("LSTMCell", {"units": 3}, (4, 5), cell=True)
row("GRUCell", {"units": 3}, (4, 5), cell=True)
row(
    "StackedRNNCells",
    {"cells": lambda k: [k.layers.LSTMCell(3), k.layers.GRUCell(2), k.layers.SimpleRNNCell(4)]},
    (4, 5),
    cell=True,
)
row("RNN", {"cell": lambda k: k.layers.GRUCell(3), "return_sequences": True}, (4, 5))
row(
    "RNN",
    {"cell": lambda k: [k.layers.GRUCell(3), k.layers.LSTMCell(2)], "unroll": True},
    (4, 5),
    case="cells",
)
row("Bidirectional", {"layer": lambda k: k.layers.LSTM(3, return_sequences=True)}, (4, 5))
row(
    "Bidirectional",
    {
        "layer": lambda k: k.layers.LSTM(3),
        "merge_mode": "sum",
        "backward_layer": lambda k: k.layers.GRU(3, go_backwards=True),
    },
    (4, 5),
    case="two",
)
row("TimeDistributed", {"layer": lambda k: k.layers.Conv1D(3, 2)}, (4, 6, 2))
row("TimeDistributed", {"layer": lambda k: k.layers.BatchNormalization()}, (4, 6), case="norm")
row("ConvLSTM1D", {"filters": 2, "kernel_size": 3, "padding": "same"}, (3, 5, 2))
row("ConvLSTM2D", {"filters": 2, "kernel_size": 2, "return_sequences": True}, (3, 5, 4, 2))
row("ConvLSTM3D", {"filters": 2, "kernel_size": 2}, (2, 3, 3, 3, 2))
row("Wrapper", {"layer": lambda k: k.layers.Dense(3)}, (4,), wrapper=True)

# Preprocessing.
row("CategoryEncoding", {"num_tokens": 6, "output_mode": "count"}, (4,), integers=6)
row("Discretization", {"bin_boundaries": [-0.5, 0.0, 0.7]}, (4,))
row("IntegerLookup", {"vocabulary": [5, 2, 9]}, (4,), integers=10)
row(
    "IntegerLookup",
    {"vocabulary": [5, 2, 9], "idf_weights": [0.5, 1.5, 2.0], "output_mode": "tf_idf"},
    (4,),
    integers=10,
    case="tf_idf",
)
row("MelSpectrogram", {"fft_length": 32, "num_mel_bins": 5, "sequence_stride": 16}, (128,))
row("Normalization", {"mean": [1.0, 2.0, 3.0], "variance": [0.5, 1.0, 2.0]}, (3,))
row("Normalization", {}, (2, 3), adapted=True, case="adapted")
row("Discretization", {"num_bins": 4}, (3,), adapted=True, case="adapted")
row("Rescaling", {"scale": 0.1, "offset": -0.5}, (4,))
row("STFTSpectrogram", {"frame_length": 16, "frame_step": 8, "fft_length": 16}, (64, 1))

# Images; in inference most of them leave images alone.
IMAGE = (8, 9, 3)
for layer, args in {
    "AugMix": {},
    "AutoContrast": {"value_range": (0, 1)},
    "CenterCrop": {"height": 5, "width": 6},
    "CutMix": {"factor": 0.5},
    "MixUp": {"alpha": 0.3},
    "RandAugment": {"value_range": (0, 1)},
    "RandomBrightness": {"factor": 0.2},
    "RandomColorDegeneration": {"factor": 0.2},
    "RandomColorJitter": {"brightness_factor": 0.2, "value_range": (0, 1)},
    "RandomContrast": {"factor": 0.2},
    "RandomCrop": {"height": 8, "width": 9, "seed": 3},
    "RandomElasticTransform": {},
    "RandomErasing": {},
    "RandomFlip": {"mode": "horizontal", "seed": 2},
    "RandomGaussianBlur": {},
    "RandomGrayscale": {},
    "RandomHue": {"factor": 0.2},
    "RandomInvert": {},
    "RandomPerspective": {},
    "RandomPosterization": {"factor": 4},
    "RandomRotation": {"factor": 0.2},
    "RandomSaturation": {"factor": 0.2},
    "RandomSharpness": {"factor": 0.2},
    "RandomShear": {"x_factor": 0.2},
    "RandomTranslation": {"height_factor": 0.2, "width_factor": (-0.1, 0.3)},
    "RandomZoom": {"height_factor": 0.2},
    "Resizing": {"height": 5, "width": 4, "interpolation": "bilinear"},
    "Solarization": {"threshold_factor": 0.5, "value_range": (0, 1)},
}.items():
    row(layer, args, IMAGE, images=True)
row(
    "Pipeline",
    {"layers": lambda k: [k.layers.RandomFlip("vertical"), k.layers.Rescaling(0.5)]},
    IMAGE,
    images=True,
)

# Layers that are not exchanged as a layer of a model: base classes, those that are called on data
# before the model, and Equalization, which in Keras returns its input and so makes a cycle.
ELSEWHERE = {
    "Equalization",
    "Layer",
    "Lambda",
    "HashedCrossing",
    "Hashing",
    "StringLookup",
    "TextVectorization",
}


def _case(layer: str, args: dict[str, Any], shapes: Any, options: dict[str, Any]) -> ExchangeCase:
    name = layer + (f"-{options['case']}" if "case" in options else "")

    def inputs() -> Any:
        rng = np.random.default_rng([ord(c) for c in name])
        found = []
        for shape in shapes:
            if "integers" in options:
                found.append(rng.integers(0, options["integers"], (4, *shape)).astype("int32"))
            elif options.get("images"):
                found.append(rng.random((4, *shape)).astype("float32"))
            else:
                found.append(rng.standard_normal((4, *shape)).astype("float32"))
        return found if len(found) > 1 else found[0]

    def make(keras: Any) -> Any:
        given = {k: v(keras) if callable(v) else v for k, v in args.items()}
        dtype = "int32" if "integers" in options else None
        xs = [keras.Input(shape, dtype=dtype) for shape in shapes]
        if layer == "InputLayer":
            first = keras.layers.InputLayer(shape=shapes[0], name="first")
            return keras.Sequential([first, keras.layers.Dense(2)])
        made = getattr(keras.layers, layer)(**given)
        if options.get("cell"):
            made = keras.layers.RNN(made)
        if options.get("adapted"):
            made.adapt(inputs())
        if options.get("wrapper"):
            y = made.layer(xs[0])
        elif options.get("calls"):
            y = made(*xs, **options.get("call", {}))
        else:
            y = made(xs if len(xs) > 1 else xs[0], **options.get("call", {}))
        model = keras.Model(xs if len(xs) > 1 else xs[0], y)
        count = len(y) if isinstance(y, (list, tuple)) else 1
        if model.trainable_weights:
            loss = ["mse"] * count if count > 1 else "mse"
            model.compile(keras.optimizers.SGD(0.05, momentum=0.9), loss)
        return model

    weighted = {"Dense", "EinsumDense", "Embedding", "ReversibleEmbedding", "PReLU"}
    trained = options.get("trained", layer in weighted or layer in _WEIGHTED)
    # Files hold the sum of a kernel and what LoRA adds, so the parts differ after loading.
    # Whether the gradient passes through the normalization of SpectralNormalization depends on the
    # backend of Keras; `tests/golden` compares it on one.
    if options.get("case") in ("frozen", "lora"):
        trained = False
    backend = "tensorflow" if layer in _WITH_TENSORFLOW else None
    left_out = "kernel|embeddings|seed" if options.get("case") == "lora" else "seed"
    unit = 2.0**-8 if options.get("case") == "mixed" else 2.0**-23
    return ExchangeCase(name, make, inputs, trained, backend=backend, unit=unit, left_out=left_out)


_WITH_TENSORFLOW = {"Discretization", "IntegerLookup"}
_WEIGHTED = {
    "Conv1D", "Conv1DTranspose", "Conv2D", "Conv2DTranspose", "Conv3D", "Conv3DTranspose",
    "DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D",
    "BatchNormalization", "GroupNormalization", "LayerNormalization", "RMSNormalization",
    "AdditiveAttention", "Attention", "MultiHeadAttention",
    "GroupQueryAttention", "SimpleRNN", "LSTM", "GRU", "SimpleRNNCell", "LSTMCell", "GRUCell",
    "StackedRNNCells", "RNN", "Bidirectional", "TimeDistributed", "ConvLSTM1D", "ConvLSTM2D",
    "ConvLSTM3D",
}  # fmt: skip
LAYERS = [_case(*r) for r in ROWS]
