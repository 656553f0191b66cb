// A pure function of inputs and variables as a list of nodes in topological order.
#pragma once

#include <deque>
#include <vector>

#include "pronghorn/ir/op_def.h"

namespace pronghorn {

struct Node {
  const OpDef* op = nullptr;
  std::vector<Value> inputs;
  Attrs attrs;
  std::vector<TensorType> outputs;
  std::shared_ptr<const Payload> payload;
  Tensor constant;    // of a "constant" node
  int32_t slot = -1;  // of an "input" or "variable" node: which one
};

// After a run the variable `slot` holds `value`.
struct Update {
  int32_t slot;
  Value value;
};

class Graph {
 public:
  // A deque: references to nodes stay valid while nodes are added.
  std::deque<Node> nodes;
  std::vector<Value> outputs;
  std::vector<Update> updates;
  int32_t input_count = 0;
  int32_t variable_count = 0;

  const Node& node(Value v) const { return nodes[static_cast<size_t>(v.node)]; }
  const TensorType& type(Value v) const { return node(v).outputs[static_cast<size_t>(v.index)]; }
};

// The three ops without a kernel.
extern const OpDef kInputOp;
extern const OpDef kVariableOp;
extern const OpDef kConstantOp;

inline bool is_source(const Node& node) {
  return node.op == &kInputOp || node.op == &kVariableOp || node.op == &kConstantOp;
}

}  // namespace pronghorn
