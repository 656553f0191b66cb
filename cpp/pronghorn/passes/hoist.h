// Splits a graph into what depends on inputs or on variables that it updates, and what does not.
#pragma once

#include <cstdint>
#include <vector>

#include "pronghorn/ir/graph.h"

namespace pronghorn {

// `main` computes what the whole graph did; kept values are further variables of it, which `once`
// updates. `once` runs before `main` does first, and again after a watched variable has changed.
struct Hoisted {
  Graph main;
  Graph once;
  std::vector<TensorType> kept;  // of variable slots from the whole graph's variable_count on
  std::vector<int32_t> watched;  // variable slots that kept values depend on
};

// By node: whether it depends on constants and on variables that the graph does not update alone,
// so that it is the same in every run. Nothing is, where there are no inputs.
std::vector<bool> fixed_nodes(const Graph& graph);

// Keeps values that depend only on constants and on variables that the graph does not update, the
// last of each chain. Not kept: views, which cost nothing, and large values made of small ones
// (broadcasts), which cost more memory than their computation saves. A graph without inputs stays
// whole.
Hoisted hoist(const Graph& graph);

}  // namespace pronghorn
