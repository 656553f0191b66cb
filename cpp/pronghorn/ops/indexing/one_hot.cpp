// one_hot(indices) {depth, dtype}: y(..., k) = 1 where k == indices(...), else 0; a row of zeros
// for an index outside.
#include <cstring>

#include "pronghorn/base/parallel.h"
#include "pronghorn/ops/indexing/indices.h"
#include "pronghorn/ops/shape/rules.h"

namespace pronghorn::ops {
namespace {

struct Plan {
  int64_t count;
  int64_t depth;
  size_t element;
  DType index;
  uint64_t one;  // bits of the element
};

std::vector<TensorType> infer(const OpCall& call) {
  expect_operands(call, 1);
  expect_integer(call, 0);
  const int64_t depth = call.attrs.integer("depth");
  if (depth < 0) value_error("one_hot: depth must not be negative. Received: depth=", depth, ".");
  const std::optional<DType> dtype = parse_dtype(call.attrs.text("dtype"));
  if (!dtype)
    value_error("one_hot: unknown dtype. Received: dtype='", call.attrs.text("dtype"), "'.");
  Shape shape = call.inputs[0].shape;
  shape.push_back(depth);
  return {{*dtype, shape}};
}

uint64_t one_bits(DType dtype) {
  switch (dtype) {
    case DType::kFloat16: return 0x3c00;
    case DType::kBfloat16: return 0x3f80;
    case DType::kFloat32: return 0x3f800000u;
    default: return 1;
  }
}

Prepared prepare(const OpCall& call) {
  const TensorType& y = call.outputs[0];
  return {.plan = std::make_shared<const Plan>(Plan{.count = call.inputs[0].size(),
                                                    .depth = y.shape.back(),
                                                    .element = size_of(y.dtype),
                                                    .index = call.inputs[0].dtype,
                                                    .one = one_bits(y.dtype)})};
}

void run(const Launch& launch) noexcept {
  const Plan& plan = launch.plan_as<Plan>();
  if (plan.count == 0 || plan.depth == 0) return;
  dispatch_size(plan.element, [&]<typename Unit>() {
    dispatch_index(plan.index, [&]<typename Index>() {
      const Index* indices = launch.input<Index>(0);
      Unit* y = launch.output<Unit>(0);
      const int64_t row_bytes = plan.depth * static_cast<int64_t>(sizeof(Unit));
      parallel_ranges(plan.count, std::max<int64_t>(1, 65'536 / row_bytes), row_bytes,
                      [&](int64_t begin, int64_t end) {
                        std::memset(y + begin * plan.depth, 0,
                                    static_cast<size_t>((end - begin) * row_bytes));
                        for (int64_t i = begin; i < end; ++i) {
                          const int64_t at = static_cast<int64_t>(indices[i]);
                          if (at >= 0 && at < plan.depth)
                            y[i * plan.depth + at] = static_cast<Unit>(plan.one);
                        }
                      });
    });
  });
}

}  // namespace

OpDef one_hot_op() { return {.name = "one_hot", .infer = infer, .prepare = prepare, .run = run}; }

}  // namespace pronghorn::ops
