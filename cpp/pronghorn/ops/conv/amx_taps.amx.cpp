// Gradient of a convolution's weights on AMX: blocks of 32 by 32 channels of one tap stay in tiles
// while pixels go by.
#include "pronghorn/ops/conv/amx_block.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {
namespace {

template <Form kForm, int kParts>
void run_block(const ConvStep* steps, int64_t count, const BlockAt& at) {
  if (count > 0) {
    compute_block<kForm, kParts>(steps, count, at);
  } else if (!at.accumulate) {
    zero_block<kForm>(at);
  }
}

template <int kParts>
void run_taps(const ConvTaps& t) {
  const Tiles tiles;
  const int64_t columns = (t.out_channels + 31) / 32 * 32;
  const int64_t rows = (t.in_channels + 15) / 16 * 16;
  constexpr int64_t kPair = 2 * kParts * kConvTile;  // of 32 channels
  for (int64_t o = 0; o < t.out_channels; o += 32) {
    for (int64_t i = 0; i < t.in_channels; i += 32) {
      const ConvStep* steps = t.steps;
      for (int64_t tap = 0; tap < t.taps; ++tap) {
        const int64_t count = t.counts[tap];
        float* dw = t.dw + (tap * rows + i) * columns + o;
        const BlockAt at{.a0 = i / 32 * kPair,
                         .a1 = i / 32 * kPair,
                         .b = o / 32 * kPair,
                         .part = kConvTile,
                         .row = kTileRowBytes,
                         .y0 = dw,
                         .y1 = dw + 16 * columns,
                         .stride = columns,
                         .accumulate = t.accumulate};
        if (t.in_channels - i <= 16) {
          run_block<Form::k1x2, kParts>(steps, count, at);
        } else if (t.out_channels - o <= 16) {
          run_block<Form::k2x1, kParts>(steps, count, at);
        } else {
          run_block<Form::k2x2, kParts>(steps, count, at);
        }
        steps += count;
      }
    }
  }
}

}  // namespace

// See ConvTaps.
void conv_taps(const ConvTaps& t) {
  if (t.parts == 3) {
    run_taps<3>(t);
  } else {
    run_taps<1>(t);
  }
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
