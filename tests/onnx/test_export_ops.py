"""Every op of the core that is exported, against its cases in tests/op_cases."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from agreement import outside, run

from op_cases import CASES, OpCase
from pronghorn import _core, layers
from pronghorn.layers import InputSpec
from pronghorn.onnx import export_model
from pronghorn.onnx.export.convert import CONVERTERS
from pronghorn.onnx.export.table import REFUSED

# Operands that are weights: constants of the graph.
FIXED = {
    "lstm": (1, 2), "gru": (1, 2, 3), "gru_reset_before": (1, 2, 3), "simple_rnn": (1, 2),
    "stft": (1,), "stft_adjoint": (2,), "recurrent_pack": (),
}  # fmt: skip
OUTPUTS = {"max_pool": 1}  # the others are for gradients
HIDDEN = {"recurrent_pack"}  # made for other ops only
EXPORTED = [
    (case, dtype)
    for case in CASES
    for dtype in case.dtypes
    if dtype != "float16" or case.op in ("cast", "exp")
    if case.op in CONVERTERS and case.op not in HIDDEN
]


class OneOp(layers.Layer):
    """A layer of one op."""

    def __init__(self, case: OpCase, fixed: dict[int, Any], outputs: int, dtype: str) -> None:
        super().__init__(dtype="float32")
        self.case, self.fixed, self.outputs, self.float = case, fixed, outputs, dtype
        self.built = True

    def call(self, inputs: Any) -> Any:
        given = iter(inputs)
        tensors = [
            self.fixed[i] if i in self.fixed else next(given) for i in range(len(self.case.inputs))
        ]
        found = self.case.run(tensors)[: self.outputs]
        return found[0] if len(found) == 1 else found


def test_every_op_is_exported_or_refused_with_a_reason() -> None:
    ops = set(_core.op_names()) - {"custom_gradient"}  # outputs that are inputs
    assert set(CONVERTERS) | set(REFUSED) == ops
    assert not set(CONVERTERS) & set(REFUSED)


@pytest.mark.parametrize("case, dtype", EXPORTED, ids=lambda v: getattr(v, "id", v))
def test_op(case: OpCase, dtype: str, tmp_path: Path) -> None:
    arrays = case.arrays(dtype)
    expected = case.expected(arrays)[: OUTPUTS.get(case.op)]
    tensors = case.tensors(arrays, dtype)
    fixed = {i: tensors[i] for i in FIXED.get(case.op, ())}
    layer = OneOp(case, fixed, len(expected), dtype)
    free = [i for i in range(len(arrays)) if i not in fixed]
    signature = [InputSpec(shape=arrays[i].shape, dtype=tensors[i].dtype) for i in free]
    path = tmp_path / "op.onnx"
    if case.attrs.get("zero_fill") or case.attrs.get("rate"):
        with pytest.raises(ValueError, match="cannot be exported"):
            export_model(layer, path, input_signature=(signature,))
        return
    export_model(layer, path, input_signature=(signature,))
    found = run(path, [arrays[i].astype(outside(tensors[i].dtype)) for i in free])
    for got, wanted in zip(found, expected):
        assert got.shape == wanted.shape
        if got.dtype.kind != "f":
            assert got.dtype == wanted.dtype
            np.testing.assert_array_equal(got, wanted)
            continue
        tolerance = 4 * case.tolerance(arrays, wanted, dtype)
        np.testing.assert_allclose(got.astype(np.float64), wanted, rtol=0, atol=tolerance)
