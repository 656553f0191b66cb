// Local rewrites of elementwise ops with constant operands.
#include "pronghorn/ops/elementwise/rules.h"

namespace pronghorn::ops {

std::optional<double> constant_of(Builder& g, Value v) {
  const Node& node = g.graph().node(v);
  if (node.op != &kConstantOp || node.outputs[0].size() != 1) return std::nullopt;
  return dispatch_dtype(node.outputs[0].dtype, [&]<typename T>() -> std::optional<double> {
    const T value = *static_cast<const T*>(node.constant.data());
    if constexpr (std::is_same_v<T, Float16> || std::is_same_v<T, Bfloat16>) {
      return to_float(value);
    } else {
      return static_cast<double>(value);
    }
  });
}

namespace {

// x if b is that number and broadcasting with b does not change the shape of x.
Value unchanged(Builder& g, Value x, Value b, double number) {
  const std::optional<double> constant = constant_of(g, b);
  if (constant != number || g.dtype(x) == DType::kBool) return {};
  return broadcast_shapes("", g.shape(x), g.shape(b)) == g.shape(x) ? x : Value{};
}

Value add(Builder& g, std::span<const Value> v, const Attrs&) {
  if (const Value x = unchanged(g, v[0], v[1], 0.0)) return x;
  return unchanged(g, v[1], v[0], 0.0);
}

Value subtract(Builder& g, std::span<const Value> v, const Attrs&) {
  return unchanged(g, v[0], v[1], 0.0);
}

Value multiply(Builder& g, std::span<const Value> v, const Attrs&) {
  if (const Value x = unchanged(g, v[0], v[1], 1.0)) return x;
  return unchanged(g, v[1], v[0], 1.0);
}

Value divide(Builder& g, std::span<const Value> v, const Attrs&) {
  return unchanged(g, v[0], v[1], 1.0);
}

Value power(Builder& g, std::span<const Value> v, const Attrs&) {
  const std::optional<double> exponent = constant_of(g, v[1]);
  if (!exponent || !is_float(g.dtype(v[0])) || g.shape(v[1]).rank() > g.shape(v[0]).rank())
    return {};
  const Value x = v[0];
  if (*exponent == 1.0) return x;
  if (*exponent == 2.0) return g.apply("square", {x});
  if (*exponent == 3.0) return g.apply("multiply", {g.apply("square", {x}), x});
  if (*exponent == 4.0) return g.apply("square", {g.apply("square", {x})});
  if (*exponent == 0.5) return g.apply("sqrt", {x});
  if (*exponent == -0.5) return g.apply("rsqrt", {x});
  if (*exponent == -1.0) return g.apply("reciprocal", {x});
  return {};
}

Value negative(Builder& g, std::span<const Value> v, const Attrs&) {
  const Node* inner = g.producer(v[0], "negative");
  return inner == nullptr ? Value{} : inner->inputs[0];
}

}  // namespace

Simplify simplify_rule(std::string_view op) {
  constexpr std::pair<std::string_view, Simplify> kRules[] = {
      {"add", add},       {"subtract", subtract}, {"multiply", multiply},
      {"divide", divide}, {"power", power},       {"negative", negative},
  };
  for (const auto& [name, rule] : kRules) {
    if (name == op) return rule;
  }
  return nullptr;
}

}  // namespace pronghorn::ops
