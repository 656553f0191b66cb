// A block of a convolution's result in tiles of AMX, over a list of steps. Include only from
// *.amx.cpp.
#pragma once

#include "pronghorn/kernels/amx_conv_types.h"
#include "pronghorn/simd/amx.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {

// Steps of 32 channels after which sums leave the tiles, whose rounding is that of one addition
// after another: 576 and 640 products are as good as 512, and taps times channels often are that.
inline constexpr int64_t kChunk = 20;

// Blocks of pixels x 16 channels of the result; a tile's number says which, 2 pixel + half. With
// fewer than four blocks the other tiles take every second product, so that additions to one tile
// do not wait for each other.
enum class Form { k2x2, k2x1, k1x2 };

// Where a block finds its tiles, in bytes from those of the steps, and its place in the result.
struct BlockAt {
  int64_t a0;
  int64_t a1;
  int64_t b;
  int64_t part;  // from one part of a to the next
  int64_t row;   // from one row of a tile of a to the next
  float* y0;     // of the first and the second tile of a; k2x1 takes one pixel twice
  float* y1;
  int64_t stride;  // of y, in floats
  bool accumulate;
};

template <Form kForm, int kParts>
PRONGHORN_INLINE void multiply(const ConvStep* steps, int64_t count, const BlockAt& at) {
  const int64_t part = at.part;
  const int64_t row = at.row;
  for (int64_t i = 0; i < count; ++i) {
    const char* a0 = steps[i].a0 + at.a0;
    const char* a1 = steps[i].a1 + at.a1;
    const char* b = steps[i].b + at.b;
    // With three parts the last of b is first: tiles 0 and 1. Products from the smallest on.
    if constexpr (kForm == Form::k2x2 && kParts == 3) {
      tile_load<4>(a0, row);
      tile_load<6>(b);
      tile_multiply<0, 4, 6>();
      tile_load<7>(b + kConvTile);
      tile_multiply<1, 4, 7>();
      tile_load<5>(a1, row);
      tile_multiply<2, 5, 6>();
      tile_multiply<3, 5, 7>();
      tile_load<6>(b + 2 * kConvTile);
      tile_multiply<0, 4, 6>();
      tile_load<7>(b + 3 * kConvTile);
      tile_multiply<1, 4, 7>();
      tile_multiply<2, 5, 6>();
      tile_multiply<3, 5, 7>();
      tile_load<4>(a0 + part, row);
      tile_multiply<0, 4, 6>();
      tile_multiply<1, 4, 7>();
      tile_load<5>(a1 + part, row);
      tile_multiply<2, 5, 6>();
      tile_multiply<3, 5, 7>();
      tile_load<6>(b + 4 * kConvTile);
      tile_multiply<0, 4, 6>();
      tile_load<7>(b + 5 * kConvTile);
      tile_multiply<1, 4, 7>();
      tile_multiply<2, 5, 6>();
      tile_multiply<3, 5, 7>();
      tile_load<4>(a0 + 2 * part, row);
      tile_multiply<0, 4, 6>();
      tile_multiply<1, 4, 7>();
      tile_load<5>(a1 + 2 * part, row);
      tile_multiply<2, 5, 6>();
      tile_multiply<3, 5, 7>();
      tile_load<4>(a0, row);
      tile_multiply<0, 4, 6>();
      tile_multiply<1, 4, 7>();
      tile_load<5>(a1, row);
      tile_multiply<2, 5, 6>();
      tile_multiply<3, 5, 7>();
    } else if constexpr (kForm == Form::k2x1 && kParts == 3) {
      tile_load<4>(a0, row);
      tile_load<6>(b);
      tile_multiply<0, 4, 6>();
      tile_load<5>(a1, row);
      tile_multiply<2, 5, 6>();
      tile_load<7>(b + 2 * kConvTile);
      tile_multiply<1, 4, 7>();
      tile_multiply<3, 5, 7>();
      tile_load<4>(a0 + part, row);
      tile_multiply<0, 4, 7>();
      tile_load<5>(a1 + part, row);
      tile_multiply<2, 5, 7>();
      tile_load<6>(b + 4 * kConvTile);
      tile_multiply<1, 4, 6>();
      tile_multiply<3, 5, 6>();
      tile_load<4>(a0 + 2 * part, row);
      tile_multiply<0, 4, 6>();
      tile_load<5>(a1 + 2 * part, row);
      tile_multiply<2, 5, 6>();
      tile_load<4>(a0, row);
      tile_multiply<1, 4, 6>();
      tile_load<5>(a1, row);
      tile_multiply<3, 5, 6>();
    } else if constexpr (kForm == Form::k1x2 && kParts == 3) {
      tile_load<4>(a0, row);
      tile_load<6>(b);
      tile_multiply<0, 4, 6>();
      tile_load<7>(b + kConvTile);
      tile_multiply<1, 4, 7>();
      tile_load<6>(b + 2 * kConvTile);
      tile_multiply<2, 4, 6>();
      tile_load<7>(b + 3 * kConvTile);
      tile_multiply<3, 4, 7>();
      tile_load<5>(a0 + part, row);
      tile_multiply<0, 5, 6>();
      tile_multiply<1, 5, 7>();
      tile_load<6>(b + 4 * kConvTile);
      tile_multiply<2, 5, 6>();
      tile_load<7>(b + 5 * kConvTile);
      tile_multiply<3, 5, 7>();
      tile_load<5>(a0 + 2 * part, row);
      tile_multiply<0, 5, 6>();
      tile_multiply<1, 5, 7>();
      tile_multiply<2, 4, 6>();
      tile_multiply<3, 4, 7>();
    } else if constexpr (kForm == Form::k2x2) {
      tile_load<4>(a0, row);
      tile_load<6>(b);
      tile_multiply<0, 4, 6>();
      tile_load<7>(b + kConvTile);
      tile_multiply<1, 4, 7>();
      tile_load<5>(a1, row);
      tile_multiply<2, 5, 6>();
      tile_multiply<3, 5, 7>();
    } else if constexpr (kForm == Form::k2x1) {
      tile_load<4>(a0, row);
      tile_load<6>(b);
      tile_multiply<0, 4, 6>();
      tile_load<5>(a1, row);
      tile_multiply<2, 5, 6>();
    } else {
      tile_load<4>(a0, row);
      tile_load<6>(b);
      tile_multiply<0, 4, 6>();
      tile_load<7>(b + kConvTile);
      tile_multiply<1, 4, 7>();
    }
  }
}

