// pack_weights(w) {transpose, engine}: (k, n), or (n, k) if `transpose`, -> as matmul_packed reads
// it: for products of multiply-adds float32 panels of columns, (panels, k, columns of a panel), an
// ISA's own number of columns; for other engines one dimension of bfloat16.
// matmul_packed(a, packed [, w]) {k, n, engine, transpose}: (..., k) x packed (k, n) -> (..., n),
// float32. Products in three bfloat16 parts repeat some results with w itself.
// Made by matmul's rule for operands that do not change between runs; no gradient flows.
#include "pronghorn/gemm/sizes.h"
#include "pronghorn/kernels/kernels.h"
#include "pronghorn/ops/matmul/product.h"
#include "pronghorn/ops/shape/rules.h"

namespace pronghorn::ops {
namespace {

GemmEngine engine_of(const Attrs& attrs) {
  return static_cast<GemmEngine>(attrs.integer("engine", 0));
}

// How w is stored and packed.
GemmShape shape_of_weights(int64_t k, int64_t n, DType dtype, const Attrs& attrs) {
  const bool transpose = attrs.integer("transpose", 0) != 0;
  return {.n = n,
          .k = k,
          .transpose_b = transpose,
          .b_stride = transpose ? k : n,
          .bfloat16 = dtype == DType::kBfloat16,
          .engine = engine_of(attrs)};
}

TensorType packed_type(const GemmShape& shape) {
  const bool floats = !shape.bfloat16 && shape.engine != GemmEngine::kX3;
  if (!floats) return {DType::kBfloat16, Shape{packed_bytes(shape) / 2}};
  const int64_t columns = kernels().gemm_panel_columns();
  return {DType::kFloat32, Shape{divide_up(shape.n, columns), shape.k, columns}};
}

GemmShape pack_shape(const OpCall& call) {
  const auto& [dtype, w] = call.inputs[0];
  const bool transpose = call.attrs.integer("transpose", 0) != 0;
  return shape_of_weights(w[transpose ? 1 : 0], w[transpose ? 0 : 1], dtype, call.attrs);
}

std::vector<TensorType> infer_pack(const OpCall& call) {
  expect_operands(call, 1);
  const auto& [dtype, w] = call.inputs[0];
  if ((dtype != DType::kFloat32 && dtype != DType::kBfloat16) || w.rank() != 2) {
    value_error("pack_weights: expected a float32 or bfloat16 matrix. Received: w=", call.inputs[0],
                ".");
  }
  return {packed_type(pack_shape(call))};
}

Prepared prepare_pack(const OpCall& call) {
  return {.plan = std::make_shared<GemmShape>(pack_shape(call))};
}

void run_pack(const Launch& launch) noexcept {
  pack_operand(launch.plan_as<GemmShape>(), launch.inputs[0], launch.outputs[0]);
}

GemmShape product_shape(const OpCall& call) {
  const auto& [dtype, a] = call.inputs[0];
  GemmShape shape = shape_of_weights(a.back(), call.attrs.integer("n"), dtype, call.attrs);
  shape.m = a.size(0, a.rank() - 1);
  shape.a_stride = a.back();
  shape.c_stride = shape.n;
  shape.packed_b = true;
  return shape;
}

std::vector<TensorType> infer_product(const OpCall& call) {
  const size_t own = engine_of(call.attrs) == GemmEngine::kX3 ? 3 : 2;
  if (call.payload == nullptr) expect_operands(call, own);
  const auto& [dtype, a] = call.inputs[0];
  const int64_t n = call.attrs.integer("n");
  if ((dtype != DType::kFloat32 && dtype != DType::kBfloat16) || a.rank() < 2 ||
      !(call.inputs[1] == packed_type(product_shape(call)))) {
    value_error("matmul_packed: expected operands (..., k) and a packed (k, n). Received: a=",
                call.inputs[0], ", packed=", call.inputs[1], ", n=", n, ".");
  }
  Shape out = leading(a);
  out.push_back(a[a.rank() - 2]);
  out.push_back(n);
  return {{DType::kFloat32, out}};
}

Prepared prepare(const OpCall& call) { return prepare_product(call, product_shape(call)); }

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
