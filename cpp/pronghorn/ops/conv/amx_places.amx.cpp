// Convolution of one image after the other on AMX: 16 places of the result are the rows of a tile.
#include "pronghorn/ops/conv/amx_block.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {
namespace {

template <int kParts>
void run_places(const ConvPlaces& p) {
  const Tiles tiles;
  // The taps of a line follow each other: they share most of what they read.
  int64_t count = 0;
  for (int64_t first = 0; first < p.tap_count; first += p.line_taps) {
    for (int64_t block = 0; block < p.blocks; ++block) {
      for (int64_t tap = first; tap < first + p.line_taps; ++tap) {
        const char* a = p.tiles + p.taps[tap] + block * kParts * kTileRowBytes;
        p.steps[count] = {a, a, p.panels + count * 2 * kParts * kConvTile};
        ++count;
      }
    }
  }
  for (int64_t panel = 0; panel * kConvBlock < p.n; ++panel) {
    const bool narrow = p.n - panel * kConvBlock <= 16;
    for (int64_t i = 0; i < p.start_count; i += 2) {
      const bool single = i + 1 == p.start_count;
      const int64_t place0 = p.starts[i];
      const int64_t place1 = single ? place0 : p.starts[i + 1];
      float* y = p.y + panel * kConvBlock;
      const BlockAt at{.a0 = place0 * p.place_bytes,
                       .a1 = place1 * p.place_bytes,
                       .b = panel * p.panel_bytes,
                       .part = kTileRowBytes,
                       .row = p.place_bytes,
                       .y0 = y + place0 * p.y_stride,
                       .y1 = y + place1 * p.y_stride,
                       .stride = p.y_stride,
                       .accumulate = false};
      if (narrow) {
        compute_block<Form::k2x1, kParts>(p.steps, count, at);
      } else if (single) {
        compute_block<Form::k1x2, kParts>(p.steps, count, at);
      } else {
        compute_block<Form::k2x2, kParts>(p.steps, count, at);
      }
    }
  }
}

}  // namespace

// See ConvPlaces.
void conv_places(const ConvPlaces& p) {
  if (p.parts == 3) {
    run_places<3>(p);
  } else {
    run_places<1>(p);
  }
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
