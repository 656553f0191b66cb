"""The attention layers, inputs and masks that `make_attention.py` runs in Keras."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np


@dataclasses.dataclass(frozen=True)
class AttentionCase:
    """One layer on one query, value and key.

    Args:
        name: Name of the case, the prefix of its arrays.
        layer: Class name of the layer.
        args: Constructor arguments.
        shapes: Shapes of query, value and, if there is one, key.
        call: Arguments of the call.
        masks: Names of mask arguments and their shapes.
    """

    name: str
    layer: str
    args: dict[str, Any]
    shapes: tuple[tuple[int, ...], ...]
    call: dict[str, Any] = dataclasses.field(default_factory=dict)
    masks: dict[str, tuple[int, ...]] = dataclasses.field(default_factory=dict)

    @property
    def takes_list(self) -> bool:
        """Whether the layer takes its inputs as one list."""
        return self.layer in ("Attention", "AdditiveAttention")

    def inputs(self) -> list[np.ndarray]:
        """Returns the inputs."""
        rng = np.random.default_rng([ord(c) for c in self.name])
        return [rng.standard_normal(s).astype("float32") for s in self.shapes]

    def mask_arrays(self) -> dict[str, np.ndarray]:
        """Returns the masks; the first key is always seen."""
        rng = np.random.default_rng([1, *(ord(c) for c in self.name)])
        found = {}
        for name, shape in self.masks.items():
            found[name] = rng.random(shape) < 0.6
            found[name][..., 0] = True
        return found

    def weight(self, index: int, shape: tuple[int, ...]) -> np.ndarray:
        """Returns the value of a weight."""
        rng = np.random.default_rng([index, *(ord(c) for c in self.name)])
        return 0.5 * rng.standard_normal(shape).astype("float32")

    def direction(self, shape: tuple[int, ...]) -> np.ndarray:
        """Returns what the output is multiplied with for the gradient."""
        rng = np.random.default_rng([2, *(ord(c) for c in self.name)])
        return rng.standard_normal(shape).astype("float32")

    def arguments(self, convert: Any) -> dict[str, Any]:
        """Returns the keyword arguments of the call, masks given to `convert`."""
        masks = {k: convert(v) for k, v in self.mask_arrays().items()}
        if self.takes_list and masks:
            masks = {"mask": [masks.get("query_mask"), masks["value_mask"]]}
        return {**self.call, **masks}


_QUERY, _VALUE, _KEY = (2, 4, 6), (2, 5, 6), (2, 5, 3)
_ALL = {"query_mask": (2, 4), "value_mask": (2, 5)}
_SCORES = {"return_attention_scores": True}
_CAUSAL = {"use_causal_mask": True}
_SELF = ((2, 7, 6), (2, 7, 6))
_MULTI: dict[str, Any] = {"num_heads": 2, "key_dim": 3}
_GROUP: dict[str, Any] = {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2}

CASES = [
    AttentionCase(name, layer, args, shapes, call, masks)
    for name, layer, args, shapes, call, masks in [
        ("dot", "Attention", {}, (_QUERY, _VALUE), {}, {}),
        ("dot_scale", "Attention", {"use_scale": True}, (_QUERY, _VALUE), _SCORES, _ALL),
        ("dot_causal", "Attention", {}, _SELF, _CAUSAL, {}),
        (
            "concat",
            "Attention",
            {"score_mode": "concat", "use_scale": True},
            (_QUERY, _VALUE),
            {},
            _ALL,
        ),
        ("additive", "AdditiveAttention", {}, (_QUERY, _VALUE), _SCORES, _ALL),
        ("additive_plain", "AdditiveAttention", {"use_scale": False}, _SELF, _CAUSAL, {}),
        ("multi", "MultiHeadAttention", _MULTI, (_QUERY, _VALUE), {}, {}),
        (
            "multi_key",
            "MultiHeadAttention",
            {**_MULTI, "value_dim": 4},
            (_QUERY, _VALUE, _KEY),
            _SCORES,
            {},
        ),
        (
            "multi_masks",
            "MultiHeadAttention",
            _MULTI,
            (_QUERY, _VALUE),
            {},
            {"value_mask": (2, 5), "key_mask": (2, 5), "attention_mask": (2, 4, 5)},
        ),
        ("multi_causal", "MultiHeadAttention", _MULTI, _SELF, _CAUSAL, {}),
        ("multi_window", "MultiHeadAttention", {**_MULTI, "sliding_window": 2}, _SELF, {}, {}),
        ("multi_gate", "MultiHeadAttention", {**_MULTI, "use_gate": True}, _SELF, {}, {}),
        (
            "multi_output",
            "MultiHeadAttention",
            {**_MULTI, "output_shape": (2, 5), "use_bias": False},
            _SELF,
            {},
            {},
        ),
        (
            "multi_axis",
            "MultiHeadAttention",
            {**_MULTI, "attention_axes": 2},
            ((2, 3, 4, 6), (2, 3, 4, 6)),
            _SCORES,
            {},
        ),
        ("multi_axes", "MultiHeadAttention", _MULTI, ((2, 3, 4, 6), (2, 2, 3, 6)), _SCORES, {}),
        ("group", "GroupQueryAttention", _GROUP, (_QUERY, _VALUE), {}, {}),
        (
            "group_masks",
            "GroupQueryAttention",
            _GROUP,
            (_QUERY, _VALUE),
            _SCORES,
            {"value_mask": (2, 5)},
        ),
        ("group_causal", "GroupQueryAttention", {**_GROUP, "use_gate": True}, _SELF, _CAUSAL, {}),
        (
            "group_window",
            "GroupQueryAttention",
            {**_GROUP, "sliding_window": 3},
            _SELF,
            _CAUSAL,
            {},
        ),
    ]
]


def make_layer(layers: Any, case: AttentionCase) -> Any:
    """Returns the case's layer, built, with its weights set."""
    layer = getattr(layers, case.layer)(**case.args)
    if case.takes_list:
        layer.build(list(case.shapes))
    else:
        layer.build(*case.shapes)
    for i, w in enumerate(layer.weights):
        w.assign(case.weight(i, tuple(w.shape)))
    return layer
