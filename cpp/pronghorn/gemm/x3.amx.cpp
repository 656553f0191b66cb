// Products of float32 matrices as six products of bfloat16 parts: a1 b3 + a1 b2 + a2 b2 + a2 b1 +
// a3 b1 + a1 b1. What is left out is below 2^-24 of |a| |b|.
#include "pronghorn/kernels/amx_types.h"
#include "pronghorn/simd/amx.h"
#include "pronghorn/simd/transpose.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {
namespace {

constexpr int64_t kPartBytes = kX3PartBytes;

PRONGHORN_INLINE int64_t clamp_lanes(int64_t n) { return n < 0 ? 0 : n < kLanes ? n : kLanes; }

// The largest |x| of what was packed, in bfloat16, which is enough for a bound. NaN counts as
// infinity.
struct Largest {
  IVec pairs = {};
  PRONGHORN_INLINE void raise(IVec part) {
    pairs = (IVec)_mm512_maskz_max_epu16(0xffffffffu, (__m512i)pairs, (__m512i)(part & 0x7fff7fff));
  }
  PRONGHORN_INLINE float value() const {
    const IVec most = max(pairs & 0xffff, (IVec)((UVec)pairs >> 16));
    const int32_t bits = _mm512_reduce_max_epi32((__m512i)min(most, broadcast(0x7f80))) << 16;
    float x;
    std::memcpy(&x, &bits, sizeof x);
    return x;
  }
};

PRONGHORN_INLINE void store_parts(Vec low, Vec high, char* row, Largest& largest) {
  IVec part[3];
  split_pairs(low, high, part);
  largest.raise(part[0]);
#pragma GCC unroll 3
  for (int p = 0; p < 3; ++p) store(reinterpret_cast<int32_t*>(row + p * kPartBytes), part[p]);
}

// Tiles whose rows lie in memory, low and high half each: tile t is `tile_floats` further there
// and at[t] in the packed panels.
constexpr int kGroup = 4;
struct Group {
  const float* low;
  const float* high;
  int64_t stride;
  int64_t tile_floats;
  char* packed;
  int64_t at[kGroup];
};
template <int kTiles>
PRONGHORN_INLINE void pack_straight(const Group& g, Largest& largest) {
  for (int64_t i = 0; i < kTileSide; ++i) {
    const float* low = g.low + i * g.stride;
    const float* high = g.high + i * g.stride;
    char* row = g.packed + i * kTileRowBytes;
#pragma GCC unroll 4
    for (int t = 0; t < kTiles; ++t) {
      store_parts(load(low + t * g.tile_floats), load(high + t * g.tile_floats), row + g.at[t],
                  largest);
    }
  }
}

// Columns of the two blocks are rows of the tile.
PRONGHORN_INLINE void pack_transposed(const float* low, const float* high, int64_t stride,
                                      char* packed, Largest& largest) {
  const float* low_row[kLanes];
  const float* high_row[kLanes];
  for (int i = 0; i < kLanes; ++i) {
    low_row[i] = low + i * stride;
    high_row[i] = high + i * stride;
  }
  for (int64_t j = 0; j < kTileSide; j += 4) {
    Vec l[4] = {load_quads(low_row, j), load_quads(low_row + 1, j), load_quads(low_row + 2, j),
                load_quads(low_row + 3, j)};
    Vec h[4] = {load_quads(high_row, j), load_quads(high_row + 1, j), load_quads(high_row + 2, j),
                load_quads(high_row + 3, j)};
    transpose_quads(l);
    transpose_quads(h);
#pragma GCC unroll 4
    for (int q = 0; q < 4; ++q) store_parts(l[q], h[q], packed + (j + q) * kTileRowBytes, largest);
  }
}

// rows x cols floats into a block of 16 x 16, the rest zero.
void copy_part(const float* x, int64_t stride, int64_t rows, int64_t cols, float* block) {
  for (int64_t i = 0; i < kTileSide; ++i) {
    store(block + i * kTileSide, i < rows ? load_part(x + i * stride, cols) : zero());
  }
}

// Of the two 16 x 16 blocks of floats of a tile, what is there.
struct Part {
  int64_t low_rows, low_cols;
  int64_t high_rows, high_cols;
};

// kTransposed: memory is contiguous along what are not the rows of the tiles.
template <bool kTransposed>
void pack_part(const float* low, const float* high, int64_t stride, const Part& part, char* packed,
               Largest& largest) {
  alignas(64) float block[2][kTileSide * kTileSide];
  copy_part(low, stride, part.low_rows, part.low_cols, block[0]);
  copy_part(high, stride, part.high_rows, part.high_cols, block[1]);
  if constexpr (kTransposed) {
    pack_transposed(block[0], block[1], kTileSide, packed, largest);
  } else {
    const Group g{block[0], block[1], kTileSide, 0, packed, {}};
    pack_straight<1>(g, largest);
  }
}

// Lines line0 to line0 + lines (at most 32, a panel) and k0 to k0 + depth (at most 128).
template <bool kTransposed>
PRONGHORN_INLINE void pack_piece(const X3Pack& x, int64_t line0, int64_t lines, int64_t k0,
                                 int64_t depth, char* panel, Largest& largest) {
  const bool along_k = x.depth_stride == 1;  // memory is contiguous along k
  const int64_t stride = along_k ? x.line_stride : x.depth_stride;
  const int64_t high = kTileSide * x.depth_stride;
  const float* from = static_cast<const float*>(x.x) + line0 * x.line_stride + k0 * x.depth_stride;
  char* to = panel + k0 / kX3Depth * kX3StepBytes;
  if constexpr (!kTransposed) {
    if (x.is_b && lines == kX3Lines && depth % kX3Depth == 0) {
      for (int64_t k = 0; k < depth; k += kX3Depth) {
        const float* low = from + k * stride;
        const Group g{
            low, low + high, stride, kTileSide, to + k / kX3Depth * kX3StepBytes, {0, kTileBytes}};
        pack_straight<2>(g, largest);
      }
      return;
    }
    if (!x.is_b && lines % kTileSide == 0 && depth == kGroup * kX3Depth) {
      for (int64_t line = 0; line < lines; line += kTileSide) {
        const float* low = from + line * stride;
        const Group g{low,
                      low + high,
                      stride,
                      kX3Depth,
                      to + line / kTileSide * kTileBytes,
                      {0, kX3StepBytes, 2 * kX3StepBytes, 3 * kX3StepBytes}};
        pack_straight<4>(g, largest);
      }
      return;
    }
  }
  for (int64_t k = 0; k < depth; k += kX3Depth) {
    const int64_t low_k = clamp_lanes(depth - k);
    const int64_t high_k = clamp_lanes(depth - k - kTileSide);
    for (int64_t line = 0; line < lines; line += kTileSide) {
      const int64_t count = clamp_lanes(lines - line);
      const float* low = from + line * x.line_stride + k * x.depth_stride;
      char* tile = to + k / kX3Depth * kX3StepBytes + line / kTileSide * kTileBytes;
      if (count == kTileSide && high_k == kTileSide) {
        if constexpr (kTransposed) {
          pack_transposed(low, low + high, stride, tile, largest);
        } else {
          pack_straight<1>({low, low + high, stride, 0, tile, {}}, largest);
        }
        continue;
      }
      const Part part =
          along_k ? Part{count, low_k, count, high_k} : Part{low_k, count, high_k, count};
      pack_part<kTransposed>(low, high_k > 0 ? low + high : low, stride, part, tile, largest);
    }
  }
}

template <bool kTransposed>
void pack_panels(const X3Pack& x) {
  // Along memory first: a few panels of columns, or a piece of the depth of each row.
  constexpr int64_t kDepth = kGroup * kX3Depth;
  const int64_t depth_step = x.depth_stride == 1 ? kDepth : kX3Depth;
  for (int64_t k = 0; k < x.depth; k += depth_step) {
    const int64_t depth = x.depth - k < depth_step ? x.depth - k : depth_step;
    for (int64_t line = 0; line < x.lines; line += kX3Lines) {
      const int64_t lines = x.lines - line < kX3Lines ? x.lines - line : kX3Lines;
      const int64_t panel = line / kX3Lines;
      Largest largest;
      pack_piece<kTransposed>(x, line, lines, k, depth, x.packed + panel * x.panel_bytes, largest);
      const float most = largest.value();
      if (most > x.largest[panel]) x.largest[panel] = most;
    }
  }
}

// Tiles 0 to 3: the result, (row, column) is in 2 row + column. 4, 5: a. 6, 7: b.
template <int kRows>
PRONGHORN_INLINE void load_a(const char* part) {
  tile_stream<4>(part);
  if constexpr (kRows == 2) tile_stream<5>(part + kTileBytes);
}
template <int kCols>
PRONGHORN_INLINE void load_b(const char* part) {
  tile_load<6>(part);
  if constexpr (kCols == 2) tile_load<7>(part + kTileBytes);
}
template <int kRows, int kCols>
PRONGHORN_INLINE void multiply() {
  tile_multiply<0, 4, 6>();
  if constexpr (kCols == 2) tile_multiply<1, 4, 7>();
  if constexpr (kRows == 2) tile_multiply<2, 5, 6>();
  if constexpr (kRows == 2 && kCols == 2) tile_multiply<3, 5, 7>();
}

// result (32 x 32), its rows `row` floats apart, (+)= product of two panels, kRows x kCols tiles of
// it.
template <int kParts, int kRows, int kCols>
void multiply_panels(const char* a, const char* b, int64_t steps, float* result, int64_t row,
                     bool accumulate) {
  const int64_t stride = row * 4;
  float* const lower = result + kTileSide * row;
  if (accumulate) {
    tile_load<0>(result, stride);
    if constexpr (kCols == 2) tile_load<1>(result + kTileSide, stride);
    if constexpr (kRows == 2) tile_load<2>(lower, stride);
    if constexpr (kRows == 2 && kCols == 2) tile_load<3>(lower + kTileSide, stride);
  } else {
    tile_zero<0>();
    tile_zero<1>();
    tile_zero<2>();
    tile_zero<3>();
  }
  for (int64_t s = 0; s < steps; ++s, a += kParts * kPartBytes, b += kParts * kPartBytes) {
    if constexpr (kParts == 1) {
      load_a<kRows>(a);
      load_b<kCols>(b);
      multiply<kRows, kCols>();
      continue;
    }
    load_a<kRows>(a);
    load_b<kCols>(b + 2 * kPartBytes);
    multiply<kRows, kCols>();
    load_b<kCols>(b + kPartBytes);
    multiply<kRows, kCols>();
    load_a<kRows>(a + kPartBytes);
    multiply<kRows, kCols>();
    load_b<kCols>(b);
    multiply<kRows, kCols>();
    load_a<kRows>(a + 2 * kPartBytes);
    multiply<kRows, kCols>();
    load_a<kRows>(a);
    multiply<kRows, kCols>();
  }
  tile_store<0>(result, stride);
  if constexpr (kCols == 2) tile_store<1>(result + kTileSide, stride);
  if constexpr (kRows == 2) tile_store<2>(lower, stride);
  if constexpr (kRows == 2 && kCols == 2) tile_store<3>(lower + kTileSide, stride);
}

template <int kParts>
PRONGHORN_INLINE void multiply_panels(const char* a, const char* b, int64_t steps, bool two_rows,
                                      bool two_cols, float* result) {
  constexpr int64_t kRow = kX3Lines;
  if (two_rows) {
    if (two_cols) {
      multiply_panels<kParts, 2, 2>(a, b, steps, result, kRow, false);
    } else {
      multiply_panels<kParts, 2, 1>(a, b, steps, result, kRow, false);
    }
  } else if (two_cols) {
    multiply_panels<kParts, 1, 2>(a, b, steps, result, kRow, false);
  } else {
    multiply_panels<kParts, 1, 1>(a, b, steps, result, kRow, false);
  }
}

// Lanes of c that are not finite, or smaller than a bound. limits: its bits, how far they are from
// those of infinity, and the lanes in which 0 counts: with a tiny bound it does not, since zeros
// are common and what they may lack is too small to matter.
struct Limits {
  IVec bound;
  IVec range;
  __mmask16 zeros;
};
PRONGHORN_INLINE __mmask16 suspicious(Vec c, const Limits& limits, __mmask16 lanes) {
  const IVec bits = bits_of(c) & 0x7fffffff;
  const __mmask16 outside =
      _mm512_mask_cmpge_epu32_mask(lanes, (__m512i)(bits - limits.bound), (__m512i)limits.range);
  const __mmask16 nonzero = _mm512_test_epi32_mask((__m512i)bits, (__m512i)bits);
  return static_cast<__mmask16>(outside & (limits.zeros | nonzero));
}

// c (+)= result; returns the suspicious rows if `check`.
template <bool kCheck>
uint32_t write_result(const float* result, float* c, int64_t c_row, int64_t rows, int64_t cols,
                      bool accumulate, const Limits& limits) {
  uint32_t suspect = 0;
  const auto mask = [cols](int64_t j) PRONGHORN_LAMBDA_INLINE {
    const int64_t n = clamp_lanes(cols - j);
    return static_cast<__mmask16>((1u << n) - 1u);
  };
  const __mmask16 masks[2] = {mask(0), mask(kTileSide)};
  for (int64_t i = 0; i < rows; ++i, c += c_row, result += kX3Lines) {
    __mmask16 bad = 0;
#pragma GCC unroll 2
    for (int v = 0; v < 2; ++v) {
      Vec value = load(result + v * kLanes);
      float* to = c + v * kLanes;
      if (accumulate) value += (Vec)_mm512_maskz_loadu_ps(masks[v], to);
      _mm512_mask_storeu_ps(to, masks[v], (__m512)value);
      if constexpr (kCheck) bad |= suspicious(value, limits, masks[v]);
    }
    if constexpr (kCheck) suspect |= static_cast<uint32_t>(bad != 0) << i;
  }
  return suspect;
}

}  // namespace

