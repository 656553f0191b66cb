"""Values of a file go straight into the memory of variables; initializers run where none come."""

import copy
import pickle

import h5py
import numpy as np
import pytest

import pronghorn as keras
from pronghorn import layers, ops
from pronghorn.array_in_file import ArrayInFile
from pronghorn.deferred_values import DeferredValues
from pronghorn.saving import read_at
from pronghorn.saving.safetensors import StoredTensors


class Counted(keras.initializers.Initializer):
    calls = 0

    def __call__(self, shape, dtype=None):
        Counted.calls += 1
        return ops.full(shape, 7.0, dtype=dtype)

    def get_config(self):
        return {}


@pytest.fixture(autouse=True)
def count():
    Counted.calls = 0


def variable(name="v", shape=(2, 3)):
    return keras.Variable(Counted(), shape=shape, name=name)


def test_an_initializer_waits_until_the_block_ends() -> None:
    with DeferredValues():
        v = variable()
        assert Counted.calls == 0
    assert Counted.calls == 1
    np.testing.assert_array_equal(v.numpy(), np.full((2, 3), 7.0))


def test_an_assigned_variable_is_never_initialized() -> None:
    with DeferredValues():
        v = variable()
        v.assign(np.ones((2, 3)))
    assert Counted.calls == 0
    np.testing.assert_array_equal(v.numpy(), np.ones((2, 3)))


@pytest.mark.parametrize(
    "read",
    [
        lambda v: v.numpy(),
        lambda v: np.asarray(v),
        lambda v: ops.convert_to_numpy(v + 0),
        lambda v: v.value.numpy(),
        lambda v: keras.function(lambda: v + 0)().numpy(),
        lambda v: (v.assign_add(ops.zeros((2, 3))), v.numpy())[1],
        lambda v: copy.deepcopy(v).numpy(),
        lambda v: pickle.loads(pickle.dumps(v)).numpy(),
        lambda v: gradient_of_sum(v) * 7,
    ],
    ids=["numpy", "array", "op", "value", "function", "add", "deepcopy", "pickle", "gradient"],
)
def test_whoever_reads_first_gets_the_initial_value(read) -> None:
    with DeferredValues():
        v = variable()
        np.testing.assert_array_equal(read(v), np.full((2, 3), 7.0))
        assert Counted.calls == 1
    assert Counted.calls == 1
    np.testing.assert_array_equal(v.numpy(), np.full((2, 3), 7.0))


def gradient_of_sum(v):
    with keras.GradientTape() as tape:
        y = ops.sum(v)
    return tape.gradient(y, v).numpy()


def test_a_program_that_assigns_is_not_undone() -> None:
    with DeferredValues():
        v = variable()
        keras.function(lambda: v.assign(ops.ones((2, 3))))()
    np.testing.assert_array_equal(v.numpy(), np.ones((2, 3)))


def test_an_error_inside_initializes_nothing() -> None:
    with pytest.raises(RuntimeError, match="stop"), DeferredValues():
        variable()
        raise RuntimeError("stop")
    assert Counted.calls == 0


def test_an_initializer_that_fails_leaves_no_value() -> None:
    class Fails(Counted):
        def __call__(self, shape, dtype=None):
            super().__call__(shape, dtype)
            raise RuntimeError("no numbers")

    with pytest.raises(RuntimeError, match="no numbers"), DeferredValues():
        v = keras.Variable(Fails(), shape=(2, 3))
    for _ in range(2):
        with pytest.raises(RuntimeError, match="no numbers"):
            v.numpy()


class Kept(ArrayInFile):
    """Keeps a view of the memory that it is given."""

    def read_into(self, memory):
        self.view = np.frombuffer(memory, "float32")
        self.view[:] = 3.0


def test_memory_that_a_reader_keeps_outlives_the_variable() -> None:
    v = variable(shape=(300_000,))
    stored = Kept(v.shape, "float32")
    v.load(stored)
    del v
    others = [keras.Variable(np.ones(300_000, "float32")) for _ in range(4)]
    stored.view[:] = 4.0
    np.testing.assert_array_equal(others[0].numpy(), np.ones(300_000))
    np.testing.assert_array_equal(others[-1].numpy(), np.ones(300_000))


