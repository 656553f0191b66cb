// Fourier transforms of columns, one column in each lane of a vector: Stockham's self-sorting form,
// decimation in frequency (Van Loan 1992, Computational Frameworks for the FFT, section 1.7), mixed
// radices.
#include "pronghorn/kernels/fft_types.h"
#include "pronghorn/ops/fft/butterflies.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {
namespace {

constexpr int64_t kMostRadix = 31;

template <bool turned, int radix>
PRONGHORN_INLINE void butterfly_at(const float* factors, const float* re, const float* im,
                                   int64_t apart, float* out_re, float* out_im, int64_t out_apart) {
  Complex a[radix];
#pragma GCC unroll 16
  for (int t = 0; t < radix; ++t) a[t] = {load(re + t * apart), load(im + t * apart)};
  butterfly(a);
#pragma GCC unroll 16
  for (int u = 0; u < radix; ++u) {
    Complex y = a[u];
    if (turned && u > 0) {
      y = multiply(y, {broadcast(factors[2 * u - 2]), broadcast(factors[2 * u - 1])});
    }
    store(out_re + u * out_apart, y.re);
    store(out_im + u * out_apart, y.im);
  }
}

template <int radix>
void run_stage(const FftStage& s, const FftSource& in, const FftTarget& out) {
  const int64_t apart = s.stride * s.groups * in.step;
  const int64_t out_apart = s.stride * out.step;
  for (int64_t p = 0; p < s.groups; ++p) {
    const float* factors = s.factors + p * 2 * (radix - 1);
    const float* re = in.re + p * s.stride * in.step;
    const float* im = in.im + p * s.stride * in.step;
    float* out_re = out.re + p * s.stride * radix * out.step;
    float* out_im = out.im + p * s.stride * radix * out.step;
    for (int64_t q = 0; q < s.stride; ++q) {
      if (p == 0) {
        butterfly_at<false, radix>(factors, re, im, apart, out_re, out_im, out_apart);
      } else {
        butterfly_at<true, radix>(factors, re, im, apart, out_re, out_im, out_apart);
      }
      re += in.step;
      im += in.step;
      out_re += out.step;
      out_im += out.step;
    }
  }
}

// Any odd radix: y(u) = a(0) + sum of (a(t) + a(r - t)) cos -+ i (a(t) - a(r - t)) sin, t < r / 2.
void run_odd_stage(const FftStage& s, const FftSource& in, const FftTarget& out) {
  const int64_t radix = s.radix;
  const int64_t half = radix / 2;
  const int64_t apart = s.stride * s.groups * in.step;
  const int64_t out_apart = s.stride * out.step;
  Complex sum[kMostRadix / 2 + 1];
  Complex difference[kMostRadix / 2 + 1];
  for (int64_t p = 0; p < s.groups; ++p) {
    const float* factors = s.factors + p * 2 * (radix - 1);
    const auto turned = [&](const Complex& y, int64_t u) PRONGHORN_LAMBDA_INLINE {
      return multiply(y, {broadcast(factors[2 * u - 2]), broadcast(factors[2 * u - 1])});
    };
    for (int64_t q = 0; q < s.stride; ++q) {
      const float* re = in.re + (p * s.stride + q) * in.step;
      const float* im = in.im + (p * s.stride + q) * in.step;
      float* out_re = out.re + (p * s.stride * radix + q) * out.step;
      float* out_im = out.im + (p * s.stride * radix + q) * out.step;
      const Complex first{load(re), load(im)};
      Complex total = first;
      for (int64_t t = 1; t <= half; ++t) {
        const Complex a{load(re + t * apart), load(im + t * apart)};
        const Complex b{load(re + (radix - t) * apart), load(im + (radix - t) * apart)};
        sum[t] = a + b;
        difference[t] = a - b;
        total = total + sum[t];
      }
      store(out_re, total.re);
      store(out_im, total.im);
      for (int64_t u = 1; u <= half; ++u) {
        Complex even = first;
        Complex odd{zero(), zero()};
        for (int64_t t = 1, at = u; t <= half; ++t, at += u) {
          if (at >= radix) at -= radix;
          const Vec cosine = broadcast(s.roots[2 * at]);
          const Vec sine = broadcast(s.roots[2 * at + 1]);
          even = {fma(sum[t].re, cosine, even.re), fma(sum[t].im, cosine, even.im)};
          odd = {fma(difference[t].re, sine, odd.re), fma(difference[t].im, sine, odd.im)};
        }
        // i times odd is (-odd.im, odd.re)
        const Complex low = turned({even.re - odd.im, even.im + odd.re}, u);
        const Complex high = turned({even.re + odd.im, even.im - odd.re}, radix - u);
        store(out_re + u * out_apart, low.re);
        store(out_im + u * out_apart, low.im);
        store(out_re + (radix - u) * out_apart, high.re);
        store(out_im + (radix - u) * out_apart, high.im);
      }
    }
  }
}

}  // namespace

// y(k) = sum over j of x(j) exp(-2 pi i j k / length), in each of kLanes columns.  y and other: of
// `length` vectors of real and of imaginary parts, both overwritten; x overlaps neither.
void fft_columns(const FftStages& stages, const FftSource& x, const FftTarget& y,
                 const FftTarget& other) {
  FftSource in = x;
  if (stages.count == 0) {
    store(y.re, load(x.re));
    store(y.im, load(x.im));
  }
  for (int64_t i = 0; i < stages.count; ++i) {
    const FftTarget& out = (stages.count - 1 - i) % 2 == 0 ? y : other;
    const FftStage& stage = stages.stage[i];
    switch (stage.radix) {
      case 2: run_stage<2>(stage, in, out); break;
      case 3: run_stage<3>(stage, in, out); break;
      case 4: run_stage<4>(stage, in, out); break;
      case 5: run_stage<5>(stage, in, out); break;
      case 8: run_stage<8>(stage, in, out); break;
      case 16: run_stage<16>(stage, in, out); break;
      default: run_odd_stage(stage, in, out);
    }
    in = {out.re, out.im, out.step};
  }
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
