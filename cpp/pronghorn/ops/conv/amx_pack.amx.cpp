// Operands of convolutions on AMX: images split into tiles, weights packed into panels.
#include "pronghorn/kernels/amx_conv_types.h"
#include "pronghorn/simd/amx.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {
namespace {

PRONGHORN_INLINE void store_row(char* to, IVec v) {
  _mm512_store_si512(reinterpret_cast<__m512i*>(to), (__m512i)v);
}

// Extremes of magnitudes seen so far, lane by lane.
struct Extremes {
  UVec smallest = UVec{} - 2u;
  UVec largest = UVec{};

  // Bits without the sign, doubled: zero becomes the largest number when 1 is subtracted.
  PRONGHORN_INLINE void add(Vec x) {
    const UVec twice = (UVec)(bits_of(x) << 1);
    smallest = (UVec)_mm512_maskz_min_epu32(kAllLanes, (__m512i)smallest, (__m512i)(twice - 1u));
    largest = (UVec)_mm512_maskz_max_epu32(kAllLanes, (__m512i)largest, (__m512i)twice);
  }

  void widen(ConvRange* range) const {
    for (int i = 0; i < kLanes; ++i) {
      const uint32_t low = (smallest[i] >> 1) + (smallest[i] & 1u);
      const uint32_t high = largest[i] >> 1;
      if (low < range->smallest) range->smallest = low;
      if (high > range->largest) range->largest = high;
    }
  }
};

PRONGHORN_INLINE int64_t at_most(int64_t n, int64_t limit) { return n < limit ? n : limit; }
PRONGHORN_INLINE Vec load_up_to(const float* p, int64_t n) {
  return n >= kLanes ? load(p) : n > 0 ? load_part(p, n) : zero();
}

void split_floats(const ConvSplit& s) {
  Extremes extremes;
  for (int64_t pixel = 0; pixel < s.pixels; ++pixel) {
    const float* from = static_cast<const float*>(s.x) + pixel * s.pixel_stride;
    char* to = s.tiles + pixel * s.tile_pixel;
    for (int64_t c = 0; c < s.channels; c += kConvBlock, to += s.tile_block) {
      const int64_t left = s.channels - c;
      const float* x = from + c;
      char* row = to;
      const auto split_rows = [&](auto&& read) PRONGHORN_LAMBDA_INLINE {
        for (int64_t lane = 0; lane < s.lanes; ++lane, x += s.lane_stride, row += kTileRowBytes) {
          const Vec low = read(x, left);
          const Vec high = read(x + kLanes, left - kLanes);
          extremes.add(low);
          extremes.add(high);
          IVec part[3];
          split_pairs(low, high, part);
          store_row(row, part[0]);
          store_row(row + s.tile_part, part[1]);
          store_row(row + 2 * s.tile_part, part[2]);
        }
      };
      if (left >= kConvBlock) {
        split_rows([](const float* p, int64_t) PRONGHORN_LAMBDA_INLINE { return load(p); });
      } else {
        split_rows([](const float* p, int64_t n)
                       PRONGHORN_LAMBDA_INLINE { return load_up_to(p, n); });
      }
    }
  }
  extremes.widen(s.range);
}

void copy_halves(const ConvSplit& s) {
  for (int64_t pixel = 0; pixel < s.pixels; ++pixel) {
    const uint16_t* from = static_cast<const uint16_t*>(s.x) + pixel * s.pixel_stride;
    char* to = s.tiles + pixel * s.tile_pixel;
    for (int64_t c = 0; c < s.channels; c += kConvBlock, to += s.tile_block) {
      const int64_t n = at_most(s.channels - c, kConvBlock);
      const __mmask32 mask = static_cast<__mmask32>((uint64_t{1} << n) - 1u);
      for (int64_t lane = 0; lane < s.lanes; ++lane) {
        store_row(to + lane * kTileRowBytes,
                  (IVec)_mm512_maskz_loadu_epi16(mask, from + c + lane * s.lane_stride));
      }
    }
  }
}

// m[i][j] becomes m[j][i].
PRONGHORN_INLINE void transpose_16(IVec (&m)[16]) {
  __m512i t[16];
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_maskz_unpacklo_epi32(kAllLanes, (__m512i)m[i], (__m512i)m[i + 1]);
    t[i + 1] = _mm512_maskz_unpackhi_epi32(kAllLanes, (__m512i)m[i], (__m512i)m[i + 1]);
  }
  __m512i u[16];
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4) {
    u[i] = _mm512_maskz_unpacklo_epi64(0xff, t[i], t[i + 2]);
    u[i + 1] = _mm512_maskz_unpackhi_epi64(0xff, t[i], t[i + 2]);
    u[i + 2] = _mm512_maskz_unpacklo_epi64(0xff, t[i + 1], t[i + 3]);
    u[i + 3] = _mm512_maskz_unpackhi_epi64(0xff, t[i + 1], t[i + 3]);
  }
  // u[4 g + c], 128-bit lane q: column 4 q + c of rows 4 g .. 4 g + 3.
