#include "pronghorn/ops/conv/sizes.h"

namespace pronghorn::ops {

ConvSizes conv_sizes(std::string_view op, const Shape& x, const Shape& w, const Attrs& attrs) {
  if (x.rank() != w.rank() || x.rank() < 3) {
    value_error(op,
                ": expected x (batch, spatial..., channels) and w (kernel..., channels, "
                "out_channels) of the same rank. ",
                "Received: x.shape=", x, ", w.shape=", w, ".");
  }
  ConvSizes sizes;
  const std::vector<int64_t> kernel(w.begin(), w.end() - 2);
  static_cast<WindowSizes&>(sizes) = window_sizes({op, x, kernel, attrs});
  sizes.groups = attrs.integer("groups", 1);
  sizes.in_channels = x.back();
  sizes.out_channels = w.back();
  const int64_t group_in = w[w.rank() - 2];
  if (sizes.groups < 1 || group_in * sizes.groups != sizes.in_channels) {
    value_error(op, ": channels of x must be groups times those of w. Received: x.shape=", x,
                ", w.shape=", w, ", groups=", sizes.groups, ".");
  }
  if (sizes.out_channels % sizes.groups != 0) {
    value_error(op, ": out_channels must be a multiple of groups. Received: w.shape=", w,
                ", groups=", sizes.groups, ".");
  }
  sizes.windows.channels = group_in;
  return sizes;
}

void check_conv_output(std::string_view op, const ConvSizes& sizes, const Shape& dy) {
  const Shape expected = window_output(sizes, sizes.out_channels);
  if (dy != expected)
    value_error(op, ": expected dy.shape=", expected, ". Received: dy.shape=", dy, ".");
}

bool is_pointwise(const ConvSizes& sizes) {
  const Windows& w = sizes.windows;
  bool all = sizes.groups == 1;
  for (int i = 0; i < kMaxSpatial; ++i) {
    all = all && w.kernel[i] == 1 && w.stride[i] == 1 && w.pad[i] == 0 && sizes.pad_high[i] == 0;
  }
  return all;
}

}  // namespace pronghorn::ops
