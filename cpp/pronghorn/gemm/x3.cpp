#include "pronghorn/gemm/x3.h"

#include <algorithm>

#include "pronghorn/base/parallel.h"
#include "pronghorn/gemm/x3_plan.h"
#include "pronghorn/kernels/kernels.h"

namespace pronghorn {

namespace {

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
  const int64_t panels = x3_panels(lines);
  const int64_t groups = divide_up(panels, kPanels);
  const int64_t passes = divide_up(k, plan.depth);
  const int64_t bytes = x3_panel_bytes(shape, k);
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
         packed + (item * panels + panel) * bytes + k0 / kX3Depth * x3_step_bytes(shape), bytes,
         to);
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
           packed + at / kX3Depth * x3_step_bytes(t.shape), bytes, largest);
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

// Of the panels of a packed B.
const float* packed_largest(const GemmShape& shape, const void* packed) {
  return reinterpret_cast<const float*>(static_cast<const char*>(packed) +
                                        x3_panels(shape.n) * x3_panel_bytes(shape, shape.k));
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
  const int64_t row_panels = x3_panels(t.rows);
  const int64_t col_panels = x3_panels(t.cols);
  float* largest_a = reinterpret_cast<float*>(scratch + plan.scratch_largest);
  float* largest_b = largest_a + row_panels;
  uint32_t* suspect = reinterpret_cast<uint32_t*>(largest_b + col_panels);
  std::fill_n(largest_a, row_panels + col_panels, 0.0f);

  // What is packed already: panels of the whole depth.
  const auto shared = [&](int64_t at, int64_t lines, int64_t line0, int64_t k) {
    const int64_t panel = t.batch * x3_panels(lines) + line0 / kX3Lines;
    return workspace + at + panel * x3_panel_bytes(shape, shape.k) +
           k / kX3Depth * x3_step_bytes(shape);
  };
  const auto raise = [&](int64_t at, int64_t lines, int64_t line0, int64_t k, int64_t count,
                         float* largest) {
    const float* from = reinterpret_cast<float*>(workspace + plan.largest) + at +
                        (t.batch * passes + k / plan.depth) * x3_panels(lines) + line0 / kX3Lines;
    for (int64_t i = 0; i < count; ++i) largest[i] = std::max(largest[i], from[i]);
  };
  const int64_t batch = static_cast<int64_t>(shape.batch.size());
  const int64_t largest_b_at = plan.shares_a ? batch * passes * x3_panels(shape.m) : 0;

  for (int64_t k = t.k0; k < t.k0 + t.depth; k += plan.depth) {
    X3Block g{};
    const int64_t depth = std::min(plan.depth, t.k0 + t.depth - k);
    const int64_t own_bytes = x3_panel_bytes(shape, depth);
    const bool last = k + plan.depth >= t.k0 + t.depth;
    g.steps = divide_up(depth, kX3Depth);
    g.c_row = c_stride;
    g.cols = t.cols;
    g.accumulate = k > t.k0;
    g.depth = t.depth;
    g.parts = shape.bfloat16 ? 1 : 3;
    g.suspect_stride = col_panels;
    if (shape.packed_b) {
      g.b = static_cast<const char*>(t.operands.packed_b) +
            t.col0 / kX3Lines * x3_panel_bytes(shape, shape.k) +
            k / kX3Depth * x3_step_bytes(shape);
      g.b_panel_bytes = x3_panel_bytes(shape, shape.k);
      if (!shape.bfloat16) {
        std::copy_n(packed_largest(shape, t.operands.packed_b) + t.col0 / kX3Lines, col_panels,
                    largest_b);
      }
    } else if (plan.shares_b) {
      g.b = shared(plan.packed_b, shape.n, t.col0, k);
      g.b_panel_bytes = x3_panel_bytes(shape, shape.k);
      raise(largest_b_at, shape.n, t.col0, k, col_panels, largest_b);
    } else {
      char* to = scratch + plan.scratch_b;
      pack(shape, lines_of_b(shape, t.operands, t.batch), t.col0, t.cols, k, depth, true, to,
           own_bytes, largest_b);
      g.b = to;
      g.b_panel_bytes = own_bytes;
    }
    for (int64_t row = 0; row < t.rows; row += kX3Rows) {
      const int64_t panel = row / kX3Lines;
      g.rows = std::min(kX3Rows, t.rows - row);
      g.c = c + row * c_stride;
      if (plan.shares_a) {
        g.a = shared(plan.packed_a, shape.m, t.row0 + row, k);
        g.a_panel_bytes = x3_panel_bytes(shape, shape.k);
        raise(0, shape.m, t.row0 + row, k, x3_panels(g.rows), largest_a + panel);
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
      (kernels().x3_block != nullptr ? kernels().x3_block : kernels().bfloat16_block)(g);
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

void apply_epilogue(const Task& t, float* c, int64_t c_stride) {
  const Epilogue& epilogue = t.operands.epilogue;
  if (epilogue.apply == nullptr) return;
  const GemmBatch& at = t.shape.batch[static_cast<size_t>(t.batch)];
  epilogue.apply(epilogue.context, c, at.row + t.row0, t.rows, at.col + t.col0, t.cols, c_stride);
}

float* result_of(const Task& t) {
  return t.operands.c + t.shape.batch[static_cast<size_t>(t.batch)].c + t.row0 * t.shape.c_stride +
         t.col0;
}

void run_whole(const Task& t) {
  if (!t.shape.accumulate && !t.shape.discards_c) {
    run_task(t, result_of(t), t.shape.c_stride);
    return apply_epilogue(t, result_of(t), t.shape.c_stride);
  }
  // Whole rows of C follow one another, so that the epilogue takes them as one.
  const int64_t stride = t.cols == t.shape.n ? t.cols : block_stride(t.cols);
  char* scratch = reinterpret_cast<char*>(thread_scratch(t.plan.scratch / 4));
  float* block = reinterpret_cast<float*>(scratch + t.plan.scratch_c);
  run_task(t, block, stride);
  if (t.shape.discards_c) return apply_epilogue(t, block, stride);
  float* c = result_of(t);
  for (int64_t i = 0; i < t.rows; ++i) {
    kernels().add_partial_sums(block + i * stride, 1, 0, t.cols, c + i * t.shape.c_stride, true);
  }
  apply_epilogue(t, c, t.shape.c_stride);
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
    const bool kept = !shape.discards_c;
    float* c = kept ? result_of(t) : thread_scratch(t.rows * shape.n);
    const int64_t stride = kept ? shape.c_stride : shape.n;
    const float* from = parts + t.batch * matrix + row0 * shape.n;
    for (int64_t r = 0; r < t.rows; ++r) {
      kernels().add_partial_sums(from + r * shape.n, plan.splits, batch * matrix, shape.n,
                                 c + r * stride, shape.accumulate);
    }
    apply_epilogue(t, c, stride);
  });
}

}  // namespace

int64_t packed_bytes_x3(const GemmShape& shape) {
  const int64_t panels = x3_panels(shape.n);
  return panels * x3_panel_bytes(shape, shape.k) +
         (shape.bfloat16 ? 0 : panels * static_cast<int64_t>(sizeof(float)));
}

void pack_operand_x3(const GemmShape& shape, const void* b, void* packed) noexcept {
  const int64_t panels = x3_panels(shape.n);
  const int64_t bytes = x3_panel_bytes(shape, shape.k);
  char* const to = static_cast<char*>(packed);
  float* const largest = shape.bfloat16 ? nullptr : reinterpret_cast<float*>(to + panels * bytes);
  const Lines x = shape.transpose_b ? Lines{b, shape.b_stride, 1} : Lines{b, 1, shape.b_stride};
  parallel_for(panels, kX3Lines * shape.k * 8, [&](int64_t i) {
    if (largest != nullptr) largest[i] = 0.0f;
    pack(shape, x, i * kX3Lines, std::min(kX3Lines, shape.n - i * kX3Lines), 0, shape.k, true,
         to + i * bytes, bytes, largest == nullptr ? nullptr : largest + i);
  });
}

void run_x3(const GemmShape& shape, const X3Plan& plan, const GemmOperands& operands) noexcept {
  const int64_t batch = static_cast<int64_t>(shape.batch.size());
  char* workspace = static_cast<char*>(operands.workspace);
  float* largest = reinterpret_cast<float*>(workspace + plan.largest);
  if (plan.shares_a) {
    pack_shared(plan, shape.m, shape.k, batch, false, shape, operands, workspace + plan.packed_a,
                largest);
    largest += batch * divide_up(shape.k, plan.depth) * x3_panels(shape.m);
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
    // Columns first: the rows of A, which several tasks of a thread read, stay in its L2 cache.
    const int64_t col0 = i % plan.col_blocks * plan.cols;
    const int64_t row0 = i / plan.col_blocks % plan.row_blocks * plan.rows;
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
