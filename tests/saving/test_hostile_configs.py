"""Configurations that name code, files or sizes: refused by every reader, with one line, quickly.

The classes of holes are those published for loaders of Keras files: bytecode (CVE-2024-3660),
modules (CVE-2025-1550), functions that fetch or load (CVE-2025-8747), `.h5` files that ignored the
safe mode (CVE-2025-9905), files that switch it off (CVE-2025-9906), vocabulary paths
(CVE-2025-12058), wrappers of modules of other libraries.
"""

from __future__ import annotations

import json
import os

import pytest
from hostile import bounded, layer_config, model_config, write_archive, write_model

import pronghorn as keras
from pronghorn.cli import main

pytest.importorskip("h5py")

CODE = {"class_name": "__lambda__", "config": {"value": ["4wEAAAA=", None, None]}}
FUNCTION = {"module": "builtins", "class_name": "function", "registered_name": "function"}
LAYERS = {
    "bytecode": layer_config("Lambda", function=CODE),
    "bytecode of an activation": layer_config("Dense", units=1, activation=CODE),
    "safe mode": layer_config("Lambda", function=CODE, safe_mode=False),
    "switch": layer_config("enable_unsafe_deserialization", "keras.config"),
    "switch as a function": layer_config(
        "Dense", units=1, activation={**FUNCTION, "config": "enable_unsafe_deserialization"}
    ),
    "module": layer_config("system", "os", command="true"),
    "module of an initializer": layer_config(
        "Dense", units=1, kernel_initializer=layer_config("Popen", "subprocess", args="true")
    ),
    "module of a policy": layer_config("Dense", units=1, dtype=layer_config("system", "os")),
    "main module": layer_config("main", "keras.__main__"),
    "main module by itself": layer_config("main", "pronghorn.__main__"),
    "private module": layer_config("fill", "pronghorn._core"),
    "fetching": layer_config("get_file", "keras.utils", fname="x", origin="file:///etc/passwd"),
    "loading": layer_config("load_model", "keras.saving", filepath="x.keras"),
    "another library": layer_config("TorchModuleWrapper", module="x"),
    "a saved model": layer_config("TFSMLayer", filepath="x"),
    "a registered name": {**layer_config("Dense", units=1), "registered_name": "os>system"},
    "vocabulary": layer_config("StringLookup", vocabulary="/etc/passwd"),
    "vocabulary of integers": layer_config("IntegerLookup", vocabulary="/etc/passwd"),
    "vocabulary of text": layer_config("TextVectorization", vocabulary="/etc/passwd"),
    "wrapped": layer_config(
        "TimeDistributed", layer=layer_config("StringLookup", vocabulary="/etc/passwd")
    ),
    "standardize": layer_config("TextVectorization", standardize=CODE),
    "record": layer_config("Dense", units=1, bias_initializer={"class_name": "__reduce__"}),
}


def one_line(error: Exception) -> bool:
    text = str(error)
    return 10 < len(text) < 2000 and "\n" not in text


def deserialize(config: dict, path) -> None:
    keras.saving.deserialize_keras_object(config)


def from_config(config: dict, path) -> None:
    keras.Sequential.from_config(config["config"])


def from_json(config: dict, path) -> None:
    keras.models.model_from_json(json.dumps(config))


def load_keras(config: dict, path) -> None:
    keras.saving.load_model(write_model(path / "a.keras", config))


def load_h5(config: dict, path) -> None:
    keras.saving.load_model(write_model(path / "a.h5", config))


def command(name: str, ending: str):
    def run(config: dict, path) -> None:
        source = write_model(path / f"a{ending}", config)
        more = [str(path / "b.keras")] if name == "convert" else []
        if main([name, source, *more]) == 1:
            raise ValueError("the command ended with 1")

    run.__name__ = f"{name}{ending}"
    return run


READERS = [deserialize, from_config, from_json, load_keras, load_h5]
READERS += [command("scan", ".keras"), command("scan", ".h5"), command("convert", ".keras")]


