#include "pronghorn/ir/builder.h"

#include "pronghorn/tensor/check_size.h"

namespace pronghorn {
namespace {

// Sizes, paddings, strides: what shape rules calculate with.
void check_numbers(std::string_view op, const Attrs& attrs) {
  for (const auto& [name, value] : attrs) {
    const auto* numbers = std::get_if<std::vector<int64_t>>(&value);
    if (numbers == nullptr) continue;
    for (const int64_t number : *numbers) {
      if (number > kMaxTensorBytes || number < -kMaxTensorBytes) {
        value_error(op, ": expected numbers of at most 2^47. Received: ", name, "=", number, ".");
      }
    }
  }
}

}  // namespace

const Node* Builder::producer(Value v, std::string_view op) const {
  const Node& node = graph_.node(v);
  return v.index == 0 && node.op->name == op ? &node : nullptr;
}

Value Builder::input(const TensorType& type) {
  check_size("input", type);
  graph_.nodes.push_back(Node{.op = &kInputOp, .outputs = {type}, .slot = graph_.input_count++});
  return {static_cast<int32_t>(graph_.nodes.size()) - 1, 0};
}

Value Builder::variable(const TensorType& type) {
  graph_.nodes.push_back(
      Node{.op = &kVariableOp, .outputs = {type}, .slot = graph_.variable_count++});
  return {static_cast<int32_t>(graph_.nodes.size()) - 1, 0};
}

Value Builder::constant(const Tensor& tensor) {
  graph_.nodes.push_back(Node{.op = &kConstantOp, .outputs = {tensor.type()}, .constant = tensor});
  return {static_cast<int32_t>(graph_.nodes.size()) - 1, 0};
}

Value Builder::scalar(double value, DType dtype) {
  const Tensor tensor(TensorType{dtype, {}});
  dispatch_dtype(dtype, [&]<typename T>() {
    T* p = static_cast<T*>(tensor.data());
    if constexpr (std::is_same_v<T, Float16>) {
      *p = to_float16(static_cast<float>(value));
    } else if constexpr (std::is_same_v<T, Bfloat16>) {
      *p = to_bfloat16(static_cast<float>(value));
    } else {
      *p = static_cast<T>(value);
    }
  });
  return constant(tensor);
}

std::vector<Value> Builder::apply_all(const OpDef& op, std::span<const Value> inputs,
                                      const Attrs& attrs, std::shared_ptr<const Payload> payload) {
  std::vector<TensorType> types;
  types.reserve(inputs.size());
  for (const Value v : inputs) types.push_back(graph_.type(v));
  check_numbers(op.name, attrs);
  std::vector<TensorType> outputs = op.infer(OpCall{op, types, {}, attrs, payload.get()});
  for (const TensorType& type : outputs) check_size(op.name, type);
  if (op.simplify != nullptr) {
    if (const Value simpler = op.simplify(*this, inputs, attrs)) return {simpler};
  }
  const size_t count = outputs.size();
  graph_.nodes.push_back(Node{.op = &op,
                              .inputs = std::vector<Value>(inputs.begin(), inputs.end()),
                              .attrs = attrs,
                              .outputs = std::move(outputs),
                              .payload = std::move(payload)});
  std::vector<Value> values(count);
  for (size_t i = 0; i < count; ++i) {
    values[i] = {static_cast<int32_t>(graph_.nodes.size()) - 1, static_cast<int32_t>(i)};
  }
  return values;
}

Value Builder::apply(std::string_view op, std::initializer_list<Value> inputs, const Attrs& attrs) {
  return apply_all(find_op(op), std::span<const Value>(inputs.begin(), inputs.size()), attrs)[0];
}

Value Builder::reshape(Value x, const Shape& to) {
  if (shape(x) == to) return x;
  return apply("reshape", {x}, {{"shape", std::vector<int64_t>(to.begin(), to.end())}});
}

Value Builder::cast(Value x, DType to) {
  if (dtype(x) == to) return x;
  return apply("cast", {x}, {{"dtype", std::string(name_of(to))}});
}

Value Builder::broadcast_to(Value x, const Shape& to) {
  if (shape(x) == to) return x;
  return apply("broadcast_to", {x}, {{"shape", std::vector<int64_t>(to.begin(), to.end())}});
}

Value Builder::reduce_sum(Value x, const std::vector<int64_t>& axes, bool keepdims) {
  if (axes.empty()) return x;
  return apply("reduce_sum", {x}, {{"axes", axes}, {"keepdims", int64_t{keepdims}}});
}

Value Builder::sum_to_shape(Value x, const Shape& to) {
  const Shape from = shape(x);
  std::vector<int64_t> axes;
  const int added = from.rank() - to.rank();
  for (int i = 0; i < from.rank(); ++i) {
    if (i < added || (to[i - added] == 1 && from[i] != 1)) axes.push_back(i);
  }
  return reshape(reduce_sum(x, axes, false), to);
}

Value Builder::zeros_like(Value x) { return broadcast_to(scalar(0.0, dtype(x)), Shape(shape(x))); }

}  // namespace pronghorn
