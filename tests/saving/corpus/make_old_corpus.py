"""Writes `.h5` files with Keras 2.0 to 2.3 on Theano, and the outputs that it computes.

Run by hand, once with each version, in an environment of Python 3.11 with `numpy==1.23.5
scipy==1.10.1 h5py==3.8.0 theano-pymc==1.1.2 keras_applications==1.0.8 keras_preprocessing==1.1.2`
and one old Keras (installed with `--no-deps`), with

    KERAS_BACKEND=theano THEANO_FLAGS=cxx=,blas__ldflags=,floatX=float32,optimizer=fast_compile

Names as in `make_corpus.py`. What the layers of cuDNN compute is computed by LSTM and GRU, into
which Keras itself converts the weights: those layers run on GPUs only.
"""

from __future__ import annotations

import collections
import collections.abc
import inspect
import pathlib
import sys
import types
from typing import Any

import numpy as np
import scipy.signal._signaltools
import scipy.signal._sigtools

# What Theano and old Keras import, under the names of their time.
sys.modules["scipy.signal.signaltools"] = scipy.signal._signaltools
sys.modules["scipy.signal.sigtools"] = scipy.signal._sigtools
for _name in ("Iterable", "Callable", "Mapping", "Sequence"):
    setattr(collections, _name, getattr(collections.abc, _name))
_ArgSpec = collections.namedtuple("_ArgSpec", "args varargs keywords defaults")
inspect.getargspec = lambda f: _ArgSpec(*inspect.getfullargspec(f)[:4])  # type: ignore[attr-defined]
import theano.ifelse  # noqa: E402
import theano.sandbox.rng_mrg  # noqa: E402

theano.sandbox.rng_mrg.MRG_RandomStreams = theano.sandbox.rng_mrg.MRG_RandomStream

import keras  # noqa: E402
from keras import layers, models, optimizers  # noqa: E402
from make_corpus import inputs  # noqa: E402

HERE = pathlib.Path(__file__).parent


class Scaled(layers.Layer):
    """A custom layer."""

    def __init__(self, factor: float = 2.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.factor = factor

    def build(self, input_shape: Any) -> None:
        self.scale = self.add_weight(
            shape=(int(input_shape[-1]),), name="scale", initializer="ones"
        )
        super().build(input_shape)

    def call(self, x: Any) -> Any:
        return x * self.scale * self.factor

    def get_config(self) -> Any:
        return {**super().get_config(), "factor": self.factor}


def convolutions() -> Any:
    model = models.Sequential()
    model.add(
        layers.Conv2D(
            4, 3, strides=2, activation="relu", kernel_regularizer="l2", input_shape=(8, 8, 3)
        )
    )
    model.add(layers.BatchNormalization(momentum=0.9))
    model.add(layers.LeakyReLU(0.2))
    model.add(layers.ZeroPadding2D(1))
    model.add(layers.BatchNormalization(scale=False))
    model.add(layers.Dropout(0.3))
    model.add(layers.UpSampling2D(2))
    model.add(layers.Cropping2D(1))
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dense(3, activation="softmax"))
    model.compile(optimizers.Adam(lr=0.02, decay=0.1), "categorical_crossentropy", ["accuracy"])
    return model


def branches() -> Any:
    a, b = layers.Input((5,), name="a"), layers.Input((5,), name="b")
    shared = layers.Dense(4, activation="tanh", name="shared")
    inner_input = layers.Input((4,))
    inner_output = layers.BatchNormalization()(layers.Dense(4)(inner_input))
    inner = models.Model(inner_input, inner_output, name="inner")
    chain = models.Sequential([layers.Dense(4, input_shape=(4,)), layers.ELU()], name="chain")
    x, y = inner(shared(a)), chain(inner(shared(b)))
    both = layers.Concatenate()([x, layers.Multiply()([x, y])])
    frozen = layers.Dense(2, name="frozen", trainable=False)
    model = models.Model([a, b], [layers.Add()([x, y]), frozen(both)])
    optimizer = optimizers.SGD(lr=0.05, momentum=0.9, nesterov=True)
    model.compile(optimizer, ["mse", "mae"], loss_weights=[1.0, 0.5])
    return model


def sequences() -> Any:
    model = models.Sequential()
    model.add(layers.Embedding(11, 4, mask_zero=True, input_length=7))
    model.add(layers.Bidirectional(layers.LSTM(3, return_sequences=True)))
    model.add(layers.GRU(4, return_sequences=True))
    model.add(layers.TimeDistributed(layers.Dense(4, activation="softsign")))
    model.add(layers.SimpleRNN(3, go_backwards=True))
    model.add(layers.Dense(1, activation="hard_sigmoid"))
    model.compile(optimizers.RMSprop(lr=0.01), "binary_crossentropy")
    return model


def stateful() -> Any:
    model = models.Sequential()
    model.add(layers.Masking(0.0, batch_input_shape=(3, 6, 4)))
    model.add(layers.LSTM(3, stateful=True, unit_forget_bias=False, return_sequences=True))
    model.add(layers.GRU(2, stateful=True, implementation=2))
    model.compile("adagrad", "mse")
    return model


