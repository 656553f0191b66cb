// Rewrites of a graph, in the order in which pipeline.cpp runs them. Each keeps the values of
// outputs and updates.
#pragma once

#include <string>
#include <vector>

#include "pronghorn/ir/builder.h"
#include "pronghorn/ir/graph.h"
#include "pronghorn/passes/hoist.h"

namespace pronghorn {

// Throws an internal error, naming `after`, unless nodes read only earlier nodes and every type is
// what its op infers.
void verify(const Graph& graph, const char* after);

// d(loss)/d(x) for each x of `wrt`, as nodes added to the builder's graph; no value where loss does
// not depend on x. loss: one element. `seed`: gradient that flows into loss, of its type; no
// value: 1.
std::vector<Value> gradient(Builder& g, Value loss, std::span<const Value> wrt, Value seed = {});

// Removes what no output needs, merges equal nodes, computes small nodes whose operands are
// constants.
Graph simplify(const Graph& graph);

// All passes but hoist and those for it: simplify, fold_casts, fold_epilogue, fold_prologue,
// fuse_elementwise.
Graph optimize(const Graph& graph);

// All passes: simplify, fold_scale, prepack, hoist, then fold_epilogue and fuse_elementwise on both
// graphs. With passes off (for tests) the graph as it is.
Hoisted optimize_program(const Graph& graph);
void set_passes(bool enabled);

// One node a line: "%7 = conv(%1, %2) {strides=[1 1]} -> float32(32, 26, 26, 32)".
std::string print(const Graph& graph);

}  // namespace pronghorn
