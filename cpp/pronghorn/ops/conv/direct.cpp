#include "pronghorn/ops/conv/direct.h"

#include <algorithm>

#include "pronghorn/base/parallel.h"
#include "pronghorn/gemm/gemm.h"
#include "pronghorn/gemm/sizes.h"
#include "pronghorn/kernels/kernels.h"

namespace pronghorn::ops {
namespace {

constexpr int64_t kTaskCost = 1 << 20;  // operations
constexpr int64_t kMaxTasks = 32;
constexpr int64_t kMinPixels = 56;  // of a task
constexpr int64_t kMaxPixels = 448;
constexpr int64_t kLargeWeights = 1 << 18;  // floats which take much of the L2 cache
constexpr int64_t kMaxDepth = 256;          // of a pass: so many rows of a panel take 32 KB
constexpr double kMostCopied = 1 << 20;     // floats; windows that span more read little of them

void plan_blocks(DirectPlan& plan) {
  int64_t row = 0;
  int64_t room = 0;
  for (const PatchSegment& s : plan.source.segments) {
    // A little past kMaxDepth still runs in one pass.
    const int64_t pieces = s.count <= kMaxDepth * 5 / 4 ? 1 : divide_up(s.count, kMaxDepth);
    for (int64_t p = 0; p < pieces; ++p) {
      const int64_t begin = s.count * p / pieces;
      const int64_t count = s.count * (p + 1) / pieces - begin;
      if (count > room) {
        plan.blocks.push_back({row, static_cast<int64_t>(plan.segments.size()), 0});
        room = kMaxDepth * 5 / 4;
      }
      plan.segments.push_back({s.a + begin, count});
      ++plan.blocks.back().count;
      room -= count;
      row += count;
    }
  }
}

}  // namespace

bool suits_direct(const Windows& w) {
  double copied = static_cast<double>(w.kernel[0] * w.pixel);  // by a task, at least
  for (const int d : {1, 2}) copied *= static_cast<double>((w.kernel[d] - 1) * w.dilation[d] + 1);
  return w.out[2] >= 4 && copied <= kMostCopied;
}

DirectPlan plan_direct(const Windows& w, int64_t batch, int64_t groups, int64_t group_out) {
  DirectPlan plan;
  plan.group_out = group_out;
  plan.panels = divide_up(group_out, kPatchPanel);
  plan.depth = volume(w.kernel) * w.channels;
  const int64_t pixels = batch * volume(w.out);
  plan.cost = 2 * pixels * plan.depth * groups * group_out;
  const int64_t wanted = std::clamp<int64_t>(plan.cost / kTaskCost, 1, kMaxTasks);
  // Large weights are read from beyond the L2 cache once a task: for many pixels, then.
  const int64_t least =
      plan.depth * group_out >= kLargeWeights && groups == 1 ? kMaxPixels / 2 : kMinPixels;
  plan.source =
      plan_lines(w, batch, groups, std::clamp(divide_up(pixels, wanted), least, kMaxPixels));
  plan.task_panels = plan.panels;
  const int64_t tasks = plan.source.tasks();
  if (groups == 1 && tasks > 0 && tasks < std::min<int64_t>(wanted, 8))
    plan.task_panels = std::max<int64_t>(1, plan.panels / divide_up(wanted, tasks));
  plan.packed = groups * plan.panels * plan.depth * kPatchPanel;
  plan.y_pixel = groups * group_out;
  plan.y_line = w.out[2] * plan.y_pixel;
  plan.y_plane = w.out[1] * plan.y_line;
  plan.y_image = w.out[0] * plan.y_plane;
  plan_blocks(plan);
  return plan;
}

void pack_weights(const DirectPlan& plan, const float* w, float* packed) {
  const int64_t groups = plan.source.groups;
  const int64_t stride = groups * plan.group_out;
  parallel_for(groups * plan.panels, plan.depth * kPatchPanel * 4, [&](int64_t i) {
    const int64_t col = i % plan.panels * kPatchPanel;
    kernels().pack_panel_rows(w + i / plan.panels * plan.group_out + col, stride, plan.depth,
                              std::min(kPatchPanel, plan.group_out - col),
                              packed + i * plan.depth * kPatchPanel);
  });
}

void run_direct(const DirectPlan& plan, const float* x, const float* packed, float* y,
                const Epilogue& epilogue) noexcept {
  const LineSource& source = plan.source;
  const Windows& w = source.windows;
  const int64_t tasks = source.tasks();
  if (tasks == 0 || w.out[2] == 0 || plan.panels == 0) return;
  const int64_t column_tasks = divide_up(plan.panels, plan.task_panels);
  parallel_for(
      tasks * column_tasks, std::max<int64_t>(plan.cost / (tasks * column_tasks), 1),
      [&](int64_t i) {
        const LineTask task = line_task(source, i / column_tasks);
        const int64_t panel0 = i % column_tasks * plan.task_panels;
        const int64_t panel1 = std::min(panel0 + plan.task_panels, plan.panels);
        float* scratch = source.scratch > 0 ? thread_scratch(source.scratch) : nullptr;
        copy_lines(source, task, x, scratch);
        PatchRun runs[kMaxLines];
        for (int64_t r = 0; r < task.count(); ++r) {
          const int64_t unit = task.unit + r / task.lines;
          runs[r] = {line_offset(source, task, r),
                     unit / w.out[0] * plan.y_image + unit % w.out[0] * plan.y_plane +
                         (task.line + r % task.lines) * plan.y_line + task.at * plan.y_pixel,
                     task.width};
        }
        PatchProduct g{};
        g.a_row = w.stride[2] * source.pixel;
        g.a_step = 1;
        g.runs = runs;
        g.run_count = task.count();
        g.c_row = plan.y_pixel;
        for (int64_t group = 0; group < source.groups; ++group) {
          g.a = lines_start(source, group, x, scratch);
          for (int64_t panel = panel0; panel < panel1; ++panel) {
            const int64_t col = panel * kPatchPanel;
            const float* b = packed + (group * plan.panels + panel) * plan.depth * kPatchPanel;
            g.cols = std::min(kPatchPanel, plan.group_out - col);
            g.c = y + group * plan.group_out + col;
            for (const DepthBlock& block : plan.blocks) {
              g.segments = plan.segments.data() + block.segment;
              g.segment_count = block.count;
              g.b = b + block.row * kPatchPanel;
              g.accumulate = block.row > 0;
              kernels().patch_product(g);
            }
          }
        }
        if (epilogue.apply != nullptr) {
          const int64_t row = first_row(source, task);
          const int64_t first = panel0 * kPatchPanel;
          const int64_t last =
              column_tasks == 1 ? plan.y_pixel : std::min(panel1 * kPatchPanel, plan.group_out);
          epilogue.apply(epilogue.context, y + row * plan.y_pixel + first, row, task.pixels(),
                         first, last - first, plan.y_pixel);
        }
      });
}

}  // namespace pronghorn::ops
