// Cross-entropies of softmax(logits), and their gradients.
#include "pronghorn/kernels/kernel_types.h"
#include "pronghorn/ops/softmax/rows.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {

// loss(i) = log(sum_j exp(x(i, j))) - x(i, labels(i)); NaN for a negative label.  x: (rows, n); labels(i) < n.
void sparse_softmax_cross_entropy_rows(const float* x, const int32_t* labels, int64_t rows, int64_t n, float* loss) {
  for (int64_t i = 0; i < rows; ++i, x += n) {
    const float m = row_max(x, n);
    const float log_sum = scalar_log(row_sum_exp(x, n, m));
    loss[i] = labels[i] < 0 ? __builtin_nanf("") : log_sum - (x[labels[i]] - m);
  }
}

// dx(i, j) = (p(i, j) - [j = labels(i)]) dloss(i); NaN for a negative label.  p, dx: (rows, n); labels(i) < n; dx may be p.
void sparse_softmax_cross_entropy_grad_rows(const float* p, const int32_t* labels, const float* dloss, int64_t rows,
                                            int64_t n, float* dx) {
  for (int64_t i = 0; i < rows; ++i, p += n, dx += n) {
    const float d = labels[i] < 0 ? __builtin_nanf("") : dloss[i];
    const float at_label = labels[i] < 0 ? 0.0f : p[labels[i]];
    for_vectors(
        n, [&](int64_t j) { store(dx + j, load(p + j) * d); },
        [&](int64_t j, int64_t count) { store_part(dx + j, load_part(p + j, count) * d, count); });
    if (labels[i] >= 0) dx[labels[i]] = (at_label - 1.0f) * d;
  }
}

// loss(i) = -sum_j t(i, j) log(softmax(x)(i, j)).  x, t: (rows, n).
void softmax_cross_entropy_rows(const float* x, const float* t, int64_t rows, int64_t n, float* loss) {
  for (int64_t i = 0; i < rows; ++i, x += n, t += n) {
    if (n == 0) {
      loss[i] = 0.0f;
      continue;
    }
    const float m = row_max(x, n);
    const float log_sum = scalar_log(row_sum_exp(x, n, m));
    Vec sum = zero();
    for_vectors(
        n, [&](int64_t j) { sum = fma(load(t + j), log_sum - (load(x + j) - m), sum); },
        [&](int64_t j, int64_t count) {
          sum = fma(load_part(t + j, count), log_sum - (load_filled(x + j, count, m) - m), sum);
        });
    loss[i] = horizontal_sum(sum);
  }
}

// dx(i, j) = (p(i, j) sum_k t(i, k) - t(i, j)) dloss(i).  p, t, dx: (rows, n); dx may be p.
void softmax_cross_entropy_grad_rows(const float* p, const float* t, const float* dloss, int64_t rows, int64_t n,
                                     float* dx) {
  for (int64_t i = 0; i < rows; ++i, p += n, t += n, dx += n) {
    Vec sum = zero();
    for_vectors(
        n, [&](int64_t j) { sum += load(t + j); }, [&](int64_t j, int64_t count) { sum += load_part(t + j, count); });
    const float total = horizontal_sum(sum);
    const float d = dloss[i];
    for_vectors(
        n, [&](int64_t j) { store(dx + j, (load(p + j) * total - load(t + j)) * d); },
        [&](int64_t j, int64_t count) {
          store_part(dx + j, (load_part(p + j, count) * total - load_part(t + j, count)) * d, count);
        });
  }
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
