// Rewrites an op that takes an epilogue (OpDef::takes_epilogue) and the chain of elementwise nodes
// that follows it (bias, activation, residual, gradient of a relu) to that op with a tile program
// as payload: the chain runs on blocks of the result while they are in cache. What else the chain
// reads follows the op's inputs.
//
// Not when anything but the chain reads the op's first output or a value inside of the chain, when
// the chain changes the shape, or when results are not float32.
#pragma once

#include "pronghorn/ir/graph.h"

namespace pronghorn {

Graph fold_epilogue(const Graph& graph);

}  // namespace pronghorn
