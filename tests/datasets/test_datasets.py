from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import numpy as np
import pytest

from pronghorn.datasets import fashion_mnist, files, mnist, mnist_5k

DEBIAN = Path("/usr/share/datasets/fashion-mnist")


def test_mnist_5k_is_balanced_and_split() -> None:
    (x_train, y_train), (x_test, y_test) = mnist_5k.load_data()
    assert x_train.shape == (4000, 28, 28) and x_test.shape == (1000, 28, 28)
    assert x_train.dtype == np.uint8 and x_train.max() == 255 and x_train.min() == 0
    assert np.bincount(np.concatenate([y_train, y_test])).tolist() == [500] * 10
    assert x_train.flags.writeable


def test_mnist_5k_is_the_file_that_the_script_makes() -> None:
    content = (Path(mnist_5k.__file__).parent / "mnist_5k.xz").read_bytes()
    assert len(content) < 1_000_000
    assert hashlib.sha256(content).hexdigest() == (
        "bd2fa497473541b044545da285e85e34d01e4d1932d7d20c6a6517dae73cf886"
    )


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="missing: apt-get install dataset-fashion-mnist")
def test_fashion_mnist_from_debian() -> None:
    (x_train, y_train), (x_test, y_test) = fashion_mnist.load_data()
    assert x_train.shape == (60000, 28, 28) and y_test.shape == (10000,)
    assert np.bincount(y_train).tolist() == [6000] * 10
    assert x_test.dtype == np.uint8


def _write(folder: Path, content: bytes) -> str:
    (folder / "a.gz").write_bytes(gzip.compress(content))
    return hashlib.sha256(content).hexdigest()


def test_find_looks_into_the_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = _write(tmp_path, b"data")
    monkeypatch.setenv("PRONGHORN_DATA", str(tmp_path))
    assert files.find("set/a.gz", "http://127.0.0.1:9/", digest) == tmp_path / "a.gz"


def test_find_downloads_into_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = _write(tmp_path, b"data")
    monkeypatch.delenv("PRONGHORN_DATA", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    found = files.find("set/a.gz", (tmp_path / "a.gz").as_uri(), digest)
    assert found == tmp_path / "home" / "datasets" / "set" / "a.gz"
    assert found.read_bytes() == (tmp_path / "a.gz").read_bytes()


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    _write(tmp_path, b"data")
    with pytest.raises(ValueError, match="is not the expected file"):
        files.find("a.gz", "http://127.0.0.1:9/", "0" * 64, str(tmp_path))


def test_a_changed_download_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(tmp_path, b"data")
    monkeypatch.delenv("PRONGHORN_DATA", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    with pytest.raises(ValueError, match="is not the expected file"):
        files.find("set/a.gz", (tmp_path / "a.gz").as_uri(), "0" * 64)
    assert list((tmp_path / "home" / "datasets" / "set").iterdir()) == []


def test_without_network_the_error_says_where_to_put_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PRONGHORN_DATA", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"Put the file at one of these places:\n.*a\.gz"):
        files.find("a.gz", "http://127.0.0.1:9/a.gz", "0" * 64)


def test_mnist_at_a_path_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="expected a file at"):
        mnist.load_data(str(tmp_path / "none.npz"))
