#include "pronghorn/passes/elementwise_groups.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "pronghorn/tile/lower.h"
#include "pronghorn/tile/program.h"

namespace pronghorn {

Readers::Readers(const Graph& graph)
    : nodes(graph.nodes.size()), leaves(graph.nodes.size(), false) {
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    for (const Value v : graph.nodes[i].inputs)
      nodes[static_cast<size_t>(v.node)].push_back(static_cast<int32_t>(i));
  }
  for (const Value v : graph.outputs) leaves[static_cast<size_t>(v.node)] = true;
  for (const Update& update : graph.updates) leaves[static_cast<size_t>(update.value.node)] = true;
}

bool is_tileable(const Graph& graph, const Node& node) {
  if (is_source(node) || node.payload != nullptr || node.op->tile_opcode < 0) return false;
  std::vector<TensorType> types;
  for (const Value v : node.inputs) types.push_back(graph.type(v));
  return is_tileable(*node.op, types, node.outputs);
}

namespace {

// Every node has a level: at least that of a node it reads, and more than it unless both can be in
// one group. So a path that leaves a group never comes back to its level, and nodes of one level
// and shape can be merged without a cycle.
class Grouping {
 public:
  explicit Grouping(const Graph& graph)
      : graph_(graph),
        size_(graph.nodes.size()),
        readers_(graph),
        tileable_(size_),
        level_(size_, 0),
        parent_(size_) {
    std::iota(parent_.begin(), parent_.end(), 0);
    for (size_t i = 0; i < size_; ++i) tileable_[i] = is_tileable(graph, graph.nodes[i]);
  }

  ElementwiseGroups run() {
    assign_levels();
    sink_scalars();
    sink();
    sink_groups();
    join();
    return number();
  }

 private:
  static size_t at(int32_t i) { return static_cast<size_t>(i); }
  const Node& node(size_t i) const { return graph_.nodes[i]; }
  const Shape& shape(size_t i) const { return node(i).outputs[0].shape; }
  bool is_scalar(size_t i) const { return tileable_[i] && shape(i).rank() == 0; }
  bool can_join(size_t from, size_t to) const {
    return tileable_[from] && tileable_[to] && shape(from) == shape(to);
  }
  int32_t step(size_t from, size_t to) const {
    return is_source(node(from)) || can_join(from, to) ? 0 : 1;
  }

  void assign_levels() {
    for (size_t i = 0; i < size_; ++i) {
      for (const Value v : node(i).inputs)
        level_[i] = std::max(level_[i], level_[at(v.node)] + step(at(v.node), i));
    }
  }

  // Scalars that nothing but outputs need go to one level, the last, so that they become one
  // program.
  void sink_scalars() {
    int32_t last = 0;
    for (size_t i = 0; i < size_; ++i) {
      if (is_scalar(i)) last = std::max(last, level_[i]);
    }
    std::vector<bool> sunk(size_, false);
    for (size_t i = size_; i-- > 0;) {
      if (!is_scalar(i)) continue;
      const auto& readers = readers_.nodes[i];
      sunk[i] = std::all_of(readers.begin(), readers.end(),
                            [&](int32_t reader) { return sunk[at(reader)]; });
      if (sunk[i]) level_[i] = last;
    }
  }

  // Whether memory has to hold node i although it is in a group at its level.
  bool is_stored(size_t i) const {
    return readers_.leaves[i] ||
           std::any_of(readers_.nodes[i].begin(), readers_.nodes[i].end(), [&](int32_t reader) {
             return !can_join(i, at(reader)) || level_[at(reader)] != level_[i];
           });
  }

  bool has_neighbour(size_t i) const {
    for (const Value v : node(i).inputs) {
      if (can_join(at(v.node), i) && level_[at(v.node)] == level_[i]) return true;
    }
    return std::any_of(readers_.nodes[i].begin(), readers_.nodes[i].end(), [&](int32_t reader) {
      return can_join(i, at(reader)) && level_[at(reader)] == level_[i];
    });
  }

  // Moves a node down to the level of its readers where that stores fewer values: what the forward
  // pass computes for the backward pass alone is computed there.
  void sink() {
    for (size_t i = size_; i-- > 0;) {
      const auto& readers = readers_.nodes[i];
      if (!tileable_[i] || is_scalar(i) || readers.empty()) continue;
      int32_t target = std::numeric_limits<int32_t>::max();
      bool joins = false;
      bool leaves = readers_.leaves[i];
      for (const int32_t reader : readers)
        target = std::min(target, level_[at(reader)] - step(i, at(reader)));
      if (target <= level_[i]) continue;
      for (const int32_t reader : readers) {
        const bool here = can_join(i, at(reader)) && level_[at(reader)] == target;
        joins = joins || here;
        leaves = leaves || !here;
      }
      if (!joins) continue;
      size_t newly_stored =
          0;  // bytes of operands that only the group at the old level would have held in registers
      std::set<int32_t> seen;
      for (const Value v : node(i).inputs) {
        const size_t from = at(v.node);
        if (can_join(from, i) && level_[from] == level_[i] && !is_stored(from) &&
            seen.insert(v.node).second) {
          newly_stored += node(from).outputs[0].bytes();
        }
      }
      const bool sinks = leaves ? newly_stored == 0 && !has_neighbour(i)
                                : newly_stored < node(i).outputs[0].bytes();
      if (sinks) level_[i] = target;
    }
  }

