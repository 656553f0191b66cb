"""The command `pronghorn`: output, exit codes, and where errors go."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import tarfile
import zipfile

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import layers
from pronghorn.cli import main

pytest.importorskip("h5py")


@pytest.fixture
def model_file(tmp_path) -> str:
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2, name="mine")])
    model.compile("adam", "mse")
    model.save(tmp_path / "a.keras")
    return str(tmp_path / "a.keras")


def run(capsys, *arguments) -> tuple[int, str, str]:
    code = main(arguments)
    out, err = capsys.readouterr()
    return code, out, err


def test_info(model_file, capsys) -> None:
    code, out, err = run(capsys, "info", model_file)
    assert code == 0 and err == ""
    assert "format: Keras 3.15.0 model" in out
    assert "mine" in out and "Dense" in out and "optimizer: Adam" in out
    assert "layers/dense/vars/0" in out and "(3, 2)" in out


@pytest.mark.parametrize("ending", [".weights.h5", ".safetensors", ".npz"])
def test_convert_and_info_of_weights(ending, model_file, tmp_path, capsys) -> None:
    target = str(tmp_path / f"b{ending}")
    assert run(capsys, "convert", model_file, target)[0] == 0
    code, out, _ = run(capsys, "info", target, "--json")
    found = json.loads(out)
    assert code == 0 and "weights in" in found["format"]
    assert [3, 2] in [a["shape"] for a in found["arrays"]]
    assert run(capsys, "scan", target)[0] == 0
    code, _, err = run(capsys, "convert", model_file, target)
    assert code == 1 and "--force" in err
    assert run(capsys, "convert", model_file, target, "--force")[0] == 0
    other = keras.saving.load_model(model_file)
    other.set_weights([w * 0 for w in other.get_weights()])
    other.load_weights(target)
    expected = keras.saving.load_model(model_file).get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(other.get_weights(), expected))


def test_scan_says_why(model_file, tmp_path, capsys) -> None:
    assert run(capsys, "scan", model_file)[:2] == (
        0,
        f"file: {model_file}\nrefused: False\nreasons: none\n",
    )
    with zipfile.ZipFile(model_file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    code = {"class_name": "__lambda__", "config": {"value": ["4wEA", None, None]}}
    for class_name, module in (("Mine", "somewhere"), ("get_file", "keras.utils")):
        config["config"]["layers"].append(
            {
                "module": module,
                "class_name": class_name,
                "config": {"f": code},
                "registered_name": None,
            }
        )
    members["config.json"] = json.dumps(config).encode()
    bad = str(tmp_path / "bad.keras")
    with zipfile.ZipFile(bad, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    exit_code, out, _ = run(capsys, "scan", bad, "--json")
    reasons = " ".join(json.loads(out)["reasons"])
    assert exit_code == 1
    assert "bytecode" in reasons and "'Mine' of somewhere" in reasons and "get_file" in reasons
    with zipfile.ZipFile(bad, "a") as archive:
        archive.writestr("../evil", "x")
    exit_code, out, _ = run(capsys, "scan", bad)
    assert exit_code == 1 and "leaves the archive" in out


def test_scan_finds_damage_in_arrays(tmp_path, capsys) -> None:
    import h5py

    values = np.random.default_rng(0).standard_normal((200, 50)).astype("float32")
    np.savez(tmp_path / "w.npz", kernel=values)
    with h5py.File(tmp_path / "w.weights.h5", "w") as file:
        packed = file.create_dataset("vars/0", data=values, chunks=values.shape, compression="gzip")
        chunk = packed.id.get_chunk_info(0)
    places = {
        "w.npz": (tmp_path / "w.npz").read_bytes().index(values[100:].tobytes()),
        "w.weights.h5": chunk.byte_offset + chunk.size // 2,
    }
    for name, at in places.items():
        path = tmp_path / name
        assert run(capsys, "scan", str(path))[0] == 0
        data = bytearray(path.read_bytes())
        data[at] ^= 255
        path.write_bytes(data)
        code, out, _ = run(capsys, "scan", str(path))
        assert code == 1 and "damaged" in out


def test_corpus_is_clean(tmp_path, capsys) -> None:
    corpus = pathlib.Path(__file__).parent / "saving" / "corpus" / "files.tar.xz"
    with tarfile.open(corpus) as archive:
        archive.extractall(tmp_path, filter="data")
    for path in sorted(tmp_path.iterdir()):
        refused = path.name.startswith(("lambdas", "time_major", "custom"))
        assert run(capsys, "scan", str(path))[0] == int(refused), path.name
        assert run(capsys, "info", str(path))[0] == 0, path.name


def test_wrong_arguments(tmp_path, capsys) -> None:
    code, out, err = run(capsys, "info", str(tmp_path / "nowhere.keras"))
    assert (code, out) == (1, "") and "expected an existing file" in err
    code, out, err = run(capsys, "info", str(tmp_path / "a.txt"))
    assert (code, out) == (1, "") and "expected a file that ends in" in err
    for source, target in (("a.txt", "b.keras"), ("a.keras", "b.txt"), ("a.keras", "b")):
        code, out, err = run(capsys, "convert", source, target)
        assert (code, out) == (2, "") and "that ends in" in err
    code, out, err = run(capsys, "convert", "nowhere.keras", "b.keras")
    assert (code, out) == (1, "") and "existing file" in err
    for command in (("info", "-"), ("scan", "-"), ("convert", "-", "b.keras")):
        code, out, err = run(capsys, *command)
        assert (code, out) == (2, "") and "standard input" in err
    assert run(capsys, "unknown")[0] == 2
    assert run(capsys)[0] == 2
    assert run(capsys, "--version")[0] == 0


def test_as_a_module(model_file) -> None:
    found = subprocess.run(
        [sys.executable, "-m", "pronghorn", "info", model_file, "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(found.stdout)["model"] == "Sequential"
    assert found.stderr == ""


def test_bench(capsys) -> None:
    code, out, _ = run(capsys, "bench", "--json")
    found = json.loads(out)
    assert code == 0 and found["threads"] >= 1 and found["float32 multiply-adds, GFLOP/s"] > 0


WHOLE = [".keras", ".h5", ".hdf5"]
WEIGHTS = [".weights.h5", ".safetensors", ".npz"]


def weights_of(path):
    return keras.saving.load_model(path).get_weights()


@pytest.mark.parametrize("source", [*WHOLE, ".onnx"])
@pytest.mark.parametrize("target", [*WHOLE, ".onnx"])
def test_models_in_all_formats(source, target, model_file, tmp_path, capsys) -> None:
    if ".onnx" in (source, target):
        pytest.importorskip("onnx", reason="pip install onnx")
    first, second = str(tmp_path / f"first{source}"), str(tmp_path / f"second{target}")
    assert run(capsys, "convert", model_file, first)[0] == 0
    code, out, err = run(capsys, "convert", first, second, "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["bytes"] == pathlib.Path(second).stat().st_size
    for a, b in zip(weights_of(second), weights_of(model_file), strict=True):
        np.testing.assert_array_equal(a, b)
    if ".onnx" not in (source, target):
        assert keras.saving.load_model(second).optimizer is not None


@pytest.mark.parametrize("source", WEIGHTS)
@pytest.mark.parametrize("target", [".keras", ".h5", *WEIGHTS])
def test_weights_with_a_model(source, target, model_file, tmp_path, capsys) -> None:
    other = keras.saving.load_model(model_file)
    other.set_weights([w + 1 for w in other.get_weights()])
    first, second = str(tmp_path / f"first{source}"), str(tmp_path / f"second{target}")
    other.save_weights(first)
    code, out, err = run(capsys, "convert", first, second)
    if {source, target} <= {".safetensors", ".npz"}:
        assert (code, err) == (0, "")  # the names are the same
    else:
        assert (code, out) == (2, "") and "expected --model FILE" in err
        assert not pathlib.Path(second).exists()
    assert run(capsys, "convert", first, second, "--model", model_file, "--force")[0] == 0
    again = keras.saving.load_model(model_file)
    again.load_weights(second)
    for a, b in zip(again.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_h5_files_of_weights(model_file, tmp_path, capsys) -> None:
    corpus = pathlib.Path(__file__).parent / "saving" / "corpus" / "files.tar.xz"
    with tarfile.open(corpus) as archive:
        archive.extractall(tmp_path, filter="data")
    source, target = str(tmp_path / "branches_weights-2.3.1.h5"), str(tmp_path / "c.keras")
    code, _, err = run(capsys, "convert", source, target)
    assert code == 2 and "expected --model FILE" in err
    whole = str(tmp_path / "branches-2.3.1.h5")
    assert run(capsys, "convert", source, target, "--model", whole)[0] == 0
    for a, b in zip(weights_of(target), weights_of(whole), strict=True):
        np.testing.assert_array_equal(a, b)
    code, _, err = run(capsys, "convert", source, str(tmp_path / "b.h5"), "--model", model_file)
    assert code == 1 and "does not fit" in err
    code, _, err = run(capsys, "convert", model_file, target, "--model", whole)
    assert code == 2 and "which is a whole model" in err
    code, _, err = run(capsys, "convert", source, target, "--model", source + ".npz")
    assert code == 2 and "expected a whole model" in err
    # Warnings of the loader are not lost.
    code, _, err = run(capsys, "convert", str(tmp_path / "branches-3.0.5.keras"), target, "--force")
    assert code == 0 and "pronghorn convert: warning: " in err and "starts anew" in err


def test_what_a_target_has_no_place_for(tmp_path, capsys) -> None:
    i = keras.Input((3,))
    source, target = str(tmp_path / "a.keras"), tmp_path / "b.h5"
    keras.Model(i, keras.ops.exp(layers.Dense(2)(i))).save(source)
    target.write_bytes(b"old")
    code, out, err = run(capsys, "convert", source, str(target), "--force")
    assert (code, out) == (1, "") and "no operations" in err
    assert target.read_bytes() == b"old"


def command(*arguments, **kwargs):
    words = [sys.executable, "-m", "pronghorn", *arguments]
    return subprocess.run(words, capture_output=True, **kwargs)


def test_names_that_are_no_text(model_file, tmp_path) -> None:
    name = bytes(tmp_path) + b"/caf\xe9\x1b[31m.keras"
    try:
        with open(name, "wb") as file:
            file.write(pathlib.Path(model_file).read_bytes())
    except OSError:
        pytest.skip("the file system takes names in UTF-8 only")
    found = command("info", name)
    assert found.returncode == 0 and found.stderr == b""
    assert rb"caf\udce9\x1b[31m.keras" in found.stdout and b"\x1b" not in found.stdout
    assert json.loads(command("info", name, "--json").stdout)["file"].encode(
        errors="surrogateescape"
    ) == bytes(name)
    target = bytes(tmp_path) + b"/\xff.h5"
    assert command("convert", name, target).returncode == 0
    missing = command("info", bytes(tmp_path) + b"/\xff.keras")
    assert missing.returncode == 1 and b"existing file" in missing.stderr


def test_a_reader_that_has_seen_enough(tmp_path) -> None:
    many = {f"array {i} " + "x" * 200: np.zeros(1, "float32") for i in range(3000)}
    np.savez(tmp_path / "a.npz", **many)
    for options in ([], ["--json"]):
        words = [sys.executable, "-m", "pronghorn", "info", str(tmp_path / "a.npz"), *options]
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None and process.stderr is not None
            process.stdout.readline()
            process.stdout.close()
            assert process.stderr.read() == b""
            assert process.wait() == 0


def test_interrupted(model_file, monkeypatch, capsys) -> None:
    def interrupt(path):
        raise KeyboardInterrupt

    monkeypatch.setattr("pronghorn.cli.inspect_file.describe", interrupt)
    assert run(capsys, "info", model_file) == (130, "", "pronghorn info: interrupted\n")


def test_help(capsys) -> None:
    code, out, _ = run(capsys, "--help")
    assert code == 0
    for name in ("info", "scan", "convert", "bench"):
        assert name in out
        assert run(capsys, name, "--help")[0] == 0
    assert run(capsys, "--version")[1].startswith("pronghorn ")


@pytest.mark.skipif(not pathlib.Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("redirection", [">/dev/full", ">&-"])
def test_output_that_cannot_be_written(redirection, model_file) -> None:
    command = f'"{sys.executable}" -m pronghorn info "{model_file}" {redirection}'
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
    assert "Traceback" not in done.stderr
    assert done.returncode == (1 if "full" in redirection else 0)
    assert ("cannot write the output" in done.stderr) == ("full" in redirection)
