// How a convolution runs on AMX, image by image.
#include <algorithm>

#include "pronghorn/gemm/sizes.h"
#include "pronghorn/ops/conv/amx_places.h"
#include "pronghorn/ops/conv/amx_repeat.h"

namespace pronghorn::ops {
namespace {

constexpr int64_t kTasks = 8;                 // wanted, if they are of
constexpr int64_t kTaskCost = 1 << 20;        // operations
constexpr int64_t kLeastPlaces = 64;          // of a task, if there are as many
constexpr int64_t kMostPlaces = 512;          // likewise
constexpr int64_t kResultFloats = 1 << 15;    // of a task
constexpr int64_t kSplitBytes = 768 << 10;    // of what a task splits: part of the L2 cache
constexpr int64_t kSharedBytes = 1 << 20;     // of images that are split for all tasks
constexpr int64_t kLargeWeights = 512 << 10;  // bytes that should be read for many places at once
constexpr int64_t kWidest = 256;              // columns of a task
constexpr int64_t kWidestStride = 32;         // beyond, too little of an image is read
constexpr int64_t kFarthest = 4096;           // lines and columns that a window may span
constexpr int64_t kMostSplitBytes = 8 << 20;  // of a task; windows that span more read too little

// On and on, or line by line where that takes fewer.
std::vector<int32_t> tile_starts(const AmxPlacesPlan& plan, int64_t lines, int64_t columns) {
  const int64_t of_line = divide_up(columns, kConvLanes);
  const int64_t on = divide_up((lines - 1) * plan.width + columns, kConvLanes);
  std::vector<int32_t> starts;
  if (on <= lines * of_line) {
    for (int64_t i = 0; i < on; ++i) starts.push_back(static_cast<int32_t>(i * kConvLanes));
    return starts;
  }
  for (int64_t line = 0; line < lines; ++line) {
    for (int64_t i = 0; i < of_line; ++i)
      starts.push_back(static_cast<int32_t>(line * plan.width + i * kConvLanes));
  }
  return starts;
}

// What is split at once, once the task is known.
void size_split(AmxPlacesPlan& plan, bool all) {
  plan.shared = all;
  plan.split_images = all ? plan.images : plan.task_images;
  plan.height = (all ? plan.out[1] : plan.task_lines) + plan.halo[1];
  plan.width = (all ? plan.out[2] : plan.task_columns) + plan.halo[2];
  if (plan.task_images > 1) {
    // Tiles of two images never share places: sums are added to what is there.
    const int64_t end = tile_starts(plan, plan.task_lines, plan.task_columns).back() + kConvLanes;
    plan.height = std::max(plan.height, divide_up(end, plan.width));
  }
  const auto phases = static_cast<int64_t>(plan.phases.size());
  plan.split_bytes =
      (phases * plan.split_images * plan.height * plan.width + kConvLanes) * plan.place_bytes;
}

// Few small images: tasks are panels of large weights, else tiles.
void plan_shared(AmxPlacesPlan& plan) {
  plan.image_tasks = plan.images;
  plan.task_images = 1;
  plan.task_lines = plan.out[1];
  plan.task_columns = plan.out[2];
  const auto tiles =
      static_cast<int64_t>(tile_starts(plan, plan.task_lines, plan.task_columns).size());
  const int64_t pairs = divide_up(tiles, 2);
  const ConvSizes& sizes = plan.sizes;
  const int64_t cost = 2 * plan.out[1] * plan.out[2] * sizes.taps() * plan.channels * plan.n;
  const int64_t wanted =
      std::min(divide_up(kTasks, plan.images), std::max<int64_t>(cost / kTaskCost, 1));
  const bool large = plan.group_bytes() >= kLargeWeights;
  if (large) plan.panel_tasks = std::min(wanted, plan.panels);
  plan.tile_tasks = std::min(divide_up(wanted, plan.panel_tasks), pairs);
  if (!large) plan.panel_tasks = std::min(divide_up(wanted, plan.tile_tasks), plan.panels);
  plan.task_panels = divide_up(plan.panels, plan.panel_tasks);
  plan.panel_tasks = divide_up(plan.panels, plan.task_panels);
  const int64_t most =
      std::max<int64_t>(kResultFloats / (plan.task_panels * kConvBlock * 2 * kConvLanes), 1);
  plan.task_tiles = 2 * std::min(divide_up(pairs, plan.tile_tasks), most);
  plan.tile_tasks = divide_up(tiles, plan.task_tiles);
}

// Tasks split what they read.
void plan_bands(AmxPlacesPlan& plan) {
  const bool large = plan.group_bytes() >= kLargeWeights;
  const int64_t places = plan.images * plan.out[1] * plan.out[2];
  const int64_t most =
      large ? kMostPlaces : std::clamp(kResultFloats / plan.n, int64_t{128}, kMostPlaces);
  const int64_t wanted = std::clamp(places / kTasks, large ? most / 2 : kLeastPlaces, most);
  plan.column_tasks = plan.out[2] > kWidest ? divide_up(plan.out[2], kWidest / 2) : 1;
  plan.task_columns = divide_up(plan.out[2], plan.column_tasks);
  plan.column_tasks = divide_up(plan.out[2], plan.task_columns);
  const auto bytes = [&](int64_t lines) {
    return (lines + plan.halo[1]) * (plan.task_columns + plan.halo[2]) *
           static_cast<int64_t>(plan.phases.size()) * plan.place_bytes;
  };
  plan.task_lines = std::clamp<int64_t>(wanted / plan.task_columns, 1, plan.out[1]);
  while (plan.task_lines > 1 && bytes(plan.task_lines) > kSplitBytes)
    plan.task_lines = divide_up(plan.task_lines, 2);
  plan.line_tasks = divide_up(plan.out[1], plan.task_lines);
  plan.task_lines = divide_up(plan.out[1], plan.line_tasks);
  plan.line_tasks = divide_up(plan.out[1], plan.task_lines);
  plan.task_images = 1;
  if (plan.line_tasks == 1 && plan.column_tasks == 1) {
    const int64_t fitting =
        std::min(wanted / (plan.out[1] * plan.out[2]), kSplitBytes / bytes(plan.task_lines));
    plan.task_images = std::clamp<int64_t>(fitting, 1, plan.images);
  }
  plan.image_tasks = divide_up(plan.images, plan.task_images);
  plan.task_images = divide_up(plan.images, plan.image_tasks);
  plan.image_tasks = divide_up(plan.images, plan.task_images);
  const int64_t tasks = plan.image_tasks * plan.line_tasks * plan.column_tasks * plan.sizes.groups;
  // Large weights are read for so many places that not all of their results fit.
  const int64_t task_places = plan.task_images * plan.task_lines * plan.task_columns;
  const int64_t fitting = std::max<int64_t>(2 * kResultFloats / (task_places * kConvBlock), 1);
  plan.panel_tasks = std::clamp<int64_t>(divide_up(kTasks, tasks), 1, plan.panels);
  plan.task_panels = std::min(divide_up(plan.panels, plan.panel_tasks), fitting);
  plan.panel_tasks = divide_up(plan.panels, plan.task_panels);
  size_split(plan, false);
}

}  // namespace

bool takes_places(const ConvSizes& sizes, bool gradient) {
  const Windows& w = sizes.windows;
  const auto spans = [&](int d) { return (w.kernel[d] - 1) * w.dilation[d]; };
  return std::max(w.stride[1], w.stride[2]) <= kWidestStride &&
         std::max(spans(1), spans(2)) <= kFarthest && w.kernel[0] == 1 && w.stride[0] == 1 &&
         w.pad[0] == 0 && w.in[0] == w.out[0] &&
         (!gradient || (w.stride[1] == 1 && w.stride[2] == 1));
}

std::shared_ptr<const AmxPlacesPlan> plan_amx_places(const ConvSizes& sizes, bool gradient,
                                                     DType dtype) {
  auto made = std::make_shared<AmxPlacesPlan>();
  AmxPlacesPlan& plan = *made;
  const Windows& w = sizes.windows;
  static_cast<AmxWeights&>(plan) = amx_weights(sizes, gradient, dtype);
  plan.images = sizes.batch * w.out[0];
  std::vector<int64_t> offset[3];  // of tap k, in pixels of what is split
  for (int d = 0; d < 3; ++d) {
    plan.in[d] = gradient ? w.out[d] : w.in[d];
    plan.out[d] = gradient ? w.in[d] : w.out[d];
    plan.inputs[d] = inputs_along(w, d, gradient);
    plan.step[d] = w.stride[d];
    const int64_t reach = (w.kernel[d] - 1) * w.dilation[d];
    plan.low[d] = gradient ? reach - w.pad[d] : w.pad[d];
    plan.halo[d] = reach / w.stride[d];
    for (int64_t k = 0; k < w.kernel[d]; ++k)
      offset[d].push_back((gradient ? w.kernel[d] - 1 - k : k) * w.dilation[d]);
  }
  const int64_t row_bytes = divide_up(plan.channels, kConvBlock) * plan.parts * 64;
  // 16 rows of a tile do not share a set of the L1 cache.
  plan.place_bytes = row_bytes % 512 == 0 ? row_bytes + 64 : row_bytes;

  for (int64_t p1 = 0; p1 < w.stride[1]; ++p1) {
    for (int64_t p2 = 0; p2 < w.stride[2]; ++p2) {
      const auto read = [&](int d, int64_t p) {
        return std::any_of(offset[d].begin(), offset[d].end(),
                           [&](int64_t at) { return at % w.stride[d] == p; });
      };
      if (read(1, p1) && read(2, p2)) plan.phases.push_back(p1 * w.stride[2] + p2);
    }
  }
  size_split(plan, true);
  if (sizes.groups == 1 && plan.images < kTasks && plan.split_bytes <= kSharedBytes) {
    plan_shared(plan);
  } else {
    plan_bands(plan);
  }
  for (const int64_t at1 : offset[1]) {
    for (const int64_t at2 : offset[2]) {
      const int64_t phase = at1 % w.stride[1] * w.stride[2] + at2 % w.stride[2];
      const int64_t number =
          std::find(plan.phases.begin(), plan.phases.end(), phase) - plan.phases.begin();
      plan.taps.push_back(
          ((number * plan.split_images * plan.height + at1 / w.stride[1]) * plan.width +
           at2 / w.stride[2]) *
          plan.place_bytes);
    }
  }

  for (const int last_lines : {0, 1}) {
    for (const int last_columns : {0, 1}) {
      plan.starts[last_lines][last_columns] = tile_starts(
          plan,
          last_lines ? plan.out[1] - (plan.line_tasks - 1) * plan.task_lines : plan.task_lines,
          last_columns ? plan.out[2] - (plan.column_tasks - 1) * plan.task_columns
                       : plan.task_columns);
    }
  }
  const std::vector<int32_t>& starts = plan.starts[0][0];
  const auto tiles = static_cast<int64_t>(starts.size());
  plan.used = static_cast<double>(plan.task_lines * plan.task_columns) /
              static_cast<double>(tiles * kConvLanes) * used_part(plan.channels, kConvBlock) *
              used_part(plan.n, 16);
  if (plan.split_bytes > kMostSplitBytes) plan.used = 0;
  int64_t rows = 0;  // of a task's result
  if (plan.shared) {
    for (int64_t i = 0; i < tiles; i += plan.task_tiles) {
      const int64_t last = std::min(i + plan.task_tiles, tiles) - 1;
      rows = std::max<int64_t>(rows,
                               starts[static_cast<size_t>(last)] - starts[static_cast<size_t>(i)]);
    }
  } else {
    rows = plan.task_images * plan.height * plan.width;
  }

  const auto reserve = [&](int64_t size) {
    const int64_t at = plan.scratch;
    plan.scratch += divide_up(size, 64) * 64;
    return at;
  };
  if (!plan.shared) reserve(plan.split_bytes);
  const int64_t task_n = std::min(plan.task_panels * kConvBlock, divide_up(plan.n, 16) * 16);
  plan.result_at = reserve((rows + kConvLanes) * task_n * 4);
  plan.steps_at = reserve(sizes.taps() * divide_up(plan.channels, kConvBlock) *
                          static_cast<int64_t>(sizeof(ConvStep)));
  plan.starts_at = reserve(plan.task_images * std::max(plan.task_tiles, tiles) * 4);
  plan.panel_at = reserve(kAmxFallbackPanel * 4);
  if (plan.shared) {
    plan.workspace =
        static_cast<size_t>(divide_up(plan.split_bytes, 64) * 64 +
                            plan.images * plan.height * static_cast<int64_t>(sizeof(ConvRange)));
  }
  return made;
}

}  // namespace pronghorn::ops
