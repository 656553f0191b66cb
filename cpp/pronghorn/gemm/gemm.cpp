#include "pronghorn/gemm/gemm.h"

#include <algorithm>
#include <memory>
#include <new>

#include "pronghorn/base/parallel.h"
#include "pronghorn/kernels/kernels.h"

namespace pronghorn {
namespace {

constexpr int64_t kMaxRows =
    224;  // of a block: with kMaxDepth it takes a quarter of a small L2 cache
constexpr int64_t kMaxDepth = 256;      // a panel of B (32 columns) takes 32 KB; 512 was 3% slower
constexpr int64_t kTaskCost = 1 << 20;  // operations below which a product is not cut further
constexpr int64_t kMaxTasks = 32;
constexpr int64_t kMinSplit = 512;        // depth of a piece of k
constexpr int64_t kMaxPartial = 1 << 20;  // floats of partial sums
constexpr int64_t kPackRows = 64;         // from so many rows on, packing B pays
constexpr int64_t kAliasing = 512;  // floats; rows so far apart fall into few sets of the L1 cache
constexpr int64_t kPadding = 16;  // floats that keep the rows of copied blocks out of one cache set

int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }
int64_t round_up(int64_t a, int64_t b) { return divide_up(a, b) * b; }

// Row stride of a copied block: an odd number of cache lines.
int64_t block_stride(int64_t n) { return round_up(n, 2 * kPadding) + kPadding; }

struct Task {
  const GemmPlan& plan;
  const GemmOperands& operands;
  int64_t batch;
  int64_t row0, rows;
  int64_t col0, cols;
  int64_t k0, depth;
};

void run_task(const Task& t, float* c, int64_t c_stride, bool accumulate) {
  const GemmPlan& plan = t.plan;
  const GemmShape& shape = plan.shape;
  const GemmBatch& at = shape.batch[static_cast<size_t>(t.batch)];
  const bool scratch_used = plan.copies_a || plan.packs_b;
  // Small unpacked products need at most one padded panel of B, which the stack holds.
  alignas(64) float small_panel[8192];
  float* scratch = scratch_used || plan.scratch_floats > 8192 ? thread_scratch(plan.scratch_floats)
                                                              : small_panel;

  GemmBlock g{};
  g.b_depth = shape.transpose_b ? 1 : shape.b_stride;
  g.b_col = shape.transpose_b ? shape.b_stride : 1;
  g.c = c;
  g.c_row = c_stride;
  g.rows = t.rows;
  g.cols = t.cols;
  g.pack_b = plan.packs_b;
  g.panel = scratch + plan.a_floats;
  const float* b = t.operands.b + at.b + t.col0 * g.b_col;
  for (int64_t k = t.k0; k < t.k0 + t.depth; k += plan.depth) {
    g.depth = std::min(plan.depth, t.k0 + t.depth - k);
    g.b = b + k * g.b_depth;
    g.accumulate = accumulate || k > t.k0;
    // What is stored: rows of `length` floats.
    const int64_t first = shape.transpose_a ? k : t.row0;
    const int64_t count = shape.transpose_a ? g.depth : t.rows;
    const int64_t column = shape.transpose_a ? t.row0 : k;
    const int64_t length = shape.transpose_a ? t.rows : g.depth;
    int64_t stride = shape.a_stride;
    if (plan.copies_a) {
      stride = block_stride(length);
      if (shape.fills_a) {
        t.operands.fill_a(t.operands.fill_context, t.batch, first, count, column, length, scratch,
                          stride);
      } else {
        kernels().copy_rows(t.operands.a + at.a + first * shape.a_stride + column, shape.a_stride,
                            count, length, scratch, stride);
      }
      g.a = scratch;
    } else {
      g.a = t.operands.a + at.a + first * stride + column;
    }
    g.a_row = shape.transpose_a ? 1 : stride;
    g.a_depth = shape.transpose_a ? stride : 1;
    kernels().gemm_block(g);
  }
}

void apply_epilogue(const Task& t, float* c, int64_t c_stride) {
  const Epilogue& epilogue = t.operands.epilogue;
  if (epilogue.apply == nullptr) return;
  const GemmBatch& at = t.plan.shape.batch[static_cast<size_t>(t.batch)];
  epilogue.apply(epilogue.context, c, at.row + t.row0, t.rows, at.col + t.col0, t.cols, c_stride);
}

// k = 0: the sum of nothing.
void run_empty(const GemmPlan& plan, const GemmOperands& operands) {
  const GemmShape& shape = plan.shape;
  for (size_t i = 0; i < shape.batch.size(); ++i) {
    float* c = operands.c + shape.batch[i].c;
    if (!shape.accumulate) {
      for (int64_t r = 0; r < shape.m; ++r) std::fill_n(c + r * shape.c_stride, shape.n, 0.0f);
    }
    apply_epilogue({plan, operands, static_cast<int64_t>(i), 0, shape.m, 0, shape.n, 0, 0}, c,
                   shape.c_stride);
  }
}

}  // namespace

