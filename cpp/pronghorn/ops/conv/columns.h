// conv_dx as the transpose of what conv does: patches of dx = dy times the transposed kernel, then
// patches are added to the image. It computes what the windows hold and nothing else, where windows
// of stride 1 over dy would also meet its border (a fifth of the work for 3x3 windows over 28x28
// pixels, nearly two thirds for 5x5 pixels).
#pragma once

#include "pronghorn/gemm/epilogue.h"
#include "pronghorn/ops/conv/sizes.h"

namespace pronghorn::ops {

struct ColumnsPlan {
  ConvSizes sizes;
  int64_t images = 0;   // of one task
  int64_t rows = 0;     // of patches at once: what their block of patches takes fits the cache
  int64_t taps = 0;     // likewise
  int64_t weights = 0;  // floats of workspace: the transposed kernel
};

ColumnsPlan plan_columns(const ConvSizes& sizes);

// Operations of conv_dx in this form.
int64_t columns_cost(const ConvSizes& sizes);

// workspace: plan.weights floats, 64-byte aligned.
void run_columns(const ColumnsPlan& plan, const float* dy, const float* w, float* dx,
                 const Epilogue& epilogue, float* workspace) noexcept;

}  // namespace pronghorn::ops
