// Adds nodes to a graph: checks operands with the op's shape rule and applies its local rewrites.
// Gradient rules are written with Expr, whose operators add nodes:  return {(dy * y).value, {}};
#pragma once

#include <initializer_list>
#include <string_view>
#include <vector>

#include "pronghorn/ir/graph.h"

namespace pronghorn {

class Builder {
 public:
  explicit Builder(Graph& graph) : graph_(graph) {}

  Graph& graph() { return graph_; }
  const TensorType& type(Value v) const { return graph_.type(v); }
  const Shape& shape(Value v) const { return graph_.type(v).shape; }
  DType dtype(Value v) const { return graph_.type(v).dtype; }
  // Whether v is output 0 of an op of that name; then its node.
  const Node* producer(Value v, std::string_view op) const;

  Value input(const TensorType& type);
  Value variable(const TensorType& type);
  Value constant(const Tensor& tensor);
  // Rank-0 constant of that dtype.
  Value scalar(double value, DType dtype);

  // All outputs; output 0.
  std::vector<Value> apply_all(const OpDef& op, std::span<const Value> inputs, const Attrs& attrs,
                               std::shared_ptr<const Payload> payload = nullptr);
  Value apply(std::string_view op, std::initializer_list<Value> inputs, const Attrs& attrs = {});

  // Frequent compositions.
  Value reshape(Value x, const Shape& shape);
  Value cast(Value x, DType dtype);
  Value broadcast_to(Value x, const Shape& shape);
  Value reduce_sum(Value x, const std::vector<int64_t>& axes, bool keepdims);
  // Sums the dimensions that broadcasting from `shape` added: the gradient of a broadcast.
  Value sum_to_shape(Value x, const Shape& shape);
  Value zeros_like(Value x);

 private:
  Graph& graph_;
};

// A value with operators; numbers become constants of the other operand's dtype, shapes broadcast.
struct Expr {
  Builder* g = nullptr;
  Value value;

  Expr(Builder& builder, Value v) : g(&builder), value(v) {}
  Expr apply(std::string_view op) const { return {*g, g->apply(op, {value})}; }
  Expr apply(std::string_view op, const Expr& other) const {
    return {*g, g->apply(op, {value, other.value})};
  }
  Expr number(double x) const { return {*g, g->scalar(x, g->dtype(value))}; }
};

inline Expr operator+(const Expr& a, const Expr& b) { return a.apply("add", b); }
inline Expr operator-(const Expr& a, const Expr& b) { return a.apply("subtract", b); }
inline Expr operator*(const Expr& a, const Expr& b) { return a.apply("multiply", b); }
inline Expr operator/(const Expr& a, const Expr& b) { return a.apply("divide", b); }
inline Expr operator+(const Expr& a, double b) { return a + a.number(b); }
inline Expr operator-(const Expr& a, double b) { return a - a.number(b); }
inline Expr operator*(const Expr& a, double b) { return a * a.number(b); }
inline Expr operator/(const Expr& a, double b) { return a / a.number(b); }
inline Expr operator+(double a, const Expr& b) { return b.number(a) + b; }
inline Expr operator-(double a, const Expr& b) { return b.number(a) - b; }
inline Expr operator*(double a, const Expr& b) { return b.number(a) * b; }
inline Expr operator/(double a, const Expr& b) { return b.number(a) / b; }
inline Expr operator-(const Expr& a) { return a.apply("negative"); }
inline Expr where(const Expr& condition, const Expr& a, const Expr& b) {
  return {*a.g, a.g->apply("where", {condition.value, a.value, b.value})};
}

}  // namespace pronghorn
