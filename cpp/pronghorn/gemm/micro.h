// Micro-kernels of the matrix product: a tile of the result stays in registers over the whole
// depth. Include only from *.simd.cpp.
#pragma once

#include "pronghorn/gemm/panels.h"
#include "pronghorn/simd/vec.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {

#if defined(PRONGHORN_ISA_AVX512)
inline constexpr bool kMaskedLoads = true;
#else
inline constexpr bool kMaskedLoads = false;
#endif

// One tile of the result. The last vector of each row of b and c has `last` valid lanes.
struct Tile {
  int64_t depth;
  const float* a;
  int64_t a_stride;  // from row to row, or with kByDepth from one k to the next; the other is 1
  int64_t a_ahead;   // floats from what is read to what is brought into cache; 0: nothing
  const float* b;
  int64_t b_stride;
  int64_t b_pair;       // from two vectors of a row of b to the next two
  const float* b_next;  // brought into the L2 cache, as many columns as b has
  int64_t b_next_stride;
  float* c;
  int64_t c_stride;
  int64_t last;
  bool accumulate;
};

// c(i, j) = sum of a(i, k) b(k, j), kRows x (kVecs * kLanes). Few results use several accumulators
// each, because a chain of dependent additions runs at a fraction of the speed. With kFetch what is
// needed next comes into cache meanwhile: slower where it is there already.
template <int kRows, int kVecs, bool kByDepth, bool kFetch = false>
void micro(const Tile& t) {
  constexpr int kChains = kRows * kVecs <= 2 ? 4 : kRows * kVecs <= 6 ? 2 : 1;
  Vec sum[kChains][kRows][kVecs];
#pragma GCC unroll 4
  for (int u = 0; u < kChains; ++u) {
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
      for (int j = 0; j < kVecs; ++j) sum[u][i][j] = zero();
    }
  }
  const float* a = t.a;
  const float* b = t.b;
  const int64_t a_stride = t.a_stride;
  const int64_t b_stride = t.b_stride;
  const int64_t a_ahead = t.a_ahead;
  const int64_t b_pair = t.b_pair;
  const float* b_next = t.b_next;
  const int64_t b_next_stride = t.b_next_stride;
  const int64_t a_step = kByDepth ? a_stride : 1;
  const int64_t a_row = kByDepth ? 1 : a_stride;
  if (kFetch && t.accumulate) {
    for (int i = 0; i < kRows; ++i) {
      const char* c = reinterpret_cast<const char*>(t.c + i * t.c_stride);
#pragma GCC unroll 8
      for (int j = 0; j < kVecs * kLanes * 4; j += 64) __builtin_prefetch(c + j, 1);
    }
  }
#if defined(PRONGHORN_ISA_AVX512)
  const __mmask16 last = static_cast<__mmask16>((1u << t.last) - 1u);
#endif
  const auto step = [&](Vec(&s)[kRows][kVecs]) {
    Vec bv[kVecs];
#pragma GCC unroll 8
    for (int j = 0; j < kVecs; ++j) {
      const float* from = b + j / 2 * b_pair + j % 2 * kLanes;
#if defined(PRONGHORN_ISA_AVX512)
      bv[j] = j + 1 < kVecs ? load(from) : (Vec)_mm512_maskz_loadu_ps(last, from);
#else
      bv[j] = load(from);
#endif
    }
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
      const Vec x = broadcast(a[i * a_row]);
#pragma GCC unroll 8
      for (int j = 0; j < kVecs; ++j) s[i][j] = fma(x, bv[j], s[i][j]);
    }
    if constexpr (kFetch) {
      if constexpr (kByDepth) __builtin_prefetch(a + a_ahead);
#pragma GCC unroll 8
      for (int j = 0; j < kVecs * kLanes; j += 16) __builtin_prefetch(b_next + j, 0, 2);
      b_next += b_next_stride;
    }
    a += a_step;
    b += b_stride;
  };
  int64_t k = t.depth;
  for (; k >= kChains; k -= kChains) {
#pragma GCC unroll 4
    for (int u = 0; u < kChains; ++u) step(sum[u]);
  }
  if constexpr (kChains > 1) {
    for (; k > 0; --k) step(sum[0]);
#pragma GCC unroll 4
    for (int u = 1; u < kChains; ++u) {
#pragma GCC unroll 16
      for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
        for (int j = 0; j < kVecs; ++j) sum[0][i][j] += sum[u][i][j];
      }
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
    float* c = t.c + i * t.c_stride;
#pragma GCC unroll 8
    for (int j = 0; j < kVecs; ++j) {
      float* p = c + j * kLanes;
      Vec v = sum[0][i][j];
      if (j + 1 < kVecs || t.last == kLanes) {
        if (t.accumulate) v += load(p);
        store(p, v);
      } else {
        if (t.accumulate) v += load_part(p, t.last);
        store_part(p, v, t.last);
      }
    }
  }
}

