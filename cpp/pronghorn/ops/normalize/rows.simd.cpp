// Layer normalization (centered) and root-mean-square normalization (not centered) of rows.
// Matrices are (rows, n) row-major; gamma, beta (n); mean, rstd (rows). n >= 1.
#include "pronghorn/kernels/kernel_types.h"
#include "pronghorn/simd/vec.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {
namespace {

// term(j, load) summed over a row; terms past its end must be zero where `live` clears them.
template <typename Term>
PRONGHORN_INLINE float sum_row(int64_t n, Term&& term) {
  Vec a = zero(), b = zero();
  int64_t j = 0;
  for (; j + 2 * kLanes <= n; j += 2 * kLanes) {
    a += term(j, [](const float* p) { return load(p); });
    b += term(j + kLanes, [](const float* p) { return load(p); });
  }
  for (; j + kLanes <= n; j += kLanes) a += term(j, [](const float* p) { return load(p); });
  if (j < n) {
    const int64_t rest = n - j;
    const Vec v = term(j, [rest](const float* p) { return load_part(p, rest); });
    b += select(iota() < static_cast<int32_t>(rest), v, zero());
  }
  return horizontal_sum(a + b);
}

template <typename Each>
PRONGHORN_INLINE void for_row(int64_t n, Each&& each) {
  int64_t j = 0;
  for (; j + kLanes <= n; j += kLanes) {
    each(j, [](const float* p) { return load(p); }, [](float* p, Vec v) { store(p, v); });
  }
  const int64_t rest = n - j;
  if (rest > 0) {
    each(
        j, [rest](const float* p) { return load_part(p, rest); },
        [rest](float* p, Vec v) { store_part(p, v, rest); });
  }
}

template <bool is_centered>
void normalize_rows(const float* x, const float* gamma, const float* beta, int64_t rows, int64_t n,
                    float epsilon, float* y, float* mean, float* rstd) {
  const float count = static_cast<float>(n);
  for (int64_t i = 0; i < rows; ++i, x += n, y += n) {
    const float m =
        is_centered ? sum_row(n, [&](int64_t j, auto get) { return get(x + j); }) / count : 0.0f;
    const float variance = sum_row(n,
                                   [&](int64_t j, auto get) {
                                     const Vec d = get(x + j) - m;
                                     return d * d;
                                   }) /
                           count;
    const float r = 1.0f / __builtin_sqrtf(variance + epsilon);
    if (is_centered) mean[i] = m;
    rstd[i] = r;
    for_row(n, [&](int64_t j, auto get, auto put) {
      const Vec h = (get(x + j) - m) * r;
      put(y + j, is_centered ? fma(h, get(gamma + j), get(beta + j)) : h * get(gamma + j));
    });
  }
}

template <bool is_centered>
void normalize_rows_grad(const float* x, const float* gamma, const float* mean, const float* rstd,
                         const float* dy, int64_t rows, int64_t n, float* dx, float* dgamma,
                         float* dbeta) {
  const float count = static_cast<float>(n);
  for (int64_t j = 0; j < n; ++j) dgamma[j] = 0.0f;
  if (is_centered) {
    for (int64_t j = 0; j < n; ++j) dbeta[j] = 0.0f;
  }
  for (int64_t i = 0; i < rows; ++i, x += n, dy += n, dx += n) {
    const float m = is_centered ? mean[i] : 0.0f;
    const float r = rstd[i];
    const float mean_g =
        is_centered
            ? sum_row(n, [&](int64_t j, auto get) { return get(dy + j) * get(gamma + j); }) / count
            : 0.0f;
    const float mean_gh = sum_row(n,
                                  [&](int64_t j, auto get) {
                                    return get(dy + j) * get(gamma + j) * ((get(x + j) - m) * r);
                                  }) /
                          count;
    for_row(n, [&](int64_t j, auto get, auto put) {
      const Vec h = (get(x + j) - m) * r;
      const Vec d = get(dy + j);
      put(dgamma + j, fma(d, h, get(dgamma + j)));
      if (is_centered) put(dbeta + j, get(dbeta + j) + d);
      put(dx + j, (d * get(gamma + j) - mean_g - h * mean_gh) * r);
    });
  }
}

}  // namespace

// h = (x - mean) rstd, y = h gamma + beta, rstd = 1 / sqrt(variance + epsilon), mean and (biased)
// variance of each row. y may be x.
void layer_norm_rows(const float* x, const float* gamma, const float* beta, int64_t rows, int64_t n,
                     float epsilon, float* y, float* mean, float* rstd) {
  normalize_rows<true>(x, gamma, beta, rows, n, epsilon, y, mean, rstd);
}

// h = x rstd, y = h gamma, rstd = 1 / sqrt(mean(x^2) + epsilon).  y may be x.
void rms_norm_rows(const float* x, const float* gamma, int64_t rows, int64_t n, float epsilon,
                   float* y, float* rstd) {
  normalize_rows<false>(x, gamma, nullptr, rows, n, epsilon, y, nullptr, rstd);
}

// g = dy gamma: dx = rstd (g - mean(g) - h mean(g h)); dgamma = sum of dy h over the rows, dbeta =
// sum of dy. dx may be x or dy.
void layer_norm_grad_rows(const float* x, const float* gamma, const float* mean, const float* rstd,
                          const float* dy, int64_t rows, int64_t n, float* dx, float* dgamma,
                          float* dbeta) {
  normalize_rows_grad<true>(x, gamma, mean, rstd, dy, rows, n, dx, dgamma, dbeta);
}

// The same without mean(g) and dbeta.
void rms_norm_grad_rows(const float* x, const float* gamma, const float* rstd, const float* dy,
                        int64_t rows, int64_t n, float* dx, float* dgamma) {
  normalize_rows_grad<false>(x, gamma, nullptr, rstd, dy, rows, n, dx, dgamma, nullptr);
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
