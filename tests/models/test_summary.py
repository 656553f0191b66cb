"""`Model.summary` prints what Keras 3.15 prints."""

from __future__ import annotations

import numpy as np
import pytest

import pronghorn as keras
from pronghorn import layers

SEQUENTIAL = """\
Model: "net"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
│ a (Dense)                       │ (None, 2000)           │         8,000 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ batch_normalization             │ (None, 2000)           │         8,000 │
│ (BatchNormalization)            │                        │               │
└─────────────────────────────────┴────────────────────────┴───────────────┘
 Total params: 16,000 (62.50 KB)
 Trainable params: 12,000 (46.88 KB)
 Non-trainable params: 4,000 (15.62 KB)
"""

UNBUILT = """\
Model: "net"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
│ a (Dense)                       │ ?                      │   0 (unbuilt) │
└─────────────────────────────────┴────────────────────────┴───────────────┘
 Total params: 0 (0.00 B)
 Trainable params: 0 (0.00 B)
 Non-trainable params: 0 (0.00 B)
"""

NESTED = """\
Model: "outer"
┏━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━┳━━━━━━━━━━━━━━━━┳━━━━━━━┓
┃ Layer (type)      ┃ Output Shape    ┃   Param # ┃ Connected to   ┃ Trai… ┃
┡━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━╇━━━━━━━━━━━━━━━━╇━━━━━━━┩
│ x (InputLayer)    │ (None, 4)       │         0 │ -              │   -   │
├───────────────────┼─────────────────┼───────────┼────────────────┼───────┤
│ inner             │ (None, 3)       │        15 │ x[0][0]        │   N   │
│ (Sequential)      │                 │           │                │       │
├───────────────────┼─────────────────┼───────────┼────────────────┼───────┤
│    └ d (Dense)    │ (None, 3)       │        15 │ -              │   N   │
├───────────────────┼─────────────────┼───────────┼────────────────┼───────┤
│ cat (Concatenate) │ (None, 7)       │         0 │ x[0][0],       │   -   │
│                   │                 │           │ inner[0][0]    │       │
└───────────────────┴─────────────────┴───────────┴────────────────┴───────┘
 Total params: 15 (60.00 B)
 Trainable params: 0 (0.00 B)
 Non-trainable params: 15 (60.00 B)
"""


@pytest.fixture(autouse=True)
def _eighty_columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    keras.utils.clear_session()


def summary_of(model, **kwargs):
    texts = []
    model.summary(print_fn=texts.append, **kwargs)
    return "".join(texts)


def nested_model():
    x = keras.Input((4,), name="x")
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="d")], name="inner")
    inner.trainable = False
    return keras.Model(x, layers.Concatenate(name="cat")([x, inner(x)]), name="outer")


def test_sequential():
    model = keras.Sequential(
        [keras.Input((3,)), layers.Dense(2000, name="a"), layers.BatchNormalization()], name="net"
    )
    assert summary_of(model) == SEQUENTIAL
    assert summary_of(keras.Sequential([layers.Dense(3, name="a")], name="net")) == UNBUILT


def test_nested():
    assert summary_of(nested_model(), expand_nested=True, show_trainable=True) == NESTED


def test_optimizer_is_counted():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.ones((2, 3)), np.ones((2, 1)), verbose=0)
    text = summary_of(model)
    assert " Total params: 6 (" in text
    assert " Optimizer params: 2 (" in text


def test_layer_range_and_widths():
    model = keras.Sequential(
        [keras.Input((3,)), *[layers.Dense(2, name=f"d{i}") for i in range(5)]]
    )
    text = summary_of(model, layer_range=["d1", "d3"])
    assert "d1 (Dense)" in text and "d3 (Dense)" in text
    assert "d0 (Dense)" not in text and "d4 (Dense)" not in text
    with pytest.raises(ValueError, match="do not match the layer names"):
        summary_of(model, layer_range=["no", "d3"])
    with pytest.raises(ValueError, match="length 2"):
        summary_of(model, layer_range=["d1"])
    with pytest.raises(ValueError, match="Insufficient console width"):
        summary_of(model, line_length=6)
    assert max(len(line) for line in summary_of(model, line_length=60).splitlines()) == 60


def test_printed_to_standard_output(capsys):
    nested_model().summary()
    assert 'Model: "outer"' in capsys.readouterr().out
