// What the AMX forms of conv, conv_dx and conv_dw share: which pixels meet which, and when a result
// may have lost what AMX flushes to zero.
#pragma once

#include <utility>
#include <vector>

#include "pronghorn/base/dtype.h"
#include "pronghorn/kernels/kernels.h"
#include "pronghorn/ops/conv/sizes.h"

namespace pronghorn::ops {

// Columns [begin, end) of a result's lines, and what they read.
struct ConvStrip {
  int64_t begin = 0;
  int64_t end = 0;
  int64_t in_begin = 0;
  int64_t in_end = 0;
  int64_t first_pair = 0;
  int64_t pair_count = 0;
};

// The part of whole blocks that n elements fill.
double used_part(int64_t n, int64_t block);

// Whether this machine has AMX and may use it for operands of that dtype.
bool takes_amx(DType dtype);

// [o][k]: the pixel of x that tap k of pixel o of y reads along dimension d, -1 outside.
// `gradient`: x and y are those of conv_dx.
std::vector<int32_t> inputs_along(const Windows& w, int d, bool gradient);

// Smallest and largest pixel of x that pixels [begin, end) of y read; (0, -1) if none.
std::pair<int64_t, int64_t> reach(const std::vector<int32_t>& inputs, int64_t kernel, int64_t begin,
                                  int64_t end);

// Slots of a ring that holds what any `count` lines of y read.
int64_t ring_slots(const std::vector<int32_t>& inputs, int64_t kernel, int64_t outs, int64_t count);

// Sums of `depth` products below it may have lost parts or products under 2^-126, which AMX takes
// for zero; 0 if there are none. Sums of exactly zero have lost nothing that float32 keeps where
// subnormals are flushed.
float least_result(const ConvRange& a, const ConvRange& b, int64_t depth);

void widen(ConvRange& range, const ConvRange& by);

}  // namespace pronghorn::ops
