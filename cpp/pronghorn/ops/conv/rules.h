// What conv, conv_dx and conv_dw share beyond sizes.
#pragma once

#include <vector>

#include "pronghorn/gemm/gemm.h"
#include "pronghorn/ir/builder.h"
#include "pronghorn/ops/conv/sizes.h"

namespace pronghorn::ops {

// attrs without the spatial sizes that conv_dx and conv_dw have in addition; then with one of them.
Attrs conv_attrs(const Attrs& attrs);
Attrs conv_attrs(const Attrs& attrs, const char* name, std::span<const int64_t> sizes);

// Dimensions 1 .. rank-2 of an image; 0 .. rank-3 of a kernel.
std::span<const int64_t> image_spatial(const Shape& x);
std::span<const int64_t> kernel_spatial(const Shape& w);

// Rewrites op(pad(x), w) with zeros around the image to op(x, w) {larger pads_low, pads_high}. No
// value if operand 0 is something else, or the frame is as wide as the kernel.
Value without_frame(Builder& g, std::string_view op, std::span<const Value> inputs,
                    const Attrs& attrs);

// A FillBlock's context: the patches of group g start at x + g * windows.channels.
struct PatchSource {
  const Windows* windows;
  const float* x;
};
void fill_patches(const void* source, int64_t group, int64_t row0, int64_t rows, int64_t col0,
                  int64_t cols, float* out, int64_t out_stride);

}  // namespace pronghorn::ops
