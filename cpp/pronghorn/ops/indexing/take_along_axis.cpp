// take_along_axis(x, indices) {axis, zero_fill}: y(o, i, j) = x(o, indices(o, i, j), j).
// scatter_add_along_axis(x, indices, updates) {axis}: a copy of x with updates(o, i, j) added to
// (o, indices(o, i, j), j). Both operate on operands that agree in all dimensions but the axis.
// Indices outside as in gather and scatter_add.
#include "pronghorn/base/parallel.h"
#include "pronghorn/ops/indexing/indices.h"
#include "pronghorn/ops/shape/rules.h"
#include "pronghorn/ops/shape/strided_copy.h"

namespace pronghorn::ops {
namespace {

struct Plan {
  int64_t outer;
  int64_t size;   // of the axis in x
  int64_t count;  // of the axis in indices
  int64_t inner;
  DType dtype;
  DType index;
  uint64_t fill;
  StridedCopy copy;
};

void check_shapes(const OpCall& call) {
  const Shape& x = call.inputs[0].shape;
  const Shape& indices = call.inputs[1].shape;
  const int axis = normalize_axis(call.op.name, call.attrs.integer("axis"), x.rank());
  bool fits = x.rank() == indices.rank();
  for (int i = 0; fits && i < x.rank(); ++i) fits = i == axis || x[i] == indices[i];
  if (!fits) {
    value_error(call.op.name, ": x and indices must agree in all dimensions but axis ", axis,
                ". Received: x.shape=", x, ", indices.shape=", indices, ".");
  }
}

std::vector<TensorType> infer_take(const OpCall& call) {
  expect_operands(call, 2);
  expect_integer(call, 1);
  check_shapes(call);
  return {{call.inputs[0].dtype, call.inputs[1].shape}};
}

std::vector<TensorType> infer_scatter(const OpCall& call) {
  expect_operands(call, 3);
  expect_integer(call, 1);
  expect_same_dtype(call, 0, 2);
  check_shapes(call);
  if (call.inputs[2].shape != call.inputs[1].shape) {
    value_error(call.op.name,
                ": updates must have the shape of the indices. Received: updates.shape=",
                call.inputs[2].shape, ", indices.shape=", call.inputs[1].shape, ".");
  }
  return {call.inputs[0]};
}

std::vector<Value> take_gradient(const GradientCall& call) {
  Builder& g = call.g;
  const Attrs axis{{"axis", call.node.attrs.integer("axis")}};
  return {g.apply("scatter_add_along_axis",
                  {g.zeros_like(call.inputs[0]), call.inputs[1], call.d_outputs[0]}, axis),
          {}};
}

std::vector<Value> scatter_gradient(const GradientCall& call) {
  const Value dy = call.d_outputs[0];
  const Attrs attrs{{"axis", call.node.attrs.integer("axis")}, {"zero_fill", int64_t{1}}};
  return {dy, {}, call.g.apply("take_along_axis", {dy, call.inputs[1]}, attrs)};
}

Value simplify_scatter(Builder& g, std::span<const Value> inputs, const Attrs& attrs) {
  return widened(g, "scatter_add_along_axis", inputs, attrs);
}

Prepared prepare(const OpCall& call) {
  const TensorType& x = call.inputs[0];
  const TensorType& indices = call.inputs[1];
  const int axis = normalize_axis(call.op.name, call.attrs.integer("axis"), x.shape.rank());
  const Shape strides = strides_of(x.shape);
  return {.plan = std::make_shared<const Plan>(
              Plan{.outer = x.shape.size(0, axis),
                   .size = x.shape[axis],
                   .count = indices.shape[axis],
                   .inner = x.shape.size(axis + 1, x.shape.rank()),
                   .dtype = x.dtype,
                   .index = indices.dtype,
                   .fill = fill_bits(x.dtype, call.attrs.integer("zero_fill", 0) != 0),
                   .copy = plan_copy(size_of(x.dtype), x.shape, strides, strides)})};
}

void run_take(const Launch& launch) noexcept {
  const Plan& plan = launch.plan_as<Plan>();
  const int64_t rows = plan.outer * plan.count;
  if (rows * plan.inner == 0) return;
  dispatch_size(size_of(plan.dtype), [&]<typename Unit>() {
    dispatch_index(plan.index, [&]<typename Index>() {
      const Unit* x = launch.input<Unit>(0);
      const Index* indices = launch.input<Index>(1);
      Unit* y = launch.output<Unit>(0);
      const int64_t piece = std::max<int64_t>(1, 8192 / plan.inner);
      parallel_ranges(rows, piece, plan.inner * 8, [&](int64_t begin, int64_t end) {
        for (int64_t row = begin; row < end; ++row) {
          const Unit* from = x + row / plan.count * plan.size * plan.inner;
          for (int64_t j = 0; j < plan.inner; ++j) {
            const int64_t at = wrapped(indices[row * plan.inner + j], plan.size);
            y[row * plan.inner + j] =
                at < 0 ? static_cast<Unit>(plan.fill) : from[at * plan.inner + j];
          }
        }
      });
    });
  });
}

void run_scatter(const Launch& launch) noexcept {
  const Plan& plan = launch.plan_as<Plan>();
  if (launch.outputs[0] != launch.inputs[0])
    copy_strided(plan.copy, launch.inputs[0], launch.outputs[0]);
  if (plan.outer * plan.count * plan.inner == 0) return;
  dispatch_dtype(plan.dtype, [&]<typename T>() {
    if constexpr (std::is_arithmetic_v<T>) {
      dispatch_index(plan.index, [&]<typename Index>() {
        const Index* indices = launch.input<Index>(1);
        const T* updates = launch.input<T>(2);
        T* y = launch.output<T>(0);
        const int64_t piece = std::max<int64_t>(1, 8192 / (plan.count * plan.inner));
        parallel_ranges(
            plan.outer, piece, plan.count * plan.inner * 8, [&](int64_t begin, int64_t end) {
              for (int64_t row = begin * plan.count; row < end * plan.count; ++row) {
                T* to = y + row / plan.count * plan.size * plan.inner;
                for (int64_t j = 0; j < plan.inner; ++j) {
                  const int64_t at = wrapped(indices[row * plan.inner + j], plan.size);
                  if (at < 0) continue;
                  T& element = to[at * plan.inner + j];
                  if constexpr (std::is_same_v<T, float>) {
                    element += updates[row * plan.inner + j];
                  } else {
                    element = static_cast<T>(static_cast<uint64_t>(element) +
                                             static_cast<uint64_t>(updates[row * plan.inner + j]));
                  }
                }
              }
            });
      });
    }
  });
}

}  // namespace

OpDef take_along_axis_op() {
  return {.name = "take_along_axis",
          .infer = infer_take,
          .gradient = take_gradient,
          .prepare = prepare,
          .run = run_take};
}

OpDef scatter_add_along_axis_op() {
  return {.name = "scatter_add_along_axis",
          .infer = infer_scatter,
          .gradient = scatter_gradient,
          .prepare = prepare,
          .run = run_scatter,
          .simplify = simplify_scatter,
          .in_place_inputs = 1};
}

}  // namespace pronghorn::ops
