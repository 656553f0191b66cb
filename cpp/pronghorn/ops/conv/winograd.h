// Convolutions with 3 x 3 windows of stride 1 in the form F(2 x 2, 3 x 3) (winograd.simd.cpp): 16
// matrix products over tiles of 2 x 2 results.
#pragma once

#include <optional>

#include "pronghorn/gemm/epilogue.h"
#include "pronghorn/ops/conv/geometry.h"

namespace pronghorn::ops {

// Lines of tiles of all images; a task takes some successive ones.
struct TileLines {
  Windows windows;
  int64_t images = 0;  // two-dimensional ones: batch times out[0]
  int64_t high = 0;    // tiles of an image
  int64_t wide = 0;
  int64_t task_lines = 0;

  int64_t lines() const { return images * high; }
  int64_t tasks() const { return (lines() + task_lines - 1) / task_lines; }
  int64_t task_tiles() const { return task_lines * wide; }
};

struct WinogradPlan {
  TileLines tiles;
  int64_t out_channels = 0;
  int64_t panels = 0;
  int64_t packed = 0;  // floats of transformed weights: [panel][position][channel][kPatchPanel]
  int64_t cost = 0;    // operations
};

// No plan where the form does not apply or is not faster: one group, and enough channels and
// pixels.
std::optional<WinogradPlan> plan_winograd(const Windows& windows, int64_t batch, int64_t groups,
                                          int64_t out_channels);

// packed from w (3 x 3, channels, out_channels).
void transform_weights(const WinogradPlan& plan, const float* w, float* packed);
// The same for the gradient of the image: from the kernel (3 x 3, out_channels, channels) of the
// forward convolution, its taps in reverse order.
void transform_transposed(const WinogradPlan& plan, const float* w, float* packed);

// Whether all results are finite. If not they may differ from those of sums of products (an
// infinity in a tile becomes NaN): another form has to compute them.
bool run_winograd(const WinogradPlan& plan, const float* x, const float* packed, float* y,
                  const Epilogue& epilogue) noexcept;

// The gradient of the kernel.
struct WinogradDwPlan {
  TileLines tiles;
  int64_t out_channels = 0;
  int64_t channels = 0;  // of a task
  int64_t splits = 0;    // sums of parts of the tiles, in parallel
  int64_t split_tasks = 0;
  int64_t cost = 0;
  size_t workspace = 0;  // bytes
};
std::optional<WinogradDwPlan> plan_winograd_dw(const Windows& windows, int64_t batch,
                                               int64_t groups, int64_t out_channels);
bool run_winograd_dw(const WinogradDwPlan& plan, const float* x, const float* dy, float* dw,
                     void* workspace) noexcept;

}  // namespace pronghorn::ops
