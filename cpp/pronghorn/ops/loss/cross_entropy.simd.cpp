// Cross-entropies of softmax(logits), and their gradients.
#include "pronghorn/kernels/kernel_types.h"
#include "pronghorn/ops/softmax/rows.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {
namespace {

constexpr int64_t kRows = 64;  // of which the logarithms are taken together

// Largest element of a row and the sum of exp(x(j) - largest).
PRONGHORN_INLINE void max_and_sum(const float* x, int64_t n, float* largest, float* sum) {
  if (n <= kLanes) {  // a row fits a register
    const Vec v = load_filled(x, n, -__builtin_inff());
    *largest = horizontal_max(v);
    *sum = horizontal_sum(exp(v - *largest));
    return;
  }
  *largest = row_max(x, n);
  *sum = row_sum_exp(x, n, *largest);
}

// y(i) = log(y(i)). y has room for a multiple of kLanes elements.
PRONGHORN_INLINE void log_all(float* y, int64_t n) {
  for (int64_t i = 0; i < n; i += kLanes) store(y + i, log(load(y + i)));
}

}  // namespace

// loss(i) = log(sum_j exp(x(i, j))) - x(i, labels(i)); NaN for a negative label.  x: (rows, n);
// labels(i) < n.
void sparse_softmax_cross_entropy_rows(const float* x, const int32_t* labels, int64_t rows,
                                       int64_t n, float* loss) {
  for (int64_t first = 0; first < rows; first += kRows) {
    const int64_t count = rows - first < kRows ? rows - first : kRows;
    float at_label[kRows];
    float sums[kRows];
    for (int64_t i = 0; i < kRows; ++i) sums[i] = 1.0f;
    for (int64_t i = 0; i < count; ++i, x += n) {
      float m = 0.0f;
      max_and_sum(x, n, &m, sums + i);
      const int32_t label = labels[first + i];
      at_label[i] = label < 0 ? __builtin_nanf("") : x[label] - m;
    }
    log_all(sums, count);
    for (int64_t i = 0; i < count; ++i) loss[first + i] = sums[i] - at_label[i];
  }
}

// dx(i, j) = (softmax(x)(i, j) - [j = labels(i)]) dloss(i); NaN for a negative label.  x, dx:
// (rows, n), n >= 1; labels(i) < n; dx may be x.
void sparse_softmax_cross_entropy_grad_rows(const float* x, const int32_t* labels,
                                            const float* dloss, int64_t rows, int64_t n,
                                            float* dx) {
  for (int64_t i = 0; i < rows; ++i, x += n, dx += n) {
    const int32_t label = labels[i];
    const float d = label < 0 ? __builtin_nanf("") : dloss[i];
    if (n <= kLanes) {
      const Vec p = softmax_vector(x, n);
      const Vec one = select(iota() == label, broadcast(1.0f), zero());
      store_part(dx, (p - one) * d, n);
      continue;
    }
    const float sum = store_exp(x, n, row_max(x, n), dx);
    const float scale = 1.0f / sum;
    const float at_label = label < 0 ? 0.0f : dx[label] * scale;
    for_vectors(
        n, [&](int64_t j) { store(dx + j, load(dx + j) * scale * d); },
        [&](int64_t j, int64_t count) {
          store_part(dx + j, load_part(dx + j, count) * scale * d, count);
        });
    if (label >= 0) dx[label] = (at_label - 1.0f) * d;
  }
}

// loss(i) = -sum_j t(i, j) log(softmax(x)(i, j)).  x, t: (rows, n).
void softmax_cross_entropy_rows(const float* x, const float* t, int64_t rows, int64_t n,
                                float* loss) {
  for (int64_t first = 0; first < rows; first += kRows) {
    const int64_t count = rows - first < kRows ? rows - first : kRows;
    float largest[kRows];
    float sums[kRows];
    for (int64_t i = 0; i < kRows; ++i) sums[i] = 1.0f;
    for (int64_t i = 0; i < count; ++i) max_and_sum(x + i * n, n, largest + i, sums + i);
    log_all(sums, count);
    for (int64_t i = 0; i < count; ++i, x += n, t += n) {
      const float m = largest[i];
      const float log_sum = sums[i];
      Vec sum = zero();
      for_vectors(
          n, [&](int64_t j) { sum = fma(load(t + j), log_sum - (load(x + j) - m), sum); },
          [&](int64_t j, int64_t rest) {
            sum = fma(load_part(t + j, rest), log_sum - (load_filled(x + j, rest, m) - m), sum);
          });
      loss[first + i] = n == 0 ? 0.0f : horizontal_sum(sum);
    }
  }
}

// dx(i, j) = (softmax(x)(i, j) sum_k t(i, k) - t(i, j)) dloss(i).  x, t, dx: (rows, n), n >= 1; dx
// may be x.
void softmax_cross_entropy_grad_rows(const float* x, const float* t, const float* dloss,
                                     int64_t rows, int64_t n, float* dx) {
  for (int64_t i = 0; i < rows; ++i, x += n, t += n, dx += n) {
    const float d = dloss[i];
    if (n <= kLanes) {
      const Vec target = load_part(t, n);
      store_part(dx, (softmax_vector(x, n) * horizontal_sum(target) - target) * d, n);
      continue;
    }
    Vec sum = zero();
    for_vectors(
        n, [&](int64_t j) { sum += load(t + j); },
        [&](int64_t j, int64_t count) { sum += load_part(t + j, count); });
    const float total = horizontal_sum(sum) / store_exp(x, n, row_max(x, n), dx);
    for_vectors(
        n, [&](int64_t j) { store(dx + j, (load(dx + j) * total - load(t + j)) * d); },
        [&](int64_t j, int64_t count) {
          store_part(dx + j, (load_part(dx + j, count) * total - load_part(t + j, count)) * d,
                     count);
        });
  }
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
