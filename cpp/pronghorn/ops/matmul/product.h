// What the ops that multiply matrices share: a plan, an epilogue, a run.
#pragma once

#include "pronghorn/gemm/gemm.h"
#include "pronghorn/ir/op_def.h"
#include "pronghorn/tile/epilogue.h"

namespace pronghorn::ops {

// Dimensions before the last two.
Shape leading(const Shape& shape);

// prepare and run of an op whose operands 0 and 1 are those of the product; with packed_b and kX3
// operand 2 is B as it was.
Prepared prepare_product(const OpCall& call, const GemmShape& shape);
void run_product(const Launch& launch) noexcept;

}  // namespace pronghorn::ops
