#include "pronghorn/ops/conv/amx_dw.h"

#include <algorithm>

#include "pronghorn/base/parallel.h"
#include "pronghorn/gemm/gemm.h"
#include "pronghorn/gemm/sizes.h"
#include "pronghorn/ops/conv/winograd.h"

namespace pronghorn::ops {
namespace {

constexpr int64_t kTasks = 16;              // wanted, if their sums do not take too much memory
constexpr int64_t kSumsBytes = 12 << 20;    // of all tasks
constexpr int64_t kBandBytes = 1536 << 10;  // of split lines: most of the L2 cache
constexpr int64_t kBandPixels =
    16;  // of dy, at least: half of the depth at which sums leave the tiles
constexpr int64_t kRepeatedRows = 16;

struct Task {
  const AmxDwPlan& plan;
  const char* x;
  const char* dy;
  float* sums;
  ConvRange* ranges;  // of x and of dy
  int64_t group;
  int64_t image;
  int64_t images;
  int64_t first_line, end_line;
  const ConvStrip& strip;
};

struct Scratch {
  char* ring;
  char* dy;
  ConvStep* steps;
  int32_t* counts;
  int64_t* held;
};

size_t element_bytes(const AmxDwPlan& plan) { return plan.parts == 3 ? 4 : 2; }

void split_x(const Task& t, const Scratch& s, int64_t line) {
  const AmxDwPlan& plan = t.plan;
  const Windows& w = plan.sizes.windows;
  const int64_t channels = plan.sizes.in_channels;
  const int64_t image = volume(w.in) * channels;
  const int64_t rows = plan.axis == 0 ? w.in[1] : 1;
  const int64_t width = t.strip.in_end - t.strip.in_begin;
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t pixel = (line * rows + row) * w.in[2] + t.strip.in_begin;
    kernels().conv_pairs(
        {.x = t.x + static_cast<size_t>(t.image * image + pixel * channels +
                                        t.group * plan.sizes.group_in()) *
                        element_bytes(plan),
         .images = t.images,
         .image_stride = image,
         .pixels = width,
         .pixel_stride = channels,
         .channels = plan.sizes.group_in(),
         .parts = plan.parts,
         .is_dy = false,
         .tiles = s.ring + line % plan.slots * plan.slot_bytes + row * width * plan.x_pixel,
         .tile_pixel = plan.x_pixel,
         .range = &t.ranges[0]});
  }
}

void split_dy(const Task& t, char* to, int64_t row) {
  const AmxDwPlan& plan = t.plan;
  const Windows& w = plan.sizes.windows;
  const int64_t channels = plan.sizes.out_channels;
  const int64_t image = volume(w.out) * channels;
  const int64_t pixel = row * w.out[2] + t.strip.begin;
  kernels().conv_pairs({.x = t.dy + static_cast<size_t>(t.image * image + pixel * channels +
                                                        t.group * plan.sizes.group_out()) *
                                        element_bytes(plan),
                        .images = t.images,
                        .image_stride = image,
                        .pixels = t.strip.end - t.strip.begin,
                        .pixel_stride = channels,
                        .channels = plan.sizes.group_out(),
                        .parts = plan.parts,
                        .is_dy = true,
                        .tiles = to,
                        .tile_pixel = plan.dy_pixel,
                        .range = &t.ranges[1]});
}

// Pixels of x and dy that meet at tap (k0, k1, k2), of lines [begin, end); returns their number.
int32_t list_steps(const Task& t, const Scratch& s, int64_t begin, int64_t end, int64_t k0,
                   int64_t k1, int64_t k2, ConvStep* steps) {
  const AmxDwPlan& plan = t.plan;
  const Windows& w = plan.sizes.windows;
  const int64_t rows = plan.axis == 0 ? w.out[1] : 1;
  const int64_t width = t.strip.end - t.strip.begin;
  const int64_t in_width = t.strip.in_end - t.strip.in_begin;
  int32_t count = 0;
  for (int64_t row = begin * rows; row < end * rows; ++row) {
    const int64_t o0 = plan.axis == 0 ? row / rows : 0;
    const int64_t o1 = plan.axis == 0 ? row % rows : row;
    const int64_t i0 = plan.inputs[0][static_cast<size_t>(o0 * w.kernel[0] + k0)];
    const int64_t i1 = plan.inputs[1][static_cast<size_t>(o1 * w.kernel[1] + k1)];
    if (i0 < 0 || i1 < 0) continue;
    const int64_t slot = (plan.axis == 0 ? i0 : i1) % plan.slots;
    const int64_t within = (plan.axis == 0 ? i1 : 0) * in_width - t.strip.in_begin;
    const char* dy = s.dy + (row - begin * rows) * width * plan.dy_pixel;
    for (int64_t o2 = t.strip.begin; o2 < t.strip.end; ++o2) {
      const int64_t i2 = plan.inputs[2][static_cast<size_t>(o2 * w.kernel[2] + k2)];
      if (i2 < 0) continue;
      const char* x = s.ring + slot * plan.slot_bytes + (within + i2) * plan.x_pixel;
      steps[count++] = {x, x + plan.parts * kConvTile, dy + (o2 - t.strip.begin) * plan.dy_pixel};
    }
  }
  return count;
}

void run_task(const Task& t) {
  const AmxDwPlan& plan = t.plan;
  const Windows& w = plan.sizes.windows;
  char* const at = reinterpret_cast<char*>(thread_scratch(plan.scratch / 4));
  const Scratch s{.ring = at,
                  .dy = at + plan.dy_at,
                  .steps = reinterpret_cast<ConvStep*>(at + plan.steps_at),
                  .counts = reinterpret_cast<int32_t*>(at + plan.counts_at),
                  .held = reinterpret_cast<int64_t*>(at + plan.held_at)};
  std::fill_n(s.held, plan.slots, int64_t{-1});
  t.ranges[0] = t.ranges[1] = {};
  const int64_t rows = plan.axis == 0 ? w.out[1] : 1;
  const int64_t width = t.strip.end - t.strip.begin;
  const std::vector<int32_t>& along = plan.inputs[plan.axis];
  const int64_t kernel = w.kernel[plan.axis];
  for (int64_t line = t.first_line; line < t.end_line; line += plan.band) {
    const int64_t end = std::min(line + plan.band, t.end_line);
    for (int64_t i = line * kernel; i < end * kernel; ++i) {
      const int64_t input = along[static_cast<size_t>(i)];
      if (input < 0 || s.held[input % plan.slots] == input) continue;
      s.held[input % plan.slots] = input;
      split_x(t, s, input);
    }
    for (int64_t row = line * rows; row < end * rows; ++row) {
      split_dy(t, s.dy + (row - line * rows) * width * plan.dy_pixel, row);
    }
    ConvStep* steps = s.steps;
    int64_t tap = 0;
    for (int64_t k0 = 0; k0 < w.kernel[0]; ++k0) {
      for (int64_t k1 = 0; k1 < w.kernel[1]; ++k1) {
        for (int64_t k2 = 0; k2 < w.kernel[2]; ++k2, ++tap) {
          s.counts[tap] = list_steps(t, s, line, end, k0, k1, k2, steps);
          steps += s.counts[tap];
        }
      }
    }
    kernels().conv_taps({.steps = s.steps,
                         .counts = s.counts,
                         .taps = tap,
                         .in_channels = plan.sizes.group_in(),
                         .out_channels = plan.sizes.group_out(),
                         .parts = plan.parts,
                         .dw = t.sums,
                         .accumulate = line > t.first_line});
  }
}

// Rows [row, row + count) of the group's dw at a tap again in float32.
void repeat_rows(const AmxDwPlan& plan, const float* x, const float* dy, int64_t group, int64_t tap,
                 int64_t row, int64_t count, float* dw) {
  const ConvSizes& sizes = plan.sizes;
  const Windows& w = sizes.windows;
  const int64_t k0 = tap / (w.kernel[1] * w.kernel[2]);
  const int64_t k1 = tap / w.kernel[2] % w.kernel[1];
  const int64_t k2 = tap % w.kernel[2];
  const auto input = [&](int d, int64_t o, int64_t k) -> int64_t {
    return plan.inputs[d][static_cast<size_t>(o * w.kernel[d] + k)];
  };
  int64_t first = 0;
  while (first < w.out[2] && input(2, first, k2) < 0) ++first;
  int64_t depth = 0;
  while (first + depth < w.out[2] && input(2, first + depth, k2) >= 0) ++depth;
  for (int64_t i = 0; i < count; ++i)
    std::fill_n(dw + i * sizes.out_channels, sizes.group_out(), 0.0f);
  if (depth == 0) return;
  GemmBlock g{};
  g.a_row = 1;
  g.a_depth = w.stride[2] * sizes.in_channels;
  g.b_depth = sizes.out_channels;
  g.b_col = 1;
  g.c = dw;
  g.c_row = sizes.out_channels;
  g.rows = count;
  g.cols = sizes.group_out();
  g.depth = depth;
  g.accumulate = true;
  for (int64_t image = 0; image < sizes.batch; ++image) {
    for (int64_t o0 = 0; o0 < w.out[0]; ++o0) {
      for (int64_t o1 = 0; o1 < w.out[1]; ++o1) {
        const int64_t i0 = input(0, o0, k0);
        const int64_t i1 = input(1, o1, k1);
        if (i0 < 0 || i1 < 0) continue;
        const int64_t pixel =
            ((image * w.in[0] + i0) * w.in[1] + i1) * w.in[2] + input(2, first, k2);
        g.a = x + pixel * sizes.in_channels + group * sizes.group_in() + row;
        g.b = dy +
              (((image * w.out[0] + o0) * w.out[1] + o1) * w.out[2] + first) * sizes.out_channels +
              group * sizes.group_out();
        kernels().gemm_block(g);
      }
    }
  }
}

// Adds the tasks' sums of some rows of a tap.
void add_rows(const AmxDwPlan& plan, const char* x, const char* dy, void* dw, bool half,
              const float* sums, const ConvRange& x_range, const ConvRange& dy_range, int64_t i) {
  const ConvSizes& sizes = plan.sizes;
  const int64_t blocks = divide_up(sizes.group_in(), kRepeatedRows);
  const int64_t row = i % blocks * kRepeatedRows;
  const int64_t tap = i / blocks % sizes.taps();
  const int64_t group = i / blocks / sizes.taps();
  const int64_t count = std::min(kRepeatedRows, sizes.group_in() - row);
  const float* from =
      sums + group * plan.tasks * plan.sums + (tap * plan.rows + row) * plan.columns;
  const int64_t at =
      (tap * sizes.group_in() + row) * sizes.out_channels + group * sizes.group_out();
  if (half) {
    float* total = thread_scratch(plan.columns);
    for (int64_t r = 0; r < count; ++r) {
      kernels().add_partial_sums(from + r * plan.columns, plan.tasks, plan.sums, sizes.group_out(),
                                 total, false);
      kernels().conv_store(total, 1, plan.columns, sizes.group_out(),
                           static_cast<uint16_t*>(dw) + at + r * sizes.out_channels,
                           sizes.out_channels, true, false);
    }
    return;
  }
  float* to = static_cast<float*>(dw) + at;
  for (int64_t r = 0; r < count; ++r) {
    kernels().add_partial_sums(from + r * plan.columns, plan.tasks, plan.sums, sizes.group_out(),
                               to + r * sizes.out_channels, false);
  }
  if (plan.parts == 1) return;
  const float least = least_result(x_range, dy_range, sizes.batch * volume(sizes.windows.out));
  if (kernels().conv_is_suspect(to, count, sizes.out_channels, sizes.group_out(), least)) {
    repeat_rows(plan, reinterpret_cast<const float*>(x), reinterpret_cast<const float*>(dy), group,
                tap, row, count, to);
  }
}

}  // namespace

