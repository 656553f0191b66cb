// Sizes of a convolution or a pooling, from shapes and attributes.
#pragma once

#include <string_view>
#include <vector>

#include "pronghorn/ir/op_def.h"
#include "pronghorn/kernels/kernel_types.h"

namespace pronghorn::ops {

inline constexpr int kMaxSpatial = 3;

// Spatial sizes of length `rank`, as windows over three dimensions (unused leading ones are 1).
// `out` is what fits.
struct WindowSizes {
  int spatial = 0;  // 1, 2 or 3
  int64_t batch = 0;
  Windows windows{};
  int64_t pad_high[kMaxSpatial] = {0, 0, 0};
};

// What the sizes are made of. kernel, dilations: of the spatial rank; dilations may be empty (all
// 1).
struct WindowRequest {
  std::string_view op;
  Shape image;  // (batch, spatial..., channels)
  std::vector<int64_t> kernel;
  const Attrs& attrs;  // strides, pads_low, pads_high, and dilations where the op has them
};

// Checks everything; throws a ValueError naming the op if a window does not fit or an attribute has
// another length.
WindowSizes window_sizes(const WindowRequest& request);

// (batch, out..., channels)
Shape window_output(const WindowSizes& sizes, int64_t channels);

inline int64_t volume(const int64_t (&sizes)[3]) { return sizes[0] * sizes[1] * sizes[2]; }

}  // namespace pronghorn::ops
