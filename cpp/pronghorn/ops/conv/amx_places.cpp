#include "pronghorn/ops/conv/amx_places.h"

#include <algorithm>

#include "pronghorn/base/parallel.h"
#include "pronghorn/gemm/gemm.h"
#include "pronghorn/gemm/sizes.h"
#include "pronghorn/ops/conv/amx_repeat.h"

namespace pronghorn::ops {
namespace {

constexpr int64_t kStreamed = 1 << 20;  // bytes of a result that will not be in cache when read

constexpr int64_t kShortLine = 2048;  // floats

// A part of a split image: its pixels from (line, column) of a phase on, `columns` of them.
struct SplitLine {
  int64_t image;
  int64_t line;
  int64_t column;
  int64_t columns;
};

// Splits a line of one phase to `tiles`, with zeros where it lies outside of x.
void split_line(const AmxPlacesPlan& plan, const char* x, int64_t group, int64_t phase,
                const SplitLine& at, char* tiles, ConvRange* range) {
  const int64_t i1 = phase / plan.step[2] + plan.step[1] * at.line - plan.low[1];
  const int64_t p2 = phase % plan.step[2] - plan.low[2];  // the column of x of the line's first
  int64_t begin = at.columns;
  int64_t end = at.columns;
  if (i1 >= 0 && i1 < plan.in[1]) {
    const auto first_from = [&](int64_t column) {  // of x
      const int64_t left = column - p2;
      return std::clamp<int64_t>((left > 0 ? divide_up(left, plan.step[2]) : 0) - at.column, 0,
                                 at.columns);
    };
    begin = first_from(0);
    end = std::max(begin, first_from(plan.in[2]));
  }
  std::fill_n(tiles, begin * plan.place_bytes, '\0');
  std::fill_n(tiles + end * plan.place_bytes, (at.columns - end) * plan.place_bytes, '\0');
  if (begin == end) return;
  const int64_t channels = plan.channels * plan.sizes.groups;
  const int64_t i2 = p2 + plan.step[2] * (at.column + begin);
  const int64_t pixel = (at.image * plan.in[1] + i1) * plan.in[2] + i2;
  kernels().conv_split({.x = x + static_cast<size_t>(pixel * channels + group * plan.channels) *
                                     plan.element_bytes(),
                        .lanes = 1,
                        .lane_stride = 0,
                        .pixels = end - begin,
                        .pixel_stride = plan.step[2] * channels,
                        .channels = plan.channels,
                        .parts = plan.parts,
                        .tiles = tiles + begin * plan.place_bytes,
                        .tile_pixel = plan.place_bytes,
                        .tile_block = plan.parts * 64,
                        .tile_part = 64,
                        .range = range});
}

struct Task {
  int64_t group;
  int64_t image, images;
  int64_t line, lines;
  int64_t column, columns;
  int64_t panel, panels;
  const int32_t* starts;  // of its tiles, in an image
  int64_t tiles;          // of an image
  int64_t place;          // its first, and past its last, in an image
  int64_t end;
};

Task task_at(const AmxPlacesPlan& plan, int64_t i) {
  Task t;
  const auto next = [&](int64_t count) {
    const int64_t at = i % count;
    i /= count;
    return at;
  };
  const int64_t tile = next(plan.tile_tasks) * plan.task_tiles;
  t.column = next(plan.column_tasks) * plan.task_columns;
  t.line = next(plan.line_tasks) * plan.task_lines;
  t.image = next(plan.image_tasks) * plan.task_images;
  t.panel = next(plan.panel_tasks) * plan.task_panels;
  t.group = i;
  t.columns = std::min(plan.task_columns, plan.out[2] - t.column);
  t.lines = std::min(plan.task_lines, plan.out[1] - t.line);
  t.images = std::min(plan.task_images, plan.images - t.image);
  t.panels = std::min(plan.task_panels, plan.panels - t.panel);
  const std::vector<int32_t>& starts =
      plan.starts[t.lines < plan.task_lines][t.columns < plan.task_columns];
  const auto all = static_cast<int64_t>(starts.size());
  t.starts = starts.data() + tile;
  t.tiles = plan.shared ? std::min(plan.task_tiles, all - tile) : all;
  t.place = t.starts[0];
  t.end = tile + t.tiles < all ? t.starts[t.tiles] : plan.height * plan.width;
  return t;
}

struct Operands {
  const char* x;
  const AmxKernel& kernel;
  char* y;
  const Epilogue& epilogue;
};

// A piece of a line of y in the scratch memory.
struct Line {
  int64_t image;
  int64_t line;
  int64_t begin, end;  // columns
  float* result;
};

// Calls f(line) for what the task computes of each line.
template <typename F>
void for_lines(const AmxPlacesPlan& plan, const Task& t, float* result, int64_t stride, F f) {
  for (int64_t image = 0; image < t.images; ++image) {
    for (int64_t i = t.place / plan.width; i < t.lines; ++i) {
      const int64_t begin = std::max<int64_t>(t.place - i * plan.width, 0);
      const int64_t end = std::min(t.end - i * plan.width, t.columns);
      if (begin >= end) continue;
      const int64_t place = (image * plan.height + i) * plan.width + begin - t.place;
      f(Line{t.image + image, t.line + i, t.column + begin, t.column + end,
             result + place * stride});
    }
  }
}

// The task's results, from the scratch memory to their place.
void finish(const AmxPlacesPlan& plan, const Operands& o, const Task& t, float* result,
            int64_t stride, float least, float* panel) {
  const int64_t groups = plan.sizes.groups;
  const int64_t channels = plan.n * groups;
  const int64_t first = t.panel * kConvBlock;  // channel of the group
  const int64_t n = std::min(t.panels * kConvBlock, plan.n - first);
  const size_t bytes = plan.element_bytes();
  const bool streams =
      n % 32 == 0 && channels % 32 == 0 &&
      static_cast<size_t>(plan.images * plan.out[1] * plan.out[2] * channels) * bytes >= kStreamed;
  // Blocks narrower or wider than the result's rows are slower.
  const bool in_scratch = o.y == nullptr || (groups == 1 && stride == n);
  const auto repeat = [&](const Line& l) {
    if (plan.parts == 1 || !kernels().conv_is_suspect(l.result, l.end - l.begin, stride, n, least))
      return;
    repeat_piece(
        plan, plan.inputs, reinterpret_cast<const float*>(o.x),
        reinterpret_cast<const float*>(o.kernel.w),
        {l.image / plan.out[0], l.image % plan.out[0], l.line, l.begin, l.end, t.group, first, n},
        l.result, stride, panel);
  };
  const auto store = [&](float* block, int64_t row, int64_t rows) {
    const int64_t column = t.group * plan.n + first;
    const auto apply = [&](float* at, int64_t at_stride) {
      if (o.epilogue.apply == nullptr) return;
      o.epilogue.apply(o.epilogue.context, at, row, rows, column, n, at_stride);
    };
    if (in_scratch) apply(block, stride);
    if (o.y == nullptr) return;
    char* to = o.y + static_cast<size_t>(row * channels + column) * bytes;
    kernels().conv_store(block, rows, stride, n, to, channels, plan.parts == 1,
                         streams && reinterpret_cast<uintptr_t>(to) % 64 == 0);
    if (!in_scratch) apply(reinterpret_cast<float*>(to), channels);
  };
  const auto row_of = [&](const Line& l) {
    return (l.image * plan.out[1] + l.line) * plan.out[2] + l.begin;
  };
  if (plan.column_tasks > 1 || t.columns * stride > kShortLine) {
    return for_lines(plan, t, result, stride, [&](const Line& l) {
      repeat(l);
      store(l.result, row_of(l), l.end - l.begin);
    });
  }
  // Short lines are moved together: what follows takes longer for each call than for their data.
  int64_t rows = 0;
  int64_t row = -1;
  for_lines(plan, t, result, stride, [&](const Line& l) {
    if (row < 0) row = row_of(l);
    repeat(l);
    std::copy_n(l.result, (l.end - l.begin) * stride, result + rows * stride);
    rows += l.end - l.begin;
  });
  if (rows > 0) store(result, row, rows);
}

void run_task(const AmxPlacesPlan& plan, const Operands& o, const Task& t, const char* split,
              const ConvRange& all) {
  char* const scratch = reinterpret_cast<char*>(thread_scratch(plan.scratch / 4));
  ConvRange range = all;
  int64_t first = 0;  // of the split images that the task reads
  if (plan.shared) {
    first = t.image;
  } else {
    int64_t number = 0;
    for (const int64_t phase : plan.phases) {
      for (int64_t image = 0; image < t.images; ++image) {
        for (int64_t i = 0; i < t.lines + plan.halo[1]; ++i) {
          const int64_t line = (number * plan.split_images + image) * plan.height + i;
          split_line(plan, o.x, t.group, phase,
                     {t.image + image, t.line + i, t.column, t.columns + plan.halo[2]},
                     scratch + line * plan.width * plan.place_bytes, &range);
        }
      }
      ++number;
    }
    split = scratch;
  }
  auto* const starts = reinterpret_cast<int32_t*>(scratch + plan.starts_at);
  float* const result = reinterpret_cast<float*>(scratch + plan.result_at);
  const int64_t image_places = plan.height * plan.width;
  for (int64_t image = 0; image < t.images; ++image) {
    for (int64_t i = 0; i < t.tiles; ++i)
      starts[image * t.tiles + i] =
          static_cast<int32_t>(image * image_places + t.starts[i] - t.place);
  }
  const int64_t n = std::min(t.panels * kConvBlock, plan.n - t.panel * kConvBlock);
  const int64_t stride = divide_up(n, 16) * 16;
  kernels().conv_places(
      {.tiles = split + (first * image_places + t.place) * plan.place_bytes,
       .place_bytes = plan.place_bytes,
       .taps = plan.taps.data(),
       .tap_count = static_cast<int64_t>(plan.taps.size()),
       .line_taps = plan.sizes.windows.kernel[2],
       .blocks = divide_up(plan.channels, kConvBlock),
       .starts = starts,
       .start_count = t.images * t.tiles,
       .panels = o.kernel.panels + (t.group * plan.panels + t.panel) * plan.panel_bytes,
       .panel_bytes = plan.panel_bytes,
       .n = n,
       .y = result,
       .y_stride = stride,
       .parts = plan.parts,
       .steps = reinterpret_cast<ConvStep*>(scratch + plan.steps_at)});
  const int64_t depth = plan.sizes.taps() * plan.channels;
  const float least = plan.parts == 3 ? least_result(range, o.kernel.range, depth) : 0.0f;
  finish(plan, o, t, result, stride, least, reinterpret_cast<float*>(scratch + plan.panel_at));
}

// All images; the range of their numbers.
ConvRange split_all(const AmxPlacesPlan& plan, const char* x, char* workspace) {
  auto* const ranges =
      reinterpret_cast<ConvRange*>(workspace + divide_up(plan.split_bytes, 64) * 64);
  const int64_t lines = plan.images * plan.height;
  const int64_t line_bytes = plan.width * plan.place_bytes;
  const int64_t phases = static_cast<int64_t>(plan.phases.size());
  const int64_t piece = std::max<int64_t>(1, (32 << 10) / (line_bytes * phases));
  parallel_ranges(lines, piece, line_bytes * phases * 2, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      ranges[i] = {};
      for (int64_t p = 0; p < phases; ++p) {
        split_line(plan, x, 0, plan.phases[static_cast<size_t>(p)],
                   {i / plan.height, i % plan.height, 0, plan.width},
                   workspace + (p * lines + i) * line_bytes, ranges + i);
      }
    }
  });
  ConvRange range;
  for (int64_t i = 0; i < lines; ++i) widen(range, ranges[i]);
  return range;
}

}  // namespace

void run_amx_places(const AmxPlacesPlan& plan, const void* x, const AmxKernel& kernel, void* y,
                    const Epilogue& epilogue, void* workspace) noexcept {
  const Operands operands{static_cast<const char*>(x), kernel, static_cast<char*>(y), epilogue};
  char* const split = static_cast<char*>(workspace);
  ConvRange range;
  if (plan.shared) range = split_all(plan, operands.x, split);
  const ConvSizes& sizes = plan.sizes;
  const int64_t tasks = sizes.groups * plan.panel_tasks * plan.image_tasks * plan.line_tasks *
                        plan.column_tasks * plan.tile_tasks;
  const int64_t cost = 2 * sizes.batch * volume(sizes.windows.out) * sizes.group_in() *
                       sizes.out_channels * sizes.taps() / tasks;
  parallel_for(tasks, std::max<int64_t>(cost, 1),
               [&](int64_t i) { run_task(plan, operands, task_at(plan, i), split, range); });
}

}  // namespace pronghorn::ops