def test_loading_a_model_runs_no_initializer(tmp_path) -> None:
    path = tmp_path / "m.keras"
    with keras.saving.CustomObjectScope({"Counted": Counted}):
        model = keras.Sequential([keras.Input((3,)), layers.Dense(4, kernel_initializer=Counted())])
        model.save(path)
        Counted.calls = 0
        loaded = keras.saving.load_model(path)
    assert Counted.calls == 0
    np.testing.assert_array_equal(loaded.get_weights()[0], model.get_weights()[0])


def test_a_prediction_after_loading_weights_uses_them(tmp_path) -> None:
    # Programs keep packed copies of weights: reading in place must tell them.
    model = keras.Sequential([keras.Input((256,)), layers.Dense(256)])
    x = np.ones((64, 256), "float32")
    path = tmp_path / "m.weights.h5"
    model.save_weights(path)
    before = model.predict(x, verbose=0)
    model.set_weights([w + 1 for w in model.get_weights()])
    assert not np.allclose(model.predict(x, verbose=0), before)
    model.load_weights(path)
    np.testing.assert_array_equal(model.predict(x, verbose=0), before)


DTYPES = ["float32", "float16", "bfloat16", "int64", "int32", "int8", "uint8", "bool"]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (5,), (2, 3), (0, 4)], ids=str)
@pytest.mark.parametrize("kind", ["keras", "weights.h5", "safetensors"])
def test_every_dtype_comes_back(dtype, shape, kind, tmp_path) -> None:
    path = str(tmp_path / f"m.{kind}")

    @keras.saving.register_keras_serializable("in_place")
    class Holder(layers.Layer):
        def build(self, input_shape):
            self.v = self.add_weight(shape, "zeros", dtype=dtype, trainable=False, name="v")
            self.built = True

        def call(self, x):
            return x

    model = keras.Sequential([keras.Input((1,)), Holder()])
    values = (np.arange(np.prod(shape, dtype=int)).reshape(shape) % 2).astype("float32")
    model.layers[0].v.assign(values)
    if kind == "keras":
        model.save(path)
        loaded = keras.saving.load_model(path)
    else:
        model.save_weights(path)
        loaded = keras.Sequential([keras.Input((1,)), Holder()])
        loaded.load_weights(path)
    v = loaded.layers[0].v
    assert v.dtype == dtype
    np.testing.assert_array_equal(ops.convert_to_numpy(ops.cast(v, "float32")), values)


def test_arrays_in_a_file_behave_as_arrays(tmp_path) -> None:
    path = str(tmp_path / "m.safetensors")
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    model.save_weights(path)
    kernel = model.get_weights()[0]
    with StoredTensors(path) as stored:
        array = stored["layers.dense.kernel"]
        assert isinstance(array, ArrayInFile)
        assert (array.shape, array.ndim, array.size, array.nbytes) == ((3, 2), 2, 6, 24)
        assert array.dtype == np.float32 and len(array) == 3
        np.testing.assert_array_equal(array, kernel)
        np.testing.assert_array_equal(array[1:], kernel[1:])
        np.testing.assert_array_equal(np.asarray(array, "float64"), kernel.astype("float64"))
        np.testing.assert_array_equal(ops.convert_to_numpy(ops.convert_to_tensor(array)), kernel)
        with pytest.raises(ValueError, match="without a copy"):
            np.array(array, copy=False)


@pytest.mark.parametrize(
    "options",
    [
        {"chunks": (2, 2)},
        {"compression": "gzip"},
        {"compression": "gzip", "shuffle": True, "fletcher32": True},
        {"dtype": ">f4"},
        {"dtype": "<f8"},
    ],
    ids=str,
)
def test_other_layouts_of_hdf5_are_read(options, tmp_path) -> None:
    path = str(tmp_path / "m.weights.h5")
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    model.save_weights(path)
    values = np.arange(6.0).reshape(3, 2)
    with h5py.File(path, "r+") as file:
        group = file["layers/dense/vars"]
        del group["0"]
        group.create_dataset("0", data=values, **{"dtype": "<f4", **options})
    model.load_weights(path)
    np.testing.assert_array_equal(model.get_weights()[0], values)


