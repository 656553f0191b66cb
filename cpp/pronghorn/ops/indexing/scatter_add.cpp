// scatter_add(x, indices, updates) {axis}: a copy of x with updates(o, i..., j) added to (o,
// indices(i...), j); the gradient of gather. Repeated indices add up in order; an index outside is
// dropped.
#include <cstring>

#include "pronghorn/base/parallel.h"
#include "pronghorn/ops/indexing/indices.h"
#include "pronghorn/ops/shape/rules.h"
#include "pronghorn/ops/shape/strided_copy.h"

namespace pronghorn::ops {
namespace {

struct Plan {
  int64_t outer;
  int64_t size;
  int64_t inner;
  int64_t count;
  DType dtype;
  DType index;
  StridedCopy copy;
};

constexpr int64_t kColumns = 64;  // of `inner` that one thread owns

std::vector<TensorType> infer(const OpCall& call) {
  expect_operands(call, 3);
  expect_integer(call, 1);
  expect_same_dtype(call, 0, 2);
  const TensorType& x = call.inputs[0];
  if (x.dtype == DType::kBool)
    type_error("scatter_add: expected a number dtype. Received: dtype=bool.");
  const int axis = normalize_axis("scatter_add", call.attrs.integer("axis"), x.shape.rank());
  Shape shape;
  for (int i = 0; i < axis; ++i) shape.push_back(x.shape[i]);
  for (const int64_t dim : call.inputs[1].shape.dims()) shape.push_back(dim);
  for (int i = axis + 1; i < x.shape.rank(); ++i) shape.push_back(x.shape[i]);
  if (call.inputs[2].shape != shape) {
    value_error("scatter_add: updates must have the shape ", shape,
                ". Received: updates.shape=", call.inputs[2].shape, ", x.shape=", x.shape,
                ", indices.shape=", call.inputs[1].shape, ".");
  }
  return {x};
}

std::vector<Value> gradient(const GradientCall& call) {
  Builder& g = call.g;
  const int64_t axis = normalize_axis("scatter_add", call.node.attrs.integer("axis"),
                                      g.shape(call.inputs[0]).rank());
  const Value dy = call.d_outputs[0];
  return {
      dy, {}, g.apply("gather", {dy, call.inputs[1]}, {{"axis", axis}, {"zero_fill", int64_t{1}}})};
}

Value simplify(Builder& g, std::span<const Value> inputs, const Attrs& attrs) {
  return widened(g, "scatter_add", inputs, attrs);
}

Prepared prepare(const OpCall& call) {
  const TensorType& x = call.inputs[0];
  const int axis = normalize_axis("scatter_add", call.attrs.integer("axis"), x.shape.rank());
  const Shape strides = strides_of(x.shape);
  return {.plan = std::make_shared<const Plan>(
              Plan{.outer = x.shape.size(0, axis),
                   .size = x.shape[axis],
                   .inner = x.shape.size(axis + 1, x.shape.rank()),
                   .count = call.inputs[1].size(),
                   .dtype = x.dtype,
                   .index = call.inputs[1].dtype,
                   .copy = plan_copy(size_of(x.dtype), x.shape, strides, strides)})};
}

// Each thread owns some columns and walks all indices, so that the order of additions never
// changes.
template <typename T, typename Index>
void add_rows(const Plan& plan, const Index* indices, const T* updates, T* y) {
  const int64_t blocks = (plan.inner + kColumns - 1) / kColumns;
  parallel_for(
      plan.outer * blocks, plan.count * std::min(kColumns, plan.inner) * 4, [&](int64_t item) {
        const int64_t o = item / blocks;
        const int64_t column = item % blocks * kColumns;
        const int64_t columns = std::min(kColumns, plan.inner - column);
        const T* from = updates + o * plan.count * plan.inner + column;
        T* to = y + o * plan.size * plan.inner + column;
        for (int64_t i = 0; i < plan.count; ++i) {
          if (i + kAhead < plan.count) {
            const int64_t next = wrapped(indices[i + kAhead], plan.size);
            if (next >= 0) prefetch_row(to + next * plan.inner, columns, 0);
          }
          const int64_t at = wrapped(indices[i], plan.size);
          if (at < 0) continue;
          T* row = to + at * plan.inner;
          const T* update = from + i * plan.inner;
          for (int64_t j = 0; j < columns; ++j) {
            if constexpr (std::is_same_v<T, float>) {
              row[j] += update[j];
            } else {
              row[j] =
                  static_cast<T>(static_cast<uint64_t>(row[j]) + static_cast<uint64_t>(update[j]));
            }
          }
        }
      });
}

void run(const Launch& launch) noexcept {
  const Plan& plan = launch.plan_as<Plan>();
  if (launch.outputs[0] != launch.inputs[0])
    copy_strided(plan.copy, launch.inputs[0], launch.outputs[0]);
  if (plan.outer == 0 || plan.inner == 0 || plan.count == 0) return;
  dispatch_dtype(plan.dtype, [&]<typename T>() {
    if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) {
      dispatch_index(plan.index, [&]<typename Index>() {
        add_rows<T, Index>(plan, launch.input<Index>(1), launch.input<T>(2), launch.output<T>(0));
      });
    }
  });
}

}  // namespace

OpDef scatter_add_op() {
  return {.name = "scatter_add",
          .infer = infer,
          .gradient = gradient,
          .prepare = prepare,
          .run = run,
          .simplify = simplify,
          .in_place_inputs = 1};
}

}  // namespace pronghorn::ops
