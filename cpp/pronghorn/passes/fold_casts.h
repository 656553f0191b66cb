// Rewrites casts from 16 bits to float32 in front of ops that convert as they read
// (OpDef::half_inputs) to nothing: the op reads the 16 bits, its result stays float32 (attribute
// `float32_result`). Views in between become views of 16 bits.
#pragma once

#include "pronghorn/ir/graph.h"

namespace pronghorn {

Graph fold_casts(const Graph& graph);

}  // namespace pronghorn
