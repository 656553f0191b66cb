// pack_conv(w) {attributes of conv, image}: the kernel as conv reads it for images of that shape,
// bytes.
// conv_packed(x, w, packed) {attributes of conv} = conv(x, w).
// Made by conv's rule for kernels that do not change between runs; no gradient flows.
#include "pronghorn/ops/conv/forward.h"
#include "pronghorn/ops/conv/rules.h"
#include "pronghorn/ops/shape/rules.h"

namespace pronghorn::ops {
namespace {

ConvKernelPlan pack_plan(const OpCall& call) {
  const auto& [dtype, w] = call.inputs[0];
  const Shape image(std::span<const int64_t>(call.attrs.integers("image")));
  return plan_conv_kernel(conv_sizes("pack_conv", image, w, call.attrs), dtype);
}

TensorType packed_type(const ConvKernelPlan& plan) {
  return {DType::kUint8, Shape{static_cast<int64_t>(plan.packed_bytes())}};
}

std::vector<TensorType> infer_pack(const OpCall& call) {
  expect_operands(call, 1);
  expect_float(call, 0);
  return {packed_type(pack_plan(call))};
}

Prepared prepare_pack(const OpCall& call) {
  return {.plan = std::make_shared<ConvKernelPlan>(pack_plan(call))};
}

void run_pack(const Launch& launch) noexcept {
  pack_conv_kernel(launch.plan_as<ConvKernelPlan>(), launch.inputs[0], launch.outputs[0]);
}

std::vector<TensorType> infer(const OpCall& call) {
  if (call.payload == nullptr) expect_operands(call, 3);
  expect_float(call, 0);
  expect_same_dtype(call, 0, 1);
  const ConvSizes sizes =
      conv_sizes("conv_packed", call.inputs[0].shape, call.inputs[1].shape, call.attrs);
  const TensorType& packed = call.inputs[2];
  const TensorType expected = packed_type(plan_conv_kernel(sizes, call.inputs[0].dtype));
  if (!(packed == expected)) {
    value_error("conv_packed: expected what pack_conv makes of w, ", expected,
                ". Received: packed=", packed, ".");
  }
  return {{call.inputs[0].dtype, window_output(sizes, sizes.out_channels)}};
}

Prepared prepare(const OpCall& call) { return prepare_conv(call, true); }

}  // namespace

OpDef pack_conv_op() {
  return {.name = "pack_conv", .infer = infer_pack, .prepare = prepare_pack, .run = run_pack};
}

OpDef conv_packed_op() {
  return {.name = "conv_packed",
          .infer = infer,
          .prepare = prepare,
          .run = run_conv,
          .takes_epilogue = true,
          .epilogue_has_outputs = true};
}

}  // namespace pronghorn::ops
