// conv and conv_dx on AMX, image by image: 16 places of the result side by side are the rows of a
// tile, for any number of images. An image is split into bfloat16 parts with zeros around, apart by
// its place modulo the stride, so that the windows of successive places are one pixel apart; places
// go on past the end of a line, and what lies between the lines is computed for nothing.
#pragma once

#include <memory>
#include <vector>

#include "pronghorn/gemm/epilogue.h"
#include "pronghorn/ops/conv/amx_geometry.h"
#include "pronghorn/ops/conv/amx_weights.h"

namespace pronghorn::ops {

struct AmxPlacesPlan : AmxWeights {
  int64_t in[3], out[3];           // pixels of x and of y
  std::vector<int32_t> inputs[3];  // as inputs_along
  int64_t images = 0;              // of two dimensions
  int64_t step[3] = {1, 1, 1};     // of the windows
  int64_t low[3] = {0, 0, 0};      // of x's pixel 0 in what is split
  int64_t halo[3] = {0, 0, 0};     // pixels of a split image that windows reach past their own
  std::vector<int64_t> phases;     // those that windows read: line * step + column
  std::vector<int64_t> taps;       // bytes from a place
  int64_t place_bytes = 0;

  // A task: panels of weights, and lines and columns of y of so many images; or some tiles of one
  // image, where images are split before the products, for all tasks.
  bool shared = false;
  int64_t task_images = 0;
  int64_t task_lines = 0;
  int64_t task_columns = 0;
  int64_t task_tiles = 0;
  int64_t task_panels = 0;
  int64_t image_tasks = 0;
  int64_t line_tasks = 1;
  int64_t column_tasks = 1;
  int64_t tile_tasks = 1;
  int64_t panel_tasks = 1;
  // Places of an image from which tiles start, in a task of all lines (of the last ones), all
  // columns (the last ones).
  std::vector<int32_t> starts[2][2];
  double used = 0;  // part of the products that are not for nothing; 0: the form is not to be used

  // What is split at once: all images, or a task's.
  int64_t split_images = 0;
  int64_t height = 0;  // of an image; more than its lines where tiles would reach the next one
  int64_t width = 0;
  int64_t split_bytes = 0;

  // The scratch memory of a thread: bytes from its start.
  int64_t result_at = 0;
  int64_t steps_at = 0;
  int64_t starts_at = 0;
  int64_t panel_at = 0;  // of a fallback product
  int64_t scratch = 0;
  size_t workspace = 0;  // bytes: of the split images if they are shared
};

// Whether windows lie in planes, span not too many pixels and, for conv_dx, follow each other
// without stride.
bool takes_places(const ConvSizes& sizes, bool gradient);

// Of any sizes that it takes but empty ones.
std::shared_ptr<const AmxPlacesPlan> plan_amx_places(const ConvSizes& sizes, bool gradient,
                                                     DType dtype);

// As run_amx_conv; workspace: plan.workspace bytes, 64-byte aligned.
void run_amx_places(const AmxPlacesPlan& plan, const void* x, const AmxKernel& kernel, void* y,
                    const Epilogue& epilogue, void* workspace) noexcept;

}  // namespace pronghorn::ops