def frames() -> Any:
    model = models.Sequential()
    model.add(layers.BatchNormalization(center=False, input_shape=(3, 5, 5, 2)))
    model.add(layers.TimeDistributed(layers.Flatten()))
    model.add(layers.Conv1D(25, 2, activation="selu"))
    model.add(layers.Permute((2, 1)))
    model.add(layers.Reshape((10, 5)))
    model.add(layers.GlobalMaxPooling1D())
    model.add(layers.ActivityRegularization(l1=0.01))
    model.add(layers.RepeatVector(2))
    model.add(layers.GaussianNoise(0.5))
    model.compile("adamax", "mse")
    return model


def custom() -> Any:
    model = models.Sequential([layers.Dense(3, input_shape=(5,)), Scaled(1.5, name="scaled")])
    model.compile("nadam", "mse")
    return model


def lambdas() -> Any:
    return models.Sequential([layers.Dense(3, input_shape=(5,)), layers.Lambda(lambda x: x * 2)])


def cudnn(fast: bool = True) -> Any:
    """A model of cuDNN's layers, or of LSTM and GRU in the same places."""
    extra: dict[str, Any] = {} if fast else {"recurrent_activation": "sigmoid"}
    lstm = layers.CuDNNLSTM if fast else layers.LSTM
    gru = layers.CuDNNGRU if fast else layers.GRU
    after = {} if fast else {"reset_after": True}
    model = models.Sequential()
    model.add(lstm(3, return_sequences=True, input_shape=(6, 4), name="first", **extra))
    model.add(layers.Bidirectional(gru(2, return_sequences=True, **extra, **after), name="both"))
    model.add(layers.Bidirectional(lstm(2, **extra), name="last"))
    model.add(layers.Dense(2, name="out"))
    return model


def stub_cudnn() -> None:
    """Lets cuDNN's layers be made without a GPU; they compute nothing."""
    from keras import backend as K
    from keras.layers import cudnn_recurrent

    class Nothing:
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            pass

    ops = types.ModuleType("tensorflow.contrib.cudnn_rnn.python.ops")
    ops.cudnn_rnn_ops = types.SimpleNamespace(CudnnLSTM=Nothing, CudnnGRU=Nothing)  # type: ignore[attr-defined]
    sys.modules[ops.__name__] = ops
    backend = types.SimpleNamespace(**{k: getattr(K, k) for k in dir(K)})
    backend.backend = lambda: "tensorflow"
    cudnn_recurrent.K = backend

    def process(self: Any, inputs: Any, initial_state: Any) -> Any:
        steps = K.zeros((1, 1, self.units)) + K.sum(inputs, -1, keepdims=True)
        return (steps if self.return_sequences else steps[:, 0]), initial_state

    for cls in (cudnn_recurrent.CuDNNLSTM, cudnn_recurrent.CuDNNGRU):
        cls._process_batch = process


def fill(model: Any) -> None:
    rng = np.random.RandomState(3)
    weights = [rng.uniform(0.1, 0.9, np.shape(w)).astype("float32") for w in model.get_weights()]
    model.set_weights([w - 0.5 if w.ndim > 1 else w for w in weights])


def main() -> None:
    version = keras.__version__
    outputs: dict[str, np.ndarray] = {}

    def record(name: str, found: Any) -> None:
        for i, y in enumerate(found if isinstance(found, list) else [found]):
            outputs[f"{name}/{i}"] = np.asarray(y)

    for make in (convolutions, branches, sequences, stateful, frames, custom):
        name = make.__name__
        model = make()
        fill(model)
        x = inputs(name)
        if name not in ("convolutions", "frames"):  # gradients of convolutions need a C++ compiler
            shapes = model.output_shape
            shapes = shapes if isinstance(shapes, list) else [shapes]
            # The optimizer has its state from here on.
            model.train_on_batch(x, [np.ones((len(x[0]), *shape[1:])) for shape in shapes])
        if name == "stateful":
            model.reset_states()
        record(name, model.predict(x, batch_size=3))
        for i, w in enumerate(model.optimizer.get_weights()):
            outputs[f"{name}/optimizer/{i}"] = w
        model.save(str(HERE / f"{name}-{version}.h5"))
        if name == "branches":
            model.save_weights(str(HERE / f"{name}_weights-{version}.h5"))
    lambdas().save(str(HERE / f"lambdas-{version}.h5"))
    if version >= "2.2":
        stub_cudnn()
        fast = cudnn()
        fill(fast)
        fast.save(str(HERE / f"cudnn-{version}.h5"))
        slow = cudnn(fast=False)
        from keras.engine.saving import preprocess_weights_for_loading as converted

        for to, layer in zip(slow.layers, fast.layers):
            to.set_weights(converted(to, layer.get_weights(), version, "theano"))
        record("cudnn", slow.predict(inputs("cudnn")))
    np.savez_compressed(HERE / f"outputs-{version}.npz", **outputs)


if __name__ == "__main__":
    main()
