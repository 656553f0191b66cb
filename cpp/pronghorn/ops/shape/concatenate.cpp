// concatenate(x1, x2, ...) {axis}: the operands one after the other along an axis.
#include "pronghorn/ops/shape/rules.h"
#include "pronghorn/ops/shape/strided_copy.h"

namespace pronghorn::ops {
namespace {

using Plan = std::vector<StridedCopy>;

std::vector<TensorType> infer(const OpCall& call) {
  if (call.inputs.empty())
    value_error("concatenate: expected at least one operand. Received: none.");
  TensorType y = call.inputs[0];
  const int axis = normalize_axis("concatenate", call.attrs.integer("axis"), y.shape.rank());
  for (size_t i = 1; i < call.inputs.size(); ++i) {
    const TensorType& x = call.inputs[i];
    expect_same_dtype(call, 0, i);
    bool fits = x.shape.rank() == y.shape.rank();
    for (int d = 0; fits && d < y.shape.rank(); ++d) fits = d == axis || x.shape[d] == y.shape[d];
    if (!fits) {
      value_error("concatenate: shapes must agree in all dimensions but axis ", axis,
                  ". Received: shapes ", call.inputs[0].shape, " and ", x.shape, ".");
    }
    y.shape[axis] += x.shape[axis];
  }
  return {y};
}

std::vector<Value> gradient(const GradientCall& call) {
  Builder& g = call.g;
  const Shape shape = g.shape(call.outputs[0]);
  const int axis = normalize_axis("concatenate", call.node.attrs.integer("axis"), shape.rank());
  std::vector<int64_t> begin(static_cast<size_t>(shape.rank()), 0);
  std::vector<int64_t> end = to_vector(shape);
  const std::vector<int64_t> strides(static_cast<size_t>(shape.rank()), 1);
  std::vector<Value> result;
  int64_t at = 0;
  for (const Value x : call.inputs) {
    begin[static_cast<size_t>(axis)] = at;
    at += g.shape(x)[axis];
    end[static_cast<size_t>(axis)] = at;
    result.push_back(g.apply("slice", {call.d_outputs[0]},
                             {{"begin", begin}, {"end", end}, {"strides", strides}}));
  }
  return result;
}

Value simplify(Builder&, std::span<const Value> inputs, const Attrs&) {
  return inputs.size() == 1 ? inputs[0] : Value{};
}

Prepared prepare(const OpCall& call) {
  const Shape& y = call.outputs[0].shape;
  const int axis = normalize_axis("concatenate", call.attrs.integer("axis"), y.rank());
  const Shape to = strides_of(y);
  auto plan = std::make_shared<Plan>();
  int64_t at = 0;
  for (const TensorType& x : call.inputs) {
    plan->push_back(
        plan_copy(size_of(x.dtype), x.shape, strides_of(x.shape), to, 0, at * to[axis]));
    at += x.shape[axis];
  }
  return {.plan = plan};
}

void run(const Launch& launch) noexcept {
  const Plan& plan = launch.plan_as<Plan>();
  for (size_t i = 0; i < plan.size(); ++i)
    copy_strided(plan[i], launch.inputs[i], launch.outputs[0]);
}

}  // namespace

OpDef concatenate_op() {
  return {.name = "concatenate",
          .infer = infer,
          .gradient = gradient,
          .prepare = prepare,
          .run = run,
          .simplify = simplify};
}

}  // namespace pronghorn::ops
