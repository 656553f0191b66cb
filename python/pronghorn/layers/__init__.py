"""The public namespace `pronghorn.layers`: all layers, and merging layers as functions."""

from __future__ import annotations

from pronghorn.layers.activations.activation import Activation
from pronghorn.layers.activations.elu import ELU
from pronghorn.layers.activations.leaky_relu import LeakyReLU
from pronghorn.layers.activations.prelu import PReLU
from pronghorn.layers.activations.relu import ReLU
from pronghorn.layers.activations.softmax import Softmax
from pronghorn.layers.attention.additive_attention import AdditiveAttention
from pronghorn.layers.attention.attention import Attention
from pronghorn.layers.attention.group_query_attention import (
    GroupedQueryAttention as GroupQueryAttention,
)
from pronghorn.layers.attention.multi_head_attention import MultiHeadAttention
from pronghorn.layers.convolutional.conv1d import Conv1D
from pronghorn.layers.convolutional.conv1d_transpose import Conv1DTranspose
from pronghorn.layers.convolutional.conv2d import Conv2D
from pronghorn.layers.convolutional.conv2d_transpose import Conv2DTranspose
from pronghorn.layers.convolutional.conv3d import Conv3D
from pronghorn.layers.convolutional.conv3d_transpose import Conv3DTranspose
from pronghorn.layers.convolutional.depthwise_conv1d import DepthwiseConv1D
from pronghorn.layers.convolutional.depthwise_conv2d import DepthwiseConv2D
from pronghorn.layers.convolutional.separable_conv1d import SeparableConv1D
from pronghorn.layers.convolutional.separable_conv2d import SeparableConv2D
from pronghorn.layers.core.dense import Dense
from pronghorn.layers.core.einsum_dense import EinsumDense
from pronghorn.layers.core.embedding import Embedding
from pronghorn.layers.core.identity import Identity
from pronghorn.layers.core.input_layer import Input, InputLayer
from pronghorn.layers.core.lambda_layer import Lambda
from pronghorn.layers.core.masking import Masking
from pronghorn.layers.core.reversible_embedding import ReversibleEmbedding
from pronghorn.layers.core.wrapper import Wrapper
from pronghorn.layers.image_preprocessing.aug_mix import AugMix
from pronghorn.layers.image_preprocessing.auto_contrast import AutoContrast
from pronghorn.layers.image_preprocessing.center_crop import CenterCrop
from pronghorn.layers.image_preprocessing.cut_mix import CutMix
from pronghorn.layers.image_preprocessing.equalization import Equalization
from pronghorn.layers.image_preprocessing.mix_up import MixUp
from pronghorn.layers.image_preprocessing.pipeline import Pipeline
from pronghorn.layers.image_preprocessing.rand_augment import RandAugment
from pronghorn.layers.image_preprocessing.random_brightness import RandomBrightness
from pronghorn.layers.image_preprocessing.random_color_degeneration import RandomColorDegeneration
from pronghorn.layers.image_preprocessing.random_color_jitter import RandomColorJitter
from pronghorn.layers.image_preprocessing.random_contrast import RandomContrast
from pronghorn.layers.image_preprocessing.random_crop import RandomCrop
from pronghorn.layers.image_preprocessing.random_elastic_transform import RandomElasticTransform
from pronghorn.layers.image_preprocessing.random_erasing import RandomErasing
from pronghorn.layers.image_preprocessing.random_flip import RandomFlip
from pronghorn.layers.image_preprocessing.random_gaussian_blur import RandomGaussianBlur
from pronghorn.layers.image_preprocessing.random_grayscale import RandomGrayscale
from pronghorn.layers.image_preprocessing.random_hue import RandomHue
from pronghorn.layers.image_preprocessing.random_invert import RandomInvert
from pronghorn.layers.image_preprocessing.random_perspective import RandomPerspective
from pronghorn.layers.image_preprocessing.random_posterization import RandomPosterization
from pronghorn.layers.image_preprocessing.random_rotation import RandomRotation
from pronghorn.layers.image_preprocessing.random_saturation import RandomSaturation
from pronghorn.layers.image_preprocessing.random_sharpness import RandomSharpness
from pronghorn.layers.image_preprocessing.random_shear import RandomShear
from pronghorn.layers.image_preprocessing.random_translation import RandomTranslation
from pronghorn.layers.image_preprocessing.random_zoom import RandomZoom
from pronghorn.layers.image_preprocessing.resizing import Resizing
from pronghorn.layers.image_preprocessing.solarization import Solarization
from pronghorn.layers.input_spec import InputSpec
from pronghorn.layers.layer import Layer
from pronghorn.layers.merging.add import Add, add
from pronghorn.layers.merging.average import Average, average
from pronghorn.layers.merging.concatenate import Concatenate, concatenate
from pronghorn.layers.merging.dot import Dot, dot
from pronghorn.layers.merging.maximum import Maximum, maximum
from pronghorn.layers.merging.minimum import Minimum, minimum
from pronghorn.layers.merging.multiply import Multiply, multiply
from pronghorn.layers.merging.subtract import Subtract, subtract
from pronghorn.layers.normalization.batch_normalization import BatchNormalization
from pronghorn.layers.normalization.group_normalization import GroupNormalization
from pronghorn.layers.normalization.layer_normalization import LayerNormalization
from pronghorn.layers.normalization.rms_normalization import RMSNormalization
from pronghorn.layers.normalization.spectral_normalization import SpectralNormalization
from pronghorn.layers.normalization.unit_normalization import UnitNormalization
from pronghorn.layers.pooling.adaptive_average_pooling1d import AdaptiveAveragePooling1D
from pronghorn.layers.pooling.adaptive_average_pooling2d import AdaptiveAveragePooling2D
from pronghorn.layers.pooling.adaptive_average_pooling3d import AdaptiveAveragePooling3D
from pronghorn.layers.pooling.adaptive_max_pooling1d import AdaptiveMaxPooling1D
from pronghorn.layers.pooling.adaptive_max_pooling2d import AdaptiveMaxPooling2D
from pronghorn.layers.pooling.adaptive_max_pooling3d import AdaptiveMaxPooling3D
from pronghorn.layers.pooling.average_pooling1d import AveragePooling1D
from pronghorn.layers.pooling.average_pooling2d import AveragePooling2D
from pronghorn.layers.pooling.average_pooling3d import AveragePooling3D
from pronghorn.layers.pooling.global_average_pooling1d import GlobalAveragePooling1D
from pronghorn.layers.pooling.global_average_pooling2d import GlobalAveragePooling2D
from pronghorn.layers.pooling.global_average_pooling3d import GlobalAveragePooling3D
from pronghorn.layers.pooling.global_max_pooling1d import GlobalMaxPooling1D
from pronghorn.layers.pooling.global_max_pooling2d import GlobalMaxPooling2D
from pronghorn.layers.pooling.global_max_pooling3d import GlobalMaxPooling3D
from pronghorn.layers.pooling.max_pooling1d import MaxPooling1D
from pronghorn.layers.pooling.max_pooling2d import MaxPooling2D
from pronghorn.layers.pooling.max_pooling3d import MaxPooling3D
from pronghorn.layers.preprocessing.category_encoding import CategoryEncoding
from pronghorn.layers.preprocessing.discretization import Discretization
from pronghorn.layers.preprocessing.hashed_crossing import HashedCrossing
from pronghorn.layers.preprocessing.hashing import Hashing
from pronghorn.layers.preprocessing.integer_lookup import IntegerLookup
from pronghorn.layers.preprocessing.mel_spectrogram import MelSpectrogram
from pronghorn.layers.preprocessing.normalization import Normalization
from pronghorn.layers.preprocessing.rescaling import Rescaling
from pronghorn.layers.preprocessing.stft_spectrogram import STFTSpectrogram
from pronghorn.layers.preprocessing.string_lookup import StringLookup
from pronghorn.layers.preprocessing.text_vectorization import TextVectorization
from pronghorn.layers.regularization.activity_regularization import ActivityRegularization
from pronghorn.layers.regularization.alpha_dropout import AlphaDropout
from pronghorn.layers.regularization.dropout import Dropout
from pronghorn.layers.regularization.gaussian_dropout import GaussianDropout
from pronghorn.layers.regularization.gaussian_noise import GaussianNoise
from pronghorn.layers.regularization.spatial_dropout1d import SpatialDropout1D
from pronghorn.layers.regularization.spatial_dropout2d import SpatialDropout2D
from pronghorn.layers.regularization.spatial_dropout3d import SpatialDropout3D
from pronghorn.layers.reshaping.cropping1d import Cropping1D
from pronghorn.layers.reshaping.cropping2d import Cropping2D
from pronghorn.layers.reshaping.cropping3d import Cropping3D
from pronghorn.layers.reshaping.flatten import Flatten
from pronghorn.layers.reshaping.permute import Permute
from pronghorn.layers.reshaping.repeat_vector import RepeatVector
from pronghorn.layers.reshaping.reshape import Reshape
from pronghorn.layers.reshaping.up_sampling1d import UpSampling1D
from pronghorn.layers.reshaping.up_sampling2d import UpSampling2D
from pronghorn.layers.reshaping.up_sampling3d import UpSampling3D
from pronghorn.layers.reshaping.zero_padding1d import ZeroPadding1D
from pronghorn.layers.reshaping.zero_padding2d import ZeroPadding2D
from pronghorn.layers.reshaping.zero_padding3d import ZeroPadding3D
from pronghorn.layers.rnn.bidirectional import Bidirectional
from pronghorn.layers.rnn.conv_lstm1d import ConvLSTM1D
from pronghorn.layers.rnn.conv_lstm2d import ConvLSTM2D
from pronghorn.layers.rnn.conv_lstm3d import ConvLSTM3D
from pronghorn.layers.rnn.gru import GRU
from pronghorn.layers.rnn.gru_cell import GRUCell
from pronghorn.layers.rnn.lstm import LSTM
from pronghorn.layers.rnn.lstm_cell import LSTMCell
from pronghorn.layers.rnn.rnn import RNN
from pronghorn.layers.rnn.simple_rnn import SimpleRNN
from pronghorn.layers.rnn.simple_rnn_cell import SimpleRNNCell
from pronghorn.layers.rnn.stacked_rnn_cells import StackedRNNCells
from pronghorn.layers.rnn.time_distributed import TimeDistributed
from pronghorn.layers.serialization import deserialize, serialize

