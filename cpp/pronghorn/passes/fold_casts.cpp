#include "pronghorn/passes/fold_casts.h"

#include <map>

#include "pronghorn/tile/opcodes.h"

namespace pronghorn {
namespace {

class Folding {
 public:
  explicit Folding(const Graph& graph) : graph_(graph), moved_(graph.nodes.size(), -1) {}

  Graph run() {
    const std::vector<bool> needed = find_needed();
    result_.input_count = graph_.input_count;
    result_.variable_count = graph_.variable_count;
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (!needed[i]) continue;
      Node node = graph_.nodes[i];
      for (size_t k = 0; k < node.inputs.size(); ++k) {
        const Value half = half_of(node, k);
        if (half) node.attrs.set("float32_result", int64_t{1});
        node.inputs[k] = half ? half_view(node.inputs[k]) : moved(node.inputs[k]);
      }
      moved_[i] = static_cast<int32_t>(result_.nodes.size());
      result_.nodes.push_back(std::move(node));
    }
    for (const Value v : graph_.outputs) result_.outputs.push_back(moved(v));
    for (const Update& update : graph_.updates)
      result_.updates.push_back({update.slot, moved(update.value)});
    return std::move(result_);
  }

 private:
  static size_t at(int32_t i) { return static_cast<size_t>(i); }
  Value moved(Value v) const { return {moved_[at(v.node)], v.index}; }

  // What operand k of a node is in 16 bits, if the node can read that; else no value.
  Value half_of(const Node& node, size_t k) const {
    if (k >= 32 || (node.op->half_inputs >> k & 1) == 0 || node.payload != nullptr) return {};
    Value v = node.inputs[k];
    while (graph_.node(v).op->is_view) v = graph_.node(v).inputs[0];
    const Node& cast = graph_.node(v);
    if (cast.op->tile_opcode != static_cast<int16_t>(kTileCopy) || cast.inputs.size() != 1 ||
        cast.outputs[0].dtype != DType::kFloat32 || cast.payload != nullptr) {
      return {};
    }
    const TensorType& from = graph_.type(cast.inputs[0]);
    return is_half(from.dtype) && from.shape == cast.outputs[0].shape ? cast.inputs[0] : Value{};
  }

  std::vector<bool> find_needed() const {
    std::vector<bool> needed(graph_.nodes.size(), false);
    const auto need = [&](Value v) { needed[at(v.node)] = true; };
    for (const Value v : graph_.outputs) need(v);
    for (const Update& update : graph_.updates) need(update.value);
    for (size_t i = graph_.nodes.size(); i-- > 0;) {
      const Node& node = graph_.nodes[i];
      if (node.op == &kInputOp || node.op == &kVariableOp) needed[i] = true;
      if (!needed[i]) continue;
      for (size_t k = 0; k < node.inputs.size(); ++k) {
        const Value half = half_of(node, k);
        need(half ? half : node.inputs[k]);
      }
    }
    return needed;
  }

  // v, a cast with views after it, without the cast.
  Value half_view(Value v) {
    const Node& node = graph_.node(v);
    if (!node.op->is_view) return moved(node.inputs[0]);
    const auto known = views_.find(v.node);
    if (known != views_.end()) return known->second;
    Node view = node;
    view.inputs[0] = half_view(node.inputs[0]);
    view.outputs[0].dtype = result_.type(view.inputs[0]).dtype;
    const Value made{static_cast<int32_t>(result_.nodes.size()), 0};
    result_.nodes.push_back(std::move(view));
    views_.emplace(v.node, made);
    return made;
  }

  const Graph& graph_;
  Graph result_;
  std::vector<int32_t> moved_;
  std::map<int32_t, Value> views_;  // of 16 bits, by the view of float32
};

}  // namespace

Graph fold_casts(const Graph& graph) { return Folding(graph).run(); }

}  // namespace pronghorn
