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

// The number that a constant is made of; no tensor if its elements differ in their bits.
Tensor only_element(const Tensor& constant) {
  const size_t bytes = constant.type().bytes();
  const size_t one = size_of(constant.dtype());
  const auto* data = static_cast<const char*>(constant.data());
  if (bytes == 0 || bytes > kFoldBytes || std::memcmp(data, data + one, bytes - one) != 0)
    return {};
  Tensor scalar(TensorType{constant.dtype(), {}});
  std::memcpy(scalar.data(), data, one);
  return scalar;
}

// Keeps numbers that fill a whole array (gradients of means) as numbers where elementwise ops read
// them: those hold them in registers.
class Fills {
 public:
  // What each element of node i's output is, as far as it is known.
  const Tensor& operator[](int32_t i) const { return known_[static_cast<size_t>(i)]; }

  void add(const Node& node, const Tensor& number) {
    known_.push_back(node.op == &kConstantOp ? only_element(node.constant) : number);
  }

  // What each element of the node's result is, if its operands are filled with numbers.
  Tensor result_of(const Node& node) const {
    if (!is_elementwise(node)) return {};
    Graph graph;
    Builder g(graph);
    Node scalar{.op = node.op, .attrs = node.attrs};
    for (const Value v : node.inputs) {
      if (v.index != 0 || !(*this)[v.node]) return {};
      scalar.inputs.push_back(g.constant((*this)[v.node]));
    }
    scalar.outputs = infer(graph, scalar);
    const TensorType type{node.outputs[0].dtype, {}};
    if (scalar.outputs == std::vector<TensorType>{type}) return evaluate(graph, scalar);
    // An op of one operand that changes the shape alone repeats it.
    const bool repeats = node.inputs.size() == 1 && scalar.outputs == node.outputs &&
                         graph.type(scalar.inputs[0]) == type;
    return repeats ? (*this)[node.inputs[0].node] : Tensor();
  }

  // Whether operand k of the node can be its number: the result keeps its type.
  bool can_be_number(const Graph& graph, Node node, size_t k, Value number) const {
    const Value v = node.inputs[k];
    if (!is_elementwise(node) || v.index != 0 || !(*this)[v.node] ||
        graph.type(v).shape.rank() == 0) {
      return false;
    }
    node.inputs[k] = number;
    return infer(graph, node) == node.outputs;
  }

 private:
  static bool is_elementwise(const Node& node) {
    return !is_source(node) && node.op->tile_opcode >= 0 && !node.op->is_opaque &&
           node.payload == nullptr && node.outputs.size() == 1 && !node.inputs.empty();
  }

  static std::vector<TensorType> infer(const Graph& graph, const Node& node) {
    std::vector<TensorType> types;
    for (const Value v : node.inputs) types.push_back(graph.type(v));
    try {
      return node.op->infer(OpCall{*node.op, types, {}, node.attrs, nullptr});
    } catch (const Error&) {
      return {};  // the op wants arrays
    }
  }

  std::vector<Tensor> known_;
};

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

  Fills fills;
  bool replaced = false;
  const auto emit = [&](Node node, const Tensor& number = {}) {
    const size_t hash = node.op->is_opaque ? 0 : hash_of(node);
    if (!node.op->is_opaque) {
      const auto [begin, end] = seen.equal_range(hash);
      for (auto it = begin; it != end; ++it) {
        if (equal(result.nodes[static_cast<size_t>(it->second)], node)) return it->second;
      }
    }
    const auto index = static_cast<int32_t>(result.nodes.size());
    if (!node.op->is_opaque) seen.emplace(hash, index);
    fills.add(node, number);
    result.nodes.push_back(std::move(node));
    return index;
  };
  const auto emit_constant = [&](const Tensor& tensor) {
    return emit(Node{.op = &kConstantOp, .outputs = {tensor.type()}, .constant = tensor});
  };

  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    if (!live[i]) continue;
    Node node = graph.nodes[i];
    for (Value& v : node.inputs) v = moved(v);
    if (can_fold(result, node)) {
      place[i] = emit_constant(evaluate(result, node));
      continue;
    }
    const Tensor number = fills.result_of(node);
    for (size_t k = 0; k < node.inputs.size() && !number; ++k) {
      const Value v = node.inputs[k];
      if (v.index != 0 || !fills[v.node] || result.type(v).shape.rank() == 0) continue;
      const Value scalar{emit_constant(fills[v.node]), 0};
      if (!fills.can_be_number(result, node, k, scalar)) continue;
      node.inputs[k] = scalar;
      replaced = true;
    }
    place[i] = emit(std::move(node), number);
  }
  for (const Value v : graph.outputs) result.outputs.push_back(moved(v));
  for (const Update& update : graph.updates)
    result.updates.push_back({update.slot, moved(update.value)});
  return replaced ? simplify(result) : result;  // without what nothing reads any more
}

}  // namespace pronghorn
