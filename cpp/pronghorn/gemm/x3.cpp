#include "pronghorn/gemm/x3.h"

#include <algorithm>

#include "pronghorn/base/error.h"
#include "pronghorn/base/parallel.h"
#include "pronghorn/base/precision.h"
#include "pronghorn/gemm/sizes.h"
#include "pronghorn/kernels/kernels.h"

namespace pronghorn {

// A task computes a block of C: for each pass along k it packs its rows of A and columns of B, or
// finds them packed in the workspace, which comes first for operands that several tasks read.
struct X3Plan {
  int64_t rows = 0;  // of a block of C, multiples of kX3Lines
  int64_t cols = 0;
  int64_t row_blocks = 0;
  int64_t col_blocks = 0;
  int64_t split = 0;  // k is cut into pieces of this size, which run in parallel
  int64_t splits = 0;
  int64_t depth = 0;       // of a pass
  int64_t step_bytes = 0;  // of a packed panel, for 32 k
  bool shares_a = false;
  bool shares_b = false;
  // Workspace, in bytes from its start: packed A and B, their largest elements, partial sums.
  int64_t packed_a = 0;
  int64_t packed_b = 0;
  int64_t largest = 0;
  int64_t parts = 0;
  int64_t workspace = 0;
  // Scratch memory of a thread, likewise: packed A and B, filled rows of A, the block of C.
  int64_t scratch_b = 0;
  int64_t scratch_fill = 0;
  int64_t scratch_c = 0;
  int64_t scratch_largest = 0;
  int64_t scratch = 0;
};

namespace {

constexpr int64_t kMaxRows = 256;   // of A that are packed at once: with kMaxDepth 786 KB of L2
constexpr int64_t kMaxCols = 256;   // likewise of B
constexpr int64_t kMaxDepth = 512;  // more loses accuracy: partial sums are then added in float32
constexpr int64_t kTaskCost = 1 << 22;  // operations below which a product is not cut further
constexpr int64_t kMaxTasks = 32;
constexpr int64_t kMinSplit = 1024;       // depth of a piece of k
constexpr int64_t kMaxPartial = 1 << 20;  // floats of partial sums
constexpr int64_t kMaxShared = 96 << 20;  // bytes of packed operands in the workspace

int64_t panels_of(int64_t lines) { return divide_up(lines, kX3Lines); }
int64_t panel_bytes(const X3Plan& plan, int64_t depth) {
  return divide_up(depth, kX3Depth) * plan.step_bytes;
}

// Consecutive pieces of memory that start at multiples of 64 bytes.
struct Layout {
  int64_t bytes = 0;
  int64_t take(int64_t n) {
    const int64_t at = bytes;
    bytes += round_up(n, 64);
    return at;
  }
};

// One operand, A by rows, B by columns. Strides in elements.
struct Lines {
  const void* x;
  int64_t line_stride;
  int64_t depth_stride;
};

const void* element(const GemmShape& s, const void* x, int64_t index) {
  return static_cast<const char*>(x) + index * (s.bfloat16 ? 2 : 4);
}

Lines lines_of_a(const GemmShape& s, const GemmOperands& operands, int64_t batch) {
  const void* a = element(s, operands.a, s.batch[static_cast<size_t>(batch)].a);
  return s.transpose_a ? Lines{a, 1, s.a_stride} : Lines{a, s.a_stride, 1};
}
Lines lines_of_b(const GemmShape& s, const GemmOperands& operands, int64_t batch) {
  const void* b = element(s, operands.b, s.batch[static_cast<size_t>(batch)].b);
  return s.transpose_b ? Lines{b, s.b_stride, 1} : Lines{b, 1, s.b_stride};
}

void pack(const GemmShape& s, const Lines& x, int64_t line0, int64_t lines, int64_t k0,
          int64_t depth, bool is_b, char* packed, int64_t panel_bytes, float* largest) {
  const X3Pack call{.x = element(s, x.x, line0 * x.line_stride + k0 * x.depth_stride),
                    .line_stride = x.line_stride,
                    .depth_stride = x.depth_stride,
                    .lines = lines,
                    .depth = depth,
                    .is_b = is_b,
                    .packed = packed,
                    .panel_bytes = panel_bytes,
                    .largest = largest};
  if (s.bfloat16) {
    kernels().bfloat16_pack(call);
  } else {
    kernels().x3_pack(call);
  }
}

// A whole operand into the workspace. Pieces of a few panels and one pass along k, each with its
// own largest elements.
void pack_shared(const X3Plan& plan, int64_t lines, int64_t k, int64_t batch, bool is_b,
                 const GemmShape& shape, const GemmOperands& operands, char* packed,
                 float* largest) {
  constexpr int64_t kPanels = 4;
  const int64_t panels = panels_of(lines);
  const int64_t groups = divide_up(panels, kPanels);
  const int64_t passes = divide_up(k, plan.depth);
  const int64_t bytes = panel_bytes(plan, k);
  parallel_for(batch * groups * passes, kPanels * kX3Lines * plan.depth * 8, [&](int64_t i) {
    const int64_t pass = i % passes;
    const int64_t group = i / passes % groups;
    const int64_t item = i / passes / groups;
    const int64_t panel = group * kPanels;
    const int64_t count = std::min(kPanels, panels - panel);
    const int64_t line0 = panel * kX3Lines;
    const int64_t k0 = pass * plan.depth;
    float* to = largest + (item * passes + pass) * panels + panel;
    std::fill_n(to, count, 0.0f);
    const Lines x = is_b ? lines_of_b(shape, operands, item) : lines_of_a(shape, operands, item);
    pack(shape, x, line0, std::min(kPanels * kX3Lines, lines - line0), k0,
         std::min(plan.depth, k - k0), is_b,
         packed + (item * panels + panel) * bytes + k0 / kX3Depth * plan.step_bytes, bytes, to);
  });
}

struct Task {
  const GemmShape& shape;
  const X3Plan& plan;
  const GemmOperands& operands;
  int64_t batch;
  int64_t row0, rows;
  int64_t col0, cols;
  int64_t k0, depth;
};

// Rows of A from the FillBlock: as many at once as take little cache.
void pack_filled(const Task& t, int64_t row0, int64_t rows, int64_t k, int64_t depth, char* packed,
                 int64_t bytes, float* filled, float* largest) {
  const GemmOperands& o = t.operands;
  if (t.shape.transpose_a) {
    const int64_t stride = round_up(rows, 16) + 16;
    for (int64_t at = 0; at < depth; at += kX3Depth) {
      const int64_t n = std::min(kX3Depth, depth - at);
      o.fill_a(o.fill_context, t.batch, k + at, n, row0, rows, filled, stride);
      pack(t.shape, {filled, 1, stride}, 0, rows, 0, n, false,
           packed + at / kX3Depth * t.plan.step_bytes, bytes, largest);
    }
    return;
  }
  const int64_t stride = round_up(depth, 16) + 16;
  for (int64_t at = 0; at < rows; at += kX3Lines) {
    const int64_t n = std::min(kX3Lines, rows - at);
    o.fill_a(o.fill_context, t.batch, row0 + at, n, k, depth, filled, stride);
    pack(t.shape, {filled, stride, 1}, 0, n, 0, depth, false, packed + at / kX3Lines * bytes, bytes,
         largest + at / kX3Lines);
  }
}

int64_t fill_floats(const GemmShape& shape, int64_t depth) {
  return shape.transpose_a ? kX3Depth * (kMaxRows + 32) : kX3Lines * (depth + 32);
}

// Rows of a block of 32 columns again, in plain float32.
void recompute(const Task& t, int64_t row, uint32_t mask, int64_t col, int64_t cols, float* c,
               int64_t c_stride, float* filled) {
  const Lines b = lines_of_b(t.shape, t.operands, t.batch);
  const GemmOperands& o = t.operands;
  for (int64_t i = 0; i < kX3Lines; ++i) {
    if ((mask >> i & 1) == 0) continue;
    for (int64_t k = 0; k < t.depth; k += t.plan.depth) {
      const int64_t depth = std::min(t.plan.depth, t.depth - k);
      const float* a = filled;
      int64_t a_depth = 1;
      if (!t.shape.fills_a) {
        const Lines x = lines_of_a(t.shape, o, t.batch);
        a = static_cast<const float*>(x.x) + (row + i) * x.line_stride +
            (t.k0 + k) * x.depth_stride;
        a_depth = x.depth_stride;
      } else if (t.shape.transpose_a) {
        o.fill_a(o.fill_context, t.batch, t.k0 + k, depth, row + i, 1, filled, 1);
      } else {
        o.fill_a(o.fill_context, t.batch, row + i, 1, t.k0 + k, depth, filled, depth);
      }
      const float* from =
          static_cast<const float*>(b.x) + col * b.line_stride + (t.k0 + k) * b.depth_stride;
      kernels().x3_plain_row(a, a_depth, from, b.depth_stride, b.line_stride, depth, cols,
                             c + i * c_stride, k > 0);
    }
  }
}

void run_task(const Task& t, float* c, int64_t c_stride) {
  const X3Plan& plan = t.plan;
  const GemmShape& shape = t.shape;
  char* workspace = static_cast<char*>(t.operands.workspace);
  char* scratch = reinterpret_cast<char*>(thread_scratch(plan.scratch / 4));
  float* filled = reinterpret_cast<float*>(scratch + plan.scratch_fill);
  const int64_t passes = divide_up(shape.k, plan.depth);
  const int64_t row_panels = panels_of(t.rows);
  const int64_t col_panels = panels_of(t.cols);
  float* largest_a = reinterpret_cast<float*>(scratch + plan.scratch_largest);
  float* largest_b = largest_a + row_panels;
  uint32_t* suspect = reinterpret_cast<uint32_t*>(largest_b + col_panels);
  std::fill_n(largest_a, row_panels + col_panels, 0.0f);

  // What is packed already: panels of the whole depth.
  const auto shared = [&](int64_t at, int64_t lines, int64_t line0, int64_t k) {
    const int64_t panel = t.batch * panels_of(lines) + line0 / kX3Lines;
    return workspace + at + panel * panel_bytes(plan, shape.k) + k / kX3Depth * plan.step_bytes;
  };
  const auto raise = [&](int64_t at, int64_t lines, int64_t line0, int64_t k, int64_t count,
                         float* largest) {
    const float* from = reinterpret_cast<float*>(workspace + plan.largest) + at +
                        (t.batch * passes + k / plan.depth) * panels_of(lines) + line0 / kX3Lines;
    for (int64_t i = 0; i < count; ++i) largest[i] = std::max(largest[i], from[i]);
  };
  const int64_t batch = static_cast<int64_t>(shape.batch.size());
  const int64_t largest_b_at = plan.shares_a ? batch * passes * panels_of(shape.m) : 0;

  for (int64_t k = t.k0; k < t.k0 + t.depth; k += plan.depth) {
    X3Block g{};
    const int64_t depth = std::min(plan.depth, t.k0 + t.depth - k);
    const int64_t own_bytes = panel_bytes(plan, depth);
    const bool last = k + plan.depth >= t.k0 + t.depth;
    g.steps = divide_up(depth, kX3Depth);
    g.c_row = c_stride;
    g.cols = t.cols;
    g.accumulate = k > t.k0;
    g.depth = t.depth;
    g.parts = shape.bfloat16 ? 1 : 3;
    g.suspect_stride = col_panels;
    if (plan.shares_b) {
      g.b = shared(plan.packed_b, shape.n, t.col0, k);
      g.b_panel_bytes = panel_bytes(plan, shape.k);
      raise(largest_b_at, shape.n, t.col0, k, col_panels, largest_b);
    } else {
      char* to = scratch + plan.scratch_b;
      pack(shape, lines_of_b(shape, t.operands, t.batch), t.col0, t.cols, k, depth, true, to,
           own_bytes, largest_b);
      g.b = to;
      g.b_panel_bytes = own_bytes;
    }
    for (int64_t row = 0; row < t.rows; row += kMaxRows) {
      const int64_t panel = row / kX3Lines;
      g.rows = std::min(kMaxRows, t.rows - row);
      g.c = c + row * c_stride;
      if (plan.shares_a) {
        g.a = shared(plan.packed_a, shape.m, t.row0 + row, k);
        g.a_panel_bytes = panel_bytes(plan, shape.k);
        raise(0, shape.m, t.row0 + row, k, panels_of(g.rows), largest_a + panel);
      } else {
        if (shape.fills_a) {
          pack_filled(t, t.row0 + row, g.rows, k, depth, scratch, own_bytes, filled,
                      largest_a + panel);
        } else {
          pack(shape, lines_of_a(shape, t.operands, t.batch), t.row0 + row, g.rows, k, depth, false,
               scratch, own_bytes, largest_a + panel);
        }
        g.a = scratch;
        g.a_panel_bytes = own_bytes;
      }
      g.suspect = last && !shape.bfloat16 ? suspect + panel * col_panels : nullptr;
      g.largest_a = largest_a + panel;
      g.largest_b = largest_b;
      kernels().x3_block(g);
    }
  }
  if (shape.bfloat16) return;
  for (int64_t i = 0; i < row_panels; ++i) {
    for (int64_t j = 0; j < col_panels; ++j) {
      const uint32_t mask = suspect[i * col_panels + j];
      if (mask == 0) continue;
      const int64_t row = i * kX3Lines;
      const int64_t col = j * kX3Lines;
      recompute(t, t.row0 + row, mask, t.col0 + col, std::min(kX3Lines, t.cols - col),
                c + row * c_stride + col, c_stride, filled);
    }
  }
}

void apply_epilogue(const Task& t, float* c) {
  const Epilogue& epilogue = t.operands.epilogue;
  if (epilogue.apply == nullptr) return;
  const GemmBatch& at = t.shape.batch[static_cast<size_t>(t.batch)];
  epilogue.apply(epilogue.context, c, at.row + t.row0, t.rows, at.col + t.col0, t.cols,
                 t.shape.c_stride);
}

float* result_of(const Task& t) {
  return t.operands.c + t.shape.batch[static_cast<size_t>(t.batch)].c + t.row0 * t.shape.c_stride +
         t.col0;
}

void run_whole(const Task& t) {
  float* c = result_of(t);
  if (!t.shape.accumulate) {
    run_task(t, c, t.shape.c_stride);
  } else {
    const int64_t stride = round_up(t.cols, 16);
    char* scratch = reinterpret_cast<char*>(thread_scratch(t.plan.scratch / 4));
    float* block = reinterpret_cast<float*>(scratch + t.plan.scratch_c);
    run_task(t, block, stride);
    for (int64_t i = 0; i < t.rows; ++i) {
      kernels().add_partial_sums(block + i * stride, 1, 0, t.cols, c + i * t.shape.c_stride, true);
    }
  }
  apply_epilogue(t, c);
}

// Partial sums of the pieces of k: parts[split][batch](m, n).
void add_parts(const GemmShape& shape, const X3Plan& plan, const GemmOperands& operands,
               const float* parts) {
  const int64_t batch = static_cast<int64_t>(shape.batch.size());
  const int64_t matrix = shape.m * shape.n;
  const int64_t rows = std::max<int64_t>(1, 4096 / shape.n);
  const int64_t chunks = divide_up(shape.m, rows);
  parallel_for(batch * chunks, rows * shape.n * plan.splits, [&](int64_t i) {
    const int64_t row0 = i % chunks * rows;
    const Task t{shape, plan,    operands, i / chunks, row0, std::min(rows, shape.m - row0),
                 0,     shape.n, 0,        0};
    float* c = result_of(t);
    const float* from = parts + t.batch * matrix + row0 * shape.n;
    for (int64_t r = 0; r < t.rows; ++r) {
      kernels().add_partial_sums(from + r * shape.n, plan.splits, batch * matrix, shape.n,
                                 c + r * shape.c_stride, shape.accumulate);
    }
    apply_epilogue(t, c);
  });
}

// Whether this engine is faster than FMA. See cpp/README.md.
bool pays(const GemmShape& s) { return s.m >= 64 && s.n >= 96 && s.k >= 96; }

}  // namespace

bool takes_bfloat16() { return kernels().x3_block != nullptr; }

std::shared_ptr<const X3Plan> plan_x3(const GemmShape& shape) {
  const bool available = kernels().x3_block != nullptr;
  if (shape.bfloat16 && !available) internal_error("gemm: this ISA takes no bfloat16.");
  if (shape.engine == GemmEngine::kX3 && !available) {
    internal_error("x3: this ISA has no AMX.");
  }
  if (shape.packed_b) return nullptr;
  const bool empty = shape.m == 0 || shape.n == 0 || shape.k == 0 || shape.batch.empty();
  if (shape.engine == GemmEngine::kFma || !available || empty) return nullptr;
  const bool left_open = shape.engine == GemmEngine::kAny && !shape.bfloat16;
  if (left_open && (strict_float32() || !pays(shape))) return nullptr;

  auto result = std::make_shared<X3Plan>();
  X3Plan& plan = *result;
  plan.step_bytes = (shape.bfloat16 ? 1 : 3) * kX3PartBytes;
  const int64_t m = shape.m;
  const int64_t n = shape.n;
  const int64_t k = shape.k;
  const int64_t batch = static_cast<int64_t>(shape.batch.size());
  const int64_t flops = 2 * m * n * batch;  // of one k
  const int64_t wanted =
      flops > kTaskCost * kMaxTasks / k ? kMaxTasks : std::max<int64_t>(flops * k / kTaskCost, 1);

  plan.row_blocks = divide_up(m, kMaxRows);
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
  plan.shares_b = plan.row_blocks > 1;
  const int64_t a_bytes = batch * panels_of(m) * panel_bytes(plan, k);
  const int64_t b_bytes = batch * panels_of(n) * panel_bytes(plan, k);
  if (plan.shares_a && a_bytes > kMaxShared) plan.shares_a = false;
  if (plan.shares_b && b_bytes > kMaxShared) plan.shares_b = false;

  const int64_t all_passes = divide_up(k, plan.depth);
  Layout workspace;
  if (plan.shares_a) plan.packed_a = workspace.take(a_bytes);
  if (plan.shares_b) plan.packed_b = workspace.take(b_bytes);
  const int64_t largest = (plan.shares_a ? panels_of(m) : 0) + (plan.shares_b ? panels_of(n) : 0);
  plan.largest = workspace.take(batch * all_passes * largest * 4);
  if (plan.splits > 1) plan.parts = workspace.take(plan.splits * batch * m * n * 4);
  plan.workspace = workspace.bytes;

  const int64_t rows = std::min(plan.rows, kMaxRows);
  Layout scratch;
  scratch.take(plan.shares_a ? 0 : panels_of(rows) * panel_bytes(plan, plan.depth));
  plan.scratch_b =
      scratch.take(plan.shares_b ? 0 : panels_of(plan.cols) * panel_bytes(plan, plan.depth));
  plan.scratch_fill = scratch.take(shape.fills_a ? fill_floats(shape, plan.depth) * 4 : 0);
  plan.scratch_c = scratch.take(shape.accumulate ? plan.rows * round_up(plan.cols, 16) * 4 : 0);
  const int64_t row_panels = panels_of(plan.rows);
  const int64_t col_panels = panels_of(plan.cols);
  plan.scratch_largest = scratch.take((row_panels + col_panels + row_panels * col_panels) * 4);
  plan.scratch = scratch.bytes;
  return result;
}

int64_t columns_of(const X3Plan& plan) { return plan.cols; }
size_t workspace_of(const X3Plan& plan) { return static_cast<size_t>(plan.workspace); }

void run_x3(const GemmShape& shape, const X3Plan& plan, const GemmOperands& operands) noexcept {
  const int64_t batch = static_cast<int64_t>(shape.batch.size());
  char* workspace = static_cast<char*>(operands.workspace);
  float* largest = reinterpret_cast<float*>(workspace + plan.largest);
  if (plan.shares_a) {
    pack_shared(plan, shape.m, shape.k, batch, false, shape, operands, workspace + plan.packed_a,
                largest);
    largest += batch * divide_up(shape.k, plan.depth) * panels_of(shape.m);
  }
  if (plan.shares_b) {
    pack_shared(plan, shape.n, shape.k, batch, true, shape, operands, workspace + plan.packed_b,
                largest);
  }
  float* parts = reinterpret_cast<float*>(workspace + plan.parts);
  const int64_t blocks = plan.row_blocks * plan.col_blocks;
  const int64_t tasks = batch * blocks * plan.splits;
  const int64_t cost = 2 * plan.rows * plan.cols * std::min(plan.split, shape.k);
  parallel_for(tasks, cost, [&](int64_t i) {
    const int64_t row0 = i % plan.row_blocks * plan.rows;
    const int64_t col0 = i / plan.row_blocks % plan.col_blocks * plan.cols;
    const int64_t part = i / blocks;  // split * batch + batch index
    const int64_t k0 = part / batch * plan.split;
    const Task t{shape,    plan,
                 operands, part % batch,
                 row0,     std::min(plan.rows, shape.m - row0),
                 col0,     std::min(plan.cols, shape.n - col0),
                 k0,       std::min(plan.split, shape.k - k0)};
    if (plan.splits == 1) return run_whole(t);
    run_task(t, parts + part * shape.m * shape.n + row0 * shape.n + col0, shape.n);
  });
  if (plan.splits > 1) add_parts(shape, plan, operands, parts);
}

}  // namespace pronghorn
