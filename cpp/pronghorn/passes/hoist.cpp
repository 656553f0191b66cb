#include "pronghorn/passes/hoist.h"

#include <algorithm>

namespace pronghorn {
namespace {

// A value of more bytes is kept only if it is at most kGrowth times as large as its operands.
constexpr size_t kSmallBytes = 64 << 10;
constexpr size_t kGrowth = 4;

size_t at(int32_t i) { return static_cast<size_t>(i); }

class Hoisting {
 public:
  explicit Hoisting(const Graph& graph)
      : graph_(graph),
        fixed_(fixed_nodes(graph)),
        in_main_(graph.nodes.size(), false),
        is_kept_(graph.nodes.size(), false) {
    find_kept();
  }

  Hoisted run() {
    Hoisted result;
    if (std::find(is_kept_.begin(), is_kept_.end(), true) == is_kept_.end()) {
      result.main = graph_;
      return result;
    }
    emit_once(result);
    emit_main(result);
    return result;
  }

 private:
  bool worth_keeping(const Node& node) const {
    if (is_source(node) || node.op->is_view) return false;
    size_t read = 0;
    size_t written = 0;
    for (const Value v : node.inputs) read += graph_.type(v).bytes();
    for (const TensorType& type : node.outputs) written += type.bytes();
    // A broadcast to a small shape is no less work to read than to do.
    if (node.op->tile_opcode >= 0 && written > kGrowth * read) return false;
    return written <= std::max(kSmallBytes, kGrowth * read);
  }

  void find_kept() {
    const auto need = [&](Value v) { in_main_[at(v.node)] = true; };
    for (const Value v : graph_.outputs) need(v);
    for (const Update& update : graph_.updates) need(update.value);
    for (size_t i = graph_.nodes.size(); i-- > 0;) {
      const Node& node = graph_.nodes[i];
      if (node.op == &kInputOp || node.op == &kVariableOp) in_main_[i] = true;
      if (!in_main_[i]) continue;
      is_kept_[i] = fixed_[i] && worth_keeping(node);
      if (is_kept_[i]) continue;
      for (const Value v : node.inputs) need(v);
    }
  }

  void emit_once(Hoisted& result) const {
    std::vector<bool> needed = is_kept_;
    for (size_t i = graph_.nodes.size(); i-- > 0;) {
      if (!needed[i]) continue;
      for (const Value v : graph_.nodes[i].inputs) needed[at(v.node)] = true;
    }
    Graph& once = result.once;
    std::vector<int32_t> place(graph_.nodes.size(), -1);
    int32_t slot = graph_.variable_count;
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (!needed[i]) continue;
      Node node = graph_.nodes[i];
      for (Value& v : node.inputs) v.node = place[at(v.node)];
      place[i] = static_cast<int32_t>(once.nodes.size());
      if (node.op == &kVariableOp) result.watched.push_back(node.slot);
      if (is_kept_[i]) {
        for (size_t k = 0; k < node.outputs.size(); ++k) {
          once.updates.push_back({slot++, {place[i], static_cast<int32_t>(k)}});
          result.kept.push_back(node.outputs[k]);
        }
      }
      once.nodes.push_back(std::move(node));
    }
    once.variable_count = slot;
  }

  void emit_main(Hoisted& result) const {
    Graph& main = result.main;
    main.input_count = graph_.input_count;
    main.variable_count = result.once.variable_count;
    std::vector<std::vector<Value>> place(graph_.nodes.size());
    const auto moved = [&](Value v) { return place[at(v.node)][at(v.index)]; };
    int32_t slot = graph_.variable_count;
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (!in_main_[i]) continue;
      const Node& node = graph_.nodes[i];
      for (size_t k = 0; k < node.outputs.size(); ++k) {
        const auto next = static_cast<int32_t>(main.nodes.size());
        if (is_kept_[i]) {
          place[i].push_back({next, 0});
          main.nodes.push_back({.op = &kVariableOp, .outputs = {node.outputs[k]}, .slot = slot++});
        } else {
          place[i].push_back({next, static_cast<int32_t>(k)});
        }
      }
      if (is_kept_[i]) continue;
      Node copy = node;
      for (Value& v : copy.inputs) v = moved(v);
      main.nodes.push_back(std::move(copy));
    }
    for (const Value v : graph_.outputs) main.outputs.push_back(moved(v));
    for (const Update& update : graph_.updates)
      main.updates.push_back({update.slot, moved(update.value)});
  }

  const Graph& graph_;
  std::vector<bool> fixed_;
  std::vector<bool> in_main_;
  std::vector<bool> is_kept_;
};

}  // namespace

std::vector<bool> fixed_nodes(const Graph& graph) {
  std::vector<bool> fixed(graph.nodes.size(), false);
  if (graph.input_count == 0) return fixed;
  std::vector<bool> updated(at(graph.variable_count), false);
  for (const Update& update : graph.updates) updated[at(update.slot)] = true;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    if (is_source(node)) {
      fixed[i] = node.op == &kConstantOp || (node.op == &kVariableOp && !updated[at(node.slot)]);
    } else {
      fixed[i] = !node.op->is_opaque && std::all_of(node.inputs.begin(), node.inputs.end(),
                                                    [&](Value v) { return fixed[at(v.node)]; });
    }
  }
  return fixed;
}

Hoisted hoist(const Graph& graph) { return Hoisting(graph).run(); }

}  // namespace pronghorn
