// Rewrites groups of elementwise nodes to nodes of the op `fused_elementwise`, which compute all of
// the group in one pass over memory (tile/program.h). Values that only the group reads are never
// stored. A group has one shape; operands broadcast to it; scalars of one level of the graph are
// one group.
//
// Nodes are ordered anew: as before, but what only updates variables runs as soon as it can, when
// its operands are still in cache, after the other readers of the variable's old value.
#pragma once

#include "pronghorn/ir/graph.h"

namespace pronghorn {

Graph fuse_elementwise(const Graph& graph);

}  // namespace pronghorn
