#include "pronghorn/ops/conv/phases.h"

#include <numeric>

namespace pronghorn::ops {

Axis axis_of(const Windows& w, int d, int64_t p) {
  const int64_t s = w.stride[d];
  const int64_t dilation = w.dilation[d];
  Axis axis{.first = p,
            .pixels = (w.in[d] - p + s - 1) / s,
            .tap = 0,
            .step = 1,
            .count = 0,
            .dilation = 1,
            .pad = 0};
  axis.step = s / std::gcd(s, dilation);
  for (int64_t k = 0; k < w.kernel[d]; ++k) {
    if ((p + w.pad[d] - k * dilation) % s != 0) continue;
    axis.tap = k;  // the last one stays
    ++axis.count;
  }
  axis.dilation = dilation * axis.step / s;
  axis.pad = -(p + w.pad[d] - axis.tap * dilation) / s;
  return axis;
}

}  // namespace pronghorn::ops
