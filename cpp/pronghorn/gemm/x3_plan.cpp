// Which products go through AMX or vdpbf16ps, and in what pieces.
#include "pronghorn/gemm/x3_plan.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>

#include "pronghorn/base/error.h"
#include "pronghorn/base/precision.h"
#include "pronghorn/gemm/x3.h"
#include "pronghorn/kernels/kernels.h"

namespace pronghorn {
namespace {

constexpr int64_t kMaxCols = 256;   // of B that are packed at once: with kMaxDepth 786 KB of L2
constexpr int64_t kMaxDepth = 512;  // more loses accuracy: partial sums are then added in float32
constexpr int64_t kTaskCost = 1 << 22;  // operations below which a product is not cut further
constexpr int64_t kMaxTasks = 32;
constexpr int64_t kMinSplit = 1024;       // depth of a piece of k
constexpr int64_t kMaxPartial = 1 << 20;  // floats of partial sums
constexpr int64_t kMaxShared = 96 << 20;  // bytes of packed operands in the workspace
constexpr int64_t kReadingRows = 2;       // so few wait for B, which takes half the bytes

// Consecutive pieces of memory that start at multiples of 64 bytes.
struct Layout {
  int64_t bytes = 0;
  int64_t take(int64_t n) {
    const int64_t at = bytes;
    bytes += round_up(n, 64);
    return at;
  }
};

// Whether vdpbf16ps does as many operations as multiply-adds of floats: on Zen 4 twice as many, on
// Sapphire Rapids half. The best of several short runs in turn: other work does not decide.
bool has_fast_dots() {
  static const bool fast = []() {
    const auto seconds = [](auto&& rounds) {
      alignas(64) float sink[16];
      constexpr int64_t kRounds = 500;
      const auto start = std::chrono::steady_clock::now();
      const int64_t operations = rounds(kRounds, sink);
      const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
      return spent.count() / static_cast<double>(operations);
    };
    double dots = INFINITY;
    double multiply_adds = INFINITY;
    for (int i = 0; i < 8; ++i) {
      dots = std::min(dots, seconds(kernels().bfloat16_dot_rounds));
      multiply_adds = std::min(multiply_adds, seconds(kernels().multiply_add_rounds));
    }
    return dots <= multiply_adds;
  }();
  return fast;
}

}  // namespace

// See cpp/README.md.
bool pays_x3(const GemmShape& s, bool packed_b) {
  if (kernels().x3_block == nullptr || strict_float32() || s.engine == GemmEngine::kFma)
    return false;
  return s.m >= (packed_b ? 32 : 64) && s.n >= 96 && s.k >= 96;
}

bool prefers_bfloat16(int64_t rows) {
  if (!takes_bfloat16()) return false;
  return kernels().x3_block != nullptr || rows <= kReadingRows || has_fast_dots();
}

bool takes_bfloat16() { return kernels().bfloat16_block != nullptr; }

std::shared_ptr<const X3Plan> plan_x3(const GemmShape& shape) {
  const bool available = shape.bfloat16 ? takes_bfloat16() : kernels().x3_block != nullptr;
  if (shape.bfloat16 && !available) internal_error("gemm: this ISA takes no bfloat16.");
  if (shape.engine == GemmEngine::kX3 && !available) {
    internal_error("x3: this ISA has no AMX.");
  }
  const bool in_parts = shape.bfloat16 || shape.engine == GemmEngine::kX3;
  if (shape.packed_b && !in_parts) return nullptr;
  const bool empty = shape.m == 0 || shape.n == 0 || shape.k == 0 || shape.batch.empty();
  if (shape.engine == GemmEngine::kFma || !available || empty) return nullptr;
  const bool left_open = shape.engine == GemmEngine::kAny && !shape.bfloat16;
  if (left_open && !pays_x3(shape, false)) return nullptr;

  auto result = std::make_shared<X3Plan>();
  X3Plan& plan = *result;
  const int64_t m = shape.m;
  const int64_t n = shape.n;
  const int64_t k = shape.k;
  const int64_t batch = static_cast<int64_t>(shape.batch.size());
  const int64_t flops = 2 * m * n * batch;  // of one k
  const int64_t wanted =
      flops > kTaskCost * kMaxTasks / k ? kMaxTasks : std::max<int64_t>(flops * k / kTaskCost, 1);

  plan.row_blocks = divide_up(m, kX3Rows);
  plan.col_blocks = divide_up(n, kMaxCols);
  // A small result of a long sum: pieces of k, each of which computes all of it.
  if (batch * plan.row_blocks * plan.col_blocks < wanted && k >= 2 * kMinSplit &&
      m * n * batch <= kMaxPartial && n <= 2 * kMaxCols) {
    plan.row_blocks = 1;
    plan.col_blocks = 1;
    const int64_t fitting = std::max<int64_t>(kMaxPartial / (m * n * batch), 1);
    plan.splits = std::min({divide_up(wanted, batch), k / kMinSplit, fitting});
  } else {
    plan.splits = 1;
    if (shape.fills_a) plan.col_blocks = 1;  // each would fill again
    const int64_t missing = divide_up(wanted, batch * plan.row_blocks * plan.col_blocks);
    if (shape.fills_a || m >= 2 * n) {
      plan.row_blocks =
          std::max(plan.row_blocks, std::min(plan.row_blocks * missing, divide_up(m, 128)));
    } else {
      plan.col_blocks =
          std::max(plan.col_blocks, std::min(plan.col_blocks * missing, divide_up(n, 128)));
    }
  }
  plan.rows = round_up(divide_up(m, plan.row_blocks), kX3Lines);
  plan.row_blocks = divide_up(m, plan.rows);
  plan.cols = round_up(divide_up(n, plan.col_blocks), kX3Lines);
  plan.col_blocks = divide_up(n, plan.cols);

  plan.split = divide_up(k, plan.splits);
  const int64_t passes = plan.split <= kX3MaxPass ? 1 : divide_up(plan.split, kMaxDepth);
  plan.depth = round_up(divide_up(plan.split, passes), kX3Depth);
  if (plan.splits > 1) plan.split = round_up(plan.split, plan.depth);
  plan.splits = divide_up(k, plan.split);

  plan.shares_a = plan.col_blocks > 1 && !shape.fills_a;
  plan.shares_b = plan.row_blocks > 1 && !shape.packed_b;
  const int64_t a_bytes = batch * x3_panels(m) * x3_panel_bytes(shape, k);
  const int64_t b_bytes = batch * x3_panels(n) * x3_panel_bytes(shape, k);
  if (plan.shares_a && a_bytes > kMaxShared) plan.shares_a = false;
  if (plan.shares_b && b_bytes > kMaxShared) plan.shares_b = false;

  const int64_t all_passes = divide_up(k, plan.depth);
  Layout workspace;
  if (plan.shares_a) plan.packed_a = workspace.take(a_bytes);
  if (plan.shares_b) plan.packed_b = workspace.take(b_bytes);
  const int64_t largest = (plan.shares_a ? x3_panels(m) : 0) + (plan.shares_b ? x3_panels(n) : 0);
  plan.largest = workspace.take(batch * all_passes * largest * 4);
  if (plan.splits > 1) plan.parts = workspace.take(plan.splits * batch * m * n * 4);
  plan.workspace = workspace.bytes;

  const int64_t rows = std::min(plan.rows, kX3Rows);
  Layout scratch;
  scratch.take(plan.shares_a ? 0 : x3_panels(rows) * x3_panel_bytes(shape, plan.depth));
  plan.scratch_b = scratch.take(plan.shares_b || shape.packed_b
                                    ? 0
                                    : x3_panels(plan.cols) * x3_panel_bytes(shape, plan.depth));
  plan.scratch_fill = scratch.take(shape.fills_a ? x3_fill_floats(shape, plan.depth) * 4 : 0);
  plan.scratch_c = scratch.take(
      shape.accumulate || shape.discards_c ? plan.rows * block_stride(plan.cols) * 4 : 0);
  const int64_t row_panels = x3_panels(plan.rows);
  const int64_t col_panels = x3_panels(plan.cols);
  plan.scratch_largest = scratch.take((row_panels + col_panels + row_panels * col_panels) * 4);
  plan.scratch = scratch.bytes;
  return result;
}

int64_t columns_of(const X3Plan& plan) { return plan.cols; }
size_t workspace_of(const X3Plan& plan) { return static_cast<size_t>(plan.workspace); }

}  // namespace pronghorn