// y(16 rows of 16) = a (+ b) (+ y)
template <bool kTwo>
PRONGHORN_INLINE void sum_block(const float* a, const float* b, float* y, int64_t stride,
                                bool add) {
  for (int64_t i = 0; i < 16; ++i, y += stride) {
    Vec v = load(a + i * 16);
    if (kTwo) v += load(b + i * 16);
    if (add) v += load(y);
    store(y, v);
  }
}

// One block of the result, over all steps, of which there is one at least.
template <Form kForm, int kParts>
void compute_block(const ConvStep* steps, int64_t count, const BlockAt& at) {
  constexpr bool kTwo = kForm != Form::k2x2 && kParts == 3;
  float* const y0 = at.y0;
  float* const y1 = at.y1;
  const int64_t stride = at.stride;
  alignas(64) float sums[4][256];
  const int64_t chunks = kParts == 1 ? 1 : (count + kChunk - 1) / kChunk;
  const int64_t longer = count % chunks;
  for (int64_t chunk = 0; chunk < chunks; ++chunk) {
    const int64_t n = count / chunks + (chunk < longer);
    tile_zero<0>();
    tile_zero<1>();
    tile_zero<2>();
    tile_zero<3>();
    multiply<kForm, kParts>(steps, n, at);
    steps += n;
    const bool add = at.accumulate || chunk > 0;
    if (!add && !kTwo) {
      tile_store<0>(y0, stride * 4);
      if (kForm != Form::k2x1) tile_store<1>(y0 + 16, stride * 4);
      if (kForm != Form::k1x2) tile_store<2>(y1, stride * 4);
      if (kForm == Form::k2x2) tile_store<3>(y1 + 16, stride * 4);
      continue;
    }
    tile_store<0>(sums[0]);
    tile_store<1>(sums[1]);
    tile_store<2>(sums[2]);
    tile_store<3>(sums[3]);
    if constexpr (kForm == Form::k2x2) {
      sum_block<false>(sums[0], nullptr, y0, stride, add);
      sum_block<false>(sums[1], nullptr, y0 + 16, stride, add);
      sum_block<false>(sums[2], nullptr, y1, stride, add);
      sum_block<false>(sums[3], nullptr, y1 + 16, stride, add);
    } else if constexpr (kForm == Form::k2x1) {
      sum_block<true>(sums[0], sums[1], y0, stride, add);
      if (y1 != y0) sum_block<true>(sums[2], sums[3], y1, stride, add);
    } else {
      sum_block<true>(sums[0], sums[2], y0, stride, add);
      sum_block<true>(sums[1], sums[3], y0 + 16, stride, add);
    }
  }
}

template <Form kForm>
void zero_block(const BlockAt& at) {
  float* const y0 = at.y0;
  float* const y1 = at.y1;
  const int64_t stride = at.stride;
  for (int64_t i = 0; i < 16; ++i) {
    store(y0 + i * stride, zero());
    if (kForm != Form::k2x1) store(y0 + i * stride + 16, zero());
    if (kForm != Form::k1x2) store(y1 + i * stride, zero());
    if (kForm == Form::k2x2) store(y1 + i * stride + 16, zero());
  }
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
