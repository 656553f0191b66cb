// Convolution of a line of pixels on AMX: blocks of two pixels by 32 channels of the result, for 16
// lanes each, stay in tiles while the taps and the channels of the image go by.
#include "pronghorn/ops/conv/amx_block.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {
namespace {

// The steps of a pair of pixels, panel 0. Neighbours along a line read the same tiles: what their
// taps share is still in the L1 cache if the taps of a line follow each other.
int64_t list_steps(const ConvLine& l, int64_t column0, int64_t column1) {
  const int64_t step_bytes = 2 * l.parts * kConvTile;
  int64_t count = 0;
  for (int64_t s = 0; s < l.source_count; ++s) {
    const ConvSource& source = l.sources[s];
    for (int64_t block = 0; block < l.blocks; ++block) {
      const char* line = source.line + block * l.tile_block;
      for (int64_t tap = 0; tap < l.taps; ++tap) {
        const int64_t i0 = l.inputs[column0 * l.taps + tap];
        const int64_t i1 = l.inputs[column1 * l.taps + tap];
        if (i0 < 0 && i1 < 0) continue;
        l.steps[count++] = {i0 < 0 ? l.zero : line + i0 * l.tile_pixel,
                            i1 < 0 ? l.zero : line + i1 * l.tile_pixel,
                            l.panels + (source.tap * l.blocks + block * l.taps + tap) * step_bytes};
      }
    }
  }
  return count;
}

template <Form kForm, int kParts>
void run_block(const ConvLine& l, int64_t count, const BlockAt& at) {
  if (count == 0) {
    zero_block<kForm>(at);
  } else {
    compute_block<kForm, kParts>(l.steps, count, at);
  }
}

template <int kParts>
void run_line(const ConvLine& l) {
  const Tiles tiles;
  for (int64_t pair = 0; pair < l.pair_count; ++pair) {
    const int64_t column0 = l.pairs[2 * pair];
    const bool single = l.pairs[2 * pair + 1] < 0;  // the second pixel is the first again
    const int64_t column1 = single ? column0 : l.pairs[2 * pair + 1];
    const int64_t count = list_steps(l, column0, column1);
    for (int64_t panel = l.first_panel; panel < l.end_panel; ++panel) {
      float* y = l.y + panel * kConvBlock;
      const BlockAt at{.a0 = 0,
                       .a1 = 0,
                       .b = panel * l.panel_bytes,
                       .part = l.tile_part,
                       .row = kTileRowBytes,
                       .y0 = y + column0 * l.column_stride,
                       .y1 = y + column1 * l.column_stride,
                       .stride = l.lane_stride,
                       .accumulate = false};
      if (l.n - panel * kConvBlock <= 16) {
        run_block<Form::k2x1, kParts>(l, count, at);
      } else if (single) {
        run_block<Form::k1x2, kParts>(l, count, at);
      } else {
        run_block<Form::k2x2, kParts>(l, count, at);
      }
    }
  }
}

}  // namespace

// See ConvLine.
void conv_line(const ConvLine& l) {
  if (l.parts == 3) {
    run_line<3>(l);
  } else {
    run_line<1>(l);
  }
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