bool suits_amx_dw(const ConvSizes& sizes, DType dtype) {
  if (!takes_amx(dtype) || volume(sizes.windows.out) == 0) return false;
  const double used = used_part(sizes.batch, kConvImages) * used_part(sizes.group_in(), 16) *
                      used_part(sizes.group_out(), 16);
  if (dtype == DType::kBfloat16) return used >= 0.2;
  const bool winograd =
      plan_winograd_dw(sizes.windows, sizes.batch, sizes.groups, sizes.out_channels).has_value();
  return used >= (winograd ? 0.85 : 0.6);
}

std::shared_ptr<const AmxDwPlan> plan_amx_dw(const ConvSizes& sizes, DType dtype) {
  auto made = std::make_shared<AmxDwPlan>();
  AmxDwPlan& plan = *made;
  const Windows& w = sizes.windows;
  plan.sizes = sizes;
  plan.parts = dtype == DType::kFloat32 ? 3 : 1;
  for (int d = 0; d < 3; ++d) plan.inputs[d] = inputs_along(w, d, false);
  plan.axis = sizes.spatial == 3 ? 0 : 1;
  plan.x_pixel = divide_up(sizes.group_in(), 32) * 2 * plan.parts * kConvTile;
  plan.dy_pixel = divide_up(sizes.group_out(), 32) * 2 * plan.parts * kConvTile;
  plan.rows = divide_up(sizes.group_in(), 16) * 16;
  plan.columns = divide_up(sizes.group_out(), 32) * 32;
  plan.sums = sizes.taps() * plan.rows * plan.columns;

  const std::vector<int32_t>& along = plan.inputs[plan.axis];
  const int64_t kernel = w.kernel[plan.axis];
  const int64_t lines = w.out[plan.axis];
  const int64_t in_rows = plan.axis == 0 ? w.in[1] : 1;  // of a plane
  const int64_t out_rows = plan.axis == 0 ? w.out[1] : 1;
  const auto bytes = [&](int64_t band, int64_t width, int64_t in_width) {
    return ring_slots(along, kernel, lines, band) * in_rows * in_width * plan.x_pixel +
           band * out_rows * width * plan.dy_pixel;
  };
  const auto in_width = [&](int64_t width) {
    return std::min((width - 1) * w.stride[2] + (w.kernel[2] - 1) * w.dilation[2] + 1, w.in[2]);
  };
  const int64_t images = divide_up(sizes.batch, kConvImages);
  const int64_t most = std::clamp<int64_t>(kSumsBytes / (plan.sums * 4 * sizes.groups), 1, kTasks);

  // Strips of columns if a line of both operands does not fit the cache.
  int64_t width = w.out[2];
  while (width > 16 && bytes(1, width, in_width(width)) > kBandBytes * 4 / 3) {
    width = divide_up(width, 2);
  }
  const int64_t pieces = std::max<int64_t>(most / images, 1);
  if (lines == 1) width = std::max<int64_t>(std::min(width, divide_up(w.out[2], pieces)), 1);
  int64_t reads = 0;
  for (int64_t begin = 0; begin < w.out[2]; begin += width) {
    ConvStrip strip{.begin = begin, .end = std::min(begin + width, w.out[2])};
    const auto [low, high] = reach(plan.inputs[2], w.kernel[2], strip.begin, strip.end);
    strip.in_begin = low;
    strip.in_end = high + 1;
    reads = std::max(reads, strip.in_end - strip.in_begin);
    plan.strips.push_back(strip);
  }
  const int64_t strips = static_cast<int64_t>(plan.strips.size());
  const int64_t cuts = std::clamp<int64_t>(divide_up(pieces, strips), 1, divide_up(lines, 2));
  plan.lines = divide_up(lines, cuts);
  plan.line_tasks = divide_up(lines, plan.lines);
  plan.tasks = images * strips * plan.line_tasks;
  plan.band = 1;
  while (plan.band < plan.lines && (plan.band * out_rows * width < kBandPixels ||
                                    bytes(plan.band + 1, width, reads) <= kBandBytes)) {
    ++plan.band;
  }
  plan.slots = ring_slots(along, kernel, lines, plan.band);
  plan.slot_bytes = reads * in_rows * plan.x_pixel;

  const auto reserve = [&](int64_t size) {
    const int64_t at = plan.scratch;
    plan.scratch += divide_up(size, 64) * 64;
    return at;
  };
  reserve(plan.slots * plan.slot_bytes);
  plan.dy_at = reserve(plan.band * out_rows * width * plan.dy_pixel);
  plan.steps_at =
      reserve(sizes.taps() * plan.band * out_rows * width * static_cast<int64_t>(sizeof(ConvStep)));
  plan.counts_at = reserve(sizes.taps() * 4);
  plan.held_at = reserve(plan.slots * 8);
  const int64_t all = sizes.groups * plan.tasks;
  plan.ranges_at = static_cast<size_t>(all * plan.sums) * sizeof(float);
  plan.workspace = plan.ranges_at + static_cast<size_t>(2 * all) * sizeof(ConvRange);
  return made;
}

