// The tile program that fold_epilogue attaches to an op: applied to blocks of the op's result while
// they are in cache. Operand 0 of the program is the result, operands 1, 2, ... follow the op's own
// inputs; the output replaces the result.
//
//   prepare:  plan->epilogue = epilogue_plan(call);
//   run:      const TileEpilogue epilogue{plan.epilogue.get(), launch.inputs + own_inputs};
//             TileEpilogue::apply(&epilogue, block, ...)   per block, from any thread, each element
//             once
#pragma once

#include <cstdint>
#include <memory>

#include "pronghorn/ir/op_def.h"

namespace pronghorn {

struct TilePlan;

// Null if the call has no epilogue.
std::shared_ptr<const TilePlan> epilogue_plan(const OpCall& call);

struct TileEpilogue {
  const TilePlan* plan;
  const void* const* operands;  // 1, 2, ... of the program

  // context: a TileEpilogue. The result is seen as a matrix (rows, columns = its last dimension);
  // block is its element (row0, col0), in place or elsewhere, and rows of the block are row_stride
  // floats apart.
  static void apply(const void* context, float* block, int64_t row0, int64_t rows, int64_t col0,
                    int64_t cols, int64_t row_stride) noexcept;
};

}  // namespace pronghorn
