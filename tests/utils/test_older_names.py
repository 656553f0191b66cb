"""Names that programs for earlier versions of Keras use."""

from __future__ import annotations

import pronghorn as keras


def test_preprocessing_is_utils() -> None:
    old = keras.preprocessing
    assert old.sequence.pad_sequences is keras.utils.pad_sequences
    for name in old.image.__all__:
        assert getattr(old.image, name) is getattr(keras.utils, name)
    for name in set(old.__all__) - {"image", "sequence"}:
        assert getattr(old, name) is getattr(keras.utils, name)