# Keras's other names of the same classes.
AvgPool1D = AveragePooling1D
AvgPool2D = AveragePooling2D
AvgPool3D = AveragePooling3D
Convolution1D = Conv1D
Convolution1DTranspose = Conv1DTranspose
Convolution2D = Conv2D
Convolution2DTranspose = Conv2DTranspose
Convolution3D = Conv3D
Convolution3DTranspose = Conv3DTranspose
GlobalAvgPool1D = GlobalAveragePooling1D
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalAvgPool3D = GlobalAveragePooling3D
GlobalMaxPool1D = GlobalMaxPooling1D
GlobalMaxPool2D = GlobalMaxPooling2D
GlobalMaxPool3D = GlobalMaxPooling3D
MaxPool1D = MaxPooling1D
MaxPool2D = MaxPooling2D
MaxPool3D = MaxPooling3D
SeparableConvolution1D = SeparableConv1D
SeparableConvolution2D = SeparableConv2D

__all__ = [
    "Activation",
    "ActivityRegularization",
    "AdaptiveAveragePooling1D",
    "AdaptiveAveragePooling2D",
    "AdaptiveAveragePooling3D",
    "AdaptiveMaxPooling1D",
    "AdaptiveMaxPooling2D",
    "AdaptiveMaxPooling3D",
    "Add",
    "AdditiveAttention",
    "AlphaDropout",
    "Attention",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "AvgPool1D",
    "AvgPool2D",
    "AvgPool3D",
    "BatchNormalization",
    "Bidirectional",
    "CategoryEncoding",
    "Concatenate",
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "ConvLSTM1D",
    "ConvLSTM2D",
    "ConvLSTM3D",
    "Convolution1D",
    "Convolution1DTranspose",
    "Convolution2D",
    "Convolution2DTranspose",
    "Convolution3D",
    "Convolution3DTranspose",
    "Cropping1D",
    "Cropping2D",
    "Cropping3D",
    "Dense",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "Discretization",
    "Dot",
    "Dropout",
    "ELU",
    "EinsumDense",
    "Embedding",
    "Flatten",
    "GRU",
    "GRUCell",
    "GaussianDropout",
    "GaussianNoise",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAveragePooling3D",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalAvgPool3D",
    "GlobalMaxPool1D",
    "GlobalMaxPool2D",
    "GlobalMaxPool3D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GlobalMaxPooling3D",
    "GroupNormalization",
    "GroupQueryAttention",
    "HashedCrossing",
    "Hashing",
    "Identity",
    "Input",
    "InputLayer",
    "InputSpec",
    "IntegerLookup",
    "LSTM",
    "LSTMCell",
    "Lambda",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "Masking",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPool3D",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
    "Maximum",
    "Minimum",
    "MultiHeadAttention",
    "Multiply",
    "Normalization",
    "PReLU",
    "Permute",
    "RMSNormalization",
    "RNN",
    "ReLU",
    "RepeatVector",
    "MelSpectrogram",
    "Rescaling",
    "STFTSpectrogram",
    "Reshape",
    "ReversibleEmbedding",
    "SeparableConv1D",
    "SeparableConv2D",
    "SeparableConvolution1D",
    "SeparableConvolution2D",
    "SimpleRNN",
    "SimpleRNNCell",
    "Softmax",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "SpectralNormalization",
    "StackedRNNCells",
    "StringLookup",
    "Subtract",
    "TextVectorization",
    "TimeDistributed",
    "UnitNormalization",
    "UpSampling1D",
    "UpSampling2D",
    "UpSampling3D",
    "Wrapper",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "ZeroPadding3D",
    "add",
    "average",
    "concatenate",
    "deserialize",
    "dot",
    "maximum",
    "minimum",
    "multiply",
    "serialize",
    "subtract",
    "AugMix",
    "AutoContrast",
    "CenterCrop",
    "CutMix",
    "Equalization",
    "MixUp",
    "Pipeline",
    "RandAugment",
    "RandomBrightness",
    "RandomColorDegeneration",
    "RandomColorJitter",
    "RandomContrast",
    "RandomCrop",
    "RandomElasticTransform",
    "RandomErasing",
    "RandomFlip",
    "RandomGaussianBlur",
    "RandomGrayscale",
    "RandomHue",
    "RandomInvert",
    "RandomPerspective",
    "RandomPosterization",
    "RandomRotation",
    "RandomSaturation",
    "RandomSharpness",
    "RandomShear",
    "RandomTranslation",
    "RandomZoom",
    "Resizing",
    "Solarization",
]