#pragma GCC unroll 4
  for (int c = 0; c < 4; ++c) {
    const __m512i a = _mm512_maskz_shuffle_i32x4(kAllLanes, u[c], u[4 + c], 0x88);
    const __m512i b = _mm512_maskz_shuffle_i32x4(kAllLanes, u[8 + c], u[12 + c], 0x88);
    const __m512i d = _mm512_maskz_shuffle_i32x4(kAllLanes, u[c], u[4 + c], 0xdd);
    const __m512i e = _mm512_maskz_shuffle_i32x4(kAllLanes, u[8 + c], u[12 + c], 0xdd);
    m[c] = (IVec)_mm512_maskz_shuffle_i32x4(kAllLanes, a, b, 0x88);
    m[8 + c] = (IVec)_mm512_maskz_shuffle_i32x4(kAllLanes, a, b, 0xdd);
    m[4 + c] = (IVec)_mm512_maskz_shuffle_i32x4(kAllLanes, d, e, 0x88);
    m[12 + c] = (IVec)_mm512_maskz_shuffle_i32x4(kAllLanes, d, e, 0xdd);
  }
}

PRONGHORN_INLINE void store_tile(char* to, const IVec (&rows)[16]) {
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) store_row(to + i * kTileRowBytes, rows[i]);
}

// One tile of each part: depth [0, depth) at w, columns [0, columns).
void pack_float_tile(const ConvPack& p, const float* w, int64_t depth, int64_t columns, char* to,
                     Extremes& extremes) {
  IVec rows[3][16];
  const bool by_column = p.column_stride != 1;
  for (int i = 0; i < 16; ++i) {
    Vec low = zero();
    Vec high = zero();
    if (by_column) {  // row i of the transposed tile
      const float* from = w + i * p.column_stride;
      if (i < columns)
        low = load_up_to(from, depth), high = load_up_to(from + kLanes, depth - kLanes);
    } else {
      const float* from = w + i * p.depth_stride;
      if (i < depth) low = load_up_to(from, columns);
      if (i + kLanes < depth) high = load_up_to(from + kLanes * p.depth_stride, columns);
    }
    extremes.add(low);
    extremes.add(high);
    IVec part[3];
    split_pairs(low, high, part);
    for (int q = 0; q < 3; ++q) rows[q][i] = part[q];
  }
  for (int q = 0; q < 3; ++q) {
    if (by_column) transpose_16(rows[q]);
    store_tile(to + (2 - q) * 2 * kConvTile, rows[q]);
  }
}

void pack_half_tile(const ConvPack& p, const uint16_t* w, int64_t depth, int64_t columns,
                    char* to) {
  IVec rows[16];
  if (p.column_stride != 1) {
    const __mmask32 mask = static_cast<__mmask32>((uint64_t{1} << at_most(depth, 32)) - 1u);
    for (int i = 0; i < 16; ++i) {
      rows[i] =
          i < columns ? (IVec)_mm512_maskz_loadu_epi16(mask, w + i * p.column_stride) : IVec{};
    }
    transpose_16(rows);
  } else {
    const __mmask16 mask = static_cast<__mmask16>((1u << at_most(columns, 16)) - 1u);
    const auto wide = [&](int64_t k) PRONGHORN_LAMBDA_INLINE {
      return (IVec)_mm512_maskz_cvtepu16_epi32(
          kAllLanes, _mm256_maskz_loadu_epi16(mask, w + k * p.depth_stride));
    };
    for (int i = 0; i < 16; ++i) {
      rows[i] = 2 * i < depth ? wide(2 * i) : IVec{};
      if (2 * i + 1 < depth) rows[i] |= wide(2 * i + 1) << 16;
    }
  }
  store_tile(to, rows);
}

