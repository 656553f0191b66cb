// Softmax over rows.
#include "pronghorn/kernels/kernel_types.h"
#include "pronghorn/ops/softmax/rows.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {

// y(i, j) = exp(x(i, j)) / sum_k exp(x(i, k)).  x, y: (rows, n), n >= 1; y may be x.
void softmax_rows(const float* x, int64_t rows, int64_t n, float* y) {
  for (; rows > 0; --rows, x += n, y += n) {
    if (n <= kLanes) {
      store_part(y, softmax_vector(x, n), n);
      continue;
    }
    const float scale = 1.0f / store_exp(x, n, row_max(x, n), y);
    for_vectors(
        n, [&](int64_t i) { store(y + i, load(y + i) * scale); },
        [&](int64_t i, int64_t count) {
          store_part(y + i, load_part(y + i, count) * scale, count);
        });
  }
}

// y(i, j) = x(i, j) - log(sum_k exp(x(i, k))).  x, y: (rows, n), n >= 1; y may be x.
void log_softmax_rows(const float* x, int64_t rows, int64_t n, float* y) {
  for (; rows > 0; --rows, x += n, y += n) {
    const float m = row_max(x, n);
    const float log_sum = scalar_log(row_sum_exp(x, n, m));
    for_vectors(
        n, [&](int64_t i) { store(y + i, (load(x + i) - m) - log_sum); },
        [&](int64_t i, int64_t count) {
          store_part(y + i, (load_part(x + i, count) - m) - log_sum, count);
        });
  }
}

// dx(i, j) = y(i, j) (dy(i, j) - sum_k y(i, k) dy(i, k)).  All (rows, n), n >= 1; dx may be y or
// dy.
void softmax_grad_rows(const float* y, const float* dy, int64_t rows, int64_t n, float* dx) {
  for (; rows > 0; --rows, y += n, dy += n, dx += n) {
    Vec sum = zero();
    for_vectors(
        n, [&](int64_t i) { sum = fma(load(y + i), load(dy + i), sum); },
        [&](int64_t i, int64_t count) {
          sum = fma(load_part(y + i, count), load_part(dy + i, count), sum);
        });
    const float s = horizontal_sum(sum);
    for_vectors(
        n, [&](int64_t i) { store(dx + i, load(y + i) * (load(dy + i) - s)); },
        [&](int64_t i, int64_t count) {
          store_part(dx + i, load_part(y + i, count) * (load_part(dy + i, count) - s), count);
        });
  }
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
