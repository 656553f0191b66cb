// Where the direct forms of a convolution read their image: line by line of windows, in place where
// all windows lie inside the image, else from a padded copy of the lines that a task needs.
#pragma once

#include <vector>

#include "pronghorn/ops/conv/sizes.h"

namespace pronghorn::ops {

// A unit is what differs in (image, o0); its lines are the windows that share o1.
struct LineSource {
  Windows windows;  // of one group; windows.pixel: floats between pixels of the image
  int64_t batch = 0;
  int64_t groups = 1;
  bool copies = false;
  // A task: `units` units, or `lines` lines of one unit, or `width` windows of one line.
  int64_t units = 0;
  int64_t lines = 0;
  int64_t width = 0;
  // Of what is read, in floats.
  int64_t pixel = 0;
  int64_t line = 0;   // from one line of pixels to the next
  int64_t plane = 0;  // of a copy: from k0 to k0 + 1
  int64_t unit = 0;   // of a copy
  int64_t scratch = 0;
  std::vector<PatchSegment> segments;  // of a window, from its first element

  int64_t unit_count() const { return batch * windows.out[0]; }
  int64_t line_chunks() const { return (windows.out[1] + lines - 1) / lines; }
  int64_t width_chunks() const { return (windows.out[2] + width - 1) / width; }
  int64_t tasks() const {
    return (unit_count() + units - 1) / units * line_chunks() * width_chunks();
  }
};

// Tasks of about `pixels` windows. windows.channels are those of one group.
LineSource plan_lines(const Windows& windows, int64_t batch, int64_t groups, int64_t pixels);

// Units [unit, unit + units), of those lines [line, line + lines), of those windows [at, at +
// width).
struct LineTask {
  int64_t unit;
  int64_t units;
  int64_t line;
  int64_t lines;
  int64_t at;
  int64_t width;

  int64_t count() const { return units * lines; }
  int64_t pixels() const { return count() * width; }
};
LineTask line_task(const LineSource& source, int64_t task);

// The task's first window: its windows are successive rows of the row grid.
inline int64_t first_row(const LineSource& source, const LineTask& task) {
  const Windows& w = source.windows;
  return (task.unit * w.out[1] + task.line) * w.out[2] + task.at;
}

inline constexpr int64_t kMaxLines = 128;  // of a task

// Copies what the task reads to scratch, if source.copies.
void copy_lines(const LineSource& source, const LineTask& task, const float* x, float* scratch);

// Where line i of the task reads its first window, from lines_start(..).
int64_t line_offset(const LineSource& source, const LineTask& task, int64_t i);
const float* lines_start(const LineSource& source, int64_t group, const float* x,
                         const float* scratch);

}  // namespace pronghorn::ops