def test_damage_is_found_before_any_weight_changes(tmp_path) -> None:
    path = tmp_path / "m.weights.h5"
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2), layers.Dense(50)])
    model.save_weights(str(path))
    values = np.random.default_rng(0).random((2, 50)).astype("float32")
    with h5py.File(path, "r+") as file:
        group = file["layers/dense_1/vars"]
        del group["0"]
        group.create_dataset("0", data=values, chunks=(2, 50), fletcher32=True)
    data = path.read_bytes()
    at = data.index(values.tobytes()[:64])
    path.write_bytes(data[: at + 8] + b"\xff\xff" + data[at + 10 :])
    before = [w + 1 for w in model.get_weights()]
    model.set_weights(before)
    with pytest.raises(ValueError, match="damaged"):
        model.load_weights(str(path))
    for a, b in zip(model.get_weights(), before):
        np.testing.assert_array_equal(a, b)


def test_a_file_cut_off_inside_an_array_changes_no_weight(tmp_path) -> None:
    path = tmp_path / "m.safetensors"
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    model.save_weights(str(path))
    before = model.get_weights()
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(ValueError, match="declares shape|describes"):
        model.load_weights(str(path))
    for a, b in zip(model.get_weights(), before):
        np.testing.assert_array_equal(a, b)


def test_a_store_of_a_custom_layer_holds_arrays(tmp_path) -> None:
    @keras.saving.register_keras_serializable("in_place")
    class Doubling(layers.Dense):
        def load_own_variables(self, store):
            self.kernel.assign(np.asarray(store["0"]) * 2)
            self.bias.assign(store["1"][...] + 1)

    path = str(tmp_path / "m.keras")
    model = keras.Sequential([keras.Input((3,)), Doubling(2)])
    model.save(path)
    loaded = keras.saving.load_model(path)
    np.testing.assert_array_equal(loaded.get_weights()[0], model.get_weights()[0] * 2)
    np.testing.assert_array_equal(loaded.get_weights()[1], np.ones(2))


def test_reads_where_the_system_has_none_at_a_place(tmp_path, monkeypatch) -> None:
    path = tmp_path / "bytes"
    path.write_bytes(bytes(range(200)))
    monkeypatch.setattr(read_at, "_read_once", read_at._read_and_move_back)
    monkeypatch.setattr(read_at, "_LONGEST", 7)
    with path.open("rb") as file:
        assert file.read(3) == bytes(range(3))
        memory = bytearray(50)
        assert read_at.read_at(file.fileno(), 20, memoryview(memory)) == 50
        assert bytes(memory) == bytes(range(20, 70))
        assert read_at.read_at(file.fileno(), 190, memoryview(memory)) == 10
        assert bytes(memory[:10]) == bytes(range(190, 200))
        assert file.read() == bytes(range(3, 200))


@pytest.mark.parametrize("ending", ["weights.h5", "h5"])
def test_what_holds_no_numbers_is_found_before_any_weight_changes(ending, tmp_path) -> None:
    path = str(tmp_path / f"m.{ending}")
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2), layers.Dense(4)])
    (model.save if ending == "h5" else model.save_weights)(path)
    with h5py.File(path, "r+") as file:
        found = []
        file.visititems(lambda n, x: found.append(n) if getattr(x, "shape", 0) == (4,) else None)
        group, _, name = found[0].rpartition("/")
        del file[group][name]
        file[group].create_dataset(name, data=np.array([b"text"] * 4))
    before = [w + 1 for w in model.get_weights()]
    model.set_weights(before)
    with pytest.raises(ValueError, match="expected numbers"):
        model.load_weights(path)
    for a, b in zip(model.get_weights(), before):
        np.testing.assert_array_equal(a, b)


def test_text_in_place_of_an_optimizers_numbers_changes_no_weight(tmp_path) -> None:
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    model.compile("adam", "mse")
    model.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)
    path = tmp_path / "m.weights.h5"
    model.save_weights(path)
    with h5py.File(path, "a") as file:
        shape = file["optimizer/vars/3"].shape
        del file["optimizer/vars/3"]
        file["optimizer/vars/3"] = np.full(shape, b"text")
    model.set_weights([w + 1 for w in model.get_weights()])
    before = model.get_weights()
    with pytest.raises(ValueError, match="'optimizer/vars/3' holds strings"):
        model.load_weights(path)
    for a, b in zip(model.get_weights(), before):
        np.testing.assert_array_equal(a, b)
