// Weights of attention for a block of scores, and their gradient.
#include "pronghorn/kernels/kernel_types.h"
#include "pronghorn/simd/math.h"
#include "pronghorn/simd/vec.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {
namespace {

typedef uint8_t Bytes __attribute__((vector_size(kLanes)));

PRONGHORN_INLINE int64_t clamp(int64_t n, int64_t most) { return n < 0 ? 0 : n < most ? n : most; }

// A row of scores. It sees columns [low, high), as far as the mask does not hide them.
struct Row {
  float* x;
  const float* bias;
  float row_bias;
  const uint8_t* mask;
  const float* kept;
  int32_t low;
  int32_t high;
};

PRONGHORN_INLINE Row row_of(const AttentionScores& s, int64_t i) {
  Row r{};
  r.x = s.scores + i * s.stride;
  r.low = static_cast<int32_t>(clamp(i + s.low, s.cols));
  r.high = static_cast<int32_t>(clamp(i + s.high, s.cols));
  if (s.bias != nullptr) {
    const float* bias = s.bias + i * s.bias_row;
    if (s.bias_col != 0) {
      r.bias = bias;
    } else {
      r.row_bias = *bias;
    }
  }
  if (s.mask != nullptr) {
    const uint8_t* mask = s.mask + i * s.mask_row;
    if (s.mask_col != 0) {
      r.mask = mask;
    } else if (*mask == 0) {
      r.high = 0;
    }
  }
  if (s.kept != nullptr) r.kept = s.kept + i * s.kept_stride;
  return r;
}

PRONGHORN_INLINE Vec read(const float* p, int64_t n) {
  return n == kLanes ? load(p) : load_part(p, n);
}
PRONGHORN_INLINE void write(float* p, Vec v, int64_t n) {
  if (n == kLanes) {
    store(p, v);
  } else {
    store_part(p, v, n);
  }
}

PRONGHORN_INLINE Mask visible(const Row& r, int64_t j, int64_t n) {
  const IVec column = iota() + static_cast<int32_t>(j);
  Mask seen = (column >= r.low) & (column < r.high);
  if (r.mask != nullptr) {
    Bytes bytes{};
    if (n == kLanes) {
      std::memcpy(&bytes, r.mask + j, sizeof bytes);
    } else {
      for (int64_t i = 0; i < n; ++i) bytes[i] = r.mask[j + i];
    }
    seen &= __builtin_convertvector(bytes, IVec) != 0;
  }
  return seen;
}

// Scores j to j + n of the row. kPlain: no bias, everything is seen.
template <bool kPlain>
PRONGHORN_INLINE Vec score(const AttentionScores& s, const Row& r, int64_t j, int64_t n) {
  Vec v = read(r.x + j, n) * s.scale;
  if constexpr (!kPlain) {
    v += r.bias != nullptr ? read(r.bias + j, n) : broadcast(r.row_bias);
    v = select(visible(r, j, n), v, broadcast(kHiddenScore));
  }
  return v;
}

// Calls body(j, n) for pieces of a row of at most kLanes columns.
template <typename F>
PRONGHORN_INLINE void for_columns(int64_t cols, F&& body) {
  int64_t j = 0;
  for (; j + kLanes <= cols; j += kLanes) body(j, int64_t{kLanes});
  if (j < cols) body(j, cols - j);
}

PRONGHORN_INLINE bool is_plain(const AttentionScores& s, const Row& r) {
  return s.bias == nullptr && r.mask == nullptr && r.low == 0 && r.high == s.cols;
}

// exp(x) for x <= 88 or NaN.
PRONGHORN_INLINE Vec exp_below(Vec x) {
  Vec n;
  const Vec p = reduced_expm1(max(broadcast(-105.0f), x), &n);
  return scale_by_power(p + 1.0f, n);
}

// Takes up the new largest score and the sum of the weights of a row.
PRONGHORN_INLINE void take_up(const AttentionRows& rows, int64_t i, float before, float largest,
                              float base, float total) {
  rows.largest[i] = largest;
  if (rows.is_first) {
    rows.sum[i] = total;
    return;
  }
  const float factor = before == largest ? 1.0f : exp(broadcast(before - base))[0];
  rows.sum[i] = rows.sum[i] * factor + total;
  if (factor == 1.0f) return;
  float* out = rows.out + i * rows.out_stride;
  for_columns(rows.out_cols, [&](int64_t j, int64_t n) PRONGHORN_LAMBDA_INLINE {
    write(out + j, read(out + j, n) * factor, n);
  });
}

// A plain row of scores in steps of `scale` > 0, without a dropout: the largest is found before the
// scale is applied, and nothing stored for it.
PRONGHORN_INLINE void weigh_plain_row(const AttentionScores& s, const Row& r,
                                      const AttentionRows& rows, int64_t i) {
  Vec most[2] = {broadcast(-kInfinity), broadcast(-kInfinity)};
  int64_t at = 0;
  for (; at + 2 * kLanes <= s.cols; at += 2 * kLanes) {
    most[0] = max(load(r.x + at), most[0]);
    most[1] = max(load(r.x + at + kLanes), most[1]);
  }
  for (; at < s.cols; at += kLanes) {
    const int64_t n = s.cols - at < kLanes ? s.cols - at : kLanes;
    const Vec v = read(r.x + at, n);
    most[0] = max(select(iota() < static_cast<int32_t>(n), v, broadcast(-kInfinity)), most[0]);
  }
  const float before = rows.is_first ? -kInfinity : rows.largest[i];
  const float block = horizontal_max(max(most[0], most[1])) * s.scale;
  const float largest = block > before ? block : before;
  const float base = largest == -kInfinity ? 0.0f : largest;
  const Vec scale = broadcast(s.scale);
  const Vec minus = broadcast(-base);
  Vec sum[2] = {zero(), zero()};
  at = 0;
  for (; at + 2 * kLanes <= s.cols; at += 2 * kLanes) {
#pragma GCC unroll 2
    for (int u = 0; u < 2; ++u) {
      float* x = r.x + at + u * kLanes;
      const Vec e = exp_below(fma(load(x), scale, minus));
      sum[u] += e;
      store(x, e);
    }
  }
  for (; at < s.cols; at += kLanes) {
    const int64_t n = s.cols - at < kLanes ? s.cols - at : kLanes;
    Vec e = exp_below(fma(read(r.x + at, n), scale, minus));
    e = select(iota() < static_cast<int32_t>(n), e, zero());
    sum[0] += e;
    write(r.x + at, e, n);
  }
  take_up(rows, i, before, largest, base, horizontal_sum(sum[0] + sum[1]));
}

template <bool kPlain>
PRONGHORN_INLINE void weigh_row(const AttentionScores& s, const Row& r, const AttentionRows& rows,
                                int64_t i) {
  Vec most = broadcast(-kInfinity);
  for_columns(s.cols, [&](int64_t j, int64_t n) PRONGHORN_LAMBDA_INLINE {
    Vec v = score<kPlain>(s, r, j, n);
    write(r.x + j, v, n);
    if (n < kLanes) v = select(iota() < static_cast<int32_t>(n), v, broadcast(-kInfinity));
    most = max(v, most);
  });
  const float before = rows.is_first ? -kInfinity : rows.largest[i];
  const float block = horizontal_max(most);
  const float largest = block > before ? block : before;
  // Where all scores are -inf so far, nothing is subtracted: exp(-inf) is 0.
  const float base = largest == -kInfinity ? 0.0f : largest;
  Vec sum = zero();
  for_columns(s.cols, [&](int64_t j, int64_t n) PRONGHORN_LAMBDA_INLINE {
    Vec e = exp(read(r.x + j, n) - base);
    if (n < kLanes) e = select(iota() < static_cast<int32_t>(n), e, zero());
    sum += e;
    if (r.kept != nullptr) e *= read(r.kept + j, n);
    write(r.x + j, e, n);
  });
  take_up(rows, i, before, largest, base, horizontal_sum(sum));
}

template <bool kPlain>
PRONGHORN_INLINE void differentiate_row(const AttentionScores& s, const Row& r,
                                        const AttentionGradient& g, int64_t i) {
  float* dweights = g.dweights + i * g.stride;
  const float largest = g.largest_inverse[2 * i];
  const float inverse = g.largest_inverse[2 * i + 1];
  const float dot = g.dots[i];
  for_columns(s.cols, [&](int64_t j, int64_t n) PRONGHORN_LAMBDA_INLINE {
    const Vec weight = exp(score<kPlain>(s, r, j, n) - largest) * inverse;
    Vec kept = weight;
    Vec dweight = read(dweights + j, n);
    if (r.kept != nullptr) {
      const Vec factor = read(r.kept + j, n);
      kept *= factor;
      dweight *= factor;
    }
    Vec dscore = weight * (dweight - dot) * s.scale;
    if constexpr (!kPlain) dscore = select(visible(r, j, n), dscore, zero());
    write(r.x + j, kept, n);
    write(dweights + j, dscore, n);
  });
}

}  // namespace

