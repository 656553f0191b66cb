#include "pronghorn/ops/conv/amx_repeat.h"

#include <algorithm>

namespace pronghorn::ops {

void repeat_piece(const AmxWeights& weights, const std::vector<int32_t> (&inputs)[3],
                  const float* x, const float* w, const AmxPiece& piece, float* y, int64_t stride,
                  float* panel) {
  const ConvSizes& sizes = weights.sizes;
  const Windows& windows = sizes.windows;
  for (int64_t i = 0; i < piece.end - piece.begin; ++i)
    std::fill_n(y + i * stride, piece.count, 0.0f);
  const bool gradient = weights.gradient;
  const int64_t (&in)[3] = gradient ? windows.out : windows.in;
  const int64_t channels = weights.channels * sizes.groups;
  const int64_t stored = sizes.out_channels;  // columns of w
  const float* image = x + piece.image * volume(in) * channels + piece.group * weights.channels;
  const float* from = w + (gradient ? piece.group * weights.channels + piece.first * stored
                                    : piece.group * weights.n + piece.first);
  const int64_t tap_floats = sizes.group_in() * stored;
  const int64_t step = gradient ? windows.stride[2] : 1;  // columns that follow one another
  for (int64_t k0 = 0; k0 < windows.kernel[0]; ++k0) {
    const int64_t i0 = inputs[0][static_cast<size_t>(piece.o0 * windows.kernel[0] + k0)];
    for (int64_t k1 = 0; k1 < windows.kernel[1]; ++k1) {
      const int64_t i1 = inputs[1][static_cast<size_t>(piece.o1 * windows.kernel[1] + k1)];
      if (i0 < 0 || i1 < 0) continue;
      for (int64_t k2 = 0; k2 < windows.kernel[2]; ++k2) {
        const auto input = [&](int64_t column) -> int64_t {
          return inputs[2][static_cast<size_t>(column * windows.kernel[2] + k2)];
        };
        const int64_t tap = (k0 * windows.kernel[1] + k1) * windows.kernel[2] + k2;
        int64_t first = piece.begin;
        while (first < piece.end && input(first) < 0) ++first;
        int64_t count = 0;
        while (first + count * step < piece.end && input(first + count * step) >= 0) ++count;
        if (count == 0) continue;
        const int64_t apart = count > 1 ? input(first + step) - input(first) : 1;
        GemmBlock g{};
        g.a_row = apart * channels;
        g.a_depth = 1;
        g.b_depth = gradient ? 1 : stored;
        g.b_col = gradient ? stored : 1;
        g.c = y + (first - piece.begin) * stride;
        g.c_row = step * stride;
        g.rows = count;
        g.cols = piece.count;
        g.accumulate = true;
        g.panel = panel;
        const float* a = image + ((i0 * in[1] + i1) * in[2] + input(first)) * channels;
        for (int64_t c = 0; c < weights.channels; c += kAmxFallbackDepth) {
          g.a = a + c;
          g.b = from + tap * tap_floats + c * g.b_depth;
          g.depth = std::min(kAmxFallbackDepth, weights.channels - c);
          kernels().gemm_block(g);
        }
      }
    }
  }
}

}  // namespace pronghorn::ops
