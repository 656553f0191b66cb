// Batch normalization: moments, normalization and gradients down the columns of a block of rows.
// All matrices are (rows, n) row-major, vectors (n). A block should fit the cache: each kernel
// walks it column by column.
#include "pronghorn/kernels/kernel_types.h"
#include "pronghorn/simd/vec.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {
namespace {

// Calls f(j, load, store) for each vector of columns: the last one reads and writes only the
// columns that exist.
template <typename F>
PRONGHORN_INLINE void for_columns(int64_t n, F&& f) {
  int64_t j = 0;
  for (; j + kLanes <= n; j += kLanes) {
    f(j, [](const float* p) { return load(p); }, [](float* p, Vec v) { store(p, v); });
  }
  const int64_t rest = n - j;
  if (rest > 0) {
    f(
        j, [rest](const float* p) { return load_part(p, rest); },
        [rest](float* p, Vec v) { store_part(p, v, rest); });
  }
}

// term(0) + ... + term(rows - 1), with four accumulators.
template <typename Term>
PRONGHORN_INLINE Vec sum_rows(int64_t rows, Term&& term) {
  Vec a = zero(), b = zero(), c = zero(), d = zero();
  int64_t i = 0;
  for (; i + 4 <= rows; i += 4) {
    a += term(i);
    b += term(i + 1);
    c += term(i + 2);
    d += term(i + 3);
  }
  for (; i < rows; ++i) a += term(i);
  return (a + b) + (c + d);
}

}  // namespace

// mean(j) = sum_i x(i, j) / rows; m2(j) = sum_i (x(i, j) - mean(j))^2.  rows >= 1.
// The second pass also corrects the mean: a first one over large, nearly equal elements rounds.
void column_moments(const float* x, int64_t rows, int64_t n, float* mean, float* m2) {
  const float count = static_cast<float>(rows);
  for_columns(n, [&](int64_t j, auto get, auto put) {
    const Vec m = sum_rows(rows, [&](int64_t i) { return get(x + i * n + j); }) / count;
    Vec d1 = zero(), d2 = zero(), s1 = zero(), s2 = zero();
    int64_t i = 0;
    for (; i + 2 <= rows; i += 2) {
      const Vec a = get(x + i * n + j) - m;
      const Vec b = get(x + (i + 1) * n + j) - m;
      d1 += a;
      d2 += b;
      s1 = fma(a, a, s1);
      s2 = fma(b, b, s2);
    }
    if (i < rows) {
      const Vec a = get(x + i * n + j) - m;
      d1 += a;
      s1 = fma(a, a, s1);
    }
    const Vec d = d1 + d2;
    const Vec correction = d / count;
    put(mean + j, m + correction);
    put(m2 + j, (s1 + s2) - d * correction);
  });
}

// y(i, j) = (x(i, j) - mean(j)) scale(j) + beta(j).  y may be x.
void batch_norm_columns(const float* x, int64_t rows, int64_t n, const float* mean,
                        const float* scale, const float* beta, float* y) {
  for_columns(n, [&](int64_t j, auto get, auto put) {
    const Vec m = get(mean + j);
    const Vec s = get(scale + j);
    const Vec b = get(beta + j);
    for (int64_t i = 0; i < rows; ++i) put(y + i * n + j, fma(get(x + i * n + j) - m, s, b));
  });
}

// sum_dy(j) = sum_i dy(i, j); sum_dy_x(j) = sum_i dy(i, j) (x(i, j) - mean(j)).
void batch_norm_grad_sums(const float* x, const float* dy, int64_t rows, int64_t n,
                          const float* mean, float* sum_dy, float* sum_dy_x) {
  for_columns(n, [&](int64_t j, auto get, auto put) {
    const Vec m = get(mean + j);
    put(sum_dy + j, sum_rows(rows, [&](int64_t i) { return get(dy + i * n + j); }));
    put(sum_dy_x + j,
        sum_rows(rows, [&](int64_t i) { return get(dy + i * n + j) * (get(x + i * n + j) - m); }));
  });
}

// dx(i, j) = scale(j) (dy(i, j) - mean_dy(j)) - slope(j) (x(i, j) - mean(j)).  dx may be x or dy.
void batch_norm_grad_columns(const float* x, const float* dy, int64_t rows, int64_t n,
                             const float* mean, const float* scale, const float* mean_dy,
                             const float* slope, float* dx) {
  for_columns(n, [&](int64_t j, auto get, auto put) {
    const Vec m = get(mean + j);
    const Vec s = get(scale + j);
    const Vec d = get(mean_dy + j);
    const Vec k = get(slope + j);
    for (int64_t i = 0; i < rows; ++i) {
      put(dx + i * n + j, s * (get(dy + i * n + j) - d) - k * (get(x + i * n + j) - m));
    }
  });
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
