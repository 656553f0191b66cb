// Batch normalization: moments, normalization and gradients down the columns of a block of rows.
// All matrices are (rows, n) row-major, vectors (n). A block should fit the cache.
#include "pronghorn/kernels/kernel_types.h"
#include "pronghorn/simd/vec.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {
namespace {

// Columns that are walked side by side: kVecs vectors, of the last of which `last` lanes exist.
template <int kVecs>
struct Columns {
  static constexpr int kCount = kVecs;
  int64_t first;
  int64_t last;

  PRONGHORN_INLINE Vec get(const float* p, int v) const {
    return v + 1 < kVecs || last == kLanes ? load(p + first + v * kLanes)
                                           : load_part(p + first + v * kLanes, last);
  }
  PRONGHORN_INLINE void put(float* p, int v, Vec x) const {
    if (v + 1 < kVecs || last == kLanes) return store(p + first + v * kLanes, x);
    store_part(p + first + v * kLanes, x, last);
  }
};

// Calls f(Columns) until all are covered. Rows of neighbouring vectors are one stream.
template <typename F>
PRONGHORN_INLINE void for_columns(int64_t n, F&& f) {
  int64_t j = 0;
  for (; j + 4 * kLanes <= n; j += 4 * kLanes) f(Columns<4>{j, kLanes});
  for (; j + 2 * kLanes <= n; j += 2 * kLanes) f(Columns<2>{j, kLanes});
  for (; j < n; j += kLanes) f(Columns<1>{j, n - j < kLanes ? n - j : kLanes});
}

}  // namespace

// mean(j) = sum_i x(i, j) / rows; m2(j) = sum_i (x(i, j) - mean(j))^2.  rows >= 1.
// In one pass over differences from the first row: m2 is at least about their largest square, so
// what cancels is small beside it.
void column_moments(const float* x, int64_t rows, int64_t n, float* mean, float* m2) {
  const float count = static_cast<float>(rows);
  for_columns(n, [&](auto columns) PRONGHORN_LAMBDA_INLINE {
    constexpr int kVecs = decltype(columns)::kCount;
    constexpr int kChains = kVecs == 4 ? 1 : kVecs == 2 ? 2 : 4;
    Vec start[kVecs], sum[kChains][kVecs], square[kChains][kVecs];
    for (int v = 0; v < kVecs; ++v) {
      start[v] = columns.get(x, v);
      for (int c = 0; c < kChains; ++c) sum[c][v] = square[c][v] = zero();
    }
    int64_t i = 1;
    for (; i + kChains <= rows; i += kChains) {
#pragma GCC unroll 4
      for (int c = 0; c < kChains; ++c) {
#pragma GCC unroll 4
        for (int v = 0; v < kVecs; ++v) {
          const Vec d = columns.get(x + (i + c) * n, v) - start[v];
          sum[c][v] += d;
          square[c][v] = fma(d, d, square[c][v]);
        }
      }
    }
    for (; i < rows; ++i) {
      for (int v = 0; v < kVecs; ++v) {
        const Vec d = columns.get(x + i * n, v) - start[v];
        sum[0][v] += d;
        square[0][v] = fma(d, d, square[0][v]);
      }
    }
    for (int v = 0; v < kVecs; ++v) {
      for (int c = 1; c < kChains; ++c) {
        sum[0][v] += sum[c][v];
        square[0][v] += square[c][v];
      }
      const Vec shift = sum[0][v] / count;
      columns.put(mean, v, start[v] + shift);
      columns.put(m2, v, max(zero(), square[0][v] - sum[0][v] * shift));
    }
  });
}

// y(i, j) = (x(i, j) - mean(j)) scale(j) + beta(j).  y may be x.
void batch_norm_columns(const float* x, int64_t rows, int64_t n, const float* mean,
                        const float* scale, const float* beta, float* y) {
  for_columns(n, [&](auto columns) PRONGHORN_LAMBDA_INLINE {
    constexpr int kVecs = decltype(columns)::kCount;
    Vec m[kVecs], s[kVecs], b[kVecs];
    for (int v = 0; v < kVecs; ++v) {
      m[v] = columns.get(mean, v);
      s[v] = columns.get(scale, v);
      b[v] = columns.get(beta, v);
    }
    for (int64_t i = 0; i < rows; ++i) {
#pragma GCC unroll 4
      for (int v = 0; v < kVecs; ++v)
        columns.put(y + i * n, v, fma(columns.get(x + i * n, v) - m[v], s[v], b[v]));
    }
  });
}

// sum_dy(j) = sum_i dy(i, j); sum_dy_x(j) = sum_i dy(i, j) (x(i, j) - mean(j)).
void batch_norm_grad_sums(const float* x, const float* dy, int64_t rows, int64_t n,
                          const float* mean, float* sum_dy, float* sum_dy_x) {
  for_columns(n, [&](auto columns) PRONGHORN_LAMBDA_INLINE {
    constexpr int kVecs = decltype(columns)::kCount;
    constexpr int kChains = kVecs == 4 ? 1 : kVecs == 2 ? 2 : 4;
    Vec m[kVecs], sum[kChains][kVecs], product[kChains][kVecs];
    for (int v = 0; v < kVecs; ++v) {
      m[v] = columns.get(mean, v);
      for (int c = 0; c < kChains; ++c) sum[c][v] = product[c][v] = zero();
    }
    int64_t i = 0;
    for (; i + kChains <= rows; i += kChains) {
#pragma GCC unroll 4
      for (int c = 0; c < kChains; ++c) {
#pragma GCC unroll 4
        for (int v = 0; v < kVecs; ++v) {
          const Vec d = columns.get(dy + (i + c) * n, v);
          sum[c][v] += d;
          product[c][v] = fma(d, columns.get(x + (i + c) * n, v) - m[v], product[c][v]);
        }
      }
    }
    for (; i < rows; ++i) {
      for (int v = 0; v < kVecs; ++v) {
        const Vec d = columns.get(dy + i * n, v);
        sum[0][v] += d;
        product[0][v] = fma(d, columns.get(x + i * n, v) - m[v], product[0][v]);
      }
    }
    for (int v = 0; v < kVecs; ++v) {
      for (int c = 1; c < kChains; ++c) {
        sum[0][v] += sum[c][v];
        product[0][v] += product[c][v];
      }
      columns.put(sum_dy, v, sum[0][v]);
      columns.put(sum_dy_x, v, product[0][v]);
    }
  });
}

// dx(i, j) = scale(j) (dy(i, j) - mean_dy(j)) - slope(j) (x(i, j) - mean(j)).  dx may be x or dy.
void batch_norm_grad_columns(const float* x, const float* dy, int64_t rows, int64_t n,
                             const float* mean, const float* scale, const float* mean_dy,
                             const float* slope, float* dx) {
  for_columns(n, [&](auto columns) PRONGHORN_LAMBDA_INLINE {
    constexpr int kVecs = decltype(columns)::kCount;
    Vec m[kVecs], s[kVecs], d[kVecs], k[kVecs];
    for (int v = 0; v < kVecs; ++v) {
      m[v] = columns.get(mean, v);
      s[v] = columns.get(scale, v);
      d[v] = columns.get(mean_dy, v);
      k[v] = columns.get(slope, v);
    }
    for (int64_t i = 0; i < rows; ++i) {
#pragma GCC unroll 4
      for (int v = 0; v < kVecs; ++v) {
        columns.put(
            dx + i * n, v,
            s[v] * (columns.get(dy + i * n, v) - d[v]) - k[v] * (columns.get(x + i * n, v) - m[v]));
      }
    }
  });
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
