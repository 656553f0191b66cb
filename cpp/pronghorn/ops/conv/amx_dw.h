// conv_dw on AMX, 32 images at a time: a sum over images is a product of tiles that hold images of
// one pixel side by side, x transposed. Both operands are split line by line, in the memory of a
// thread; tasks take lines of dy and their sums are added in the end.
#pragma once

#include <memory>

#include "pronghorn/base/dtype.h"
#include "pronghorn/ops/conv/amx_geometry.h"

namespace pronghorn::ops {

struct AmxDwPlan {
  ConvSizes sizes;
  int64_t parts = 3;
  std::vector<int32_t> inputs[3];  // [o][k]: pixel of x that meets pixel o of dy at tap k
  std::vector<ConvStrip> strips;   // of dy
  int axis = 1;                    // along which lines (or planes) follow each other
  int64_t slots = 0;               // of the ring of lines of x
  int64_t band = 0;                // lines of dy at once
  int64_t lines = 0;               // of a task
  int64_t line_tasks = 0;
  int64_t tasks = 0;    // of a group
  int64_t x_pixel = 0;  // bytes of a pixel of 32 images
  int64_t dy_pixel = 0;
  int64_t slot_bytes = 0;
  int64_t rows = 0;  // in_channels and out_channels of partial sums, rounded up
  int64_t columns = 0;
  int64_t sums = 0;  // floats, of a task

  // The scratch memory of a thread, after the ring: bytes from its start.
  int64_t dy_at = 0;
  int64_t steps_at = 0;
  int64_t counts_at = 0;
  int64_t held_at = 0;
  int64_t scratch = 0;
  size_t ranges_at = 0;  // in the workspace
  size_t workspace = 0;  // bytes
};

// Whether this machine has AMX and this form is the fastest.
bool suits_amx_dw(const ConvSizes& sizes, DType dtype);

// Of any sizes but empty ones.
std::shared_ptr<const AmxDwPlan> plan_amx_dw(const ConvSizes& sizes, DType dtype);

// Operands float or bfloat16 as the plan says; dw float, or bfloat16 if `half`. workspace:
// plan.workspace bytes, 64-byte aligned.
void run_amx_dw(const AmxDwPlan& plan, const void* x, const void* dy, void* dw, bool half,
                void* workspace) noexcept;

}  // namespace pronghorn::ops
