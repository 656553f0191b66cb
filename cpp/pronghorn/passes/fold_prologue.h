// Rewrites an op that takes a prologue (OpDef::takes_prologue) and the elementwise nodes that
// compute its input for it alone (a cast, the square of a difference) to that op with a tile
// program as payload: the input is computed in pieces as it is read, and never stored.
//
// Nodes that others read too are computed again if they are as cheap as reading their result, and
// only from what is in memory anyway.
#pragma once

#include "pronghorn/ir/graph.h"

namespace pronghorn {

Graph fold_prologue(const Graph& graph);

}  // namespace pronghorn
