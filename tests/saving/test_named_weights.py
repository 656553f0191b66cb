"""Weights in `.safetensors` and `.npz`: round trips, other libraries' readers, what is refused."""

from __future__ import annotations

import json
import zipfile

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import layers

ENDINGS = [".safetensors", ".npz"]


def network():
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.BatchNormalization()])
    x = keras.Input((5, 4))
    y = layers.Bidirectional(layers.LSTM(2))(x)
    return keras.Model(x, layers.Dense(1)(inner(y)))


@pytest.mark.parametrize("ending", ENDINGS)
def test_round_trip(ending, tmp_path) -> None:
    model, other = network(), network()
    model.save_weights(tmp_path / f"a{ending}")
    other.load_weights(tmp_path / f"a{ending}")
    for a, b in zip(model.get_weights(), other.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_names_and_shapes(tmp_path) -> None:
    model = network()
    model.save_weights(tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as stored:
        assert stored["layers.bidirectional.forward_layer.cell.kernel"].shape == (4, 8)
        assert stored["layers.sequential.layers.batch_normalization.moving_variance"].shape == (3,)
        assert stored["layers.dense.bias"].shape == (1,)
        assert len(stored.files) == len(model.weights)


def test_the_library_safetensors_reads_it(tmp_path) -> None:
    library = pytest.importorskip("safetensors.numpy", reason="pip install safetensors")
    model = network()
    model.save_weights(tmp_path / "a.safetensors")
    found = library.load_file(tmp_path / "a.safetensors")
    assert sorted(w.shape for w in found.values()) == sorted(w.shape for w in model.get_weights())
    library.save_file({k: v * 2 for k, v in found.items()}, tmp_path / "b.safetensors")
    doubled = [w * 2 for w in model.get_weights()]
    model.load_weights(tmp_path / "b.safetensors")
    for a, b in zip(model.get_weights(), doubled):
        np.testing.assert_array_equal(a, b)


def test_bfloat16(tmp_path) -> None:
    pytest.importorskip("ml_dtypes", reason="pip install ml_dtypes")
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2, dtype="bfloat16")])
    weights = model.get_weights()
    model.save_weights(tmp_path / "a.safetensors")
    model.set_weights([w * 0 for w in weights])
    model.load_weights(tmp_path / "a.safetensors")
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), weights))
    with pytest.raises(ValueError, match=r"`.npz` files have no bfloat16"):
        model.save_weights(tmp_path / "a.npz")


@pytest.mark.parametrize("ending", ENDINGS)
def test_low_rank_updates(ending, tmp_path) -> None:
    dense = layers.Dense(2)
    model = keras.Sequential([keras.Input((3,)), dense])
    dense.enable_lora(1)
    with pytest.raises(ValueError, match=f"'{dense.name}' has a low-rank update"):
        model.save_weights(tmp_path / f"a{ending}")
    dense.lora_kernel_b.assign([[1.0, 2.0]])
    x = np.ones((1, 3), "float32")
    before = model.predict(x)
    model.save_weights(tmp_path / "a.weights.h5")
    model.load_weights(tmp_path / "a.weights.h5")
    np.testing.assert_allclose(model.predict(x), before, rtol=1e-6)


@pytest.mark.parametrize("ending", ENDINGS)
def test_files_that_do_not_fit_change_nothing(ending, tmp_path) -> None:
    path = tmp_path / f"a{ending}"
    keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Dense(5)]).save_weights(path)
    other = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Dense(2)])
    before = other.get_weights()
    with pytest.raises(ValueError, match=r"layers.dense_1.kernel \(3, 2\) \(the file has \(3, 5\)"):
        other.load_weights(path)
    assert all(np.array_equal(a, b) for a, b in zip(before, other.get_weights()))
    other.load_weights(path, skip_mismatch=True)
    assert not np.array_equal(before[0], other.get_weights()[0])
    assert np.array_equal(before[2], other.get_weights()[2])


def safetensors_bytes(header, data=b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def entry(dtype="F32", shape=(2,), offsets=(0, 8)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


HOSTILE = {
    "empty": (b"", "expected a safetensors file"),
    "long header": ((2**40).to_bytes(8, "little") + b"{}", "expected a safetensors file"),
    "no json": (safetensors_bytes(b"{'a'}"), "expected JSON"),
    "list": (safetensors_bytes([]), "JSON object"),
    "shape bomb": (
        safetensors_bytes({"a": entry(shape=(10**9, 10**9))}, b"x" * 8),
        "declares shape",
    ),
    "outside": (safetensors_bytes({"a": entry(offsets=(0, 8))}, b"x" * 4), "declares shape"),
    "overlap": (safetensors_bytes({"a": entry(), "b": entry()}, b"x" * 8), "shares bytes"),
    "gap": (safetensors_bytes({"a": entry()}, b"x" * 12), "describes 8 bytes, 12 follow"),
    "dtype": (safetensors_bytes({"a": entry(dtype="OBJ")}, b"x" * 8), "no dtype"),
    "negative": (safetensors_bytes({"a": entry(shape=(-2,))}, b"x" * 8), "no shape"),
}


@pytest.mark.parametrize(("data", "match"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_safetensors(data, match, tmp_path) -> None:
    (tmp_path / "a.safetensors").write_bytes(data)
    with pytest.raises(ValueError, match=match):
        network().load_weights(tmp_path / "a.safetensors")


def test_hostile_npz(tmp_path) -> None:
    path, model = tmp_path / "a.npz", network()
    np.savez(path, a=np.array([{"an": "object"}], dtype=object))
    with pytest.raises(ValueError, match="dtype object"):
        model.load_weights(path)
    path.write_bytes(b"PK no archive")
    with pytest.raises(ValueError, match=r"expected an `.npz` file"):
        model.load_weights(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "x")
    with pytest.raises(ValueError, match="is no array"):
        model.load_weights(path)
    with zipfile.ZipFile(path, "w") as archive, archive.open("a.npy", "w") as member:
        header = {"descr": "<f4", "fortran_order": False, "shape": (10**6, 10**6)}
        np.lib.format.write_array_header_1_0(member, header)
    with pytest.raises(ValueError, match="declares shape"):
        model.load_weights(path)
    np.savez_compressed(path, a=np.zeros(10**7, "f4"))
    with pytest.raises(ValueError, match="zip bomb"):
        model.load_weights(path)
