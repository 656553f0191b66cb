#include "pronghorn/passes/fold_epilogue.h"

#include <algorithm>
#include <map>
#include <set>

#include "pronghorn/passes/elementwise_groups.h"
#include "pronghorn/passes/tile_builder.h"
#include "pronghorn/tile/lower.h"

namespace pronghorn {
namespace {

constexpr size_t kMostNodes = kTileMaxInstructions / 2;
constexpr size_t kMostOperands = kTileMaxOperands / 2;

class Folding {
 public:
  explicit Folding(const Graph& graph)
      : graph_(graph), readers_(graph), absorbed_(graph.nodes.size(), false) {
    for (const Value v : graph.outputs) note_leaf(v);
    for (const Update& update : graph.updates) note_leaf(update.value);
    for (size_t i = 0; i < graph.nodes.size(); ++i) {
      const Node& node = graph.nodes[i];
      if (node.op->takes_epilogue && node.payload == nullptr &&
          node.outputs[0].dtype == DType::kFloat32) {
        find_chain(static_cast<int32_t>(i));
      }
    }
  }

  Graph run() {
    Graph result;
    result.input_count = graph_.input_count;
    result.variable_count = graph_.variable_count;
    std::vector<int32_t> moved(graph_.nodes.size(), -1);
    const auto move = [&](Value v) { return Value{moved[at(v.node)], v.index}; };
    const auto emit = [&](Node node) {
      result.nodes.push_back(std::move(node));
      return static_cast<int32_t>(result.nodes.size()) - 1;
    };
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      const auto found = chains_.find(static_cast<int32_t>(i));
      if (absorbed_[i] && found == chains_.end()) continue;
      Node node = found == chains_.end() ? graph_.nodes[i] : fold(found->second);
      for (Value& v : node.inputs) v = move(v);
      moved[i] = emit(std::move(node));
      if (found == chains_.end()) continue;
      const Chain& chain = found->second;
      int32_t result_of_chain = moved[at(chain.op)] = moved[i];
      for (const int32_t view : chain.views) {
        Node again = graph_.nodes[at(view)];
        again.inputs[0] = {result_of_chain, 0};
        result_of_chain = emit(std::move(again));
      }
      moved[at(chain.end())] = result_of_chain;
    }
    for (const Value v : graph_.outputs) result.outputs.push_back(move(v));
    for (const Update& update : graph_.updates)
      result.updates.push_back({update.slot, move(update.value)});
    return result;
  }

 private:
  struct Chain {
    int32_t op;
    std::vector<int32_t>
        views;  // of the op's result, each of the one before; they end up after the op
    std::set<int32_t> nodes;  // elementwise ones, in order

    int32_t start() const {
      return views.empty() ? op : views.back();
    }  // what the first of them reads
    int32_t end() const { return *nodes.rbegin(); }
  };

  void note_leaf(Value v) {
    if (v.index == 0) leaves_.insert(v.node);
  }

  static size_t at(int32_t i) { return static_cast<size_t>(i); }

  // The only node that reads output 0 of node i; -1 if there are several or an output of the graph
  // needs it.
  int32_t only_reader(int32_t i) const {
    int32_t only = -1;
    for (const int32_t reader : readers_.nodes[at(i)]) {
      const auto& inputs = graph_.nodes[at(reader)].inputs;
      if (std::find(inputs.begin(), inputs.end(), Value{i, 0}) == inputs.end()) continue;
      if (only >= 0 && only != reader) return -1;
      only = reader;
    }
    return leaves_.count(i) > 0 ? -1 : only;
  }

