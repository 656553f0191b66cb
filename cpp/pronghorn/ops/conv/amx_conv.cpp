#include "pronghorn/ops/conv/amx_conv.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "pronghorn/base/cpu.h"
#include "pronghorn/base/parallel.h"
#include "pronghorn/gemm/gemm.h"
#include "pronghorn/gemm/sizes.h"
#include "pronghorn/ops/conv/amx_repeat.h"

namespace pronghorn::ops {
namespace {

constexpr int64_t kStreamed = 1 << 20;  // bytes of a result that will not be in cache when read

struct Task {
  const AmxConvPlan& plan;
  const char* x;
  const AmxKernel& kernel;
  char* y;
  const Epilogue& epilogue;
  int64_t group;
  int64_t image;
  int64_t lanes;
  int64_t first_line, end_line;  // along plan.axis
  const ConvStrip& strip;
};

// The scratch memory of a thread.
struct Scratch {
  char* zero;
  char* ring;
  float* result;
  ConvStep* steps;
  ConvSource* sources;
  int64_t* held;  // the line of x in each slot
  float* panel;
};

Scratch scratch_of(const AmxConvPlan& plan) {
  char* const at = reinterpret_cast<char*>(thread_scratch(plan.scratch / 4));
  std::memset(at, 0, static_cast<size_t>(plan.ring_at));
  return {.zero = at,
          .ring = at + plan.ring_at,
          .result = reinterpret_cast<float*>(at + plan.result_at),
          .steps = reinterpret_cast<ConvStep*>(at + plan.steps_at),
          .sources = reinterpret_cast<ConvSource*>(at + plan.sources_at),
          .held = reinterpret_cast<int64_t*>(at + plan.held_at),
          .panel = reinterpret_cast<float*>(at + plan.panel_at)};
}

// Splits line (or plane) `i` of x into its slot.
void split_line(const Task& t, const Scratch& s, int64_t i, ConvRange* range) {
  const AmxConvPlan& plan = t.plan;
  const int64_t channels = plan.channels * plan.sizes.groups;
  const int64_t image = volume(plan.in) * channels;
  const int64_t rows = plan.axis == 0 ? plan.in[1] : 1;
  const int64_t width = t.strip.in_end - t.strip.in_begin;
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t pixel = (i * rows + row) * plan.in[2] + t.strip.in_begin;
    kernels().conv_split(
        {.x = t.x +
              static_cast<size_t>(t.image * image + pixel * channels + t.group * plan.channels) *
                  plan.element_bytes(),
         .lanes = t.lanes,
         .lane_stride = image,
         .pixels = width,
         .pixel_stride = channels,
         .channels = plan.channels,
         .parts = plan.parts,
         .tiles = s.ring + i % plan.slots * plan.slot_bytes + row * width * plan.tile_pixel,
         .tile_pixel = plan.tile_pixel,
         .tile_block = plan.parts * kConvTile,
         .tile_part = kConvTile,
         .range = range});
  }
}

// A line of y, from the scratch memory to its place.
void finish_line(const Task& t, int64_t o0, int64_t o1, float* result, float least, float* panel) {
  const AmxConvPlan& plan = t.plan;
  const int64_t width = t.strip.end - t.strip.begin;
  const int64_t groups = plan.sizes.groups;
  const int64_t channels = plan.n * groups;
  const size_t bytes = plan.element_bytes();
  const bool streams =
      plan.n % 32 == 0 &&
      static_cast<size_t>(plan.sizes.batch * volume(plan.out) * channels) * bytes >= kStreamed;
  // Blocks narrower or wider than the result's rows are slower.
  const bool in_scratch = t.y == nullptr || (groups == 1 && plan.n_stored == plan.n);
  for (int64_t lane = 0; lane < t.lanes; ++lane) {
    float* line = result + lane * plan.lane_floats;
    if (plan.parts == 3 && kernels().conv_is_suspect(line, width, plan.n_stored, plan.n, least)) {
      repeat_piece(plan, plan.inputs, reinterpret_cast<const float*>(t.x),
                   reinterpret_cast<const float*>(t.kernel.w),
                   {t.image + lane, o0, o1, t.strip.begin, t.strip.end, t.group, 0, plan.n}, line,
                   plan.n_stored, panel);
    }
    const int64_t row =
        (((t.image + lane) * plan.out[0] + o0) * plan.out[1] + o1) * plan.out[2] + t.strip.begin;
    const auto apply = [&](float* block, int64_t stride) {
      if (t.epilogue.apply == nullptr) return;
      t.epilogue.apply(t.epilogue.context, block, row, width, t.group * plan.n, plan.n, stride);
    };
    if (in_scratch) apply(line, plan.n_stored);
    if (t.y == nullptr) continue;
    char* to = t.y + static_cast<size_t>(row * channels + t.group * plan.n) * bytes;
    kernels().conv_store(line, width, plan.n_stored, plan.n, to, channels, plan.parts == 1,
                         streams && reinterpret_cast<uintptr_t>(to) % 64 == 0);
    if (!in_scratch) apply(reinterpret_cast<float*>(to), channels);
  }
}

void run_task(const Task& t) {
  const AmxConvPlan& plan = t.plan;
  const Windows& w = plan.sizes.windows;
  const Scratch s = scratch_of(plan);
  const int axis = plan.axis;
  const int64_t rows = axis == 0 ? plan.out[1] : 1;  // of a plane
  const int64_t in_width = t.strip.in_end - t.strip.in_begin;
  const std::vector<int32_t>& along = plan.inputs[axis];
  const int64_t kernel = w.kernel[axis];
  ConvRange range;
  std::fill_n(s.held, plan.slots, int64_t{-1});

  ConvLine line{.inputs = plan.inputs[2].data(),
                .taps = w.kernel[2],
                .pairs = plan.pairs.data() + 2 * t.strip.first_pair,
                .pair_count = t.strip.pair_count,
                .blocks = divide_up(plan.channels, kConvBlock),
                .tile_pixel = plan.tile_pixel,
                .tile_block = plan.parts * kConvTile,
                .tile_part = kConvTile,
                .zero = s.zero,
                .panels = t.kernel.panels + t.group * plan.group_bytes(),
                .panel_bytes = plan.panel_bytes,
                .n = plan.n,
                .lane_stride = plan.lane_floats,
                .column_stride = plan.n_stored,
                .parts = plan.parts,
                .steps = s.steps};
  for (int64_t o = t.first_line; o < t.end_line; o += plan.batch_lines) {
    const int64_t end = std::min(o + plan.batch_lines, t.end_line);
    for (int64_t i = o * kernel; i < end * kernel; ++i) {
      const int64_t input = along[static_cast<size_t>(i)];
      if (input < 0 || s.held[input % plan.slots] == input) continue;
      s.held[input % plan.slots] = input;
      split_line(t, s, input, &range);
    }
    for (int64_t panel = 0; panel < plan.panels; panel += plan.batch_panels) {
      line.first_panel = panel;
      line.end_panel = std::min(panel + plan.batch_panels, plan.panels);
      for (int64_t row = o * rows; row < end * rows; ++row) {
        // Sources: taps along the first two dimensions that lie inside.
        const int64_t o0 = axis == 0 ? row / rows : 0;
        const int64_t o1 = axis == 0 ? row % rows : row;
        int64_t sources = 0;
        for (int64_t k0 = 0; k0 < w.kernel[0]; ++k0) {
          const int64_t i0 = plan.inputs[0][static_cast<size_t>(o0 * w.kernel[0] + k0)];
          for (int64_t k1 = 0; k1 < w.kernel[1]; ++k1) {
            const int64_t i1 = plan.inputs[1][static_cast<size_t>(o1 * w.kernel[1] + k1)];
            if (i0 < 0 || i1 < 0) continue;
            const int64_t slot = (axis == 0 ? i0 : i1) % plan.slots;
            const int64_t within = axis == 0 ? i1 : 0;
            s.sources[sources++] = {s.ring + slot * plan.slot_bytes +
                                        (within * in_width - t.strip.in_begin) * plan.tile_pixel,
                                    (k0 * w.kernel[1] + k1) * w.kernel[2]};
          }
        }
        line.sources = s.sources;
        line.source_count = sources;
        line.y = s.result + (row - o * rows) * plan.line_floats - t.strip.begin * plan.n_stored;
        kernels().conv_line(line);
      }
    }
    const int64_t depth = plan.sizes.taps() * plan.channels;
    const float least = plan.parts == 3 ? least_result(range, t.kernel.range, depth) : 0.0f;
    for (int64_t row = o * rows; row < end * rows; ++row) {
      finish_line(t, axis == 0 ? row / rows : 0, axis == 0 ? row % rows : row,
                  s.result + (row - o * rows) * plan.line_floats, least, s.panel);
    }
  }
}

}  // namespace

