// The tile program that fold_epilogue attaches to an op: applied to blocks of the op's result while
// they are in cache. Operand 0 of the program is the result, always float32; operands 1, 2, ...
// follow the op's own inputs. If the program is in place, its output 0 replaces the result and is
// the op's output 0; otherwise (another dtype, or updates of variables that the program reads) the
// op builds its result up in memory of its own, and the program's output 0 takes the place of the
// op's. Outputs 1, 2, ... of the program follow the op's own outputs.
//
//   prepare:  plan->epilogue = epilogue_plan(call);
//   run:      const TileEpilogue epilogue{plan.epilogue.get(), launch.inputs + own_inputs,
//                                         launch.outputs};
//             TileEpilogue::apply(&epilogue, block, ...)   per block, from any thread, each element
//             once
#pragma once

#include <cstdint>
#include <memory>

#include "pronghorn/tile/program.h"

namespace pronghorn {

// The payload of an op with an epilogue.
class EpiloguePayload final : public Payload {
 public:
  EpiloguePayload(std::shared_ptr<const TileProgram> program, const TensorType& result,
                  size_t own_inputs, size_t own_outputs, bool in_place);

  std::optional<bool> may_share(int output, int input) const override;

  const TileProgram& program() const { return *program_; }
  const TensorType& result() const { return result_; }
  const std::shared_ptr<const TilePlan>& plan() const { return plan_; }

 private:
  std::shared_ptr<const TileProgram> program_;
  TensorType result_;  // of the op itself
  size_t own_inputs_;
  size_t own_outputs_;
  bool in_place_;
  std::shared_ptr<const TilePlan> plan_;
};

// Null if the call has no epilogue.
std::shared_ptr<const TilePlan> epilogue_plan(const OpCall& call);

// The type of the op's own result: that of output 0 unless an epilogue takes its place.
const TensorType& own_result(const OpCall& call);

// Bytes that the op needs for its result besides its outputs: 0 unless an epilogue takes its place.
size_t own_result_bytes(const OpCall& call);

// Where the op builds its result up: output 0, or workspace + offset if the epilogue takes its
// place.
float* epilogue_result(const TilePlan* plan, const Launch& launch, size_t offset);

struct TileEpilogue {
  const TilePlan* plan;
  const void* const* operands;     // 1, 2, ... of the program
  void* const* outputs = nullptr;  // of the op; null: the program is in place and has one output

  // context: a TileEpilogue. The result is seen as a matrix (rows, columns = its last dimension);
  // block is its element (row0, col0), in place or elsewhere, and rows of the block are row_stride
  // floats apart.
  static void apply(const void* context, float* block, int64_t row0, int64_t rows, int64_t col0,
                    int64_t cols, int64_t row_stride) noexcept;

  // To elements [begin, begin + n) of the result, which lie at `elements`.
  static void apply_to_range(const TileEpilogue& epilogue, float* elements, int64_t begin,
                             int64_t n) noexcept;

  // To the whole result at once, on all threads.
  static void apply_to_all(const TileEpilogue& epilogue, float* result) noexcept;
};

}  // namespace pronghorn
