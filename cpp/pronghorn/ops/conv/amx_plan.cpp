// How a convolution runs on AMX, 16 images at a time.
#include <algorithm>

#include "pronghorn/gemm/gemm.h"
#include "pronghorn/gemm/sizes.h"
#include "pronghorn/ops/conv/amx_conv.h"
#include "pronghorn/ops/conv/amx_repeat.h"

namespace pronghorn::ops {
namespace {

constexpr int64_t kTasks = 16;               // wanted, if there are as many lines
constexpr int64_t kRingBytes = 800 << 10;    // of split lines: less than half of the L2 cache
constexpr int64_t kPanelsBytes = 1 << 20;    // of weights that stay in the L2 cache meanwhile
constexpr int64_t kBatchBytes = 1536 << 10;  // of split lines, where weights are read in pieces

void add_strips(AmxConvPlan& plan, int64_t width) {
  const Windows& w = plan.sizes.windows;
  const int64_t step = plan.gradient ? w.stride[2] : 1;  // columns with the same taps
  for (int64_t begin = 0; begin < plan.out[2]; begin += width) {
    ConvStrip strip{.begin = begin, .end = std::min(begin + width, plan.out[2])};
    const auto [low, high] = reach(plan.inputs[2], w.kernel[2], strip.begin, strip.end);
    strip.in_begin = low;
    strip.in_end = high + 1;
    strip.first_pair = static_cast<int64_t>(plan.pairs.size()) / 2;
    for (int64_t phase = 0; phase < step; ++phase) {
      for (int64_t c = begin + phase; c < strip.end; c += 2 * step) {
        plan.pairs.push_back(static_cast<int32_t>(c));
        plan.pairs.push_back(c + step < strip.end ? static_cast<int32_t>(c + step) : -1);
      }
    }
    strip.pair_count = static_cast<int64_t>(plan.pairs.size()) / 2 - strip.first_pair;
    plan.strips.push_back(strip);
  }
}

}  // namespace

std::shared_ptr<const AmxConvPlan> plan_amx_conv(const ConvSizes& sizes, bool gradient,
                                                 DType dtype) {
  auto made = std::make_shared<AmxConvPlan>();
  AmxConvPlan& plan = *made;
  const Windows& w = sizes.windows;
  static_cast<AmxWeights&>(plan) = amx_weights(sizes, gradient, dtype);
  plan.n_stored = divide_up(plan.n, 16) * 16;
  for (int d = 0; d < 3; ++d) {
    plan.in[d] = gradient ? w.out[d] : w.in[d];
    plan.out[d] = gradient ? w.in[d] : w.out[d];
    plan.inputs[d] = inputs_along(w, d, gradient);
  }
  const int64_t blocks = divide_up(plan.channels, kConvBlock);
  plan.tile_pixel = blocks * plan.parts * kConvTile;

  plan.axis = sizes.spatial == 3 ? 0 : 1;
  const int64_t rows = plan.axis == 0 ? plan.in[1] : 1;  // of a plane of x
  const std::vector<int32_t>& along = plan.inputs[plan.axis];
  const int64_t kernel = w.kernel[plan.axis];
  const int64_t lines = plan.out[plan.axis];
  plan.slots = ring_slots(along, kernel, lines, 1);

  // Strips of columns whose part of the ring fits the cache.
  const int64_t column = plan.slots * rows * plan.tile_pixel;
  const int64_t halo = (w.kernel[2] - 1) * w.dilation[2];
  int64_t width = std::max<int64_t>(kRingBytes / column - halo, std::max<int64_t>(8, 2 * halo));
  if (gradient)
    width *= w.stride[2];
  else
    width = std::max<int64_t>(width / w.stride[2], 8);
  const int64_t batches = divide_up(sizes.batch, kConvLanes) * sizes.groups;
  int64_t strips = divide_up(plan.out[2], width);
  if (lines == 1) strips = std::max(strips, std::min(divide_up(kTasks, batches), plan.out[2] / 16));
  width = divide_up(plan.out[2], std::max<int64_t>(strips, 1));
  width = divide_up(width, 2) * 2;
  add_strips(plan, width);
  strips = static_cast<int64_t>(plan.strips.size());

  const int64_t cuts =
      std::clamp<int64_t>(divide_up(kTasks, batches * strips), 1, std::max<int64_t>(lines / 4, 1));
  plan.lines = divide_up(lines, cuts);
  plan.line_tasks = divide_up(lines, plan.lines);

  int64_t in_width = 0;
  for (const ConvStrip& s : plan.strips) in_width = std::max(in_width, s.in_end - s.in_begin);
  plan.slot_bytes = in_width * rows * plan.tile_pixel;
  plan.batch_lines = 1;
  plan.batch_panels = plan.panels;
  if (plan.panels * plan.panel_bytes > kPanelsBytes) {
    plan.batch_panels = std::max<int64_t>(kPanelsBytes / 2 / plan.panel_bytes, 1);
    for (int64_t count = 2; count <= plan.lines; ++count) {
      const int64_t slots = ring_slots(along, kernel, lines, count);
      if (slots * plan.slot_bytes > kBatchBytes) break;
      plan.batch_lines = count;
      plan.slots = slots;
    }
  }
  plan.lane_floats = width * plan.n_stored + 16;  // not a power of two
  plan.line_floats = kConvLanes * plan.lane_floats;
  const int64_t out_rows = plan.axis == 0 ? plan.out[1] : 1;

  const auto reserve = [&](int64_t bytes) {
    const int64_t at = plan.scratch;
    plan.scratch += divide_up(bytes, 64) * 64;
    return at;
  };
  reserve(plan.parts * kConvTile);
  plan.ring_at = reserve(plan.slots * plan.slot_bytes);
  plan.result_at = reserve(plan.batch_lines * out_rows * plan.line_floats * 4);
  plan.steps_at = reserve(sizes.taps() * blocks * static_cast<int64_t>(sizeof(ConvStep)));
  plan.sources_at = reserve(w.kernel[0] * w.kernel[1] * static_cast<int64_t>(sizeof(ConvSource)));
  plan.held_at = reserve(plan.slots * 8);
  plan.panel_at = reserve(kAmxFallbackPanel * 4);
  return made;
}

}  // namespace pronghorn::ops
