#include "pronghorn/tile/epilogue.h"

#include "pronghorn/kernels/kernels.h"
#include "pronghorn/tile/lower.h"

namespace pronghorn {

std::shared_ptr<const TilePlan> epilogue_plan(const OpCall& call) {
  return call.payload == nullptr ? nullptr : static_cast<const TileProgram*>(call.payload)->plan();
}

void TileEpilogue::apply(const void* context, float* block, int64_t row0, int64_t rows,
                         int64_t col0, int64_t cols, int64_t row_stride) noexcept {
  if (rows == 0 || cols == 0) return;
  const auto& epilogue = *static_cast<const TileEpilogue*>(context);
  const TilePlan& plan = *epilogue.plan;
  const void* inputs[kTileMaxOperands + 1];
  for (int i = 1; i < plan.code.input_count; ++i) inputs[i] = epilogue.operands[i - 1];
  const int64_t begin = row0 * plan.columns + col0;
  if (row_stride == plan.columns) {
    float* result = block - begin;
    inputs[0] = result;
    void* const outputs[] = {result};
    const bool whole_rows = cols == plan.columns;
    kernels().tile_run_rows(plan.code, inputs, outputs, begin, whole_rows ? rows * cols : cols,
                            whole_rows ? 1 : rows, plan.columns);
    return;
  }
  for (int64_t i = 0; i < rows; ++i) {
    float* result = block + i * row_stride - (begin + i * plan.columns);
    inputs[0] = result;
    void* const outputs[] = {result};
    kernels().tile_run_rows(plan.code, inputs, outputs, begin + i * plan.columns, cols, 1,
                            plan.columns);
  }
}

}  // namespace pronghorn
