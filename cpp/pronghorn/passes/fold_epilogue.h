// Rewrites an op that takes an epilogue (OpDef::takes_epilogue) and elementwise nodes that follow
// it to that op with a tile program as payload, which runs on blocks of the result while they are
// in cache. Either the chain of nodes after the result (bias, activation, residual, gradient of a
// relu), or, of an op whose epilogue has outputs, all that is done to a gradient (the updates of a
// variable and of the optimizer's state): then the gradient itself is never stored. What else the
// nodes read follows the op's inputs.
//
// Not when anything else reads the op's first output, when the nodes change the shape, or when the
// op's result is not float32. A value inside of a chain that others need too becomes a further
// output, a chain that ends in another float dtype takes the place of the op's result, both if the
// op's epilogue has outputs; otherwise the chain ends before them.
#pragma once

#include "pronghorn/ir/graph.h"

namespace pronghorn {

Graph fold_epilogue(const Graph& graph);

}  // namespace pronghorn
