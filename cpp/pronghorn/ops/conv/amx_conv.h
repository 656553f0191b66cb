// conv and conv_dx on AMX, 16 images at a time: a pixel of 16 images by 32 channels is one tile, so
// a tap is a tile of the image times a tile of the weights, whatever strides and dilation, and taps
// outside the image cost nothing. Images are split into bfloat16 parts line by line as the result
// proceeds, in the memory of a thread; patches are never stored.
#pragma once

#include <memory>
#include <vector>

#include "pronghorn/gemm/epilogue.h"
#include "pronghorn/ops/conv/amx_geometry.h"
#include "pronghorn/ops/conv/amx_weights.h"

namespace pronghorn::ops {

struct AmxConvPlan : AmxWeights {
  int64_t in[3], out[3];           // pixels of x and of y
  int64_t n_stored = 0;            // n rounded up to whole tiles
  std::vector<int32_t> inputs[3];  // [o][k] along each dimension: pixel of x, -1 outside
  std::vector<int32_t> pairs;
  std::vector<ConvStrip> strips;

  int axis = 1;  // along which lines of x (planes, with three dimensions) are kept in a ring
  int64_t slots = 0;
  int64_t lines = 0;  // of y, of a task
  int64_t line_tasks = 0;
  int64_t batch_lines = 0;  // of y, for which a panel of weights is read once
  int64_t batch_panels = 0;
  int64_t tile_pixel = 0;
  int64_t slot_bytes = 0;
  int64_t line_floats = 0;  // of a line of y, 16 lanes
  int64_t lane_floats = 0;

  // The scratch memory of a thread: bytes from its start, past a tile of zeros.
  int64_t ring_at = 0;
  int64_t result_at = 0;
  int64_t steps_at = 0;
  int64_t sources_at = 0;
  int64_t held_at = 0;
  int64_t panel_at = 0;  // of a fallback product
  int64_t scratch = 0;
};

// Of any sizes but empty ones.
std::shared_ptr<const AmxConvPlan> plan_amx_conv(const ConvSizes& sizes, bool gradient,
                                                 DType dtype);

// x: image (of dy for conv_dx), y: result; float or bfloat16 as the plan says. Null y: the epilogue
// takes the result, as float, elsewhere.
void run_amx_conv(const AmxConvPlan& plan, const void* x, const AmxKernel& kernel, void* y,
                  const Epilogue& epilogue) noexcept;

}  // namespace pronghorn::ops
