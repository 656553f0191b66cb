// The product of a recurrent step on AMX: rows of the state by weights that lie as tiles in the L2
// cache. float32 in three bfloat16 parts (gemm/x3.amx.cpp), or bfloat16. Each row is scaled by a
// power of two so that its largest element is near 1, which keeps what AMX flushes to zero far
// below the rounding of a row's results, however small the row is.
#include "pronghorn/kernels/amx_types.h"
#include "pronghorn/kernels/kernel_types.h"
#include "pronghorn/simd/amx.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {

void x3_pack(const X3Pack& x);

namespace {

constexpr int64_t kPassSteps = kX3MaxPass / kX3Depth;
constexpr int kMaxCols = 3;  // tiles of a block of results
constexpr int64_t kBlockRow = kMaxCols * kTileSide;

// Of weights: columns in which the largest element is outside are left to float32.
constexpr int32_t kLeast = (127 - 60) << 23;
constexpr int32_t kMost = (127 + 60) << 23;

PRONGHORN_INLINE int64_t lanes(int64_t n) { return n < 0 ? 0 : n < kLanes ? n : kLanes; }

PRONGHORN_INLINE Vec read(const float* p, int64_t n) {
  return n >= kLanes ? load(p) : n > 0 ? load_part(p, n) : zero();
}

// Whether the largest elements of columns are in range, or 0.
bool columns_in_range(const float* panel, int64_t stride, int64_t depth) {
  Mask outside = {};
  for (int64_t j = 0; j < stride; j += kLanes) {
    IVec most = {};
    for (int64_t k = 0; k < depth; ++k)
      most = max(most, bits_of(load(panel + k * stride + j)) & 0x7fffffff);
    outside |= (most > broadcast(kMost)) | ((most != 0) & (most < broadcast(kLeast)));
  }
  return !any(outside);
}

// A block of sums that is still to be written: c = base + scale * sums. Rows of it are written
// between the products of the block after it, because those wait for one another and not for this.
struct Pending {
  const TileProduct* p;
  ConstRows base;
  int64_t row;
  int64_t rows;  // 0: nothing
  int64_t j;
  int64_t cols;  // tiles
  const float* sums;
};

template <bool kWhole, bool kBase>
PRONGHORN_INLINE void write_rows(const Pending& w, int64_t first, int64_t last, int64_t cols) {
  const TileProduct& p = *w.p;
  for (int64_t i = first; i < last; ++i) {
    const Vec scale = broadcast(p.scales[w.row + i]);
    const float* from = kBase ? w.base.at + (w.row + i) * w.base.stride + w.j : nullptr;
    float* to = p.c.at + (w.row + i) * p.c.stride + w.j;
    const float* sums = w.sums + i * kBlockRow;
#pragma GCC unroll 3
    for (int64_t c = 0; c < cols; ++c) {
      const Vec sum = load(sums + c * kLanes);
      if constexpr (kWhole) {
        store(to + c * kLanes, kBase ? fma(sum, scale, load(from + c * kLanes)) : sum * scale);
      } else {
        const int64_t n = lanes(p.col1 - w.j - c * kLanes);
        store_part(to + c * kLanes,
                   kBase ? fma(sum, scale, load_part(from + c * kLanes, n)) : sum * scale, n);
      }
    }
  }
}

// Share `i` of `count` of the rows.
PRONGHORN_INLINE void write_share(const Pending& w, int64_t i, int64_t count) {
  const int64_t first = w.rows * i / count;
  const int64_t last = w.rows * (i + 1) / count;
  if (first == last) return;
  const bool whole = w.p->col1 - w.j >= w.cols * kTileSide;
  if (w.base.at == nullptr) {
    if (whole) return write_rows<true, false>(w, first, last, w.cols);
    return write_rows<false, false>(w, first, last, w.cols);
  }
  if (!whole) return write_rows<false, true>(w, first, last, w.cols);
  if (w.cols == 3) return write_rows<true, true>(w, first, last, 3);
  if (w.cols == 2) return write_rows<true, true>(w, first, last, 2);
  write_rows<true, true>(w, first, last, w.cols);
}

// Sums of a block of results over steps of 32 k, of one tile of rows (operand a in tiles 3, 4, b in
// 5 to 7) or two (a in 4, 5, b in 6, 7).
struct Block {
  const char* a;  // of the first step
  int64_t a_row;  // bytes between the tiles of two tiles of rows
  const char* b[kMaxCols];
  int64_t steps;
};

template <int kCols>
PRONGHORN_INLINE void load_columns(const Block& g, int64_t at) {
  tile_load<5>(g.b[0] + at);
  if constexpr (kCols > 1) tile_load<6>(g.b[1] + at);
  if constexpr (kCols > 2) tile_load<7>(g.b[2] + at);
}
template <int kCols, int kA>
PRONGHORN_INLINE void multiply_row() {
  tile_multiply<0, kA, 5>();
  if constexpr (kCols > 1) tile_multiply<1, kA, 6>();
  if constexpr (kCols > 2) tile_multiply<2, kA, 7>();
}

template <int kParts, int kCols>
void one_row(const Block& g, const Pending& before, float* result) {
  tile_zero<0>();
  tile_zero<1>();
  tile_zero<2>();
  const char* a = g.a;
  for (int64_t s = 0; s < g.steps; ++s, a += kParts * kTileBytes) {
    const int64_t at = s * kX3StepBytes;
    tile_load<4>(a);
    if constexpr (kParts == 3) {
      load_columns<kCols>(g, at + 2 * kX3PartBytes);
      multiply_row<kCols, 4>();
      load_columns<kCols>(g, at + kX3PartBytes);
      multiply_row<kCols, 4>();
      tile_load<3>(a + kTileBytes);
      multiply_row<kCols, 3>();
      load_columns<kCols>(g, at);
      multiply_row<kCols, 3>();
      tile_load<3>(a + 2 * kTileBytes);
      multiply_row<kCols, 3>();
      multiply_row<kCols, 4>();
    } else {
      load_columns<kCols>(g, at);
      multiply_row<kCols, 4>();
    }
    write_share(before, s, g.steps);
  }
  tile_store<0>(result, kBlockRow * 4);
  if constexpr (kCols > 1) tile_store<1>(result + kTileSide, kBlockRow * 4);
  if constexpr (kCols > 2) tile_store<2>(result + 2 * kTileSide, kBlockRow * 4);
}

PRONGHORN_INLINE void load_rows(const Block& g, const char* a) {
  tile_load<4>(a);
  tile_load<5>(a + g.a_row);
}
template <int kCols>
PRONGHORN_INLINE void load_pair(const Block& g, int64_t at) {
  tile_load<6>(g.b[0] + at);
  if constexpr (kCols > 1) tile_load<7>(g.b[1] + at);
}
template <int kCols>
PRONGHORN_INLINE void multiply_pair() {
  tile_multiply<0, 4, 6>();
  tile_multiply<2, 5, 6>();
  if constexpr (kCols > 1) tile_multiply<1, 4, 7>();
  if constexpr (kCols > 1) tile_multiply<3, 5, 7>();
}

template <int kParts, int kCols>
void two_rows(const Block& g, const Pending& before, float* result) {
  tile_zero<0>();
  tile_zero<1>();
  tile_zero<2>();
  tile_zero<3>();
  const char* a = g.a;
  for (int64_t s = 0; s < g.steps; ++s, a += kParts * kTileBytes) {
    const int64_t at = s * kX3StepBytes;
    load_rows(g, a);
    if constexpr (kParts == 3) {
      load_pair<kCols>(g, at + 2 * kX3PartBytes);
      multiply_pair<kCols>();
      load_pair<kCols>(g, at + kX3PartBytes);
      multiply_pair<kCols>();
      load_rows(g, a + kTileBytes);
      multiply_pair<kCols>();
      load_pair<kCols>(g, at);
      multiply_pair<kCols>();
      load_rows(g, a + 2 * kTileBytes);
      multiply_pair<kCols>();
      load_rows(g, a);
      multiply_pair<kCols>();
    } else {
      load_pair<kCols>(g, at);
      multiply_pair<kCols>();
    }
    write_share(before, s, g.steps);
  }
  constexpr int64_t kSecond = kTileSide * kBlockRow;
  tile_store<0>(result, kBlockRow * 4);
  tile_store<2>(result + kSecond, kBlockRow * 4);
  if constexpr (kCols > 1) {
    tile_store<1>(result + kTileSide, kBlockRow * 4);
    tile_store<3>(result + kSecond + kTileSide, kBlockRow * 4);
  }
}

template <int kParts>
PRONGHORN_INLINE void multiply_block(const Block& g, bool two, int64_t cols, const Pending& before,
                                     float* result) {
  if (two) {
    if (cols == 1) return two_rows<kParts, 1>(g, before, result);
    return two_rows<kParts, 2>(g, before, result);
  }
  if (cols == 1) return one_row<kParts, 1>(g, before, result);
  if (cols == 2) return one_row<kParts, 2>(g, before, result);
  return one_row<kParts, 3>(g, before, result);
}

}  // namespace

