#include "pronghorn/ops/conv/lines.h"

#include <algorithm>

#include "pronghorn/gemm/sizes.h"
#include "pronghorn/kernels/kernels.h"

namespace pronghorn::ops {
namespace {

constexpr int64_t kAliasing = 1024;       // floats; so far apart, lines share a set of the L1 cache
constexpr int64_t kMaxScratch = 1 << 18;  // floats of a task's copy: half of an L2 cache

// Pixels that `windows` windows in a row cover along dimension d.
int64_t covered(const Windows& w, int d, int64_t windows) {
  return (windows - 1) * w.stride[d] + (w.kernel[d] - 1) * w.dilation[d] + 1;
}

}  // namespace

LineSource plan_lines(const Windows& w, int64_t batch, int64_t groups, int64_t pixels) {
  LineSource s{.windows = w, .batch = batch, .groups = groups};
  bool inside = true;
  for (int d = 0; d < 3; ++d)
    inside = inside && w.pad[d] <= 0 && covered(w, d, w.out[d]) - w.pad[d] <= w.in[d];
  const bool aliases = w.stride[2] * w.pixel % kAliasing == 0;
  s.copies = !inside || aliases;
  s.pixel = s.copies ? w.channels : w.pixel;
  if (s.copies && w.stride[2] * w.channels % kAliasing == 0) s.pixel += 16;
  s.width = std::max<int64_t>(w.out[2], 1);
  if (s.width > 2 * pixels) s.width = divide_up(s.width, divide_up(s.width, pixels));
  s.line = (s.copies ? covered(w, 2, s.width) : w.in[2]) * s.pixel;

  const int64_t all_lines = std::max<int64_t>(w.out[1], 1);
  const int64_t all_units = std::max<int64_t>(batch * w.out[0], 1);
  const int64_t of_unit = std::max<int64_t>(all_lines * w.out[2], 1);
  const int64_t copied = s.copies ? w.kernel[0] * s.line * groups : 0;  // of a line of pixels
  s.lines = all_lines;
  s.units = 1;
  if (of_unit > pixels + pixels / 2) {
    s.lines = s.width < w.out[2] ? 1 : std::clamp<int64_t>(pixels / w.out[2], 1, s.lines);
  } else {
    s.units = std::min({pixels / of_unit, kMaxLines / s.lines, all_units});
    if (copied > 0) s.units = std::min(s.units, kMaxScratch / (copied * covered(w, 1, s.lines)));
    s.units = divide_up(all_units, divide_up(all_units, std::max<int64_t>(s.units, 1)));
  }
  if (copied > 0) {
    while (s.lines > 1 && copied * covered(w, 1, s.lines) > kMaxScratch)
      s.lines = divide_up(s.lines, 2);
  }
  s.lines = std::min(s.lines, kMaxLines);
  s.lines = divide_up(all_lines, divide_up(all_lines, s.lines));
  if (s.lines < w.out[1] || s.width < w.out[2]) s.units = 1;
  s.plane = covered(w, 1, s.lines) * s.line;
  s.unit = w.kernel[0] * s.plane;
  s.scratch = s.copies ? groups * s.units * s.unit : 0;

  const bool joined = w.dilation[2] == 1 && s.pixel == w.channels;
  const int64_t plane_step = s.copies ? s.plane : w.dilation[0] * w.in[1] * s.line;
  for (int64_t k0 = 0; k0 < w.kernel[0]; ++k0) {
    for (int64_t k1 = 0; k1 < w.kernel[1]; ++k1) {
      const int64_t at = k0 * plane_step + k1 * w.dilation[1] * s.line;
      if (joined) {
        s.segments.push_back({at, w.kernel[2] * w.channels});
        continue;
      }
      for (int64_t k2 = 0; k2 < w.kernel[2]; ++k2)
        s.segments.push_back({at + k2 * w.dilation[2] * s.pixel, w.channels});
    }
  }
  return s;
}

LineTask line_task(const LineSource& s, int64_t task) {
  const Windows& w = s.windows;
  const int64_t at = task % s.width_chunks() * s.width;
  const int64_t line = task / s.width_chunks() % s.line_chunks() * s.lines;
  const int64_t unit = task / s.width_chunks() / s.line_chunks() * s.units;
  return {unit, std::min(s.units, s.unit_count() - unit), line, std::min(s.lines, w.out[1] - line),
          at,   std::min(s.width, w.out[2] - at)};
}

void copy_lines(const LineSource& s, const LineTask& task, const float* x, float* scratch) {
  if (!s.copies) return;
  const Windows& w = s.windows;
  const int64_t height = covered(w, 1, task.lines);
  const int64_t width = covered(w, 2, task.width);
  // Columns [left, right) of the copy lie inside the image, whose column 0 is their column `start`.
  const int64_t start = w.pad[2] - task.at * w.stride[2];
  const int64_t left = std::clamp<int64_t>(start, 0, width);
  const int64_t right = std::clamp<int64_t>(w.in[2] + start, left, width);
  for (int64_t group = 0; group < s.groups; ++group) {
    for (int64_t u = 0; u < task.units; ++u) {
      const int64_t unit = task.unit + u;
      const float* image =
          x + unit / w.out[0] * (w.in[0] * w.in[1] * w.in[2] * w.pixel) + group * w.channels;
      for (int64_t k0 = 0; k0 < w.kernel[0]; ++k0) {
        const int64_t i0 = unit % w.out[0] * w.stride[0] - w.pad[0] + k0 * w.dilation[0];
        float* to = scratch + (group * s.units + u) * s.unit + k0 * s.plane;
        for (int64_t i = 0; i < height; ++i, to += s.line) {
          const int64_t i1 = task.line * w.stride[1] - w.pad[1] + i;
          if (i0 < 0 || i0 >= w.in[0] || i1 < 0 || i1 >= w.in[1] || left == right) {
            std::fill_n(to, width * s.pixel, 0.0f);
            continue;
          }
          std::fill_n(to, left * s.pixel, 0.0f);
          std::fill_n(to + right * s.pixel, (width - right) * s.pixel, 0.0f);
          const float* from = image + ((i0 * w.in[1] + i1) * w.in[2] + left - start) * w.pixel;
          if (w.pixel == s.pixel) {
            std::copy_n(from, (right - left) * s.pixel, to + left * s.pixel);
          } else {
            kernels().copy_rows(from, w.pixel, right - left, w.channels, to + left * s.pixel,
                                s.pixel);
          }
        }
      }
    }
  }
}

int64_t line_offset(const LineSource& s, const LineTask& task, int64_t i) {
  const Windows& w = s.windows;
  const int64_t u = i / task.lines;
  const int64_t l = i % task.lines;
  if (s.copies) return u * s.unit + l * w.stride[1] * s.line;
  const int64_t unit = task.unit + u;
  const int64_t i0 = unit % w.out[0] * w.stride[0] - w.pad[0];
  const int64_t i1 = (task.line + l) * w.stride[1] - w.pad[1];
  return ((unit / w.out[0] * w.in[0] + i0) * w.in[1] + i1) * s.line +
         (task.at * w.stride[2] - w.pad[2]) * s.pixel;
}

const float* lines_start(const LineSource& s, int64_t group, const float* x, const float* scratch) {
  return s.copies ? scratch + group * s.units * s.unit : x + group * s.windows.channels;
}

}  // namespace pronghorn::ops
