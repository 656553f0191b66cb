#include "pronghorn/passes/tile_builder.h"

#include <algorithm>

namespace pronghorn {

bool TileBuilder::is_immediate(const Node& node) {
  return node.op == &kConstantOp && node.outputs[0].size() == 1;
}

int32_t TileBuilder::value_of(Value v) {
  const auto added = values_.find(v.node);
  if (added != values_.end()) return added->second;
  const Node& node = graph_.node(v);
  if (is_immediate(node)) {
    return dispatch_dtype(node.outputs[0].dtype, [&]<typename T>() {
      const T value = *static_cast<const T*>(node.constant.data());
      if constexpr (std::is_same_v<T, Float16> || std::is_same_v<T, Bfloat16>) {
        return program_->constant(to_float(value));
      } else {
        return program_->constant(static_cast<float>(value));
      }
    });
  }
  const auto found = std::find(operands_.begin(), operands_.end(), v);
  const auto index = static_cast<int>(found - operands_.begin());
  if (found == operands_.end()) operands_.push_back(v);
  return program_->operand(index, graph_.type(v));
}

void TileBuilder::operand(Value v, DType dtype) {
  values_[v.node] = program_->operand(0, {dtype, graph_.type(v).shape});
  operands_.push_back(v);
}

void TileBuilder::add(int32_t index) {
  const Node& node = graph_.nodes[static_cast<size_t>(index)];
  std::vector<int32_t> args;
  for (const Value v : node.inputs) args.push_back(value_of(v));
  values_[index] = program_->apply(*node.op, args, node.outputs[0].dtype);
}

TensorType TileBuilder::output(int32_t index) {
  const DType dtype = graph_.nodes[static_cast<size_t>(index)].outputs[0].dtype;
  program_->output(value_of({index, 0}), dtype);
  return {dtype, program_->shape()};
}

}  // namespace pronghorn
