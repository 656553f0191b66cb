// Rewrites a product with fixed weights (OpDef::scale_columns) and multiplications and additions of
// fixed vectors that follow it (a bias, then a batch normalization with moving statistics) to the
// product with scaled weights and one addition. What is fixed is so in every run (fixed_nodes in
// hoist.h), so hoist computes the scaled weights once.
//
// Not when anything else reads a value in between: the product would be computed twice. Vectors
// are those along the last dimension, or single numbers.
#pragma once

#include "pronghorn/ir/graph.h"

namespace pronghorn {

Graph fold_scale(const Graph& graph);

}  // namespace pronghorn
