// The gradient of a convolution with respect to its image, in phases: an input pixel receives from
// the windows that cover it, and for pixels at one offset modulo the stride these are windows of
// stride 1 over dy.
#pragma once

#include "pronghorn/ops/conv/geometry.h"

namespace pronghorn::ops {

// One dimension of a phase: input pixels first, first + stride, ...; kernel taps tap, tap - step,
// ... (`count` of them).
struct Axis {
  int64_t first;
  int64_t pixels;
  int64_t tap;
  int64_t step;
  int64_t count;
  int64_t dilation;  // over dy
  int64_t pad;       // over dy
};

// Phase p of dimension d.
Axis axis_of(const Windows& w, int d, int64_t p);

}  // namespace pronghorn::ops
