#include <algorithm>

#include "pronghorn/base/parallel.h"
#include "pronghorn/gemm/gemm.h"
#include "pronghorn/gemm/sizes.h"
#include "pronghorn/kernels/kernels.h"
#include "pronghorn/ops/conv/direct.h"

namespace pronghorn::ops {
namespace {

constexpr int64_t kTaskCost = 1 << 20;  // operations
constexpr int64_t kMaxTasks = 32;
constexpr int64_t kTaskPixels = 512;
constexpr int64_t kMaxDepth = 256;        // pixels of a pass: so many rows of a panel take 32 KB
constexpr int64_t kMaxPartial = 1 << 20;  // floats of partial sums
constexpr int64_t kMaxRuns = 128;

// Pixels [begin, end) of a task as segments of its lines.
int64_t pixel_segments(const LineSource& source, const LineTask& task, int64_t begin, int64_t end,
                       PatchSegment* segments) {
  const Windows& w = source.windows;
  int64_t count = 0;
  for (int64_t p = begin; p < end;) {
    const int64_t first = p % task.width;
    const int64_t n = std::min(task.width - first, end - p);
    segments[count++] = {
        line_offset(source, task, p / task.width) + first * w.stride[2] * source.pixel, n};
    p += n;
  }
  return count;
}

// Adds what the pixels of a task give to columns of dw (row stride c_row); overwrites if `first`.
void add_task(const DirectDwPlan& plan, int64_t index, int64_t panel0, int64_t panel1, bool first,
              const float* x, const float* dy, float* dw) {
  const LineSource& source = plan.source;
  const Windows& w = source.windows;
  const LineTask task = line_task(source, index);
  float* scratch = thread_scratch(source.scratch + 16 + kMaxDepth * 5 / 4 * kPatchPanel);
  float* panel_memory = scratch + (source.scratch + 15) / 16 * 16;
  copy_lines(source, task, x, scratch);
  const int64_t dy_row = source.groups * plan.group_out;
  const int64_t row0 = first_row(source, task);
  const int64_t pixels = task.pixels();
  const int64_t passes = pixels <= kMaxDepth * 5 / 4 ? 1 : divide_up(pixels, kMaxDepth);
  PatchSegment segments[kMaxLines + 2];
  PatchRun runs[kMaxRuns];
  PatchProduct g{};
  g.a_row = 1;
  g.a_step = w.stride[2] * source.pixel;
  g.c_row = dy_row;
  g.b = panel_memory;
  g.segments = segments;
  g.runs = runs;
  for (int64_t group = 0; group < source.groups; ++group) {
    g.a = lines_start(source, group, x, scratch);
    for (int64_t panel = panel0; panel < panel1; ++panel) {
      const int64_t col = group * plan.group_out + panel * kPatchPanel;
      g.cols = std::min(kPatchPanel, plan.group_out - panel * kPatchPanel);
      for (int64_t pass = 0; pass < passes; ++pass) {
        const int64_t begin = pixels * pass / passes;
        const int64_t end = pixels * (pass + 1) / passes;
        g.segment_count = pixel_segments(source, task, begin, end, segments);
        g.accumulate = !first || pass > 0;
        kernels().pack_panel_rows(dy + (row0 + begin) * dy_row + col, dy_row, end - begin, g.cols,
                                  panel_memory);
        int64_t row = 0;
        g.run_count = 0;
        for (const PatchSegment& s : source.segments) {
          runs[g.run_count++] = {s.a, row * dy_row, s.count};
          row += s.count;
          if (g.run_count == kMaxRuns || row == plan.depth) {
            g.c = dw + col;
            kernels().patch_product(g);
            g.run_count = 0;
          }
        }
      }
    }
  }
}

}  // namespace

DirectDwPlan plan_direct_dw(const Windows& w, int64_t batch, int64_t groups, int64_t group_out) {
  DirectDwPlan plan;
  plan.group_out = group_out;
  plan.panels = divide_up(group_out, kPatchPanel);
  plan.depth = volume(w.kernel) * w.channels;
  const int64_t pixels = batch * volume(w.out);
  plan.cost = 2 * pixels * plan.depth * groups * group_out;
  const int64_t wanted = std::clamp<int64_t>(plan.cost / kTaskCost, 1, kMaxTasks);
  plan.source =
      plan_lines(w, batch, groups, std::clamp<int64_t>(divide_up(pixels, wanted), 64, kTaskPixels));
  const int64_t tasks = plan.source.tasks();
  // Sums of parts of the pixels first; columns where those would take much memory.
  const int64_t matrix = std::max<int64_t>(plan.depth * groups * group_out, 1);
  plan.splits =
      std::clamp<int64_t>(std::min(wanted, kMaxPartial / matrix), 1, std::max<int64_t>(tasks, 1));
  plan.split_tasks = std::max<int64_t>(divide_up(tasks, plan.splits), 1);
  plan.splits = divide_up(tasks, plan.split_tasks);
  plan.task_panels = plan.panels;
  if (groups == 1 && plan.splits < std::min<int64_t>(wanted, 8)) {
    plan.task_panels = std::max<int64_t>(
        1,
        plan.panels / divide_up(std::min<int64_t>(wanted, 8), std::max<int64_t>(plan.splits, 1)));
  }
  if (plan.splits > 1) plan.workspace = static_cast<size_t>(plan.splits * matrix) * sizeof(float);
  return plan;
}

void run_direct_dw(const DirectDwPlan& plan, const float* x, const float* dy, float* dw,
                   void* workspace) noexcept {
  const int64_t matrix = plan.depth * plan.source.groups * plan.group_out;
  const int64_t columns = divide_up(plan.panels, plan.task_panels);
  const int64_t pieces = plan.splits * columns;
  float* parts = plan.splits > 1 ? static_cast<float*>(workspace) : dw;
  parallel_for(pieces, std::max<int64_t>(plan.cost / pieces, 1), [&](int64_t i) {
    const int64_t split = i / columns;
    const int64_t panel0 = i % columns * plan.task_panels;
    const int64_t panel1 = std::min(panel0 + plan.task_panels, plan.panels);
    const int64_t begin = split * plan.split_tasks;
    const int64_t end = std::min(begin + plan.split_tasks, plan.source.tasks());
    for (int64_t task = begin; task < end; ++task)
      add_task(plan, task, panel0, panel1, task == begin, x, dy, parts + split * matrix);
  });
  if (plan.splits == 1) return;
  parallel_ranges(matrix, 4096, plan.splits, [&](int64_t begin, int64_t end) {
    kernels().add_partial_sums(parts + begin, plan.splits, matrix, end - begin, dw + begin, false);
  });
}

}  // namespace pronghorn::ops
