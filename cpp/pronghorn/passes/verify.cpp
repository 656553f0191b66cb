#include <cstdlib>
#include <fstream>

#include "pronghorn/passes/passes.h"

namespace pronghorn {
namespace {

[[noreturn]] void invalid(const Graph& graph, const char* after, const std::string& what) {
  const char* dump = std::getenv("PRONGHORN_DUMP");
  if (dump != nullptr && *dump != '\0' && *dump != '0') {
    std::ofstream("pronghorn_graph.txt") << print(graph);
    internal_error(after, " made an invalid graph (", what,
                   "). It is saved in pronghorn_graph.txt.");
  }
  internal_error(after, " made an invalid graph (", what, "). PRONGHORN_DUMP=1 saves it.");
}

}  // namespace

void verify(const Graph& graph, const char* after) {
  const auto exists = [&](Value v, size_t before) {
    return v.node >= 0 && static_cast<size_t>(v.node) < before && v.index >= 0 &&
           static_cast<size_t>(v.index) < graph.node(v).outputs.size();
  };
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    std::vector<TensorType> inputs;
    for (const Value v : node.inputs) {
      if (!exists(v, i)) {
        invalid(graph, after, concat("node ", i, " '", node.op->name, "' reads node ", v.node));
      }
      inputs.push_back(graph.type(v));
    }
    if (is_source(node) || node.payload != nullptr)
      continue;  // types of fused nodes are those of what was fused
    if (node.op->infer(OpCall{*node.op, inputs, {}, node.attrs, nullptr}) != node.outputs) {
      invalid(graph, after,
              concat("node ", i, " '", node.op->name, "' has types that its op does not infer"));
    }
  }
  const size_t count = graph.nodes.size();
  for (const Value v : graph.outputs) {
    if (!exists(v, count)) invalid(graph, after, concat("an output reads node ", v.node));
  }
  for (const Update& update : graph.updates) {
    if (!exists(update.value, count))
      invalid(graph, after, concat("an update reads node ", update.value.node));
  }
}

}  // namespace pronghorn
