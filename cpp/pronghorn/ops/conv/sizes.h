// Sizes of conv, conv_dx and conv_dw, which share their attributes: strides, dilations, pads_low,
// pads_high, groups.
#pragma once

#include "pronghorn/ops/conv/geometry.h"

namespace pronghorn::ops {

// x (batch, spatial..., in_channels), w (kernel..., in_channels / groups, out_channels).
struct ConvSizes : WindowSizes {
  int64_t groups = 1;
  int64_t in_channels = 0;
  int64_t out_channels = 0;

  int64_t group_in() const { return in_channels / groups; }
  int64_t group_out() const { return out_channels / groups; }
  int64_t taps() const { return volume(windows.kernel); }
  // windows.channels are those of one group.
};

// x: the image's shape, w: the kernel's. Throws a ValueError naming the op.
ConvSizes conv_sizes(std::string_view op, const Shape& x, const Shape& w, const Attrs& attrs);

// Throws unless dy has the shape of conv(x, w).
void check_conv_output(std::string_view op, const ConvSizes& sizes, const Shape& dy);

// Whether the convolution is a matrix product of pixels: windows of one pixel each, all of them,
// one group.
bool is_pointwise(const ConvSizes& sizes);

}  // namespace pronghorn::ops