void run_amx_conv(const AmxConvPlan& plan, const void* x, const AmxKernel& kernel, void* y,
                  const Epilogue& epilogue) noexcept {
  const ConvSizes& sizes = plan.sizes;
  const int64_t batches = divide_up(sizes.batch, kConvLanes);
  const int64_t strips = static_cast<int64_t>(plan.strips.size());
  const int64_t tasks = sizes.groups * batches * strips * plan.line_tasks;
  const int64_t cost = 2 * sizes.batch * volume(sizes.windows.out) * sizes.group_in() *
                       sizes.out_channels * sizes.taps() / std::max<int64_t>(tasks, 1);
  parallel_for(tasks, std::max<int64_t>(cost, 1), [&](int64_t i) {
    const int64_t first = i % plan.line_tasks * plan.lines;
    const int64_t rest = i / plan.line_tasks;
    const int64_t image = rest / strips % batches * kConvLanes;
    const int64_t group = rest / strips / batches;
    run_task({plan, static_cast<const char*>(x), kernel, static_cast<char*>(y), epilogue, group,
              image, std::min(kConvLanes, sizes.batch - image), first,
              std::min(first + plan.lines, plan.out[plan.axis]),
              plan.strips[static_cast<size_t>(rest % strips)]});
  });
}

}  // namespace pronghorn::ops
