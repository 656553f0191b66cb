#include "pronghorn/ops/conv/rules.h"

#include "pronghorn/kernels/kernels.h"

namespace pronghorn::ops {

Attrs conv_attrs(const Attrs& attrs) {
  Attrs kept;
  for (const auto& [name, value] : attrs) {
    if (name != "input_spatial" && name != "kernel_spatial") kept.set(name, value);
  }
  return kept;
}

Attrs conv_attrs(const Attrs& attrs, const char* name, std::span<const int64_t> sizes) {
  Attrs with = conv_attrs(attrs);
  with.set(name, std::vector<int64_t>(sizes.begin(), sizes.end()));
  return with;
}

std::span<const int64_t> image_spatial(const Shape& x) {
  return x.dims().subspan(1, static_cast<size_t>(x.rank() - 2));
}

std::span<const int64_t> kernel_spatial(const Shape& w) {
  return w.dims().first(static_cast<size_t>(w.rank() - 2));
}

Value without_frame(Builder& g, std::string_view op, std::span<const Value> inputs,
                    const Attrs& attrs) {
  const Node* const pad = g.producer(inputs[0], "pad");
  if (pad == nullptr || pad->attrs.number("value", 0.0) != 0.0) return {};
  const Shape& x = g.shape(pad->inputs[0]);
  const std::vector<int64_t>& low = pad->attrs.integers("low");
  const std::vector<int64_t>& high = pad->attrs.integers("high");
  std::vector<int64_t> pads_low = attrs.integers("pads_low");
  std::vector<int64_t> pads_high = attrs.integers("pads_high");
  const size_t rank = low.size();
  if (x.size() == 0 || low[0] + high[0] + low[rank - 1] + high[rank - 1] != 0) return {};
  if (pad->attrs.has("interior")) {
    for (const int64_t between : pad->attrs.integers("interior")) {
      if (between != 0) return {};
    }
  }
  for (size_t i = 0; i + 2 < rank; ++i) {
    pads_low[i] += low[i + 1];
    pads_high[i] += high[i + 1];
    const int64_t dilation = attrs.has("dilations") ? attrs.integers("dilations")[i] : 1;
    const int64_t reach = (g.shape(inputs[1])[static_cast<int>(i)] - 1) * dilation;
    if (pads_low[i] > reach || pads_high[i] > reach) return {};
  }
  Attrs with = attrs;
  with.set("pads_low", pads_low);
  with.set("pads_high", pads_high);
  return g.apply(op, {pad->inputs[0], inputs[1]}, with);
}

void fill_patches(const void* source, int64_t group, int64_t row0, int64_t rows, int64_t col0,
                  int64_t cols, float* out, int64_t out_stride) {
  const auto& from = *static_cast<const PatchSource*>(source);
  kernels().copy_patches(*from.windows, from.x + group * from.windows->channels, row0, rows, col0,
                         cols, out, out_stride);
}

}  // namespace pronghorn::ops