using Micro = void (*)(const Tile&);

#define PRONGHORN_ROWS_3(vecs, ...) \
  &micro<1, vecs, __VA_ARGS__>, &micro<2, vecs, __VA_ARGS__>, &micro<3, vecs, __VA_ARGS__>
#define PRONGHORN_ROWS_6(vecs, ...)                                                                \
  PRONGHORN_ROWS_3(vecs, __VA_ARGS__), &micro<4, vecs, __VA_ARGS__>, &micro<5, vecs, __VA_ARGS__>, \
      &micro<6, vecs, __VA_ARGS__>
#define PRONGHORN_ROWS_14(vecs, ...)                                                               \
  PRONGHORN_ROWS_6(vecs, __VA_ARGS__), &micro<7, vecs, __VA_ARGS__>, &micro<8, vecs, __VA_ARGS__>, \
      &micro<9, vecs, __VA_ARGS__>, &micro<10, vecs, __VA_ARGS__>, &micro<11, vecs, __VA_ARGS__>,  \
      &micro<12, vecs, __VA_ARGS__>, &micro<13, vecs, __VA_ARGS__>, &micro<14, vecs, __VA_ARGS__>

// kMicro...[by depth][rows - 1]; each width holds as many rows as fit into the registers.
#if defined(PRONGHORN_ISA_AVX512)
inline constexpr Micro kMicro1[2][kTileRows] = {{PRONGHORN_ROWS_14(1, false)},
                                                {PRONGHORN_ROWS_14(1, true)}};
inline constexpr Micro kMicro2[2][kTileRows] = {{PRONGHORN_ROWS_14(2, false)},
                                                {PRONGHORN_ROWS_14(2, true)}};
inline constexpr Micro kFetching[2][kTileRows] = {{PRONGHORN_ROWS_14(2, false, true)},
                                                  {PRONGHORN_ROWS_14(2, true, true)}};
inline constexpr Micro kMicro4[2][6] = {{PRONGHORN_ROWS_6(4, false)}, {PRONGHORN_ROWS_6(4, true)}};
inline constexpr Micro kMicro8[2][3] = {{PRONGHORN_ROWS_3(8, false)}, {PRONGHORN_ROWS_3(8, true)}};
inline constexpr int kRows4 = 6;
inline constexpr int kRows8 = 3;
#else
inline constexpr Micro kMicro1[2][kTileRows] = {{PRONGHORN_ROWS_6(1, false)},
                                                {PRONGHORN_ROWS_6(1, true)}};
inline constexpr Micro kMicro2[2][kTileRows] = {{PRONGHORN_ROWS_6(2, false)},
                                                {PRONGHORN_ROWS_6(2, true)}};
inline constexpr Micro kFetching[2][kTileRows] = {{PRONGHORN_ROWS_6(2, false, true)},
                                                  {PRONGHORN_ROWS_6(2, true, true)}};
inline constexpr Micro kMicro4[2][3] = {{PRONGHORN_ROWS_3(4, false)}, {PRONGHORN_ROWS_3(4, true)}};
inline constexpr Micro kMicro8[2][1] = {{&micro<1, 8, false>}, {&micro<1, 8, true>}};
inline constexpr int kRows4 = 3;
inline constexpr int kRows8 = 1;
#endif
PRONGHORN_INLINE Micro pick(int vecs, bool by_depth, bool fetch, int64_t rows) {
  if (vecs == 2 && fetch) return kFetching[by_depth][rows - 1];
  switch (vecs) {
    case 8: return kMicro8[by_depth][rows - 1];
    case 4: return kMicro4[by_depth][rows - 1];
    case 2: return kMicro2[by_depth][rows - 1];
    default: return kMicro1[by_depth][rows - 1];
  }
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
