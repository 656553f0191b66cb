// Decides which elementwise nodes become one tile program.
#pragma once

#include <cstdint>
#include <vector>

#include "pronghorn/ir/graph.h"

namespace pronghorn {

// group[i]: group of node i, or -1 if the node stays as it is. Groups are numbered from 0; merging
// every group to one node leaves the graph free of cycles, and nodes of a group keep their order.
struct ElementwiseGroups {
  std::vector<int32_t> group;
  int32_t count = 0;
};

ElementwiseGroups group_elementwise(const Graph& graph);

// Whether a node of the graph can be part of a tile program.
bool is_tileable(const Graph& graph, const Node& node);

// The nodes that read each node (a node twice if it reads twice), and whether an output or update
// needs one.
struct Readers {
  std::vector<std::vector<int32_t>> nodes;
  std::vector<bool> leaves;

  explicit Readers(const Graph& graph);
};

}  // namespace pronghorn