float* thread_scratch(int64_t floats) noexcept {
  struct Free {
    void operator()(float* p) const { ::operator delete[](p, std::align_val_t{64}); }
  };
  thread_local std::unique_ptr<float[], Free> memory;
  thread_local int64_t size = 0;
  if (size < floats) {
    size = round_up(floats, 1 << 16);
    memory.reset();
    memory.reset(static_cast<float*>(
        ::operator new[](static_cast<size_t>(size) * sizeof(float), std::align_val_t{64})));
  }
  return memory.get();
}

GemmPlan plan_gemm(const GemmShape& shape) {
  GemmPlan plan;
  plan.shape = shape;
  const int64_t m = std::max<int64_t>(shape.m, 1);
  const int64_t n = std::max<int64_t>(shape.n, 1);
  const int64_t k = std::max<int64_t>(shape.k, 1);
  const int64_t batch = static_cast<int64_t>(shape.batch.size());
  const int64_t wanted = std::clamp<int64_t>(2 * m * n * k * batch / kTaskCost, 1, kMaxTasks);

  // Rows first; a filled A is cut into columns of C last, because each of those fills it again.
  plan.row_blocks = divide_up(m, kMaxRows);
  plan.col_blocks = 1;
  if (batch * plan.row_blocks < wanted) {
    const int64_t missing = divide_up(wanted, batch * plan.row_blocks);
    if (shape.fills_a && shape.transpose_a) {
      // Left to the split of k: narrow blocks of the patches' columns are slow to fill.
    } else if (m >= 2 * n || shape.fills_a) {
      plan.row_blocks =
          std::min(plan.row_blocks * missing, std::max(divide_up(m, 56), plan.row_blocks));
    } else {
      plan.col_blocks = std::min(missing, divide_up(n, 64));
    }
  }
  plan.rows = divide_up(m, plan.row_blocks);
  plan.row_blocks = divide_up(m, plan.rows);
  plan.cols = std::min(n, round_up(divide_up(n, plan.col_blocks), 32));
  plan.col_blocks = divide_up(n, plan.cols);
  plan.splits = 1;
  const int64_t blocks = batch * plan.row_blocks * plan.col_blocks;
  if (blocks < wanted && k >= 2 * kMinSplit) {
    const int64_t fitting = std::max<int64_t>(kMaxPartial / (m * n * batch), 1);
    plan.splits = std::min({divide_up(wanted, blocks), k / kMinSplit, fitting});
  }
  plan.split = divide_up(k, plan.splits);
  plan.splits = divide_up(k, plan.split);
  // A little past kMaxDepth still runs in one pass.
  const int64_t passes = plan.split <= kMaxDepth * 5 / 4 ? 1 : divide_up(plan.split, kMaxDepth);
  plan.depth = divide_up(plan.split, passes);

  const bool bad_stride = shape.a_stride % kAliasing == 0 && plan.rows > 4 && plan.depth > 16;
  plan.copies_a = shape.fills_a || (bad_stride && plan.cols >= 64);
  plan.packs_b = shape.transpose_b || (plan.rows >= kPackRows && shape.b_stride > 32);
  if (plan.copies_a) {
    plan.a_floats = shape.transpose_a ? plan.depth * block_stride(plan.rows)
                                      : plan.rows * block_stride(plan.depth);
  }
  plan.scratch_floats = plan.a_floats + plan.depth * kGemmPanel + kPadding;
  if (plan.splits > 1)
    plan.workspace = static_cast<size_t>(plan.splits * batch * m * n) * sizeof(float);
  return plan;
}

