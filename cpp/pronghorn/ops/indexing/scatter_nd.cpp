// gather_nd(x, indices (..., k)) {zero_fill}: y(..., j...) = x(indices(..., 0), ..., indices(...,
// k-1), j...). scatter_nd_add(x, indices, updates), scatter_nd_update(x, indices, updates): a copy
// of x with the updates added at, or written to, the indices, in order. A negative index counts
// from the end; a row of indices that is outside is dropped (gather_nd: gives fill_bits of
// indices.h, or zeros if zero_fill is set).
#include <array>
#include <cstring>

#include "pronghorn/base/parallel.h"
#include "pronghorn/ops/indexing/indices.h"
#include "pronghorn/ops/shape/rules.h"
#include "pronghorn/ops/shape/strided_copy.h"

namespace pronghorn::ops {
namespace {

struct Plan {
  int64_t rows;   // of indices
  int64_t inner;  // elements that one row of indices names
  int depth;      // k
  Shape sizes;    // of the indexed dimensions
  Shape strides;  // in elements
  DType dtype;
  DType index;
  uint64_t fill;
  StridedCopy copy;
};

// Shape of what the indices name.
Shape selected(const OpCall& call) {
  expect_integer(call, 1);
  const Shape& x = call.inputs[0].shape;
  const Shape& indices = call.inputs[1].shape;
  if (indices.rank() == 0 || indices.back() > x.rank()) {
    value_error(
        call.op.name,
        ": the last dimension of the indices must be at most the rank of x. Received: x.shape=", x,
        ", indices.shape=", indices, ".");
  }
  Shape shape;
  for (int i = 0; i + 1 < indices.rank(); ++i) shape.push_back(indices[i]);
  for (int i = static_cast<int>(indices.back()); i < x.rank(); ++i) shape.push_back(x[i]);
  return shape;
}

std::vector<TensorType> infer_gather(const OpCall& call) {
  expect_operands(call, 2);
  return {{call.inputs[0].dtype, selected(call)}};
}

std::vector<TensorType> infer_scatter(const OpCall& call) {
  expect_operands(call, 3);
  expect_same_dtype(call, 0, 2);
  const Shape shape = selected(call);
  if (call.inputs[2].shape != shape) {
    value_error(call.op.name, ": updates must have the shape ", shape,
                ". Received: updates.shape=", call.inputs[2].shape,
                ", x.shape=", call.inputs[0].shape, ", indices.shape=", call.inputs[1].shape, ".");
  }
  return {call.inputs[0]};
}

std::vector<Value> gather_gradient(const GradientCall& call) {
  Builder& g = call.g;
  return {
      g.apply("scatter_nd_add", {g.zeros_like(call.inputs[0]), call.inputs[1], call.d_outputs[0]}),
      {}};
}

std::vector<Value> add_gradient(const GradientCall& call) {
  const Value dy = call.d_outputs[0];
  return {dy, {}, call.g.apply("gather_nd", {dy, call.inputs[1]}, {{"zero_fill", int64_t{1}}})};
}

// Where an index is repeated, every update of it gets the gradient; which one was written last is
// not taken into account.
std::vector<Value> update_gradient(const GradientCall& call) {
  Builder& g = call.g;
  const Value dy = call.d_outputs[0];
  return {g.apply("scatter_nd_update", {dy, call.inputs[1], g.zeros_like(call.inputs[2])}),
          {},
          g.apply("gather_nd", {dy, call.inputs[1]}, {{"zero_fill", int64_t{1}}})};
}

Value simplify_add(Builder& g, std::span<const Value> inputs, const Attrs& attrs) {
  return widened(g, "scatter_nd_add", inputs, attrs);
}

Prepared prepare(const OpCall& call) {
  const TensorType& x = call.inputs[0];
  const Shape& indices = call.inputs[1].shape;
  const int depth = static_cast<int>(indices.back());
  const Shape strides = strides_of(x.shape);
  auto plan = std::make_shared<Plan>();
  plan->rows = indices.size(0, indices.rank() - 1);
  plan->inner = x.shape.size(depth, x.shape.rank());
  plan->depth = depth;
  plan->sizes = x.shape;
  plan->strides = strides;
  plan->dtype = x.dtype;
  plan->index = call.inputs[1].dtype;
  plan->fill = fill_bits(x.dtype, call.attrs.integer("zero_fill", 0) != 0);
  plan->copy = plan_copy(size_of(x.dtype), x.shape, strides, strides);
  return {.plan = plan};
}

// Elements from the start of x to what one row of indices names; -1 if it is outside.
template <typename Index>
int64_t offset_of(const Plan& plan, const Index* row) {
  int64_t offset = 0;
  for (int d = 0; d < plan.depth; ++d) {
    const int64_t at = wrapped(row[d], plan.sizes[d]);
    if (at < 0) return -1;
    offset += at * plan.strides[d];
  }
  return offset;
}

void run_gather(const Launch& launch) noexcept {
  const Plan& plan = launch.plan_as<Plan>();
  if (plan.rows * plan.inner == 0) return;
  dispatch_size(size_of(plan.dtype), [&]<typename Unit>() {
    dispatch_index(plan.index, [&]<typename Index>() {
      const Unit* x = launch.input<Unit>(0);
      const Index* indices = launch.input<Index>(1);
      Unit* y = launch.output<Unit>(0);
      parallel_ranges(plan.rows, std::max<int64_t>(1, 8192 / plan.inner), plan.inner * 8,
                      [&](int64_t begin, int64_t end) {
                        for (int64_t row = begin; row < end; ++row) {
                          const int64_t from = offset_of(plan, indices + row * plan.depth);
                          if (from < 0) {
                            std::fill_n(y + row * plan.inner, plan.inner,
                                        static_cast<Unit>(plan.fill));
                          } else {
                            std::memcpy(y + row * plan.inner, x + from,
                                        static_cast<size_t>(plan.inner) * sizeof(Unit));
                          }
                        }
                      });
    });
  });
}

// One thread: repeated indices must be taken in order.
template <typename T, typename Index, typename Apply>
void scatter(const Plan& plan, const Index* indices, const T* updates, T* y, Apply apply) {
  for (int64_t row = 0; row < plan.rows; ++row) {
    const int64_t to = offset_of(plan, indices + row * plan.depth);
    if (to < 0) continue;
    for (int64_t j = 0; j < plan.inner; ++j) apply(y[to + j], updates[row * plan.inner + j]);
  }
}

void run_add(const Launch& launch) noexcept {
  const Plan& plan = launch.plan_as<Plan>();
  if (launch.outputs[0] != launch.inputs[0])
    copy_strided(plan.copy, launch.inputs[0], launch.outputs[0]);
  if (plan.inner == 0) return;
  dispatch_dtype(plan.dtype, [&]<typename T>() {
    if constexpr (std::is_arithmetic_v<T>) {
      dispatch_index(plan.index, [&]<typename Index>() {
        scatter<T, Index>(
            plan, launch.input<Index>(1), launch.input<T>(2), launch.output<T>(0),
            [](T& y, T update) {
              if constexpr (std::is_same_v<T, float>) {
                y += update;
              } else {
                y = static_cast<T>(static_cast<uint64_t>(y) + static_cast<uint64_t>(update));
              }
            });
      });
    }
  });
}

void run_update(const Launch& launch) noexcept {
  const Plan& plan = launch.plan_as<Plan>();
  if (launch.outputs[0] != launch.inputs[0])
    copy_strided(plan.copy, launch.inputs[0], launch.outputs[0]);
  if (plan.inner == 0) return;
  dispatch_size(size_of(plan.dtype), [&]<typename Unit>() {
    dispatch_index(plan.index, [&]<typename Index>() {
      scatter<Unit, Index>(plan, launch.input<Index>(1), launch.input<Unit>(2),
                           launch.output<Unit>(0), [](Unit& y, Unit update) { y = update; });
    });
  });
}

}  // namespace

OpDef gather_nd_op() {
  return {.name = "gather_nd",
          .infer = infer_gather,
          .gradient = gather_gradient,
          .prepare = prepare,
          .run = run_gather};
}

OpDef scatter_nd_add_op() {
  return {.name = "scatter_nd_add",
          .infer = infer_scatter,
          .gradient = add_gradient,
          .prepare = prepare,
          .run = run_add,
          .simplify = simplify_add,
          .in_place_inputs = 1};
}

OpDef scatter_nd_update_op() {
  return {.name = "scatter_nd_update",
          .infer = infer_scatter,
          .gradient = update_gradient,
          .prepare = prepare,
          .run = run_update,
          .in_place_inputs = 1};
}

}  // namespace pronghorn::ops
