"""Files of several versions of Keras: they load, and the models compute what they did there."""

from __future__ import annotations

import importlib.util
import pathlib
import tarfile

import numpy as np
import pytest

import pronghorn as keras

pytest.importorskip("h5py")
CORPUS = pathlib.Path(__file__).parent / "corpus"
with tarfile.open(CORPUS / "files.tar.xz") as _archive:
    NAMES = [n for n in _archive.getnames() if not n.endswith(".npz")]


def _inputs(name):
    spec = importlib.util.spec_from_file_location("make_corpus", CORPUS / "make_corpus.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.inputs(name)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    with tarfile.open(CORPUS / "files.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return folder


def test_the_corpus_spans_versions() -> None:
    versions = {n.partition("-")[2].rpartition(".")[0] for n in NAMES}
    assert {"2.17.0", "2.20.1", "3.3.3", "3.6.0", "3.15.1"} <= versions


@pytest.mark.parametrize("name", NAMES)
def test_outputs(name, files) -> None:
    model_name, _, rest = name.partition("-")
    version = rest.rpartition(".")[0]
    model = keras.saving.load_model(files / name)
    x = _inputs(model_name)
    found = model.predict(x if len(x) > 1 else x[0])
    found = found if isinstance(found, (list, tuple)) else [found]
    with np.load(files / f"outputs-{version}.npz") as expected:
        for i, y in enumerate(found):
            wanted = expected[f"{model_name}/{i}"]
            np.testing.assert_allclose(y, wanted, rtol=2e-6, atol=2e-6)
    if model_name != "attention":
        assert model.compiled
        assert len(model.optimizer.variables) > 4


@pytest.mark.parametrize("name", [n for n in NAMES if n.endswith(".h5") and "3.15" in n])
def test_weights_alone(name, files) -> None:
    model = keras.saving.load_model(files / name)
    weights = model.get_weights()
    for by_name in (False, True):
        model.set_weights([w * 0 for w in weights])
        model.load_weights(files / name, by_name=by_name)
        for a, b in zip(model.get_weights(), weights):
            np.testing.assert_array_equal(a, b)
