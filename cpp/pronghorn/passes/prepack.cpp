#include "pronghorn/passes/prepack.h"

#include <memory>
#include <utility>

#include "pronghorn/ir/builder.h"
#include "pronghorn/passes/hoist.h"

namespace pronghorn {

Graph prepack(const Graph& graph) {
  const std::vector<bool> fixed = fixed_nodes(graph);
  Graph result;
  result.input_count = graph.input_count;
  result.variable_count = graph.variable_count;
  Builder g(result);
  std::vector<std::vector<Value>> place(graph.nodes.size());
  const auto moved = [&](Value v) {
    return place[static_cast<size_t>(v.node)][static_cast<size_t>(v.index)];
  };
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    Node node = graph.nodes[i];
    const auto known = std::make_unique<bool[]>(node.inputs.size());
    bool any = false;
    for (size_t k = 0; k < node.inputs.size(); ++k) {
      known[k] = fixed[static_cast<size_t>(node.inputs[k].node)];
      any = any || known[k];
      node.inputs[k] = moved(node.inputs[k]);
    }
    if (any && !fixed[i] && node.op->prepack != nullptr) {
      if (const Value other = node.op->prepack(g, node, {known.get(), node.inputs.size()})) {
        place[i] = {other};
        continue;
      }
    }
    const auto at = static_cast<int32_t>(result.nodes.size());
    for (size_t k = 0; k < node.outputs.size(); ++k)
      place[i].push_back({at, static_cast<int32_t>(k)});
    result.nodes.push_back(std::move(node));
  }
  for (const Value v : graph.outputs) result.outputs.push_back(moved(v));
  for (const Update& update : graph.updates)
    result.updates.push_back({update.slot, moved(update.value)});
  return result;
}

}  // namespace pronghorn
