// Which way a matrix product is computed, by its shape: figures are of one AVX-512 core with 2 MB
// of L2 cache.
#include <algorithm>
#include <utility>

#include "pronghorn/gemm/gemm.h"
#include "pronghorn/gemm/sizes.h"
#include "pronghorn/gemm/x3.h"
#include "pronghorn/kernels/kernels.h"

namespace pronghorn {
namespace {

constexpr int64_t kMaxRows = 224;       // of a block: with kMaxDepth a quarter of a small L2 cache
constexpr int64_t kMaxDepth = 256;      // a panel of B (32 columns) takes 32 KB
constexpr int64_t kMaxCols = 1024;      // of a block of C that stays in the L2 cache between passes
constexpr int64_t kTaskCost = 1 << 20;  // operations below which a product is not cut further
constexpr double kFloatCost = 16;       // operations in which a float of B arrives
constexpr int64_t kFewRowsCols = 512;   // of a block that waits for B: longer pieces of its rows
constexpr int64_t kMaxTasks = 32;
constexpr int64_t kFewTasks = 8;
constexpr int64_t kLargeTask = 1 << 26;  // operations for which there is a task more than these

constexpr int64_t kTinyCost = 1 << 17;  // products of a batch below this share a task
constexpr int64_t kMinSplit = 512;      // depth of a piece of k
constexpr int64_t kFarA = 1 << 17;      // floats of A which tasks find in a farther cache again
constexpr int64_t kFarB = 1 << 19;      // floats of B which are read from a farther cache
constexpr int64_t kPackRowsFar = 24;    // from so many rows on, packing such a B pays
constexpr int64_t kFarDepth = 64;       // of a pass over such a B whose rows alias
constexpr int64_t kFetchFloats = 1 << 17;
constexpr int64_t kMaxPartial = 1 << 20;  // floats of partial sums
constexpr int64_t kPackRows = 64;         // from so many rows on, packing B pays
constexpr int64_t kDotRows = 3;           // rows up to here are dotted with stored rows of B
constexpr int64_t kSwapRows = 128;        // more rows are better multiplied with packed columns
constexpr int64_t kSwapDepth = 128;       // that pays for transposing the result
constexpr int64_t kPackCols = 192;        // from so many columns on, packing A pays
constexpr int64_t kPackCost = 1 << 22;    // operations of such a product
constexpr int64_t kMaxPacked = 1 << 22;   // floats of packed A, and of a slice of B
constexpr int64_t kAliasing = 512;  // floats; rows so far apart fall into few sets of the L1 cache

// Blocks of rows, columns and k that run in parallel.
void cut(GemmPlan& plan, int64_t m, int64_t n, int64_t k, int64_t batch) {
  const GemmShape& shape = plan.shape;
  // Many for large products, few and large ones for others: they read what is shared again.
  const double cost = 2.0 * static_cast<double>(m) * static_cast<double>(n) *
                      static_cast<double>(k) * static_cast<double>(batch);
  const int64_t most =
      std::min(kMaxTasks, kFewTasks + static_cast<int64_t>(cost / static_cast<double>(kLargeTask)));
  // Few rows wait for B: a float of it takes as long as so many operations.
  const double reading =
      kFloatCost * static_cast<double>(n) * static_cast<double>(k) * static_cast<double>(batch);
  const int64_t wanted =
      std::clamp<int64_t>(static_cast<int64_t>(std::max(cost, reading) / kTaskCost), 1, most);
  // Rows first; a filled A is cut into columns of C last, because each of those fills it again.
  plan.row_blocks = divide_up(m, kMaxRows);
  plan.col_blocks = shape.fills_a ? 1 : divide_up(n, kMaxCols);
  if (batch * plan.row_blocks * plan.col_blocks < wanted) {
    const int64_t missing = divide_up(wanted, batch * plan.row_blocks * plan.col_blocks);
    if (shape.fills_a && shape.transpose_a) {
      // Left to the split of k: narrow blocks of the patches' columns are slow to fill.
    } else if (m >= 2 * n || shape.fills_a) {
      plan.row_blocks =
          std::min(plan.row_blocks * missing, std::max(divide_up(m, 56), plan.row_blocks));
    } else {
      const int64_t narrowest = reading > cost ? kFewRowsCols : m * k > kFarA ? 128 : 64;
      plan.col_blocks = std::min(plan.col_blocks * missing, divide_up(n, narrowest));
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
}

// What is copied or packed, and by whom.
void choose_packing(GemmPlan& plan, int64_t m, int64_t n, int64_t k, int64_t batch) {
  const GemmShape& shape = plan.shape;
  const double cost = 2.0 * static_cast<double>(m) * static_cast<double>(n) *
                      static_cast<double>(k) * static_cast<double>(batch);
  const bool whole = plan.splits == 1;
  plan.packs_a = whole && !shape.fills_a && m > 2 * kDotRows && n >= kPackCols && k >= 16 &&
                 cost >= kPackCost && m * k <= kMaxPacked / batch;
  const bool bad_stride =
      shape.a_stride % kAliasing == 0 && plan.a_row != 1 && plan.rows > 4 && plan.depth > 16;
  plan.copies_a = shape.fills_a || (!plan.packs_a && bad_stride && plan.cols >= 64);
  const bool transposes_b = plan.b_col != 1 && !(plan.rows <= kDotRows && plan.a_depth == 1);
  const bool far_b = k * n >= kFarB && plan.b_depth % kAliasing != 0;
  plan.packs_b =
      !shape.packed_b && (transposes_b || (plan.rows >= (far_b ? kPackRowsFar : kPackRows) &&
                                           plan.b_depth > plan.panel_columns));
  plan.shares_b =
      plan.packs_b && whole && plan.row_blocks > 1 && k * plan.cols <= kMaxPacked / batch;
  if (plan.shares_b) {
    plan.packs_b = false;
    plan.slice = std::clamp(kMaxPacked / batch / k / plan.cols * plan.cols, plan.cols,
                            plan.col_blocks * plan.cols);
  }
}

// Rows of a large B that fall into few cache sets are read where they lie: fewer of them at a time,
// so that what is fetched with a panel is there for the next one (1024x1024 with 8 and 16 rows: 1.2
// times as fast).
bool reads_aliasing_rows(const GemmPlan& plan, int64_t n, int64_t k) {
  return !plan.shape.packed_b && !plan.packs_b && !plan.shares_b && plan.b_col == 1 &&
         k * n >= kFarB && plan.b_depth % kAliasing == 0;
}

}  // namespace

GemmPlan plan_gemm(const GemmShape& shape) {
  GemmPlan plan;
  plan.shape = shape;
  plan.x3 = plan_x3(shape);
  if (plan.x3 != nullptr) {
    plan.cols = columns_of(*plan.x3);
    plan.workspace = workspace_of(*plan.x3);
    return plan;
  }
  plan.panel_columns = kernels().gemm_panel_columns();
  plan.swaps = shape.transpose_b && !shape.packed_b && !shape.fills_a && !shape.accumulate &&
               shape.m > kDotRows &&
               (shape.transpose_a ||
                (4 * shape.m <= shape.n && shape.m <= kSwapRows && shape.k >= kSwapDepth));
  plan.m = shape.m;
  plan.n = shape.n;
  plan.a_row = shape.transpose_a ? 1 : shape.a_stride;
  plan.a_depth = shape.transpose_a ? shape.a_stride : 1;
  plan.b_depth = shape.transpose_b ? 1 : shape.b_stride;
  plan.b_col = shape.transpose_b ? shape.b_stride : 1;
  if (shape.packed_b) {
    plan.b_depth = plan.panel_columns;
    plan.b_col = 1;
  }
  if (plan.swaps) {
    std::swap(plan.m, plan.n);
    std::swap(plan.a_row, plan.b_col);
    std::swap(plan.a_depth, plan.b_depth);
  }
  const int64_t m = std::max<int64_t>(plan.m, 1);
  const int64_t n = std::max<int64_t>(plan.n, 1);
  const int64_t k = std::max<int64_t>(shape.k, 1);
  const int64_t batch = std::max<int64_t>(static_cast<int64_t>(shape.batch.size()), 1);
  cut(plan, m, n, k, batch);
  plan.slice = plan.col_blocks * plan.cols;
  choose_packing(plan, m, n, k, batch);
  plan.fetches = k * n >= kFetchFloats || m * k >= kFetchFloats;
  if (reads_aliasing_rows(plan, n, k)) plan.depth = std::min(plan.depth, kFarDepth);
  if (plan.row_blocks * plan.col_blocks * plan.splits == 1)
    plan.products = std::clamp<int64_t>(kTinyCost / (2 * m * n * k), 1, batch);

  plan.panel_floats = plan.depth * kGemmPanel + 16;
  if (plan.copies_a) {
    const bool by_depth = shape.fills_a ? shape.transpose_a : plan.a_row == 1;
    plan.a_floats =
        by_depth ? plan.depth * block_stride(plan.rows) : plan.rows * block_stride(plan.depth);
  }
  if (plan.swaps) plan.c_floats = plan.rows * block_stride(plan.cols);
  int64_t floats = 0;
  if (plan.splits > 1) floats = plan.splits * batch * m * n;
  if (plan.packs_a) plan.packed_a = round_up(batch * m * k, 16);
  if (plan.shares_b) plan.packed_b = batch * round_up(plan.slice, plan.panel_columns) * k;
  floats += plan.packed_a + plan.packed_b;
  plan.workspace = static_cast<size_t>(floats) * sizeof(float);
  return plan;
}

}  // namespace pronghorn