// Packed weights (PackedProduct) as tiles, panels of 32 columns as of operand b of x3. False, and
// nothing to be used, if a column's elements are too large or too small.  depth, cols >= 1.
bool pack_tiles(const float* packed, int64_t depth, int64_t cols, char* tiles) {
  const int64_t panel_bytes = (depth + kX3Depth - 1) / kX3Depth * kX3StepBytes;
  float largest[kPackedPanel / kX3Lines] = {};
  for (int64_t j = 0; j < cols; j += kPackedPanel) {
    const int64_t width = cols - j < kPackedPanel ? cols - j : kPackedPanel;
    const int64_t stride = (width + kPackedRound - 1) / kPackedRound * kPackedRound;
    const float* panel = packed + j * depth;
    if (!columns_in_range(panel, stride, depth)) return false;
    x3_pack({.x = panel,
             .line_stride = 1,
             .depth_stride = stride,
             .lines = width,
             .depth = depth,
             .is_b = true,
             .packed = tiles + j / kX3Lines * panel_bytes,
             .panel_bytes = panel_bytes,
             .largest = largest});
  }
  return true;
}

// Rows as tiles of operand a: [16 rows][32 k][part], and what each row's results are to be
// multiplied by. False if an element is not finite, which parts cannot hold. One part: rounded as
// it is.
bool split_rows(const RowSplit& x) {
  const int64_t steps = (x.depth + kX3Depth - 1) / kX3Depth;
  for (int64_t i = 0; i < x.rows; ++i) {
    const float* a = x.a.at + i * x.a.stride;
    char* to =
        x.tiles + i / kTileSide * steps * x.parts * kTileBytes + i % kTileSide * kTileRowBytes;
    if (x.parts == 1) {
      x.scales[i] = 1.0f;
      for (int64_t k = 0; k < x.depth; k += kX3Depth, to += kTileBytes) {
        const IVec pairs = to_bfloat16_pairs(read(a + k, lanes(x.depth - k)),
                                             read(a + k + kLanes, lanes(x.depth - k - kLanes)));
        store(reinterpret_cast<int32_t*>(to), pairs);
      }
      continue;
    }
    IVec most = {};
    for (int64_t k = 0; k < x.depth; k += kLanes)
      most = max(most, bits_of(read(a + k, lanes(x.depth - k))) & 0x7fffffff);
    const int32_t exponent = _mm512_reduce_max_epi32((__m512i)most) >> 23;
    if (exponent == 255) return false;
    const int32_t used = exponent == 0 ? 127 : exponent == 254 ? 253 : exponent;
    const Vec down = from_bits(broadcast((254 - used) << 23));
    const int32_t up = used << 23;
    std::memcpy(x.scales + i, &up, sizeof up);
    for (int64_t k = 0; k < x.depth; k += kX3Depth, to += 3 * kTileBytes) {
      IVec part[3];
      split_pairs(read(a + k, lanes(x.depth - k)) * down,
                  read(a + k + kLanes, lanes(x.depth - k - kLanes)) * down, part);
#pragma GCC unroll 3
      for (int p = 0; p < 3; ++p) store(reinterpret_cast<int32_t*>(to + p * kTileBytes), part[p]);
    }
  }
  return true;
}

