// For ops that compute in float32 on rows: operands that may be of 16 bits (OpDef::half_inputs) and
// a result that may be followed by an epilogue are taken a few rows at a time, in the cache.
//
//   prepare:  plan->rows = row_blocks(call, n, {0, 4}, own_inputs);
//   run:      in a task:  plan.rows.run(launch, begin, end, kAtOnce, [&](const RowBlock& block) {
//               kernel(block.x[0], block.x[1], block.rows, n, block.y); });
#pragma once

#include <algorithm>
#include <array>
#include <initializer_list>
#include <memory>

#include "pronghorn/gemm/gemm.h"
#include "pronghorn/kernels/kernels.h"
#include "pronghorn/tile/epilogue.h"
#include "pronghorn/tile/lower.h"

namespace pronghorn::ops {

constexpr size_t kMostRowOperands = 2;

struct RowBlock {
  int64_t row;
  int64_t rows;
  std::array<const float*, kMostRowOperands> x;  // the operands' elements of these rows
  float* y;                                      // where those of output 0 go
};

struct RowBlocks {
  struct Operand {
    int input;
    DType dtype;
  };
  int64_t n = 0;  // elements of a row
  std::array<Operand, kMostRowOperands> operands{};
  size_t operand_count = 0;
  int own_inputs = 0;
  bool has_result = true;  // output 0 has the rows, too
  std::shared_ptr<const TilePlan> epilogue;

  bool replaces_result() const { return epilogue != nullptr && !epilogue->epilogue.in_place; }
  bool converts() const {
    return std::any_of(operands.begin(), operands.begin() + operand_count,
                       [](const Operand& o) { return is_half(o.dtype); });
  }

  // Calls kernel(RowBlock) for rows [begin, end), at most `at_once` of them at a time where
  // something is converted or follows.
  template <typename Kernel>
  void run(const Launch& launch, int64_t begin, int64_t end, int64_t at_once,
           Kernel&& kernel) const {
    if (epilogue == nullptr && !converts()) at_once = end - begin;
    const int64_t size = (std::min(at_once, end - begin) * n + 15) / 16 * 16;
    const auto buffers = static_cast<int64_t>(operand_count) + 1;
    float* const scratch =
        replaces_result() || converts() ? thread_scratch(buffers * size) : nullptr;
    const TileEpilogue tiles{epilogue.get(), launch.inputs + own_inputs, launch.outputs};
    for (int64_t row = begin; row < end; row += at_once) {
      RowBlock block{row, std::min(at_once, end - row), {}, nullptr};
      for (size_t k = 0; k < operand_count; ++k) {
        const auto& [input, dtype] = operands[k];
        if (is_half(dtype)) {
          float* const to = scratch + static_cast<int64_t>(k) * size;
          kernels().widen_elements(static_cast<ElementType>(dtype),
                                   launch.input<uint16_t>(input) + row * n, to, block.rows * n);
          block.x[k] = to;
        } else {
          block.x[k] = launch.input<float>(input) + row * n;
        }
      }
      if (has_result) {
        block.y =
            replaces_result() ? scratch + (buffers - 1) * size : launch.output<float>(0) + row * n;
      }
      kernel(block);
      if (epilogue != nullptr)
        TileEpilogue::apply_to_range(tiles, block.y, row * n, block.rows * n);
    }
  }
};

// Rows whose operands and result fit the L1 cache.
inline int64_t rows_in_cache(int64_t n) {
  return std::max<int64_t>(1, 2048 / std::max<int64_t>(n, 1));
}

// operands: inputs that are matrices of rows of n elements; own_inputs: without the epilogue's.
inline RowBlocks row_blocks(const OpCall& call, int64_t n, std::initializer_list<int> operands,
                            int own_inputs) {
  RowBlocks rows{.n = n, .own_inputs = own_inputs, .epilogue = epilogue_plan(call)};
  for (const int input : operands)
    rows.operands[rows.operand_count++] = {input, call.inputs[static_cast<size_t>(input)].dtype};
  return rows;
}

}  // namespace pronghorn::ops
