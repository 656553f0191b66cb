// Rewrites nodes of which operands do not depend on what a run is given (fixed_nodes in hoist.h) to
// the forms that their ops prefer then (OpDef::prepack): weights packed once for many products.
#pragma once

#include "pronghorn/ir/graph.h"

namespace pronghorn {

Graph prepack(const Graph& graph);

}  // namespace pronghorn
