// Lines of an AMX convolution's result that AMX cannot do (values that are not finite, or lose what
// it flushes), again in float32.
#pragma once

#include <vector>

#include "pronghorn/ops/conv/amx_weights.h"

namespace pronghorn::ops {

inline constexpr int64_t kAmxFallbackDepth = 256;  // of a product that repeats what AMX cannot do
inline constexpr int64_t kAmxFallbackPanel = kAmxFallbackDepth * kGemmPanel;  // floats

// A piece of a line of y: columns [begin, end), channels [first, first + count) of a group.
struct AmxPiece {
  int64_t image;
  int64_t o0;
  int64_t o1;
  int64_t begin;
  int64_t end;
  int64_t group;
  int64_t first;
  int64_t count;
};

// y: of column `begin`, columns `stride` floats apart. inputs: inputs_along each dimension. panel:
// scratch, kAmxFallbackPanel floats, 64-byte aligned.
void repeat_piece(const AmxWeights& weights, const std::vector<int32_t> (&inputs)[3],
                  const float* x, const float* w, const AmxPiece& piece, float* y, int64_t stride,
                  float* panel);

}  // namespace pronghorn::ops