@pytest.mark.parametrize("reader", READERS, ids=lambda r: r.__name__)
@pytest.mark.parametrize("name", LAYERS)
def test_layers(name, reader, tmp_path) -> None:
    if name in ("record", "safe mode", "standardize") and reader.__name__.startswith("scan"):
        pytest.skip("what cannot be said without building it")
    config = model_config(LAYERS[name])
    with bounded(), pytest.raises((ValueError, TypeError)) as caught:
        reader(config, tmp_path)
    assert one_line(caught.value)
    assert not keras.config.is_unsafe_deserialization_enabled()
    assert keras.saving.in_safe_mode() is None


@pytest.mark.parametrize("part", ["optimizer", "loss", "metrics"])
@pytest.mark.parametrize("name", ["module", "bytecode", "fetching", "switch"])
def test_compile_arguments(part, name, tmp_path) -> None:
    training = {"optimizer": "adam", "loss": "mse", "metrics": [], part: LAYERS[name]}
    config = model_config(layer_config("Dense", units=2))
    with bounded(), pytest.raises((ValueError, TypeError)) as caught:
        keras.saving.load_model(write_model(tmp_path / "a.keras", config, training))
    assert one_line(caught.value)
    assert main(["scan", str(tmp_path / "a.keras")]) == 1


IMAGE = (8, 8, 3)
HUGE = [10**9, 2**40, 2**62, 10**30]
SIZES = {
    "Dense": ({"units": 0}, (4,)),
    "Embedding": ({"input_dim": 0, "output_dim": 4}, (4,)),
    "Conv2D": ({"filters": 0, "kernel_size": 3}, IMAGE),
    "Conv2DTranspose": ({"filters": 1, "kernel_size": 1, "strides": 0}, IMAGE),
    "DepthwiseConv2D": ({"kernel_size": 1, "depth_multiplier": 0}, IMAGE),
    "UpSampling2D": ({"size": 0}, IMAGE),
    "ZeroPadding2D": ({"padding": 0}, IMAGE),
    "Cropping2D": ({"cropping": 0}, IMAGE),
    "RepeatVector": ({"n": 0}, (4,)),
    "Reshape": ({"target_shape": [0, -1]}, (4,)),
    "Resizing": ({"height": 0, "width": 0}, IMAGE),
    "AdaptiveAveragePooling2D": ({"output_size": 0}, IMAGE),
    "MaxPooling2D": ({"pool_size": 0, "padding": "same"}, IMAGE),
    "LSTM": ({"units": 0}, (4, 4)),
    "GroupNormalization": ({"groups": 0}, IMAGE),
    "CategoryEncoding": ({"num_tokens": 0}, (4,)),
    "MelSpectrogram": ({"num_mel_bins": 0}, (100_000,)),
    "RandAugment": ({"num_ops": 0}, IMAGE),
    "AugMix": ({"num_chains": 0}, IMAGE),
    "StringLookup": ({"num_oov_indices": 0, "vocabulary": ["a"]}, (1,)),
    "TextVectorization": ({"ngrams": 0, "vocabulary": ["a"]}, (1,)),
}


@pytest.mark.parametrize("size", HUGE)
@pytest.mark.parametrize("name", SIZES)
def test_sizes(name, size, tmp_path) -> None:
    """A layer of a huge size loads without memory of that size, or is refused."""
    config, shape = SIZES[name]
    huge = {k: [size, -1] if v == [0, -1] else size if v == 0 else v for k, v in config.items()}
    path = write_model(tmp_path / "a.keras", model_config(layer_config(name, **huge), shape=shape))
    with bounded():
        try:
            keras.saving.load_model(path)
        except (ValueError, TypeError) as error:
            assert one_line(error), error
            assert not isinstance(error.__cause__, MemoryError), error


NUMBERS = ["1e999", "-1e999", "NaN", "1" * 5000, "-0", '"\\ud800"', "[[[[]]]]", "{}", "null"]


