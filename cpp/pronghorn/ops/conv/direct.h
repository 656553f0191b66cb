// A convolution whose patches are read where they lie (lines.h): no matrix of patches is made.
#pragma once

#include "pronghorn/gemm/epilogue.h"
#include "pronghorn/ops/conv/lines.h"

namespace pronghorn::ops {

// Segments of a window whose product with their rows of weights runs in one pass.
struct DepthBlock {
  int64_t row;  // of the weights
  int64_t segment;
  int64_t count;
};

struct DirectPlan {
  LineSource source;
  int64_t depth = 0;  // of a window
  int64_t group_out = 0;
  int64_t panels = 0;                  // of one group
  int64_t task_panels = 0;             // of a task
  std::vector<PatchSegment> segments;  // of source, cut into blocks
  std::vector<DepthBlock> blocks;
  // Where results go: floats from image to image, from o0 to o0 + 1, ...
  int64_t y_image = 0;
  int64_t y_plane = 0;
  int64_t y_line = 0;
  int64_t y_pixel = 0;
  int64_t cost = 0;    // operations
  int64_t packed = 0;  // floats of packed weights: [group][panel][depth][kPatchPanel]
};

// Results are a contiguous image (batch, out..., groups * group_out).
DirectPlan plan_direct(const Windows& windows, int64_t batch, int64_t groups, int64_t group_out);

// Whether the form is faster than a matrix of patches, and windows do not span so much that a copy
// of it would be too large.
bool suits_direct(const Windows& windows);

// packed from w (depth, groups * group_out).
void pack_weights(const DirectPlan& plan, const float* w, float* packed);

// The gradient of the kernel: dw (depth, groups * group_out) = transposed patches of x times dy.
struct DirectDwPlan {
  LineSource source;
  int64_t group_out = 0;
  int64_t panels = 0;       // of one group
  int64_t depth = 0;        // of a window: rows of dw
  int64_t splits = 0;       // sums of parts of the pixels, in parallel
  int64_t split_tasks = 0;  // tasks of source in each
  int64_t task_panels = 0;
  int64_t cost = 0;
  size_t workspace = 0;  // bytes
};
DirectDwPlan plan_direct_dw(const Windows& windows, int64_t batch, int64_t groups,
                            int64_t group_out);
void run_direct_dw(const DirectDwPlan& plan, const float* x, const float* dy, float* dw,
                   void* workspace) noexcept;

// y: the first result; the epilogue sees the rows of a contiguous result.
void run_direct(const DirectPlan& plan, const float* x, const float* packed, float* y,
                const Epilogue& epilogue) noexcept;

}  // namespace pronghorn::ops