// See X3Pack.  lines, depth >= 0.
void x3_pack(const X3Pack& x) {
  const bool along_k = x.depth_stride == 1;
  if (along_k == x.is_b) {
    pack_panels<true>(x);
  } else {
    pack_panels<false>(x);
  }
}

// See X3Block.  rows, cols, steps >= 1. c overlaps neither a nor b.
void x3_block(const X3Block& g) {
  const Tiles tiles;
  alignas(64) float result[kX3Lines * kX3Lines];
  for (int64_t j = 0; j < g.cols; j += kX3Lines) {
    const int64_t cols = g.cols - j < kX3Lines ? g.cols - j : kX3Lines;
    const char* b = g.b + j / kX3Lines * g.b_panel_bytes;
    for (int64_t i = 0; i < g.rows; i += kX3Lines) {
      const int64_t rows = g.rows - i < kX3Lines ? g.rows - i : kX3Lines;
      const char* a = g.a + i / kX3Lines * g.a_panel_bytes;
      float* c = g.c + i * g.c_row + j;
      if (g.parts == 1 && rows == kX3Lines && cols == kX3Lines) {
        multiply_panels<1, 2, 2>(a, b, g.steps, c, g.c_row, g.accumulate);
        continue;
      }
      if (g.parts == 1) {
        multiply_panels<1>(a, b, g.steps, rows > kTileSide, cols > kTileSide, result);
      } else {
        multiply_panels<3>(a, b, g.steps, rows > kTileSide, cols > kTileSide, result);
      }
      if (g.suspect == nullptr) {
        write_result<false>(result, c, g.c_row, rows, cols, g.accumulate, Limits{});
        continue;
      }
      const float bound = (g.largest_a[i / kX3Lines] + g.largest_b[j / kX3Lines] + 6.0f) *
                          static_cast<float>(g.depth) * 0x1p-102f;
      const int32_t infinity = 0x7f800000;
      Limits limits;
      limits.bound = bits_of(broadcast(bound));
      limits.range = broadcast(infinity) - limits.bound;
      limits.zeros = bound >= 0x1p-60f ? 0xffff : 0;
      g.suspect[i / kX3Lines * g.suspect_stride + j / kX3Lines] =
          write_result<true>(result, c, g.c_row, rows, cols, g.accumulate, limits);
    }
  }
}