// scores(i, j) = exp(score(i, j) - largest(i)) (times kept(i, j)), where largest(i) rises to the
// largest score of the row; sum(i) and the rows of out are scaled to it, sum(i) takes up the new
// weights.  rows, cols >= 1. See AttentionScores and AttentionRows.
void attention_weights(const AttentionScores& s, const AttentionRows& rows) {
  for (int64_t i = 0; i < s.rows; ++i) {
    const Row r = row_of(s, i);
    if (is_plain(s, r) && r.kept == nullptr && s.scale > 0.0f) {
      weigh_plain_row(s, r, rows, i);
    } else if (is_plain(s, r)) {
      weigh_row<true>(s, r, rows, i);
    } else {
      weigh_row<false>(s, r, rows, i);
    }
  }
}

// y(i, j) = out(i, j) / sum(i).  largest_inverse: pairs (largest(i), 1 / sum(i)), or null. y: rows
// y_stride apart; y may be out.
void attention_results(const AttentionRows& rows, int64_t count, float* y, int64_t y_stride,
                       float* largest_inverse) {
  for (int64_t i = 0; i < count; ++i) {
    const float inverse = 1.0f / rows.sum[i];
    const float* out = rows.out + i * rows.out_stride;
    float* to = y + i * y_stride;
    for_columns(rows.out_cols, [&](int64_t j, int64_t n) PRONGHORN_LAMBDA_INLINE {
      write(to + j, read(out + j, n) * inverse, n);
    });
    if (largest_inverse != nullptr) {
      largest_inverse[2 * i] = rows.largest[i] == -kInfinity ? 0.0f : rows.largest[i];
      largest_inverse[2 * i + 1] = inverse;
    }
  }
}

// scores(i, j) = weight(i, j) (times kept(i, j)); dweights(i, j) becomes the gradient with respect
// to the product of query and key.  rows, cols >= 1. See AttentionScores and AttentionGradient.
void attention_gradient(const AttentionScores& s, const AttentionGradient& g) {
  for (int64_t i = 0; i < s.rows; ++i) {
    const Row r = row_of(s, i);
    if (is_plain(s, r)) {
      differentiate_row<true>(s, r, g, i);
    } else {
      differentiate_row<false>(s, r, g, i);
    }
  }
}

// dots(i) = sum over j of x(i, j) y(i, j).  x, y: (rows, n) row-major; dots: dots_stride apart.
void dot_rows(const float* x, const float* y, int64_t rows, int64_t n, float* dots,
              int64_t dots_stride) {
  for (int64_t i = 0; i < rows; ++i, x += n, y += n, dots += dots_stride) {
    Vec sum = zero();
    for_columns(n, [&](int64_t j, int64_t count) PRONGHORN_LAMBDA_INLINE {
      sum = fma(read(x + j, count), read(y + j, count), sum);
    });
    *dots = horizontal_sum(sum);
  }
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
