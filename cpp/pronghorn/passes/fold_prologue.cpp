#include "pronghorn/passes/fold_prologue.h"

#include <algorithm>
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
  explicit Folding(const Graph& graph) : graph_(graph), readers_(graph) {}

  Graph run() {
    std::vector<Node> nodes(graph_.nodes.begin(), graph_.nodes.end());
    std::vector<int32_t> readers(nodes.size(), 0);
    for (size_t i = 0; i < nodes.size(); ++i) {
      const std::set<int32_t> prologue = find(static_cast<int32_t>(i));
      if (!prologue.empty()) fold(nodes[i], prologue);
      for (const Value v : nodes[i].inputs) ++readers[at(v.node)];
    }
    // What only prologues have read disappears.
    std::vector<bool> dead(nodes.size(), false);
    for (size_t i = nodes.size(); i-- > 0;) {
      dead[i] = readers[i] == 0 && !readers_.leaves[i] && is_tileable(graph_, graph_.nodes[i]);
      if (!dead[i]) continue;
      for (const Value v : nodes[i].inputs) --readers[at(v.node)];
    }

    Graph result;
    result.input_count = graph_.input_count;
    result.variable_count = graph_.variable_count;
    std::vector<int32_t> moved(graph_.nodes.size(), -1);
    const auto move = [&](Value v) { return Value{moved[at(v.node)], v.index}; };
    for (size_t i = 0; i < nodes.size(); ++i) {
      if (dead[i]) continue;
      for (Value& v : nodes[i].inputs) v = move(v);
      moved[i] = static_cast<int32_t>(result.nodes.size());
      result.nodes.push_back(std::move(nodes[i]));
    }
    for (const Value v : graph_.outputs) result.outputs.push_back(move(v));
    for (const Update& update : graph_.updates)
      result.updates.push_back({update.slot, move(update.value)});
    return result;
  }

 private:
  static size_t at(int32_t i) { return static_cast<size_t>(i); }
  const Node& node(int32_t i) const { return graph_.nodes[at(i)]; }

  std::set<int32_t> find(int32_t op) const {
    const Node& n = node(op);
    if (!n.op->takes_prologue || n.payload != nullptr || n.inputs.size() != 1) return {};
    const Value x = n.inputs[0];
    if (graph_.type(x).dtype != DType::kFloat32 || graph_.type(x).shape.rank() == 0) return {};
    std::set<int32_t> nodes;
    absorb(op, x.node, graph_.type(x).shape, nodes);
    return operand_count(nodes) <= kMostOperands ? nodes : std::set<int32_t>{};
  }

  void absorb(int32_t op, int32_t i, const Shape& shape, std::set<int32_t>& nodes) const {
    const Node& n = node(i);
    if (!is_tileable(graph_, n) || !(n.outputs[0].shape == shape) || nodes.size() >= kMostNodes)
      return;
    const auto& all = readers_.nodes[at(i)];
    const bool inside =
        !readers_.leaves[at(i)] && std::all_of(all.begin(), all.end(), [&](int32_t reader) {
          return reader == op || nodes.count(reader) > 0;
        });
    const bool first = nodes.empty();
    if (!inside && !(first ? narrows(n) : is_cheap(n))) return;
    nodes.insert(i);
    for (const Value v : n.inputs) {
      if (nodes.count(v.node) == 0) absorb(op, v.node, shape, nodes);
    }
  }

  // A cast of fewer bytes, which are quicker to read than its result.
  bool narrows(const Node& n) const {
    return static_cast<TileOp>(n.op->tile_opcode) == kTileCopy && reads_memory(n) &&
           graph_.type(n.inputs[0]).shape == n.outputs[0].shape &&
           graph_.type(n.inputs[0]).bytes() < n.outputs[0].bytes();
  }

  bool is_cheap(const Node& n) const {
    return instruction_cost(static_cast<TileOp>(n.op->tile_opcode)) == 1 && reads_memory(n);
  }

  bool reads_memory(const Node& n) const {
    return std::none_of(n.inputs.begin(), n.inputs.end(),
                        [&](Value v) { return is_tileable(graph_, graph_.node(v)); });
  }

  size_t operand_count(const std::set<int32_t>& nodes) const {
    std::set<std::pair<int32_t, int32_t>> operands;
    for (const int32_t i : nodes) {
      for (const Value v : node(i).inputs) {
        if (nodes.count(v.node) == 0) operands.insert({v.node, v.index});
      }
    }
    return operands.size();
  }

  void fold(Node& n, const std::set<int32_t>& nodes) const {
    const Value x = n.inputs[0];
    TileBuilder tiles(graph_, graph_.type(x).shape);
    for (const int32_t i : nodes) tiles.add(i);
    tiles.output(x.node);
    n.inputs = tiles.operands();
    const std::shared_ptr<TileProgram> program = tiles.take();
    program->finish();
    n.payload = program;
  }

  const Graph& graph_;
  Readers readers_;
};

}  // namespace

Graph fold_prologue(const Graph& graph) { return Folding(graph).run(); }

}  // namespace pronghorn
