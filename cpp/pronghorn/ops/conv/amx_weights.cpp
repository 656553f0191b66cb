#include "pronghorn/ops/conv/amx_weights.h"

#include <algorithm>

#include "pronghorn/base/parallel.h"
#include "pronghorn/gemm/sizes.h"
#include "pronghorn/ops/conv/amx_geometry.h"

namespace pronghorn::ops {

size_t AmxWeights::packed_bytes() const {
  return static_cast<size_t>(sizes.groups * panels) *
         (static_cast<size_t>(panel_bytes) + sizeof(ConvRange));
}

AmxWeights amx_weights(const ConvSizes& sizes, bool gradient, DType dtype) {
  AmxWeights weights;
  weights.sizes = sizes;
  weights.gradient = gradient;
  weights.parts = dtype == DType::kFloat32 ? 3 : 1;
  weights.channels = gradient ? sizes.group_out() : sizes.group_in();
  weights.n = gradient ? sizes.group_in() : sizes.group_out();
  weights.panels = divide_up(weights.n, kConvBlock);
  weights.panel_bytes =
      sizes.taps() * divide_up(weights.channels, kConvBlock) * weights.parts * 2 * kConvTile;
  return weights;
}

void pack_amx_weights(const AmxWeights& weights, const void* w, void* packed) {
  const ConvSizes& sizes = weights.sizes;
  char* const panels = static_cast<char*>(packed);
  const int64_t packs = sizes.groups * weights.panels;
  auto* const ranges = reinterpret_cast<ConvRange*>(panels + packs * weights.panel_bytes);
  parallel_for(packs, sizes.taps() * weights.channels * kConvBlock * 4, [&](int64_t i) {
    const int64_t group = i / weights.panels;
    const int64_t column = i % weights.panels * kConvBlock;
    const int64_t at = weights.gradient ? group * weights.channels + column * sizes.out_channels
                                        : group * weights.n + column;
    ranges[i] = {};
    kernels().conv_pack(
        {.w = static_cast<const char*>(w) + static_cast<size_t>(at) * weights.element_bytes(),
         .taps = sizes.taps(),
         .line_taps = sizes.windows.kernel[2],
         .tap_stride = sizes.group_in() * sizes.out_channels,
         .depth = weights.channels,
         .depth_stride = weights.gradient ? 1 : sizes.out_channels,
         .columns = std::min(kConvBlock, weights.n - column),
         .column_stride = weights.gradient ? sizes.out_channels : 1,
         .parts = weights.parts,
         .panels = panels + i * weights.panel_bytes,
         .range = ranges + i});
  });
}

AmxKernel amx_kernel(const AmxWeights& weights, const void* w, const void* packed) {
  const int64_t packs = weights.sizes.groups * weights.panels;
  const char* const panels = static_cast<const char*>(packed);
  const auto* const ranges =
      reinterpret_cast<const ConvRange*>(panels + packs * weights.panel_bytes);
  AmxKernel kernel{static_cast<const char*>(w), panels, {}};
  for (int64_t i = 0; i < packs; ++i) widen(kernel.range, ranges[i]);
  return kernel;
}

}  // namespace pronghorn::ops
