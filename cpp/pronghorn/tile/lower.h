// Makes a tile program executable: fuses instructions, assigns slots, and finds how each operand is
// read.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "pronghorn/kernels/kernel_types.h"
#include "pronghorn/tile/program.h"

namespace pronghorn {

// What is special about a program that is an epilogue (tile/epilogue.h).
struct EpilogueForm {
  int64_t columns = 1;      // of the result as a matrix
  int32_t own_outputs = 1;  // of the op
  bool in_place = true;
};

struct TilePlan {
  TileCode code{};    // points into the vectors below
  int64_t total = 0;  // elements of the iteration shape
  int64_t piece = 0;  // elements that one thread takes at once
  int64_t cost = 0;   // of one element, in the units of parallel_for
  EpilogueForm epilogue;

  std::vector<TileInstruction> instructions;
  std::vector<TileInput> inputs;
  std::vector<TileOutput> outputs;
  std::vector<float> constants;
  std::vector<int32_t> slot_at;
  std::vector<uint8_t> slot_scalar;
  std::vector<int32_t> last_read;   // by input: the last instruction that reads its memory
  std::vector<int32_t> written_by;  // by output: the first instruction that writes its memory

  // Whether the epilogue may run again on a result that was computed again.
  bool is_repeatable() const { return epilogue.in_place && code.output_count == 1; }

  TilePlan() = default;
  TilePlan(const TilePlan&) = delete;
  TilePlan& operator=(const TilePlan&) = delete;
};

std::shared_ptr<const TilePlan> lower(const TileProgram& program,
                                      const EpilogueForm& epilogue = {});

// Operations per element, roughly.
int64_t instruction_cost(TileOp op);

// How a tensor of shape `from` is read by an iteration over `to`; `slot` and `row_at` are left
// alone.
TileInput classify(const Shape& from, const Shape& to, DType dtype);

// Programs beyond these do not fit into the slots of the interpreter.
inline constexpr int kTileMaxInstructions = 80;
inline constexpr int kTileMaxOperands =
    40;  // constants included; every instruction may be an output

}  // namespace pronghorn
