// The op `fused_elementwise`: its payload is a TileProgram, its operands and outputs are the
// program's.
#pragma once

#include "pronghorn/tile/lower.h"
#include "pronghorn/tile/program.h"

namespace pronghorn {

// Made by passes only; not among all_ops().
extern const OpDef kFusedElementwiseOp;

// Runs the whole iteration, in parallel pieces.
void run_tiles(const TilePlan& plan, const void* const* inputs, void* const* outputs) noexcept;

// Whether output and input may be the same memory.
bool may_share_tiles(const TileProgram& program, const TilePlan& plan, int output, int input);

}  // namespace pronghorn