@pytest.mark.parametrize("number", NUMBERS, ids=lambda n: n[:8])
@pytest.mark.parametrize("key", ["units", "name", "trainable", "use_bias", "activation"])
def test_numbers_and_texts(number, key, tmp_path) -> None:
    config = json.dumps(model_config(layer_config("Dense", **{"units": 2, key: "HERE"})))
    members = {"metadata.json": b"{}", "config.json": config.replace('"HERE"', number).encode()}
    path = write_archive(tmp_path / "a.keras", members)
    with bounded(), pytest.raises((ValueError, TypeError)) as caught:
        keras.saving.load_model(path)  # it has no weights either
    assert one_line(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        b'"\\"' * 10**7,
        b'"' + b'\\"' * 10**7,
        b"[" * 10**7,
        b"[" + b"1," * 10**7 + b"1]",
        b"[" + b'{"a":1},' * 3 * 10**6 + b"1]",
        b"1" * 10**7,
        b'{"a":' * 10**6 + b"1" + b"}" * 10**6,
        b'{"' + b"a" * 10**7 + b'": 1}',
    ],
    ids=["quotes", "escapes", "open", "numbers", "objects", "digits", "deep", "key"],
)
def test_json_bombs(text) -> None:
    with bounded(), pytest.raises((ValueError, TypeError)) as caught:
        keras.models.model_from_json(text)
        raise TypeError("it is no model of anything")
    assert one_line(caught.value)


def functional(names: list[str], nodes: list[list[int]], outputs: int) -> dict:
    """A functional model of additions; nodes say which layers each one reads."""

    def tensor(i: int) -> dict:
        place = {"shape": [None, 3], "dtype": "float32", "keras_history": [names[i], 0, 0]}
        return {"class_name": "__keras_tensor__", "config": place}

    found = []
    for i, (name, read) in enumerate(zip(names, nodes)):
        config = {"name": name, "batch_shape": [None, 3]} if not read else {"name": name}
        layer = layer_config("Add" if read else "InputLayer", **config)
        calls = [{"args": [[tensor(j) for j in read]], "kwargs": {}}] if read else []
        found.append({**layer, "name": name, "inbound_nodes": calls})
        del i
    config = {
        "name": "model",
        "layers": found,
        "input_layers": [[names[0], 0, 0]],
        "output_layers": [[names[outputs], 0, 0]],
    }
    return layer_config("Functional", "keras.src.models.functional", **config)


def test_layers_in_a_loop(tmp_path) -> None:
    config = functional(["a", "b", "c"], [[], [0, 2], [0, 1]], 2)
    with bounded(), pytest.raises(ValueError, match="in a loop"):
        keras.saving.load_model(write_model(tmp_path / "a.keras", config))


def test_a_layer_that_reads_itself(tmp_path) -> None:
    config = functional(["a", "b"], [[], [0, 1]], 1)
    with bounded(), pytest.raises(ValueError, match="in a loop"):
        keras.saving.load_model(write_model(tmp_path / "a.keras", config))


def test_a_model_in_itself() -> None:
    config = layer_config("Dense", units=1)
    for _ in range(60):
        config = layer_config("Sequential", "keras", name="s", layers=[config])
    with pytest.raises((ValueError, TypeError)) as caught:
        keras.models.model_from_json(json.dumps({"config": config, "class_name": "x" * 10**6}))
    assert one_line(caught.value)


@pytest.mark.parametrize("name", ["../../x", "/etc/x", "a/b", "..", "a.b", "x" * 5000, "\\x", ""])
def test_names_of_layers_are_no_paths(name, tmp_path) -> None:
    """A layer's name is no part of a member's, so nothing is written outside of the archive."""
    folder = tmp_path / "inner" / "folder"
    folder.mkdir(parents=True)
    lookup = layer_config("StringLookup", name=name, vocabulary=["a"])
    try:
        model = keras.models.model_from_json(
            json.dumps(layer_config("Sequential", "keras", name=name or None, layers=[lookup]))
        )
    except (ValueError, TypeError) as error:
        assert one_line(error)
        return
    model.save(folder / "a.keras")
    keras.saving.load_model(folder / "a.keras")
    written = [os.path.join(f, n) for f, _, names in os.walk(tmp_path) for n in names]
    assert written == [str(folder / "a.keras")]
