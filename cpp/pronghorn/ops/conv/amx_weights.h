// The kernel of a convolution as its AMX forms read it: split into bfloat16 parts, in panels of 32
// channels of the result.
#pragma once

#include "pronghorn/base/dtype.h"
#include "pronghorn/kernels/kernels.h"
#include "pronghorn/ops/conv/sizes.h"

namespace pronghorn::ops {

// y(image, o, n) = sum over taps k, channels c of x(image, inputs(o, k), c) w(k, c, n), where w is
// stored as (taps, c, n) for conv and as (taps, n, c) for conv_dx, whose x is dy.
struct AmxWeights {
  ConvSizes sizes;
  bool gradient = false;  // conv_dx
  int64_t parts = 3;      // of a float32; a bfloat16 is one
  int64_t channels = 0;   // of a group: of x
  int64_t n = 0;          // of y
  int64_t panels = 0;     // of 32 channels of y, of a group
  int64_t panel_bytes = 0;

  size_t element_bytes() const { return parts == 3 ? 4 : 2; }
  int64_t group_bytes() const { return panels * panel_bytes; }
  size_t packed_bytes() const;
};

AmxWeights amx_weights(const ConvSizes& sizes, bool gradient, DType dtype);

// packed: packed_bytes(), 64-byte aligned.
void pack_amx_weights(const AmxWeights& weights, const void* w, void* packed);

// What a product reads.
struct AmxKernel {
  const char* w;       // for results that are repeated in float32
  const char* panels;  // of all groups
  ConvRange range;
};
AmxKernel amx_kernel(const AmxWeights& weights, const void* w, const void* packed);

}  // namespace pronghorn::ops