void run_amx_dw(const AmxDwPlan& plan, const void* x, const void* dy, void* dw, bool half,
                void* workspace) noexcept {
  const ConvSizes& sizes = plan.sizes;
  float* const sums = static_cast<float*>(workspace);
  auto* const ranges = reinterpret_cast<ConvRange*>(static_cast<char*>(workspace) + plan.ranges_at);
  const int64_t strips = static_cast<int64_t>(plan.strips.size());
  const int64_t tasks = sizes.groups * plan.tasks;
  const int64_t cost = 2 * sizes.batch * volume(sizes.windows.out) * sizes.taps() *
                       sizes.group_in() * sizes.out_channels;
  parallel_for(tasks, std::max<int64_t>(cost / tasks, 1), [&](int64_t i) {
    const int64_t first = i % plan.line_tasks * plan.lines;
    const int64_t rest = i / plan.line_tasks;
    const int64_t image = rest / strips % (plan.tasks / plan.line_tasks / strips) * kConvImages;
    run_task({plan, static_cast<const char*>(x), static_cast<const char*>(dy), sums + i * plan.sums,
              ranges + 2 * i, i / plan.tasks, image, std::min(kConvImages, sizes.batch - image),
              first, std::min(first + plan.lines, sizes.windows.out[plan.axis]),
              plan.strips[static_cast<size_t>(rest % strips)]});
  });
  ConvRange x_range, dy_range;
  for (int64_t i = 0; i < tasks; ++i) {
    widen(x_range, ranges[2 * i]);
    widen(dy_range, ranges[2 * i + 1]);
  }
  const int64_t blocks = divide_up(sizes.group_in(), kRepeatedRows);
  parallel_for(sizes.groups * sizes.taps() * blocks,
               kRepeatedRows * sizes.group_out() * plan.tasks * 4, [&](int64_t i) {
                 add_rows(plan, static_cast<const char*>(x), static_cast<const char*>(dy), dw, half,
                          sums, x_range, dy_range, i);
               });
}

}  // namespace pronghorn::ops
