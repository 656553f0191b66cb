// Transforms of rows of complex numbers. Include only from *.simd.cpp.
#pragma once

#include "pronghorn/kernels/fft_types.h"
#include "pronghorn/simd/transpose.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {

void fft_columns(const FftStages& stages, const FftSource& x, const FftTarget& y,
                 const FftTarget& other);

// Two buffers of `length` vectors of real and as many of imaginary parts, side by side.
struct LaneBuffers {
  float* data;
  float* spare;

  LaneBuffers(float* work, int64_t length) : data(work), spare(work + 2 * length * kLanes) {}

  void transform(const FftStages& stages, bool inverse) {
    const int64_t re = inverse ? kLanes : 0;
    const int64_t im = kLanes - re;
    const int64_t step = 2 * kLanes;
    const FftSource x{data + re, data + im, step};
    const FftTarget here{data + re, data + im, step};
    const FftTarget there{spare + re, spare + im, step};
    if (stages.count == 0) return;
    if (stages.count % 2 == 0) {
      fft_columns(stages, x, here, there);
    } else {
      fft_columns(stages, x, there, here);
      swap();
    }
  }
  void swap() {
    float* other = data;
    data = spare;
    spare = other;
  }
};

// One row of a plan that does not keep rows in lanes. out_re and out_im may be re and im. Unless
// plan.lanes is kLanes, the kLanes floats behind re and im are read too.
void fft_row(const FftPlan& plan, const float* re, const float* im, float* out_re, float* out_im,
             float* work);

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
