// conv(x, w) {strides, dilations, pads_low, pads_high, groups}: channels last, 1 to 3 spatial
// dimensions. The matrix of patches of x times w as a (taps * channels, out_channels) matrix, group
// by group.
#include "pronghorn/ops/conv/forward.h"
#include "pronghorn/ops/conv/rules.h"
#include "pronghorn/ops/shape/rules.h"

namespace pronghorn::ops {
namespace {

// Windows of a product beyond which packing the kernel is no part of its time (2%).
constexpr int64_t kMostWindows = 4096;

std::vector<TensorType> infer(const OpCall& call) {
  if (call.payload == nullptr) expect_operands(call, 2);
  expect_float(call, 0);
  expect_same_dtype(call, 0, 1);
  const ConvSizes sizes =
      conv_sizes("conv", call.inputs[0].shape, call.inputs[1].shape, call.attrs);
  return {{call.inputs[0].dtype, window_output(sizes, sizes.out_channels)}};
}

std::vector<Value> gradient(const GradientCall& call) {
  Builder& g = call.g;
  const Value x = call.inputs[0];
  const Value w = call.inputs[1];
  const Value dy = call.d_outputs[0];
  const Attrs& attrs = call.node.attrs;
  const Attrs dx_attrs = conv_attrs(attrs, "input_spatial", image_spatial(g.shape(x)));
  const Attrs dw_attrs = conv_attrs(attrs, "kernel_spatial", kernel_spatial(g.shape(w)));
  return {g.apply("conv_dx", {dy, w}, dx_attrs), g.apply("conv_dw", {x, dy}, dw_attrs)};
}

Value simplify(Builder& g, std::span<const Value> inputs, const Attrs& attrs) {
  if (const Value whole = without_frame(g, "conv", inputs, attrs)) return whole;
  const Shape w = g.shape(inputs[1]);
  const ConvSizes sizes = conv_sizes("conv", g.shape(inputs[0]), w, attrs);
  if (!is_pointwise(sizes)) {
    return suits_amx(sizes, false, g.dtype(inputs[0])) ? Value{}
                                                       : widened(g, "conv", inputs, attrs);
  }
  return g.apply("matmul",
                 {inputs[0], g.reshape(inputs[1], {sizes.in_channels, sizes.out_channels})});
}

Value scale_columns(Builder& g, const Node& node, Value factor) {
  const Value w = g.apply("multiply", {node.inputs[1], factor});
  return g.apply("conv", {node.inputs[0], w}, node.attrs);
}

Prepared prepare(const OpCall& call) { return prepare_conv(call, false); }

// A kernel that is the same in every run is packed once.
Value prepack(Builder& g, const Node& node, std::span<const bool> fixed) {
  if (fixed[0] || !fixed[1]) return {};
  const TensorType x = g.type(node.inputs[0]);
  const ConvSizes sizes = conv_sizes("conv", x.shape, g.shape(node.inputs[1]), node.attrs);
  if (sizes.batch * volume(sizes.windows.out) > kMostWindows) return {};
  if (plan_conv_kernel(sizes, x.dtype).form == ConvForm::kPatches) return {};
  Attrs attrs = node.attrs;
  attrs.set("image", to_vector(x.shape));
  const Value packed = g.apply("pack_conv", {node.inputs[1]}, attrs);
  return g.apply("conv_packed", {node.inputs[0], node.inputs[1], packed}, node.attrs);
}

}  // namespace

OpDef conv_op() {
  return {.name = "conv",
          .infer = infer,
          .gradient = gradient,
          .prepare = prepare,
          .run = run_conv,
          .simplify = simplify,
          .prepack = prepack,
          .scale_columns = scale_columns,
          .takes_epilogue = true,
          .epilogue_has_outputs = true};
}

}  // namespace pronghorn::ops
