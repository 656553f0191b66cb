"""Files of many versions of Keras: they load, and the models compute what they did there."""

from __future__ import annotations

import contextlib
import importlib.util
import pathlib
import tarfile

import numpy as np
import pytest

import pronghorn as keras

h5py = pytest.importorskip("h5py")
CORPUS = pathlib.Path(__file__).parent / "corpus"
with tarfile.open(CORPUS / "files.tar.xz") as _archive:
    FILES = [n for n in _archive.getnames() if not n.endswith(".npz")]
REFUSED = [n for n in FILES if n.startswith(("lambdas", "time_major"))]
WEIGHTS = [n for n in FILES if n.startswith("branches_weights")]
OPTIMIZERS = [n for n in FILES if n.startswith("optimizer_")]
NAMES = [n for n in FILES if n not in (*REFUSED, *WEIGHTS, *OPTIMIZERS)]


class Scaled(keras.layers.Layer):
    """The custom layer of some files."""

    def __init__(self, factor=2.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def build(self, input_shape):
        self.scale = self.add_weight(shape=(input_shape[-1],), name="scale")

    def call(self, x):
        return x * self.scale * self.factor


def _inputs(name):
    spec = importlib.util.spec_from_file_location("make_corpus", CORPUS / "make_corpus.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.inputs(name)


def _split(name):
    """Returns the name of the model and the version of Keras."""
    model, _, rest = name.partition("-")
    return model, ".".join(rest.split(".")[:3])


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    with tarfile.open(CORPUS / "files.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return folder


def _warned(path):
    # Keras 3.0 and 3.1 counted the weights of a layer that is not trained to those that are.
    name, version = _split(path.name)
    if name.startswith("branches") and version in ("3.0.5", "3.1.1"):
        return pytest.warns(UserWarning, match="starts anew: expected 8 variables, the file has 10")
    return contextlib.nullcontext()


def _load(path):
    with _warned(path):
        return keras.saving.load_model(path, custom_objects={"Scaled": Scaled})


def _check_outputs(model, name, version, files) -> None:
    x = _inputs(name)
    found = model.predict(x if len(x) > 1 else x[0], batch_size=3)
    with np.load(files / f"outputs-{version}.npz") as expected:
        for i, y in enumerate(found if isinstance(found, (list, tuple)) else [found]):
            np.testing.assert_allclose(y, expected[f"{name}/{i}"], rtol=2e-6, atol=2e-6)


def test_the_corpus_spans_versions() -> None:
    versions = {_split(n)[1] for n in NAMES}
    old = {"2.0.8", "2.1.6", "2.2.4", "2.3.1", "2.16.0", "2.17.0", "2.18.0", "2.20.1"}
    assert old <= versions
    assert {"3.0.5", "3.1.1", "3.3.3", "3.4.1", "3.6.0", "3.9.2", "3.12.0", "3.15.1"} <= versions
    assert CORPUS.joinpath("files.tar.xz").stat().st_size < 500_000


@pytest.mark.parametrize("name", NAMES)
def test_outputs(name, files) -> None:
    model = _load(files / name)
    model_name, version = _split(name)
    _check_outputs(model, model_name, version, files)
    if model_name not in ("attention", "cudnn"):
        assert model.compiled
        assert len(model.optimizer.variables) > 4


@pytest.mark.parametrize("name", [n for n in NAMES if n.endswith(".h5") and "3.15" in n])
def test_weights_of_whole_models(name, files) -> None:
    model = keras.saving.load_model(files / name)
    weights = model.get_weights()
    for by_name in (False, True):
        model.set_weights([w * 0 for w in weights])
        model.load_weights(files / name, by_name=by_name)
        for a, b in zip(model.get_weights(), weights):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", WEIGHTS)
def test_files_of_weights(name, files) -> None:
    _, version = _split(name)
    model = _load(files / f"branches-{version}.h5")
    model.set_weights([w * 0 for w in model.get_weights()])
    with _warned(files / name) if name.endswith(".weights.h5") else contextlib.nullcontext():
        model.load_weights(files / name)
    _check_outputs(model, "branches", version, files)


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_name_and_reason(name, files) -> None:
    with pytest.raises(ValueError) as info:
        keras.saving.load_model(files / name)
    old = int(_split(name)[1].split(".")[1]) < 4
    layer = "lambda_1" if old else "code"
    reasons = {
        "lambdas": f"Layer '{layer}' is refused: a Lambda holds Python bytecode",
        "time_major": "Layer 'steps' is refused: LSTM with time_major=True",
    }
    assert reasons[_split(name)[0]] in str(info.value)


STATES = {  # of the optimizer, in the order of the file: where they are now
    "branches": lambda o: [o.iterations, *o.momentums],
    "sequences": lambda o: [o.iterations, *o._velocities],
    "stateful": lambda o: [o.iterations, *o._accumulators],
    "custom": lambda o: [o.iterations, o._u_product, *o._momentums, *o._velocities],
}


@pytest.mark.parametrize("version", ["2.0.8", "2.1.6", "2.2.4", "2.3.1"])
@pytest.mark.parametrize("name", STATES)
def test_state_of_old_optimizers(name, version, files) -> None:
    model = _load(files / f"{name}-{version}.h5")
    expected = STATES[name](model.optimizer)
    with np.load(files / f"outputs-{version}.npz") as stored:
        count = sum(key.startswith(f"{name}/optimizer/") for key in stored)
        values = [stored[f"{name}/optimizer/{i}"] for i in range(count)]
    if values[0].ndim > 0:  # RMSprop and Adagrad did not keep the steps before 2.3
        expected = expected[1:]
    if values[1].ndim > 0 and name == "custom":  # nor Nadam its schedule
        del expected[1]
    assert len(values) == len(expected)
    for a, b in zip(expected, values):
        np.testing.assert_array_equal(a.numpy(), b)
    assert any(v.any() for v in values[1:])


# Names of the values in the file, and where they are now.
SLOTS = {
    "adam": {"m:0": "_momentums", "v:0": "_velocities", "vhat:0": "_velocity_hats"},
    "rmsprop": {"rms:0": "_velocities", "momentum:0": "_momentums", "mg:0": "_average_gradients"},
    "sgd": {"momentum:0": "momentums"},
    "nadam": {"m:0": "_momentums", "v:0": "_velocities"},
    "ftrl": {"accumulator:0": "_accumulators", "linear:0": "_linears"},
    "adadelta": {"accum_grad:0": "_accumulated_grads", "accum_var:0": "_accumulated_delta_vars"},
    "adamax": {"m:0": "_m", "v:0": "_u"},
    "adagrad": {"accumulator:0": "_accumulators"},
}


@pytest.mark.parametrize("file_name", OPTIMIZERS)
def test_state_of_the_optimizers_of_tf_keras(file_name, files) -> None:
    name = _split(file_name)[0].removeprefix("optimizer_")
    optimizer = keras.saving.load_model(files / file_name).optimizer
    assert int(optimizer.iterations.numpy()) == 2
    with h5py.File(files / file_name) as file:
        stored = {}
        for key in file["optimizer_weights"].attrs["weight_names"]:
            kind = key.rpartition("/")[2]
            stored.setdefault(kind, []).append(file["optimizer_weights"][key][()])
    assert stored.keys() == {"iter:0", *SLOTS[name]} | ({"momentum_cache:0"} & stored.keys())
    for kind, attribute in SLOTS[name].items():
        for a, b in zip(getattr(optimizer, attribute), stored[kind], strict=True):
            np.testing.assert_array_equal(a.numpy(), b)
    if name == "nadam":
        assert float(optimizer._u_product.numpy()) == stored["momentum_cache:0"][0]
    rates = {"sgd": 0.01 / (1 + 0.5 * 2)}
    assert float(optimizer.learning_rate) == pytest.approx(rates.get(name, 0.01))


def test_all_optimizers_are_there() -> None:
    assert {_split(n)[0].removeprefix("optimizer_") for n in OPTIMIZERS} == set(SLOTS)
