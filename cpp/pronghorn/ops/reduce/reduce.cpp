// reduce_sum, reduce_mean, reduce_prod, reduce_max, reduce_min, reduce_any, reduce_all (x) {axes,
// keepdims}. NaN propagates. Integer sums and products keep the dtype and wrap around.
#include "pronghorn/ops/reduce/reduce.h"

#include "pronghorn/ops/shape/rules.h"

namespace pronghorn::ops {
namespace {

std::vector<int64_t> axes_of(std::string_view op, const Attrs& attrs, const Shape& shape) {
  return sorted_axes(op, attrs.integers("axes"), shape.rank());
}

Shape reduced_shape(const Shape& shape, const std::vector<int64_t>& axes, bool keepdims) {
  Shape result;
  for (int i = 0; i < shape.rank(); ++i) {
    if (!std::binary_search(axes.begin(), axes.end(), i)) {
      result.push_back(shape[i]);
    } else if (keepdims) {
      result.push_back(1);
    }
  }
  return result;
}

std::vector<TensorType> infer(const OpCall& call) {
  expect_operands(call, 1);
  const TensorType& x = call.inputs[0];
  return {{x.dtype, reduced_shape(x.shape, axes_of(call.op.name, call.attrs, x.shape),
                                  call.attrs.integer("keepdims", 0) != 0)}};
}

std::vector<TensorType> infer_arithmetic(const OpCall& call) {
  std::vector<TensorType> y = infer(call);
  if (y[0].dtype == DType::kBool) {
    type_error(call.op.name,
               ": expected a number dtype. Received: dtype=bool. Cast to int32 first.");
  }
  return y;
}

std::vector<TensorType> infer_mean(const OpCall& call) {
  std::vector<TensorType> y = infer(call);
  expect_float(call, 0);
  return y;
}

std::vector<TensorType> infer_extremum(const OpCall& call) {
  std::vector<TensorType> y = infer(call);
  const Shape& x = call.inputs[0].shape;
  if (x.size() == 0 && y[0].size() != 0) {
    value_error(call.op.name, ": the reduced axes must not be empty. Received: x.shape=", x, ".");
  }
  return y;
}

std::vector<TensorType> infer_logical(const OpCall& call) {
  std::vector<TensorType> y = infer(call);
  if (y[0].dtype != DType::kBool) {
    type_error(call.op.name, ": expected a bool operand. Received: dtype=", y[0].dtype, ".");
  }
  return y;
}

// A value of the result's shape with the reduced axes as 1 again, which broadcasts against x.
Value kept(const GradientCall& call, Value v) {
  Builder& g = call.g;
  const Shape x = g.shape(call.inputs[0]);
  return g.reshape(v, reduced_shape(x, axes_of(call.node.op->name, call.node.attrs, x), true));
}

std::vector<Value> sum_gradient(const GradientCall& call) {
  return {call.g.broadcast_to(kept(call, call.d_outputs[0]), Shape(call.g.shape(call.inputs[0])))};
}

std::vector<Value> mean_gradient(const GradientCall& call) {
  Builder& g = call.g;
  const int64_t n =
      g.shape(call.inputs[0]).size() / std::max<int64_t>(1, g.shape(call.outputs[0]).size());
  const Expr dy(g, kept(call, call.d_outputs[0]));
  const Expr scaled = dy / static_cast<double>(std::max<int64_t>(1, n));
  return {g.broadcast_to(scaled.value, Shape(g.shape(call.inputs[0])))};
}

// Elements that share the extremum share its gradient.
std::vector<Value> extremum_gradient(const GradientCall& call) {
  Builder& g = call.g;
  const Value x = call.inputs[0];
  const Shape shape = g.shape(x);
  const std::vector<int64_t> axes = axes_of(call.node.op->name, call.node.attrs, shape);
  const Expr hits(g, g.cast(g.apply("equal", {x, kept(call, call.outputs[0])}), g.dtype(x)));
  const Expr count(g, g.reduce_sum(hits.value, axes, true));
  const Expr dy(g, kept(call, call.d_outputs[0]));
  return {(hits * (dy / count)).value};
}

// dx(i) = dy * (product of those before i) * (product of those after i): right where factors are
// zero.
std::vector<Value> prod_gradient(const GradientCall& call) {
  Builder& g = call.g;
  const Shape shape = g.shape(call.inputs[0]);
  const std::vector<int64_t> axes = axes_of("reduce_prod", call.node.attrs, shape);
  std::vector<int64_t> order;
  Shape moved;
  for (int i = 0; i < shape.rank(); ++i) {
    if (!std::binary_search(axes.begin(), axes.end(), i)) order.push_back(i);
  }
  const Shape outer = reduced_shape(shape, axes, false);
  order.insert(order.end(), axes.begin(), axes.end());
  for (const int64_t axis : order) moved.push_back(shape[static_cast<int>(axis)]);
  Shape flat = outer;
  flat.push_back(shape.size() / std::max<int64_t>(1, outer.size()));
  const Value rows = g.reshape(g.apply("transpose", {call.inputs[0]}, {{"axes", order}}), flat);
  const int64_t last = flat.rank() - 1;
  const Expr before(g,
                    g.apply("cumprod", {rows},
                            {{"axis", last}, {"reverse", int64_t{0}}, {"exclusive", int64_t{1}}}));
  const Expr after(g,
                   g.apply("cumprod", {rows},
                           {{"axis", last}, {"reverse", int64_t{1}}, {"exclusive", int64_t{1}}}));
  Shape column = outer;
  column.push_back(1);
  const Expr dy(g, g.reshape(call.d_outputs[0], column));
  const Value d_rows = g.reshape((before * after * dy).value, moved);
  std::vector<int64_t> inverse(order.size());
  for (size_t i = 0; i < order.size(); ++i)
    inverse[static_cast<size_t>(order[i])] = static_cast<int64_t>(i);
  return {g.apply("transpose", {d_rows}, {{"axes", inverse}})};
}

// Over axes of size 1: a reshape. 16-bit floats are reduced in float32.
template <const char* const& name>
Value simplify(Builder& g, std::span<const Value> inputs, const Attrs& attrs) {
  const Shape shape = g.shape(inputs[0]);
  const std::vector<int64_t> axes = axes_of(name, attrs, shape);
  bool is_trivial = true;
  for (const int64_t axis : axes) is_trivial &= shape[static_cast<int>(axis)] == 1;
  if (is_trivial)
    return g.reshape(inputs[0], reduced_shape(shape, axes, attrs.integer("keepdims", 0) != 0));
  return widened(g, name, inputs, attrs);
}

template <ReduceKind kind, bool is_mean>
Prepared prepare(const OpCall& call) {
  const TensorType x = own_input(call);
  auto plan = std::make_shared<ReducePlan>(
      plan_reduce(kind, is_mean, x.dtype, x.shape, axes_of(call.op.name, call.attrs, x.shape)));
  plan->source = prologue_plan(call);
  return {.plan = plan, .workspace = plan->workspace};
}

void run(const Launch& launch) noexcept {
  reduce(launch.plan_as<ReducePlan>(), launch.inputs, launch.outputs[0], launch.workspace);
}

template <const char* const& name, ReduceKind kind, bool is_mean = false>
OpDef reduction(std::vector<TensorType> (*rule)(const OpCall&),
                std::vector<Value> (*gradient)(const GradientCall&)) {
  return {.name = name,
          .infer = rule,
          .gradient = gradient,
          .prepare = prepare<kind, is_mean>,
          .run = run,
          .simplify = simplify<name>,
          .takes_prologue = true};
}

constexpr const char* kSum = "reduce_sum";
constexpr const char* kMean = "reduce_mean";
constexpr const char* kProd = "reduce_prod";
constexpr const char* kMax = "reduce_max";
constexpr const char* kMin = "reduce_min";
constexpr const char* kAny = "reduce_any";
constexpr const char* kAll = "reduce_all";

}  // namespace

OpDef reduce_sum_op() { return reduction<kSum, ReduceKind::kSum>(infer_arithmetic, sum_gradient); }
OpDef reduce_mean_op() {
  return reduction<kMean, ReduceKind::kSum, true>(infer_mean, mean_gradient);
}
OpDef reduce_prod_op() {
  return reduction<kProd, ReduceKind::kProd>(infer_arithmetic, prod_gradient);
}
OpDef reduce_max_op() {
  return reduction<kMax, ReduceKind::kMax>(infer_extremum, extremum_gradient);
}
OpDef reduce_min_op() {
  return reduction<kMin, ReduceKind::kMin>(infer_extremum, extremum_gradient);
}
OpDef reduce_any_op() { return reduction<kAny, ReduceKind::kMax>(infer_logical, nullptr); }
OpDef reduce_all_op() { return reduction<kAll, ReduceKind::kMin>(infer_logical, nullptr); }

}  // namespace pronghorn::ops