// c(j) (+)= sum over k of a(k) b(k, j), plain float32.  depth <= kX3MaxPass, cols <= 32; b_depth or
// b_col is 1.
void x3_plain_row(const float* a, int64_t a_depth, const float* b, int64_t b_depth, int64_t b_col,
                  int64_t depth, int64_t cols, float* c, bool accumulate) {
  alignas(64) float row[kX3MaxPass];
  for (int64_t k = 0; k < depth; ++k) row[k] = a[k * a_depth];
  if (b_col != 1) {
    for (int64_t j = 0; j < cols; ++j) {
      Vec sum = zero();
      for (int64_t k = 0; k < depth; k += kLanes) {
        const int64_t n = clamp_lanes(depth - k);
        sum = fma(load_part(row + k, n), load_part(b + j * b_col + k, n), sum);
      }
      c[j] = (accumulate ? c[j] : 0.0f) + horizontal_sum(sum);
    }
    return;
  }
  const int64_t left = clamp_lanes(cols);
  const int64_t right = clamp_lanes(cols - kLanes);
  Vec sum[4][2] = {};
  for (int64_t k = 0; k < depth; ++k) {
    Vec(&s)[2] = sum[k % 4];
    s[0] = fma(broadcast(row[k]), load_part(b + k * b_depth, left), s[0]);
    if (right > 0) {
      s[1] = fma(broadcast(row[k]), load_part(b + k * b_depth + kLanes, right), s[1]);
    }
  }
  for (int v = 0; v < 2; ++v) {
    const int64_t n = v == 0 ? left : right;
    Vec total = (sum[0][v] + sum[1][v]) + (sum[2][v] + sum[3][v]);
    float* to = c + v * kLanes;
    if (accumulate) total += load_part(to, n);
    if (n > 0) store_part(to, total, n);
  }
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
