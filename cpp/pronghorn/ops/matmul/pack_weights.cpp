// pack_weights(w) {transpose}: (k, n), or (n, k) if `transpose`, -> panels of columns as
// matmul_packed reads them: (panels, k, columns of a panel), an ISA's own number of columns.
// matmul_packed(a, packed) {n}: (..., k) x packed (k, n) -> (..., n).
// Made by matmul's rule for operands that do not change between runs; no gradient flows.
#include "pronghorn/ops/matmul/product.h"
#include "pronghorn/ops/shape/rules.h"

namespace pronghorn::ops {
namespace {

Shape packed_shape(int64_t k, int64_t n) {
  const PackedSizes sizes = packed_sizes(k, n);
  return Shape{sizes.panels, sizes.depth, sizes.columns};
}

struct PackPlan {
  int64_t k, n, stride;
  bool transpose;
};

std::vector<TensorType> infer_pack(const OpCall& call) {
  expect_operands(call, 1);
  const auto& [dtype, w] = call.inputs[0];
  if (dtype != DType::kFloat32 || w.rank() != 2) {
    value_error("pack_weights: expected a float32 matrix. Received: w=", call.inputs[0], ".");
  }
  const bool transpose = call.attrs.integer("transpose", 0) != 0;
  return {{dtype, packed_shape(w[transpose ? 1 : 0], w[transpose ? 0 : 1])}};
}

Prepared prepare_pack(const OpCall& call) {
  const Shape& w = call.inputs[0].shape;
  const bool transpose = call.attrs.integer("transpose", 0) != 0;
  return {.plan = std::make_shared<PackPlan>(
              PackPlan{w[transpose ? 1 : 0], w[transpose ? 0 : 1], w[1], transpose})};
}

void run_pack(const Launch& launch) noexcept {
  const PackPlan& plan = launch.plan_as<PackPlan>();
  pack_operand(launch.input<float>(0), plan.stride, plan.transpose, plan.k, plan.n,
               launch.output<float>(0));
}

std::vector<TensorType> infer_product(const OpCall& call) {
  if (call.payload == nullptr) expect_operands(call, 2);
  const Shape& a = call.inputs[0].shape;
  const int64_t n = call.attrs.integer("n");
  if (call.inputs[0].dtype != DType::kFloat32 || call.inputs[1].dtype != DType::kFloat32 ||
      a.rank() < 2 || !(call.inputs[1].shape == packed_shape(a.back(), n))) {
    value_error(
        "matmul_packed: expected float32 operands, (..., k) and a packed (k, n). Received: a=",
        call.inputs[0], ", packed=", call.inputs[1], ", n=", n, ".");
  }
  Shape out = leading(a);
  out.push_back(a[a.rank() - 2]);
  out.push_back(n);
  return {{DType::kFloat32, out}};
}

Prepared prepare(const OpCall& call) {
  const Shape& a = call.inputs[0].shape;
  const int64_t n = call.attrs.integer("n");
  return prepare_product(call, {.m = a.size(0, a.rank() - 1),
                                .n = n,
                                .k = a.back(),
                                .a_stride = a.back(),
                                .c_stride = n,
                                .packed_b = true});
}

}  // namespace

OpDef pack_weights_op() {
  return {.name = "pack_weights", .infer = infer_pack, .prepare = prepare_pack, .run = run_pack};
}

OpDef matmul_packed_op() {
  return {.name = "matmul_packed",
          .infer = infer_product,
          .prepare = prepare,
          .run = run_product,
          .takes_epilogue = true,
          .epilogue_has_outputs = true};
}

}  // namespace pronghorn::ops
