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
    assert "(3, 2)" in {a["shape"] for a in found["arrays"]}
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
    assert run(capsys, "convert", "a.npz", "b.keras")[0] == 1
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