  void find_chain(int32_t op) {
    Chain chain{op, {}, {}};
    best_ = chain;
    int32_t current = op;
    for (int32_t next; (next = only_reader(current)) >= 0 && graph_.nodes[at(next)].op->is_view;
         current = next) {
      chain.views.push_back(next);
    }
    const TensorType& type = graph_.nodes[at(current)].outputs[0];
    while (true) {
      const int32_t next = only_reader(current);
      if (next < 0 || absorbed_[at(next)]) break;
      const Node& node = graph_.nodes[at(next)];
      if (!is_tileable(graph_, node) || !(node.outputs[0].shape == type.shape) ||
          reads_other_output(node, op))
        break;
      Chain longer = chain;
      longer.nodes.insert(next);
      for (const Value v : node.inputs) {
        if (v.node != current) absorb_operand(longer, v.node);
      }
      if (longer.nodes.size() > kMostNodes || operands(longer).size() > kMostOperands ||
          updates_operand(longer))
        break;
      current = next;
      chain = std::move(longer);
      if (!(node.outputs[0] == type)) continue;  // a bool inside of the chain
      best_ = chain;
    }
    if (best_.nodes.empty()) return;
    // In the place of the op if the operands are there by then: its other outputs may have readers
    // before the chain's end.
    const bool early = last_operand(best_) < op;
    if (!early && graph_.nodes[at(op)].outputs.size() > 1) return;
    absorbed_[at(op)] = true;
    for (const int32_t i : best_.views) absorbed_[at(i)] = true;
    for (const int32_t i : best_.nodes) absorbed_[at(i)] = true;
    const int32_t place = early ? op : best_.end();
    chains_.emplace(place, std::move(best_));
  }

  // Whether it needs another output of the op, which may not be complete when the chain runs.
  static bool reads_other_output(const Node& node, int32_t op) {
    return std::any_of(node.inputs.begin(), node.inputs.end(),
                       [&](Value v) { return v.node == op && v.index != 0; });
  }

  // Adds what computes an operand, if only the chain needs it: the mask of a relu's gradient.
  void absorb_operand(Chain& chain, int32_t i) const {
    const Node& node = graph_.nodes[at(i)];
    const auto& readers = readers_.nodes[at(i)];
    const bool inside = std::all_of(readers.begin(), readers.end(),
                                    [&](int32_t reader) { return chain.nodes.count(reader) > 0; });
    if (!inside || readers_.leaves[at(i)] || absorbed_[at(i)] || !is_tileable(graph_, node) ||
        reads_other_output(node, chain.op) ||
        !(node.outputs[0].shape == graph_.nodes[at(chain.start())].outputs[0].shape)) {
      return;
    }
    chain.nodes.insert(i);
    for (const Value v : node.inputs) absorb_operand(chain, v.node);
  }

  // What the chain reads besides the op's result.
  std::set<std::pair<int32_t, int32_t>> operands(const Chain& chain) const {
    std::set<std::pair<int32_t, int32_t>> operands;
    for (const int32_t i : chain.nodes) {
      for (const Value v : graph_.nodes[at(i)].inputs) {
        if (v.node != chain.start() && chain.nodes.count(v.node) == 0)
          operands.insert({v.node, v.index});
      }
    }
    return operands;
  }

  // Whether the result overwrites a variable that the chain reads: an op's result cannot be built
  // up in memory that is still read, so the update is better left to a step that works in place.
  bool updates_operand(const Chain& chain) const {
    const auto all = operands(chain);
    return std::any_of(graph_.updates.begin(), graph_.updates.end(), [&](const Update& update) {
      return update.value == Value{chain.end(), 0} &&
             std::any_of(all.begin(), all.end(), [&](const auto& operand) {
               const Node& node = graph_.nodes[at(operand.first)];
               return node.op == &kVariableOp && node.slot == update.slot;
             });
    });
  }

  int32_t last_operand(const Chain& chain) const {
    const auto all = operands(chain);
    return all.empty() ? -1 : all.rbegin()->first;
  }

  Node fold(const Chain& chain) const {
    Node node = graph_.nodes[at(chain.op)];
    const Shape& shape = node.outputs[0].shape;
    TileBuilder tiles(graph_, graph_.nodes[at(chain.start())].outputs[0].shape);
    tiles.operand({chain.start(), 0});
    for (const int32_t i : chain.nodes) tiles.add(i);
    tiles.output(chain.end());
    node.inputs.insert(node.inputs.end(), tiles.operands().begin() + 1, tiles.operands().end());
    node.payload = tiles.finish(shape.rank() > 0 ? shape.back() : 1);
    return node;
  }

  const Graph& graph_;
  Readers readers_;
  std::vector<bool> absorbed_;
  std::set<int32_t> leaves_;         // nodes whose output 0 an output or update of the graph needs
  std::map<int32_t, Chain> chains_;  // by the node whose place they take
  Chain best_;
};

}  // namespace

Graph fold_epilogue(const Graph& graph) { return Folding(graph).run(); }

}  // namespace pronghorn
