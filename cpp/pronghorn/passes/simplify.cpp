// Removes dead nodes and those that only forward, merges equal ones (common subexpressions), folds
// small constants.
#include <cstring>
#include <unordered_map>

#include "pronghorn/base/parallel.h"
#include "pronghorn/passes/passes.h"

namespace pronghorn {
namespace {

constexpr size_t kFoldBytes =
    4096;  // larger constants cost more memory than their computation saves

// What v is, past nodes that forward it.
Value forwarded(const Graph& graph, Value v) {
  while (graph.node(v).op->forwards) v = graph.node(v).inputs[static_cast<size_t>(v.index)];
  return v;
}

std::vector<char> live_nodes(const Graph& graph) {
  std::vector<char> live(graph.nodes.size(), 0);
  const auto mark = [&](Value v) { live[static_cast<size_t>(forwarded(graph, v).node)] = 1; };
  for (const Value v : graph.outputs) mark(v);
  for (const Update& update : graph.updates) mark(update.value);
  for (size_t i = graph.nodes.size(); i-- > 0;) {
    const Node& node = graph.nodes[i];
    if (node.op == &kInputOp || node.op == &kVariableOp) live[i] = 1;  // slots keep their meaning
    if (!live[i]) continue;
    for (const Value v : node.inputs) mark(v);
  }
  return live;
}

size_t hash_of(const Node& node) {
  std::ostringstream text;
  text << node.op->name << '|' << node.attrs << '|' << node.slot << '|' << node.payload.get()
       << '|';
  for (const Value v : node.inputs) text << v.node << '.' << v.index << ',';
  if (node.op == &kConstantOp) {
    text << node.outputs[0];
    const size_t bytes = node.outputs[0].bytes();
    if (bytes <= kFoldBytes)
      text.write(static_cast<const char*>(node.constant.data()),
                 static_cast<std::streamsize>(bytes));
  }
  return std::hash<std::string>{}(text.str());
}

bool equal(const Node& a, const Node& b) {
  if (a.op != b.op || a.inputs != b.inputs || a.slot != b.slot || a.payload != b.payload ||
      a.outputs != b.outputs || !(a.attrs == b.attrs)) {
    return false;
  }
  if (a.op != &kConstantOp || a.constant.data() == b.constant.data()) return true;
  const size_t bytes = a.outputs[0].bytes();
  return bytes <= kFoldBytes && std::memcmp(a.constant.data(), b.constant.data(), bytes) == 0;
}

bool can_fold(const Graph& graph, const Node& node) {
  if (is_source(node) || node.op->is_opaque || node.inputs.empty() || node.payload != nullptr)
    return false;
  if (node.outputs.size() != 1 || node.outputs[0].bytes() > kFoldBytes) return false;
  for (const Value v : node.inputs) {
    if (graph.node(v).op != &kConstantOp || graph.type(v).bytes() > kFoldBytes) return false;
  }
  return true;
}

// Runs one node on the constants that it reads, with the arithmetic of a run.
Tensor evaluate(const Graph& graph, const Node& node) {
  std::vector<TensorType> types;
  std::vector<const void*> inputs;
  for (const Value v : node.inputs) {
    types.push_back(graph.type(v));
    inputs.push_back(graph.node(v).constant.data());
  }
  const Tensor result(node.outputs[0]);
  if (node.op->is_view) {
    std::memcpy(result.data(), inputs[0], node.outputs[0].bytes());
    return result;
  }
  Prepared prepared;
  if (node.op->prepare != nullptr) {
    prepared = node.op->prepare(OpCall{*node.op, types, node.outputs, node.attrs, nullptr});
  }
  const Buffer workspace(prepared.workspace);
  const FlushSubnormals flush;
  void* const outputs[] = {result.data()};
  node.op->run(Launch{prepared.plan.get(), inputs.data(), outputs, workspace.data()});
  return result;
}

}  // namespace

Graph simplify(const Graph& graph) {
  const std::vector<char> live = live_nodes(graph);
  Graph result;
  result.input_count = graph.input_count;
  result.variable_count = graph.variable_count;
  std::vector<int32_t> place(graph.nodes.size(), -1);
  std::unordered_multimap<size_t, int32_t> seen;
  const auto moved = [&](Value v) {
    v = forwarded(graph, v);
    return Value{place[static_cast<size_t>(v.node)], v.index};
  };

  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    if (!live[i]) continue;
    Node node = graph.nodes[i];
    for (Value& v : node.inputs) v = moved(v);
    if (can_fold(result, node)) {
      const Tensor folded = evaluate(result, node);
      node = Node{.op = &kConstantOp, .outputs = {folded.type()}, .constant = folded};
    }
    if (!node.op->is_opaque) {
      const size_t hash = hash_of(node);
      const auto [begin, end] = seen.equal_range(hash);
      for (auto it = begin; it != end && place[i] < 0; ++it) {
        if (equal(result.nodes[static_cast<size_t>(it->second)], node)) place[i] = it->second;
      }
      if (place[i] >= 0) continue;
      seen.emplace(hash, static_cast<int32_t>(result.nodes.size()));
    }
    place[i] = static_cast<int32_t>(result.nodes.size());
    result.nodes.push_back(std::move(node));
  }
  for (const Value v : graph.outputs) result.outputs.push_back(moved(v));
  for (const Update& update : graph.updates)
    result.updates.push_back({update.slot, moved(update.value)});
  return result;
}

}  // namespace pronghorn
