// What all pooling ops share. Attributes: window, strides, pads_low, pads_high; gradients also
// input_spatial.
#pragma once

#include "pronghorn/ir/builder.h"
#include "pronghorn/ops/conv/geometry.h"

namespace pronghorn::ops {

// A plan of any pooling op.
struct PoolPlan {
  WindowSizes sizes;

  int64_t rows() const { return sizes.batch * volume(sizes.windows.out); }
  int64_t image_in() const { return volume(sizes.windows.in) * sizes.windows.channels; }
  int64_t image_out() const { return volume(sizes.windows.out) * sizes.windows.channels; }
  int64_t row_cost() const { return 2 * volume(sizes.windows.kernel) * sizes.windows.channels; }
};

// Throws as window_sizes, and where windows have 2^31 pixels or more.
WindowSizes pool_sizes(std::string_view op, const Shape& x, const Attrs& attrs);

// The image's shape, from that of dy and the attribute input_spatial.
Shape pool_input(std::string_view op, const Shape& dy, const Attrs& attrs);

// attrs with input_spatial of x; without it.
Attrs with_input_spatial(const Attrs& attrs, const Shape& x);
Attrs without_input_spatial(const Attrs& attrs);

// A ValueError unless `shape` is that of the pooled image.
void check_pooled(std::string_view op, const WindowSizes& sizes, const char* name,
                  const Shape& shape);

}  // namespace pronghorn::ops