void run_gemm(const GemmPlan& plan, const GemmOperands& operands) noexcept {
  const GemmShape& shape = plan.shape;
  if (shape.m == 0 || shape.n == 0 || shape.batch.empty()) return;
  if (shape.k == 0) return run_empty(plan, operands);
  const int64_t batch = static_cast<int64_t>(shape.batch.size());
  const int64_t blocks = plan.row_blocks * plan.col_blocks;
  const int64_t cost = 2 * shape.m * shape.n * shape.k;

  if (plan.splits == 1) {
    parallel_for(batch * blocks, std::max<int64_t>(cost / blocks, 1), [&](int64_t i) {
      const int64_t row0 = i % plan.row_blocks * plan.rows;
      const int64_t col0 = i / plan.row_blocks % plan.col_blocks * plan.cols;
      const Task task{plan,
                      operands,
                      i / blocks,
                      row0,
                      std::min(plan.rows, shape.m - row0),
                      col0,
                      std::min(plan.cols, shape.n - col0),
                      0,
                      shape.k};
      float* c = operands.c + shape.batch[static_cast<size_t>(task.batch)].c +
                 row0 * shape.c_stride + col0;
      run_task(task, c, shape.c_stride, shape.accumulate);
      apply_epilogue(task, c, shape.c_stride);
    });
    return;
  }

  // parts[split][batch](m, n)
  float* parts = static_cast<float*>(operands.workspace);
  const int64_t matrix = shape.m * shape.n;
  const int64_t tasks = batch * blocks * plan.splits;
  parallel_for(tasks, std::max<int64_t>(cost * batch / tasks, 1), [&](int64_t i) {
    const int64_t row0 = i % plan.row_blocks * plan.rows;
    const int64_t col0 = i / plan.row_blocks % plan.col_blocks * plan.cols;
    const int64_t part = i / blocks;  // split * batch + batch index
    const int64_t k0 = part / batch * plan.split;
    const Task task{plan,
                    operands,
                    part % batch,
                    row0,
                    std::min(plan.rows, shape.m - row0),
                    col0,
                    std::min(plan.cols, shape.n - col0),
                    k0,
                    std::min(plan.split, shape.k - k0)};
    run_task(task, parts + part * matrix + row0 * shape.n + col0, shape.n, false);
  });
  const int64_t rows = std::max<int64_t>(1, 4096 / shape.n);
  const int64_t row_chunks = divide_up(shape.m, rows);
  parallel_for(batch * row_chunks, rows * shape.n * plan.splits, [&](int64_t i) {
    const int64_t row0 = i % row_chunks * rows;
    const Task task{
        plan, operands, i / row_chunks, row0, std::min(rows, shape.m - row0), 0, shape.n, 0, 0};
    float* c = operands.c + shape.batch[static_cast<size_t>(task.batch)].c + row0 * shape.c_stride;
    const float* from = parts + task.batch * matrix + row0 * shape.n;
    if (shape.c_stride == shape.n) {
      kernels().add_partial_sums(from, plan.splits, batch * matrix, task.rows * shape.n, c,
                                 shape.accumulate);
    } else {
      for (int64_t r = 0; r < task.rows; ++r) {
        kernels().add_partial_sums(from + r * shape.n, plan.splits, batch * matrix, shape.n,
                                   c + r * shape.c_stride, shape.accumulate);
      }
    }
    apply_epilogue(task, c, shape.c_stride);
  });
}

}  // namespace pronghorn
