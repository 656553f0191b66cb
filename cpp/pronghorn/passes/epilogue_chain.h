// Finds the elementwise nodes that an op can run as its epilogue.
#pragma once

#include <set>
#include <vector>

#include "pronghorn/ir/graph.h"
#include "pronghorn/passes/elementwise_groups.h"

namespace pronghorn {

struct EpilogueChain {
  int32_t op = -1;
  std::vector<int32_t> views;  // of the op's result, each of the one before
  std::set<int32_t> nodes;     // elementwise ones, in order
  // Of the nodes (or the start): whose values are needed outside. Of a program in place the first
  // one replaces the op's result; the views then follow the op.
  std::vector<int32_t> outputs;
  bool in_place = true;

  // What the first of the nodes read.
  int32_t start() const { return views.empty() ? op : views.back(); }
  int32_t last() const { return *nodes.rbegin(); }
  // Node whose place the op takes: its own if all it reads is there by then.
  int32_t place = -1;
};

class EpilogueFinder {
 public:
  explicit EpilogueFinder(const Graph& graph);

  // Without nodes if there is nothing to fold. Nodes of chains that were found before are not
  // absorbed again.
  EpilogueChain find(int32_t op);

  bool is_absorbed(int32_t node) const { return absorbed_[static_cast<size_t>(node)]; }

 private:
  static size_t at(int32_t i) { return static_cast<size_t>(i); }
  const Node& node(int32_t i) const { return graph_.nodes[at(i)]; }
  const TensorType& type(int32_t i) const { return node(i).outputs[0]; }

  EpilogueChain find_updates(EpilogueChain chain) const;
  EpilogueChain find_line(EpilogueChain chain) const;
  void accept(EpilogueChain& chain);
  // Nodes that read output 0 of a node, each once, in order.
  std::vector<int32_t> readers(int32_t i) const;
  int32_t only_reader(int32_t i) const;
  bool reads_other_output(const Node& node, int32_t op) const;
  void absorb_operand(EpilogueChain& chain, int32_t i) const;
  std::set<std::pair<int32_t, int32_t>> operands(const EpilogueChain& chain) const;
  bool fits(const EpilogueChain& chain) const;
  bool updates_operand(const EpilogueChain& chain) const;
  bool place(EpilogueChain& chain) const;

  const Graph& graph_;
  Readers readers_;
  std::vector<bool> absorbed_;
  std::vector<bool> leaf_;     // by node: an output or update of the graph needs output 0
  std::vector<bool> updates_;  // by node: only updates do
};

}  // namespace pronghorn
