#include "pronghorn/passes/passes.h"

namespace pronghorn {

std::string print(const Graph& graph) {
  std::ostringstream out;
  const auto show = [&](Value v) {
    out << '%' << v.node;
    if (v.index > 0) out << '.' << v.index;
  };
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    out << '%' << i << " = " << node.op->name;
    if (node.slot >= 0) out << ' ' << node.slot;
    if (!node.inputs.empty()) {
      out << '(';
      for (size_t k = 0; k < node.inputs.size(); ++k) {
        if (k > 0) out << ", ";
        show(node.inputs[k]);
      }
      out << ')';
    }
    if (node.attrs.begin() != node.attrs.end()) out << " {" << node.attrs << '}';
    if (node.payload != nullptr) out << " +program";
    out << " ->";
    for (const TensorType& type : node.outputs) out << ' ' << type;
    out << '\n';
  }
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    out << "output " << i << " = ";
    show(graph.outputs[i]);
    out << '\n';
  }
  for (const Update& update : graph.updates) {
    out << "variable " << update.slot << " <- ";
    show(update.value);
    out << '\n';
  }
  return out.str();
}

}  // namespace pronghorn
