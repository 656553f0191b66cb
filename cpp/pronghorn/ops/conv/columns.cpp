#include "pronghorn/ops/conv/columns.h"

#include <algorithm>

#include "pronghorn/base/parallel.h"
#include "pronghorn/gemm/gemm.h"
#include "pronghorn/gemm/sizes.h"
#include "pronghorn/kernels/kernels.h"

namespace pronghorn::ops {
namespace {

constexpr int64_t kBlock = 1 << 16;  // floats of patches at once: a part of the L2 cache
constexpr int64_t kRows =
    112;  // rows of patches that share a panel of weights, if there are as many
constexpr int64_t kMaxDepth = 640;

// Adds patches of images [first, last) of one group; dx, dy: of all groups.
void add_group(const ColumnsPlan& plan, int64_t group, int64_t first, int64_t last, const float* dy,
               const float* weights, float* dx, float* scratch) {
  const ConvSizes& sizes = plan.sizes;
  const int64_t out = volume(sizes.windows.out);
  const int64_t ic = sizes.group_in();
  const int64_t oc = sizes.group_out();
  const int64_t columns = sizes.taps() * ic;
  const int64_t stride = (plan.taps * ic + 31) / 32 * 32 + 16;  // an odd number of cache lines
  for (int64_t row = first * out; row < last * out; row += plan.rows) {
    const int64_t rows = std::min(plan.rows, last * out - row);
    for (int64_t tap = 0; tap < sizes.taps(); tap += plan.taps) {
      const int64_t taps = std::min(plan.taps, sizes.taps() - tap);
      GemmBlock g{};
      g.a_row = sizes.out_channels;
      g.a_depth = 1;
      g.b_depth = columns;
      g.b_col = 1;
      g.c = scratch;
      g.c_row = stride;
      g.rows = rows;
      g.cols = taps * ic;
      g.pack_b = rows >= 64;
      g.panel = scratch + plan.rows * stride;
      for (int64_t k = 0; k < oc; k += kMaxDepth) {
        g.a = dy + row * sizes.out_channels + group * oc + k;
        g.b = weights + (group * oc + k) * columns + tap * ic;
        g.depth = std::min(kMaxDepth, oc - k);
        g.accumulate = k > 0;
        kernels().gemm_block(g);
      }
      kernels().add_patches(sizes.windows, scratch, stride, row, rows, tap * ic, taps * ic,
                            dx + group * ic);
    }
  }
}

}  // namespace

int64_t columns_cost(const ConvSizes& sizes) {
  return 2 * sizes.batch * volume(sizes.windows.out) * sizes.taps() * sizes.group_in() *
         sizes.out_channels;
}

ColumnsPlan plan_columns(const ConvSizes& sizes) {
  ColumnsPlan plan;
  plan.sizes = sizes;
  const int64_t out = std::max<int64_t>(volume(sizes.windows.out), 1);
  // At least eight tasks, and tasks of many rows, if there are as many images.
  plan.images = std::max<int64_t>(1, std::min(divide_up(kRows, out), sizes.batch / 8));
  plan.rows = std::min(plan.images * out, kRows);
  plan.taps = std::clamp<int64_t>(kBlock / std::max<int64_t>(plan.rows * sizes.group_in(), 1), 1,
                                  sizes.taps());
  plan.weights = sizes.taps() * sizes.in_channels * sizes.group_out();
  return plan;
}

void run_columns(const ColumnsPlan& plan, const float* dy, const float* w, float* dx,
                 const Epilogue& epilogue, float* workspace) noexcept {
  const ConvSizes& sizes = plan.sizes;
  const int64_t columns = sizes.taps() * sizes.group_in();
  const int64_t image = volume(sizes.windows.in);
  // workspace[group][oc][tap * ic] = w[tap * ic][group][oc]
  constexpr int64_t kStrip = 64;
  const int64_t strips = divide_up(columns, kStrip);
  parallel_for(strips, kStrip * sizes.out_channels * 4, [&](int64_t i) {
    const int64_t begin = i * kStrip;
    for (int64_t group = 0; group < sizes.groups; ++group) {
      kernels().transpose_matrix(w + begin * sizes.out_channels + group * sizes.group_out(),
                                 sizes.out_channels, std::min(kStrip, columns - begin),
                                 sizes.group_out(),
                                 workspace + group * sizes.group_out() * columns + begin, columns);
    }
  });
  const int64_t tasks = divide_up(sizes.batch, plan.images);
  parallel_for(tasks, std::max<int64_t>(columns_cost(sizes) / std::max<int64_t>(tasks, 1), 1),
               [&](int64_t i) {
                 const int64_t first = i * plan.images;
                 const int64_t last = std::min(first + plan.images, sizes.batch);
                 float* to = dx + first * image * sizes.in_channels;
                 std::fill_n(to, (last - first) * image * sizes.in_channels, 0.0f);
                 const int64_t stride = (plan.taps * sizes.group_in() + 31) / 32 * 32 + 16;
                 const int64_t depth = std::min(kMaxDepth, sizes.group_out());
                 float* scratch = thread_scratch(plan.rows * stride + depth * kGemmPanel + 16);
                 for (int64_t group = 0; group < sizes.groups; ++group) {
                   add_group(plan, group, first, last, dy, workspace, dx, scratch);
                 }
                 if (epilogue.apply != nullptr) {
                   epilogue.apply(epilogue.context, to, first * image, (last - first) * image, 0,
                                  sizes.in_channels, sizes.in_channels);
                 }
               });
}

}  // namespace pronghorn::ops
