// The tile program that fold_prologue attaches to an op: its result is the op's input, float32,
// computed in pieces in the cache as the op reads them.
//
//   prepare:  plan->source = prologue_plan(call); sizes from own_input(call)
//   run:      const PrologueReader x{plan.source.get(), launch.inputs};
//             const float* p = x.read(begin, n, scratch);
#pragma once

#include <cstdint>
#include <memory>

#include "pronghorn/kernels/kernels.h"
#include "pronghorn/tile/lower.h"
#include "pronghorn/tile/program.h"

namespace pronghorn {

// Null if the call has no prologue.
inline std::shared_ptr<const TilePlan> prologue_plan(const OpCall& call) {
  return call.payload == nullptr ? nullptr : static_cast<const TileProgram*>(call.payload)->plan();
}

// The type of the op's own input.
inline TensorType own_input(const OpCall& call) {
  return call.payload == nullptr
             ? call.inputs[0]
             : TensorType{DType::kFloat32, static_cast<const TileProgram*>(call.payload)->shape()};
}

struct PrologueReader {
  const TilePlan* plan;  // null: the input is in memory
  const void* const* inputs;

  // Elements [begin, begin + n) of the op's input: where they lie, or computed to scratch.
  const float* read(int64_t begin, int64_t n, float* scratch) const {
    if (plan == nullptr) return static_cast<const float*>(inputs[0]) + begin;
    void* const outputs[] = {scratch - begin};
    kernels().tile_run(plan->code, inputs, outputs, begin, begin + n);
    return scratch;
  }
};

}  // namespace pronghorn
