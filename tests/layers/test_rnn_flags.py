"""Flags of recurrent layers: what is neither True nor False is refused when the layer is made."""

import numpy as np
import pytest

from pronghorn import layers

FLAGS = [
    "return_sequences",
    "return_state",
    "go_backwards",
    "stateful",
    "unroll",
    "zero_output_for_mask",
]


@pytest.mark.parametrize("value", ["False", 0.5, 1.0, 2, None, [], np.ones(2)], ids=str)
@pytest.mark.parametrize("flag", FLAGS)
def test_other_values_are_refused(flag, value) -> None:
    for make in (layers.LSTM, layers.GRU, layers.SimpleRNN):
        with pytest.raises(ValueError, match=f"`{flag}` must be True or False"):
            make(3, **{flag: value})
    with pytest.raises(ValueError, match="`reset_after` must be True or False"):
        layers.GRU(3, reset_after=value)


@pytest.mark.parametrize("value", [True, np.True_, 1, np.int64(1)], ids=repr)
def test_truths_are_flags(value) -> None:
    layer = layers.GRU(3, return_sequences=value, go_backwards=value, reset_after=value)
    assert layer.return_sequences is True and layer.go_backwards is True
    assert layer(np.ones((2, 4, 5), "float32")).shape == (2, 4, 3)