// Pairs (p, p + 16) of images at one pixel, 16 channels from c on, in each part.
PRONGHORN_INLINE void pair_floats(const ConvPairs& s, const float* x, int64_t n,
                                  IVec (&rows)[3][16], Extremes& extremes) {
  for (int i = 0; i < 16; ++i) {
    const Vec low = i < s.images ? load_up_to(x + i * s.image_stride, n) : zero();
    const Vec high = i + 16 < s.images ? load_up_to(x + (i + 16) * s.image_stride, n) : zero();
    extremes.add(low);
    extremes.add(high);
    IVec part[3];
    split_pairs(low, high, part);
    for (int q = 0; q < 3; ++q) rows[q][i] = part[q];
  }
}

PRONGHORN_INLINE void pair_halves(const ConvPairs& s, const uint16_t* x, int64_t n,
                                  IVec (&rows)[16]) {
  const __mmask16 mask = static_cast<__mmask16>((1u << at_most(n, 16)) - 1u);
  const auto wide = [&](int64_t i) PRONGHORN_LAMBDA_INLINE {
    return (IVec)_mm512_maskz_cvtepu16_epi32(
        kAllLanes, _mm256_maskz_loadu_epi16(mask, x + i * s.image_stride));
  };
  for (int i = 0; i < 16; ++i) {
    rows[i] = i < s.images ? wide(i) : IVec{};
    if (i + 16 < s.images) rows[i] |= wide(i + 16) << 16;
  }
}

}  // namespace

// See ConvPairs.
void conv_pairs(const ConvPairs& s) {
  Extremes extremes;
  IVec rows[3][16];
  const int64_t half = s.is_dy ? kConvTile : s.parts * kConvTile;
  const int64_t part = s.is_dy ? 2 * kConvTile : kConvTile;
  for (int64_t pixel = 0; pixel < s.pixels; ++pixel) {
    for (int64_t c = 0; c < s.channels; c += 16) {
      const int64_t at = pixel * s.pixel_stride + c;
      char* to =
          s.tiles + pixel * s.tile_pixel + c / 32 * (2 * s.parts * kConvTile) + c / 16 % 2 * half;
      if (s.parts == 3) {
        pair_floats(s, static_cast<const float*>(s.x) + at, s.channels - c, rows, extremes);
      } else {
        pair_halves(s, static_cast<const uint16_t*>(s.x) + at, s.channels - c, rows[0]);
      }
      for (int64_t q = 0; q < s.parts; ++q) {
        if (!s.is_dy) transpose_16(rows[q]);
        store_tile(to + (s.is_dy ? s.parts - 1 - q : q) * part, rows[q]);
      }
    }
  }
  if (s.parts == 3) extremes.widen(s.range);
}

// See ConvSplit.
void conv_split(const ConvSplit& s) {
  if (s.parts == 3) {
    split_floats(s);
  } else {
    copy_halves(s);
  }
}

// See ConvPack.
void conv_pack(const ConvPack& p) {
  Extremes extremes;
  char* to = p.panels;
  const auto pack_step = [&](int64_t n, int64_t tap, int64_t k) {
    for (int64_t half = 0; half < 2; ++half) {
      const int64_t column = n + half * 16;
      const int64_t columns = p.columns - column;
      const int64_t at = tap * p.tap_stride + k * p.depth_stride + column * p.column_stride;
      char* tile = to + half * kConvTile;
      if (columns <= 0) {
        for (int64_t part = 0; part < p.parts; ++part) {
          for (int64_t i = 0; i < kConvTile; i += kTileRowBytes)
            store_row(tile + part * 2 * kConvTile + i, IVec{});
        }
      } else if (p.parts == 3) {
        pack_float_tile(p, static_cast<const float*>(p.w) + at, p.depth - k, columns, tile,
                        extremes);
      } else {
        pack_half_tile(p, static_cast<const uint16_t*>(p.w) + at, p.depth - k, columns, tile);
      }
    }
    to += 2 * p.parts * kConvTile;
  };
  for (int64_t n = 0; n < p.columns; n += kConvBlock) {
    for (int64_t line = 0; line < p.taps; line += p.line_taps) {
      for (int64_t k = 0; k < p.depth; k += kConvBlock) {
        for (int64_t tap = line; tap < line + p.line_taps; ++tap) pack_step(n, tap, k);
      }
    }
  }
  if (p.parts == 3) extremes.widen(p.range);
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
