// recurrent_pack(u (k, n)) {transpose, begin, end} -> columns [begin, end) of u, or with
// `transpose` their transpose, packed for the product of a recurrent step (kernel_types.h).
#include "pronghorn/ops/recurrent/recurrent.h"
#include "pronghorn/ops/shape/rules.h"

namespace pronghorn::ops {
namespace {

struct Plan {
  int64_t depth;
  int64_t cols;
  int64_t k_stride;
  int64_t col_stride;
  int64_t begin;
};

Plan plan_for(const OpCall& call) {
  const Shape& u = call.inputs[0].shape;
  const int64_t begin = call.attrs.integer("begin", 0);
  const int64_t end = call.attrs.integer("end", u[1]);
  if (begin < 0 || end > u[1] || begin >= end) {
    value_error("recurrent_pack: expected 0 <= begin < end <= ", u[1], ". Received: begin=", begin,
                ", end=", end, ".");
  }
  if (call.attrs.integer("transpose", 0) != 0) return {end - begin, u[0], 1, u[1], begin};
  return {u[0], end - begin, u[1], 1, begin};
}

std::vector<TensorType> infer(const OpCall& call) {
  expect_operands(call, 1);
  const TensorType& u = call.inputs[0];
  if (u.dtype != DType::kFloat32 || u.shape.rank() != 2 || u.shape.size() == 0) {
    value_error("recurrent_pack: expected a float32 matrix. Received: dtype=", u.dtype,
                ", shape=", u.shape, ".");
  }
  const Plan plan = plan_for(call);
  return {{DType::kFloat32, Shape{packed_floats(plan.depth, plan.cols)}}};
}

Prepared prepare(const OpCall& call) { return {.plan = std::make_shared<Plan>(plan_for(call))}; }

void run(const Launch& launch) noexcept {
  const Plan& plan = launch.plan_as<Plan>();
  const float* u = launch.input<float>(0) + plan.begin;
  float* packed = launch.output<float>(0);
  parallel_ranges(plan.cols, kPackedPanel, plan.depth * 8, [&](int64_t begin, int64_t end) {
    kernels().pack_product(u + begin * plan.col_stride, plan.k_stride, plan.col_stride, plan.depth,
                           end - begin, packed + begin * plan.depth);
  });
}

}  // namespace

// No gradient: the ops that read the packed weights also take the weights themselves.
OpDef recurrent_pack_op() {
  return {.name = "recurrent_pack", .infer = infer, .prepare = prepare, .run = run};
}

}  // namespace pronghorn::ops
