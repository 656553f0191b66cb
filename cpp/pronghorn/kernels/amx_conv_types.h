// Plain structs of the convolution kernels that only AMX has.
//
// Products go through 16-bit floats in `parts` parts: a float32 is the sum of three (x3: as
// accurate as float32), a bfloat16 is one. A tile of an image holds 16 lanes (images at one pixel,
// or pixels of one image) of 32 channels; a tile of weights 16 pairs of channels of the image by 16
// channels of the result. With three parts pair p is (p, p + 16), with one (2 p, 2 p + 1).
#pragma once

#include <cstdint>

namespace pronghorn {

inline constexpr int64_t kConvLanes = 16;
inline constexpr int64_t kConvBlock = 32;  // channels of an image's tile; columns of a panel
inline constexpr int64_t kConvTile = 1024;

// Sizes of the numbers in an operand, as bits without the sign. Zeros do not count for the
// smallest.
struct ConvRange {
  uint32_t smallest = 0xffffffffu;
  uint32_t largest = 0;
};

// tiles[pixel][block of 32 channels][part][lane][32 channels] with the given strides in bytes;
// channels past the last are zero, lanes past the last are left alone.
struct ConvSplit {
  const void* x;  // float with 3 parts, bfloat16 with 1; of lane 0, pixel 0
  int64_t lanes;
  int64_t lane_stride;  // in elements
  int64_t pixels;
  int64_t pixel_stride;
  int64_t channels;
  int64_t parts;
  char* tiles;  // 64-byte aligned, as the strides
  int64_t tile_pixel;
  int64_t tile_block;
  int64_t tile_part;
  ConvRange* range;  // widened, with 3 parts
};

// panels[32 columns][line of taps][block of 32 of depth][tap of the line][part, the last one first]
// [2][16 pairs][16 columns]; zero past the last.
struct ConvPack {
  const void* w;  // float with 3 parts, bfloat16 with 1
  int64_t taps;
  int64_t line_taps;
  int64_t tap_stride;
  int64_t depth;  // channels of the image
  int64_t depth_stride;
  int64_t columns;        // channels of the result
  int64_t column_stride;  // of (depth_stride, column_stride) one is 1
  int64_t parts;
  char* panels;  // 64-byte aligned
  ConvRange* range;
};

// What a line of the result reads: lines of the split image, each at `tap`, the first of that line
// of taps.
struct ConvSource {
  const char* line;
  int64_t tap;
};

// Two tiles of the image (of pixels of the result side by side) and a step of a panel.
struct ConvStep {
  const char* a0;
  const char* a1;
  const char* b;
};

// y(lane, column, n) = sum over sources, taps of the line, channels.
struct ConvLine {
  const ConvSource* sources;
  int64_t source_count;
  const int32_t* inputs;  // [column of y][tap]: pixel of the source's line, -1 if there is none
  int64_t taps;
  const int32_t* pairs;  // [pair][2]: columns of y that meet the same taps; the second may be -1
  int64_t pair_count;
  int64_t blocks;      // of 32 channels
  int64_t tile_pixel;  // strides of the split image, in bytes
  int64_t tile_block;
  int64_t tile_part;
  const char* zero;  // a tile of zeros with tile_part from part to part
  const char* panels;
  int64_t panel_bytes;
  int64_t first_panel;
  int64_t end_panel;
  int64_t n;  // channels of the result
  float* y;   // 16 lanes, columns, channels rounded up to 16: all are written
  int64_t lane_stride;
  int64_t column_stride;
  int64_t parts;
  ConvStep* steps;  // scratch, source_count * taps * blocks
};

// y(place, n) = sum over taps, channels: 16 places from each start on. A place's row of a part of a
// block of 32 channels is at tiles + place * place_bytes + taps[tap] + (block * parts + part) * 64.
struct ConvPlaces {
  const char* tiles;
  int64_t place_bytes;
  const int64_t* taps;
  int64_t tap_count;
  int64_t line_taps;  // of a line of the kernel
  int64_t blocks;
  const int32_t* starts;
  int64_t start_count;
  const char* panels;
  int64_t panel_bytes;
  int64_t n;
  float* y;  // of place 0; n rounded up to 16 are written
  int64_t y_stride;
  int64_t parts;
  ConvStep* steps;  // scratch, tap_count * blocks
};

// conv_dw, whose sums run over pixels and images. A tile of dy holds 16 pairs (p, p + 16) of 32
// images by 16 channels, a tile of x the same transposed.
inline constexpr int64_t kConvImages = 32;

// Of x: tiles[pixel][16 channels][part][16 channels][16 pairs]; of dy: tiles[pixel][32 channels]
// [part, the last one first][2][16 pairs][16 channels]. Zero past the last channel and the last image.
struct ConvPairs {
  const void* x;  // float with 3 parts, bfloat16 with 1; of image 0, pixel 0
  int64_t images;
  int64_t image_stride;  // in elements
  int64_t pixels;
  int64_t pixel_stride;
  int64_t channels;
  int64_t parts;
  bool is_dy;
  char* tiles;  // 64-byte aligned
  int64_t tile_pixel;
  ConvRange* range;
};

// dw(tap, i, o) = sum over the steps of the tap (+ dw). A step: tiles of a pixel of x (a0 and, one
// block of 16 channels on, a1) and of dy (b).
struct ConvTaps {
  const ConvStep* steps;
  const int32_t* counts;  // of each tap, one after the other
  int64_t taps;
  int64_t in_channels;
  int64_t out_channels;
  int64_t parts;
  float* dw;  // rows of out_channels rounded up to 32, in_channels rounded up to 16 of them
  bool accumulate;
};

}  // namespace pronghorn
