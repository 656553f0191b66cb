// gather(x, indices) {axis, zero_fill, owner}: y(o, i..., j) = x(o, indices(i...), j), o and j the
// dimensions before and after the axis. An index outside gives fill_bits (indices.h), or zeros if
// zero_fill is set. owner: whose indices they are; those that are inputs of a program are checked.
#include <cstring>

#include "pronghorn/base/parallel.h"
#include "pronghorn/ops/indexing/indices.h"
#include "pronghorn/ops/shape/rules.h"

namespace pronghorn::ops {
namespace {

struct Plan {
  int64_t outer;
  int64_t size;  // of the axis
  int64_t inner;
  int64_t count;  // indices
  size_t element;
  DType index;
  uint64_t fill;
};

std::vector<TensorType> infer(const OpCall& call) {
  expect_operands(call, 2);
  expect_integer(call, 1);
  const Shape& x = call.inputs[0].shape;
  const int axis = normalize_axis("gather", call.attrs.integer("axis"), x.rank());
  Shape shape;
  for (int i = 0; i < axis; ++i) shape.push_back(x[i]);
  for (const int64_t dim : call.inputs[1].shape.dims()) shape.push_back(dim);
  for (int i = axis + 1; i < x.rank(); ++i) shape.push_back(x[i]);
  return {{call.inputs[0].dtype, shape}};
}

// From so many rows on threads can have rows of their own.
constexpr int64_t kManyRows = 16;

std::vector<Value> gradient(const GradientCall& call) {
  Builder& g = call.g;
  const int64_t axis =
      normalize_axis("gather", call.node.attrs.integer("axis"), g.shape(call.inputs[0]).rank());
  const TensorType& x = g.type(call.inputs[0]);
  if (axis == 0 && x.dtype == DType::kFloat32 && x.shape[0] >= kManyRows) {
    return {g.apply("scatter_sum", {call.inputs[1], call.d_outputs[0]}, {{"size", x.shape[0]}}),
            {}};
  }
  return {g.apply("scatter_add", {g.zeros_like(call.inputs[0]), call.inputs[1], call.d_outputs[0]},
                  {{"axis", axis}}),
          {}};
}

std::optional<OperandBounds> operand_bounds(const OpCall& call) {
  if (!call.attrs.has("owner")) return {};
  const Shape& x = call.inputs[0].shape;
  const int axis = normalize_axis("gather", call.attrs.integer("axis"), x.rank());
  return OperandBounds{1, 0, x[axis], call.attrs.text("owner")};
}

Prepared prepare(const OpCall& call) {
  const TensorType& x = call.inputs[0];
  const int axis = normalize_axis("gather", call.attrs.integer("axis"), x.shape.rank());
  return {.plan = std::make_shared<const Plan>(
              Plan{.outer = x.shape.size(0, axis),
                   .size = x.shape[axis],
                   .inner = x.shape.size(axis + 1, x.shape.rank()),
                   .count = call.inputs[1].size(),
                   .element = size_of(x.dtype),
                   .index = call.inputs[1].dtype,
                   .fill = fill_bits(x.dtype, call.attrs.integer("zero_fill", 0) != 0)})};
}

template <typename Unit, typename Index>
void gather_rows(const Plan& plan, const Unit* x, const Index* indices, Unit* y) {
  const Unit fill = static_cast<Unit>(plan.fill);
  const int64_t piece =
      std::max<int64_t>(1, 32'768 / (plan.inner * static_cast<int64_t>(sizeof(Unit))));
  parallel_ranges(plan.outer * plan.count, piece, plan.inner * static_cast<int64_t>(sizeof(Unit)),
                  [&](int64_t begin, int64_t end) {
                    int64_t o = begin / plan.count;
                    int64_t i = begin % plan.count;
                    for (int64_t row = begin; row < end; ++row) {
                      if (i + kAhead < plan.count)
                        prefetch_row(x + o * plan.size * plan.inner, plan.inner,
                                     wrapped(indices[i + kAhead], plan.size));
                      const int64_t at = wrapped(indices[i], plan.size);
                      Unit* to = y + row * plan.inner;
                      if (at < 0) {
                        std::fill_n(to, plan.inner, fill);
                      } else if (plan.inner == 1) {
                        *to = x[o * plan.size + at];
                      } else {
                        std::memcpy(to, x + (o * plan.size + at) * plan.inner,
                                    static_cast<size_t>(plan.inner) * sizeof(Unit));
                      }
                      if (++i == plan.count) {
                        i = 0;
                        ++o;
                      }
                    }
                  });
}

void run(const Launch& launch) noexcept {
  const Plan& plan = launch.plan_as<Plan>();
  if (plan.outer == 0 || plan.inner == 0 || plan.count == 0) return;
  dispatch_size(plan.element, [&]<typename Unit>() {
    dispatch_index(plan.index, [&]<typename Index>() {
      gather_rows<Unit, Index>(plan, launch.input<Unit>(0), launch.input<Index>(1),
                               launch.output<Unit>(0));
    });
  });
}

}  // namespace

OpDef gather_op() {
  return {.name = "gather",
          .infer = infer,
          .gradient = gradient,
          .operand_bounds = operand_bounds,
          .prepare = prepare,
          .run = run};
}

}  // namespace pronghorn::ops
