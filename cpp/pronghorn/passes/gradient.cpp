// Gradient as a graph transform: reverse mode, one rule per op, nodes -> nodes.
#include "pronghorn/passes/passes.h"

namespace pronghorn {

std::vector<Value> gradient(Builder& g, Value loss, std::span<const Value> wrt, Value seed) {
  Graph& graph = g.graph();
  const auto count = static_cast<size_t>(loss.node) + 1;

  // Nodes on a path from a value of wrt to loss are the only ones that need a gradient.
  std::vector<char> depends(count, 0);
  std::vector<char> is_target(count, 0);
  for (const Value v : wrt) {
    if (static_cast<size_t>(v.node) < count) is_target[static_cast<size_t>(v.node)] = 1;
  }
  for (size_t i = 0; i < count; ++i) {
    depends[i] = is_target[i];
    for (const Value v : graph.nodes[i].inputs)
      depends[i] = depends[i] || depends[static_cast<size_t>(v.node)];
  }

  std::vector<std::vector<Value>> d(count);  // by node and output
  const auto accumulate = [&](Value to, Value dv) {
    auto& slots = d[static_cast<size_t>(to.node)];
    slots.resize(graph.node(to).outputs.size());
    Value& slot = slots[static_cast<size_t>(to.index)];
    slot = slot ? g.apply("add", {slot, dv}) : dv;
  };
  if (!seed) {
    seed = g.broadcast_to(g.scalar(1.0, g.dtype(loss)), Shape(g.shape(loss)));
  }
  accumulate(loss, seed);

  for (size_t i = count; i-- > 0;) {
    if (d[i].empty() || !depends[i]) continue;
    const Node& node = graph.nodes[i];  // stays valid: nodes are in a deque
    if (node.op->gradient == nullptr) continue;
    bool wanted = false;
    for (const Value v : node.inputs) {
      wanted = wanted || (depends[static_cast<size_t>(v.node)] && is_float(graph.type(v).dtype));
    }
    if (!wanted) continue;
    std::vector<Value> outputs(node.outputs.size());
    for (size_t k = 0; k < outputs.size(); ++k)
      outputs[k] = {static_cast<int32_t>(i), static_cast<int32_t>(k)};
    const std::vector<Value> d_outputs = d[i];
    const std::vector<Value> d_inputs =
        node.op->gradient(GradientCall{g, node, node.inputs, outputs, d_outputs});
    for (size_t k = 0; k < d_inputs.size(); ++k) {
      const Value input = node.inputs[k];
      if (!d_inputs[k] || !depends[static_cast<size_t>(input.node)] ||
          !is_float(graph.type(input).dtype))
        continue;
      if (!(graph.type(d_inputs[k]) == graph.type(input))) {
        internal_error("gradient of '", node.op->name, "': input ", k, " is ", graph.type(input),
                       ", its gradient ", graph.type(d_inputs[k]), ".");
      }
      accumulate(input, d_inputs[k]);
    }
  }

  std::vector<Value> result;
  for (const Value v : wrt) {
    const auto node = static_cast<size_t>(v.node);
    const bool reached = node < count && static_cast<size_t>(v.index) < d[node].size();
    result.push_back(reached ? d[node][static_cast<size_t>(v.index)] : Value{});
  }
  return result;
}

}  // namespace pronghorn