  // The same for whole groups: one that is needed by nodes of its kind at a later level alone goes
  // there.
  void sink_groups() {
    std::map<std::pair<int32_t, size_t>, std::vector<size_t>>
        groups;  // by level (downwards) and root
    for (size_t i = 0; i < size_; ++i) {
      for (const Value v : node(i).inputs) {
        if (can_join(at(v.node), i) && level_[at(v.node)] == level_[i]) unite(at(v.node), i);
      }
    }
    for (size_t i = 0; i < size_; ++i) {
      if (tileable_[i] && !is_scalar(i)) groups[{-level_[i], root(i)}].push_back(i);
    }
    for (const auto& [key, members] : groups) {
      const int32_t level = -key.first;
      int32_t target = std::numeric_limits<int32_t>::max();
      int32_t joined = -1;  // the earliest level at which it finds readers of its kind
      for (const size_t i : members) {
        for (const int32_t reader : readers_.nodes[i]) {
          if (root(at(reader)) == key.second) continue;
          target = std::min(target, level_[at(reader)] - step(i, at(reader)));
          if (can_join(i, at(reader)) && (joined < 0 || level_[at(reader)] < joined))
            joined = level_[at(reader)];
        }
      }
      if (joined <= level || joined != target) continue;
      for (const size_t i : members) level_[i] = target;
    }
  }

  size_t root(size_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  void unite(size_t a, size_t b) {
    a = root(a);
    b = root(b);
    parent_[std::max(a, b)] = std::min(a, b);
  }

  void join() {
    std::map<int32_t, size_t> scalars;  // by level
    // By level and value read: a node of the value's shape that reads it.
    std::map<std::tuple<int32_t, int32_t, int32_t>, size_t> first_reader;
    for (size_t i = 0; i < size_; ++i) {
      if (!tileable_[i]) continue;
      if (is_scalar(i)) unite(scalars.emplace(level_[i], i).first->second, i);
      for (const Value v : node(i).inputs) {
        const size_t from = at(v.node);
        if (can_join(from, i) && level_[from] == level_[i]) unite(from, i);
        if (graph_.type(v).shape == shape(i)) {
          const size_t other =
              first_reader.emplace(std::tuple{level_[i], v.node, v.index}, i).first->second;
          if (shape(other) == shape(i)) unite(other, i);
        }
      }
    }
  }

  // Cuts groups that are too large for a program, in the order of their nodes; drops groups of one
  // node.
  ElementwiseGroups number() {
    std::map<size_t, std::vector<int32_t>> members;
    for (size_t i = 0; i < size_; ++i) {
      if (tileable_[i]) members[root(i)].push_back(static_cast<int32_t>(i));
    }
    ElementwiseGroups groups{std::vector<int32_t>(size_, -1), 0};
    for (const auto& [unused, nodes] : members) {
      size_t begin = 0;
      while (begin < nodes.size()) {
        const size_t end = end_of_program(nodes, begin);
        if (end - begin > 1) {
          for (size_t k = begin; k < end; ++k) groups.group[at(nodes[k])] = groups.count;
          ++groups.count;
        }
        begin = end;
      }
    }
    return groups;
  }

  size_t end_of_program(const std::vector<int32_t>& nodes, size_t begin) const {
    int instructions = 0;
    std::set<std::pair<int32_t, int32_t>> operands;
    for (size_t k = begin; k < nodes.size(); ++k) {
      const Node& n = node(at(nodes[k]));
      instructions += size_of(n.outputs[0].dtype) == 2 ? 2 : 1;
      for (const Value v : n.inputs) {
        if (!std::binary_search(nodes.begin() + static_cast<std::ptrdiff_t>(begin),
                                nodes.begin() + static_cast<std::ptrdiff_t>(k), v.node)) {
          operands.insert({v.node, v.index});
        }
      }
      if (k > begin && (instructions > kTileMaxInstructions || operands.size() > kTileMaxOperands))
        return k;
    }
    return nodes.size();
  }

  const Graph& graph_;
  size_t size_;
  Readers readers_;
  std::vector<bool> tileable_;
  std::vector<int32_t> level_;
  std::vector<size_t> parent_;
};

}  // namespace

ElementwiseGroups group_elementwise(const Graph& graph) { return Grouping(graph).run(); }

}  // namespace pronghorn