// See TileProduct.  rows, depth, cols >= 1.
void tile_product(const TileProduct& p) {
  const Tiles tiles;
  alignas(64) float results[2][2 * kTileSide * kBlockRow];
  Pending pending{};
  pending.p = &p;
  int next = 0;
  const int64_t all_steps = (p.depth + kX3Depth - 1) / kX3Depth;
  const int64_t panel_bytes = all_steps * kX3StepBytes;
  for (int64_t row = 0; row < p.rows;) {
    const bool two = p.rows - row > kTileSide;
    const int64_t rows = two ? lanes(p.rows - row - kTileSide) + kTileSide : p.rows - row;
    const int64_t most_cols = two ? 2 : kMaxCols;
    for (int64_t step = 0; step < all_steps; step += kPassSteps) {
      Block g;
      g.a = p.a + (row / kTileSide * all_steps + step) * p.parts * kTileBytes;
      g.a_row = all_steps * p.parts * kTileBytes;
      g.steps = all_steps - step < kPassSteps ? all_steps - step : kPassSteps;
      const ConstRows base = step == 0 ? p.base : ConstRows{p.c.at, p.c.stride};
      for (int64_t j = p.col0; j < p.col1;) {
        const int64_t wanted = (p.col1 - j + kTileSide - 1) / kTileSide;
        const int64_t cols = wanted < most_cols ? wanted : most_cols;
        for (int64_t c = 0; c < cols; ++c) {
          const int64_t tile = j / kTileSide + c;
          g.b[c] = p.b + tile / 2 * panel_bytes + tile % 2 * kTileBytes + step * kX3StepBytes;
        }
        float* result = results[next];
        next = 1 - next;
        if (p.parts == 1) {
          multiply_block<1>(g, two, cols, pending, result);
        } else {
          multiply_block<3>(g, two, cols, pending, result);
        }
        pending = {&p, base, row, rows, j, cols, result};
        j += cols * kTileSide;
      }
    }
    row += two ? 2 * kTileSide : kTileSide;
  }
  write_share(pending, 0, 1);
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
