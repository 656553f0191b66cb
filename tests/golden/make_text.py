"""Writes text.json: vocabularies and outputs of Keras's layers for text and categories.

Run by hand, in an environment with Keras 3.15 and TensorFlow, whose strings those layers use:
`KERAS_BACKEND=tensorflow python tests/golden/make_text.py`.
"""

from __future__ import annotations

import json
import pathlib
from typing import Any

import keras
import numpy as np
from text_cases import results


def plain(value: Any) -> Any:
    """Returns a vocabulary or an output as lists."""
    if isinstance(value, list):
        return [v if isinstance(v, str) else int(v) for v in map(_python, value)]
    return np.asarray(value).tolist()


def _python(value: Any) -> Any:
    return str(value) if isinstance(value, str) else int(value)


def main() -> None:
    """Writes the file beside this script."""
    found = {name: plain(value) for name, value in results(keras.layers)}
    text = json.dumps(found, ensure_ascii=False, indent=0)
    pathlib.Path(__file__).with_name("text.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
