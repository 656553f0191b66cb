#include "pronghorn/tile/epilogue.h"

#include <algorithm>

#include "pronghorn/base/parallel.h"
#include "pronghorn/kernels/kernels.h"
#include "pronghorn/tile/fused.h"
#include "pronghorn/tile/lower.h"

namespace pronghorn {

EpiloguePayload::EpiloguePayload(std::shared_ptr<const TileProgram> program,
                                 const TensorType& result, size_t own_inputs, size_t own_outputs,
                                 bool in_place)
    : program_(std::move(program)),
      result_(result),
      own_inputs_(own_inputs),
      own_outputs_(own_outputs),
      in_place_(in_place),
      plan_(lower(*program_, {.columns = result.shape.rank() > 0 ? result.shape.back() : 1,
                              .own_outputs = static_cast<int32_t>(own_outputs),
                              .in_place = in_place})) {}

// The op still reads its own inputs when the first blocks are finished, and it builds its result up
// in output 0 while operands are unread.
std::optional<bool> EpiloguePayload::may_share(int output, int input) const {
  const auto o = static_cast<size_t>(output);
  const auto i = static_cast<size_t>(input);
  const bool of_program = o >= own_outputs_ || (o == 0 && !in_place_);
  if (!of_program && i < own_inputs_) return std::nullopt;
  if (!of_program || i < own_inputs_) return false;
  return may_share_tiles(*program_, *plan_,
                         o == 0 ? 0 : output - static_cast<int>(own_outputs_) + 1,
                         input - static_cast<int>(own_inputs_) + 1);
}

std::shared_ptr<const TilePlan> epilogue_plan(const OpCall& call) {
  return call.payload == nullptr ? nullptr
                                 : static_cast<const EpiloguePayload*>(call.payload)->plan();
}

const TensorType& own_result(const OpCall& call) {
  return call.payload == nullptr ? call.outputs[0]
                                 : static_cast<const EpiloguePayload*>(call.payload)->result();
}

size_t own_result_bytes(const OpCall& call) {
  const auto plan = epilogue_plan(call);
  return plan == nullptr || plan->epilogue.in_place ? 0 : own_result(call).bytes();
}

float* epilogue_result(const TilePlan* plan, const Launch& launch, size_t offset) {
  if (plan == nullptr || plan->epilogue.in_place) return launch.output<float>(0);
  return reinterpret_cast<float*>(static_cast<char*>(launch.workspace) + offset);
}

namespace {

// `rows` pieces of `cols` elements of the result from `begin` on, `columns` apart there and
// row_stride apart where they are now.
void run_pieces(const TileEpilogue& epilogue, float* block, int64_t begin, int64_t cols,
                int64_t rows, int64_t columns, int64_t row_stride) noexcept {
  const TilePlan& plan = *epilogue.plan;
  const bool in_place = plan.epilogue.in_place;
  float* const result = block - begin;
  const void* inputs[kTileMaxOperands + 1];
  inputs[0] = result;
  for (int i = 1; i < plan.code.input_count; ++i) inputs[i] = epilogue.operands[i - 1];
  void* outputs[kTileSlots];
  outputs[0] = in_place ? result : epilogue.outputs[0];
  for (int i = 1; i < plan.code.output_count; ++i)
    outputs[i] = epilogue.outputs[plan.epilogue.own_outputs + i - 1];
  kernels().tile_run_rows(plan.code, inputs, outputs, begin, cols, rows, columns,
                          row_stride - columns, in_place);
}

}  // namespace

void TileEpilogue::apply(const void* context, float* block, int64_t row0, int64_t rows,
                         int64_t col0, int64_t cols, int64_t row_stride) noexcept {
  if (rows == 0 || cols == 0) return;
  const auto& epilogue = *static_cast<const TileEpilogue*>(context);
  const int64_t columns = epilogue.plan->epilogue.columns;
  const int64_t begin = row0 * columns + col0;
  if (row_stride == columns && cols == columns)
    return run_pieces(epilogue, block, begin, rows * cols, 1, columns, row_stride);
  run_pieces(epilogue, block, begin, cols, rows, columns, row_stride);
}

void TileEpilogue::apply_to_range(const TileEpilogue& epilogue, float* elements, int64_t begin,
                                  int64_t n) noexcept {
  const int64_t columns = epilogue.plan->epilogue.columns;
  if (n > 0) run_pieces(epilogue, elements, begin, n, 1, columns, columns);
}

void TileEpilogue::apply_to_all(const TileEpilogue& epilogue, float* result) noexcept {
  const int64_t columns = epilogue.plan->epilogue.columns;
  if (epilogue.plan->total == 0) return;
  const int64_t rows = epilogue.plan->total / columns;
  const int64_t piece = std::max<int64_t>(1, epilogue.plan->piece / columns);
  parallel_ranges(rows, piece, columns * epilogue.plan->cost, [&](int64_t begin, int64_t end) {
    apply(&epilogue, result + begin * columns, begin, end - begin, 0, columns, columns);
  });
}

}  // namespace pronghorn
