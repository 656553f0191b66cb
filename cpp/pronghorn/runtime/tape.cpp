#include "pronghorn/runtime/tape.h"

#include "pronghorn/ir/builder.h"
#include "pronghorn/passes/passes.h"
#include "pronghorn/runtime/eager.h"
#include "pronghorn/runtime/program.h"

namespace pronghorn {

Value Tape::value_of(const Tensor& tensor) {
  const auto found = by_memory_.find(tensor.data());
  if (found != by_memory_.end()) return found->second;
  const Value v = Builder(graph_).input(tensor.type());
  tensors_.push_back({tensor});
  by_memory_.emplace(tensor.data(), v);
  return v;
}

void Tape::record(const OpDef& op, std::span<const Tensor> inputs, const Attrs& attrs,
                  std::span<const Tensor> results) {
  Node node{.op = &op, .inputs = {}, .attrs = attrs};
  for (const Tensor& input : inputs) node.inputs.push_back(value_of(input));
  for (const Tensor& result : results) node.outputs.push_back(result.type());
  const auto index = static_cast<int32_t>(graph_.nodes.size());
  for (size_t k = 0; k < results.size(); ++k)
    by_memory_[results[k].data()] = {index, static_cast<int32_t>(k)};
  graph_.nodes.push_back(std::move(node));
  tensors_.emplace_back(results.begin(), results.end());
}

bool Tape::is_leaf(const Tensor& tensor) const {
  const auto found = by_memory_.find(tensor.data());
  return found == by_memory_.end() || is_source(graph_.node(found->second));
}

// Copies the recorded graph. An op that has no gradient because it is a rewrite to other ops
// becomes these.
std::vector<std::vector<Value>> Tape::replay(Builder& g,
                                             std::vector<std::vector<Tensor>>& known) const {
  Graph& graph = g.graph();
  std::vector<std::vector<Value>> replayed(graph_.nodes.size());
  for (size_t i = 0; i < graph_.nodes.size(); ++i) {
    Node node = graph_.nodes[i];
    for (Value& v : node.inputs)
      v = replayed[static_cast<size_t>(v.node)][static_cast<size_t>(v.index)];
    if (node.op->gradient == nullptr && node.op->simplify != nullptr) {
      replayed[i] = g.apply_all(*node.op, node.inputs, node.attrs);
      known.resize(graph.nodes.size());
      continue;
    }
    const auto at = static_cast<int32_t>(graph.nodes.size());
    for (size_t k = 0; k < node.outputs.size(); ++k)
      replayed[i].push_back({at, static_cast<int32_t>(k)});
    graph.nodes.push_back(std::move(node));
    known.push_back(tensors_[i]);
  }
  return replayed;
}

namespace {

using Known = std::vector<std::vector<Tensor>>;  // by node and output; none: to be computed

const Tensor& at(const Known& known, Value v) {
  return known[static_cast<size_t>(v.node)][static_cast<size_t>(v.index)];
}

// The graph's outputs, by one program whose inputs are what is known.
std::vector<Tensor> compute(const Graph& graph, const Known& known) {
  Graph unknown;
  Builder b(unknown);
  std::vector<std::vector<Value>> place(graph.nodes.size());
  std::vector<const void*> inputs;
  const auto moved = [&](Value v) {
    auto& row = place[static_cast<size_t>(v.node)];
    row.resize(graph.node(v).outputs.size());
    Value& to = row[static_cast<size_t>(v.index)];
    if (!to) {
      to = b.input(graph.type(v));
      inputs.push_back(at(known, v).data());
    }
    return to;
  };
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    if (!known[i].empty()) continue;
    Node node = graph.nodes[i];
    for (Value& v : node.inputs) v = moved(v);
    const auto index = static_cast<int32_t>(unknown.nodes.size());
    for (size_t k = 0; k < node.outputs.size(); ++k)
      place[i].push_back({index, static_cast<int32_t>(k)});
    unknown.nodes.push_back(std::move(node));
  }
  for (const Value v : graph.outputs) unknown.outputs.push_back(moved(v));
  const Program program(unknown, {});
  std::vector<Tensor> result;
  std::vector<void*> memory;
  for (const TensorType& type : program.outputs()) {
    result.emplace_back(type);
    memory.push_back(result.back().data());
  }
  program.run(inputs.data(), memory.data());
  return result;
}

// The same op by op, recorded by tapes.
std::vector<Tensor> compute_recorded(const Graph& graph, Known known,
                                     std::span<const std::shared_ptr<Tape>> recorders) {
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    if (!known[i].empty()) continue;
    const Node& node = graph.nodes[i];
    if (node.op == &kConstantOp) {
      known[i] = {node.constant};
      continue;
    }
    std::vector<Tensor> inputs;
    for (const Value v : node.inputs) inputs.push_back(at(known, v));
    known[i] = apply_eager(*node.op, inputs, node.attrs);
    for (const auto& tape : recorders) tape->record(*node.op, inputs, node.attrs, known[i]);
  }
  std::vector<Tensor> result;
  for (const Value v : graph.outputs) result.push_back(at(known, v));
  return result;
}

}  // namespace

std::vector<Tensor> Tape::gradient(const Tensor& target, std::span<const Tensor> sources,
                                   const Tensor& seed,
                                   std::span<const std::shared_ptr<Tape>> recorders) const {
  std::vector<Tensor> result(sources.size());
  const auto found = by_memory_.find(target.data());
  if (found == by_memory_.end()) return result;

  Graph graph;
  graph.input_count = graph_.input_count;
  Builder g(graph);
  Known known;
  const std::vector<std::vector<Value>> replayed = replay(g, known);
  const auto now = [&](Value v) {
    return replayed[static_cast<size_t>(v.node)][static_cast<size_t>(v.index)];
  };
  std::vector<Value> wrt;
  std::vector<size_t> wanted;
  for (size_t i = 0; i < sources.size(); ++i) {
    const auto source = by_memory_.find(sources[i].data());
    if (source == by_memory_.end()) continue;
    wrt.push_back(now(source->second));
    wanted.push_back(i);
  }
  Value start;
  if (seed) {
    start = g.input(seed.type());
    known.push_back({seed});
  }
  const std::vector<Value> gradients = pronghorn::gradient(g, now(found->second), wrt, start);
  known.resize(graph.nodes.size());
  std::vector<size_t> outputs;  // of `sources`
  for (size_t i = 0; i < gradients.size(); ++i) {
    if (!gradients[i]) continue;
    graph.outputs.push_back(gradients[i]);
    outputs.push_back(wanted[i]);
  }
  if (outputs.empty()) return result;
  std::vector<Tensor> values =
      recorders.empty() ? compute(graph, known) : compute_recorded(graph, known, recorders);
  for (size_t i = 0; i < outputs.size(); ++i) result[outputs[i]] = std::move(values[i]);
  return result;
}

}  // namespace pronghorn
