#include "pronghorn/gemm/gemm.h"

#include <algorithm>
#include <memory>

#include "pronghorn/base/parallel.h"
#include "pronghorn/gemm/sizes.h"
#include "pronghorn/gemm/x3.h"
#include "pronghorn/kernels/kernels.h"
#include "pronghorn/tensor/buffer.h"

namespace pronghorn {
namespace {

constexpr int64_t kPieceDepth = 256;  // of B that one piece of work packs
constexpr int64_t kPieceCols = 256;

// A block of the result, of what is computed: of C^T where the plan swaps.
struct Block {
  int64_t batch;
  int64_t row0, rows;
  int64_t col0, cols;
};

class Product {
 public:
  Product(const GemmPlan& plan, const GemmOperands& operands)
      : plan_(plan),
        shape_(plan.shape),
        operands_(operands),
        a_(plan.swaps ? operands.b : operands.a),
        b_(plan.shape.packed_b ? static_cast<const float*>(operands.packed_b)
           : plan.swaps        ? operands.a
                               : operands.b),
        packed_a_(static_cast<float*>(operands.workspace)),
        packed_b_(packed_a_ + plan.packed_a) {}

  // k = 0: the sum of nothing.
  void run_empty() const {
    for (const GemmBatch& at : shape_.batch) {
      float* c = operands_.c + at.c;
      if (!shape_.accumulate) {
        for (int64_t r = 0; r < shape_.m; ++r) std::fill_n(c + r * shape_.c_stride, shape_.n, 0.0f);
      }
      apply_epilogue(at, 0, shape_.m, 0, shape_.n, c);
    }
  }

  void run_blocks() const {
    const int64_t batch = static_cast<int64_t>(shape_.batch.size());
    for (int64_t slice = 0; slice < plan_.n; slice += plan_.slice) {
      pack(slice);
      const int64_t col_blocks = divide_up(std::min(plan_.slice, plan_.n - slice), plan_.cols);
      const int64_t blocks = plan_.row_blocks * col_blocks;
      const int64_t tasks = divide_up(batch * blocks, plan_.products);
      const auto run = [&](int64_t task) {
        const int64_t end = std::min((task + 1) * plan_.products, batch * blocks);
        for (int64_t i = task * plan_.products; i < end; ++i) {
          const Block block = block_at(i / blocks, i % plan_.row_blocks,
                                       slice + i / plan_.row_blocks % col_blocks * plan_.cols);
          const GemmBatch& at = shape_.batch[static_cast<size_t>(block.batch)];
          float* c = operands_.c + at.c;
          compute(block, slice, 0, shape_.k, c, shape_.c_stride, shape_.accumulate);
          if (plan_.swaps) {
            apply_epilogue(at, block.col0, block.cols, block.row0, block.rows, c);
          } else {
            apply_epilogue(at, block.row0, block.rows, block.col0, block.cols, c);
          }
        }
      };
      if (tasks == 1) {
        run(0);
      } else {
        parallel_for(tasks, cost() * batch / tasks, run);
      }
    }
  }

  // parts[split][batch](m, n), then their sum.
  void run_splits() const {
    float* parts = static_cast<float*>(operands_.workspace);
    const int64_t batch = static_cast<int64_t>(shape_.batch.size());
    const int64_t blocks = plan_.row_blocks * plan_.col_blocks;
    const int64_t matrix = shape_.m * shape_.n;
    const int64_t tasks = batch * blocks * plan_.splits;
    parallel_for(tasks, std::max<int64_t>(cost() * batch / tasks, 1), [&](int64_t i) {
      const int64_t part = i / blocks;  // split * batch + batch index
      const int64_t k0 = part / batch * plan_.split;
      compute(block_at(part % batch, i % plan_.row_blocks,
                       i / plan_.row_blocks % plan_.col_blocks * plan_.cols),
              0, k0, std::min(plan_.split, shape_.k - k0), parts + part * matrix, shape_.n, false);
    });
    const int64_t rows = std::max<int64_t>(1, 4096 / shape_.n);
    const int64_t row_chunks = divide_up(shape_.m, rows);
    parallel_for(batch * row_chunks, rows * shape_.n * plan_.splits, [&](int64_t i) {
      const int64_t row0 = i % row_chunks * rows;
      const int64_t count = std::min(rows, shape_.m - row0);
      const GemmBatch& at = shape_.batch[static_cast<size_t>(i / row_chunks)];
      float* c = operands_.c + at.c;
      const float* from = parts + i / row_chunks * matrix + row0 * shape_.n;
      // Rows that follow one another are summed as one.
      const int64_t lines = shape_.c_stride == shape_.n ? 1 : count;
      for (int64_t r = 0; r < lines; ++r) {
        kernels().add_partial_sums(from + r * shape_.n, plan_.splits, batch * matrix,
                                   count / lines * shape_.n, c + (row0 + r) * shape_.c_stride,
                                   shape_.accumulate);
      }
      apply_epilogue(at, row0, count, 0, shape_.n, c);
    });
  }

 private:
  int64_t cost() const { return 2 * shape_.m * shape_.n * shape_.k; }

  Block block_at(int64_t batch, int64_t row_block, int64_t col0) const {
    const int64_t row0 = row_block * plan_.rows;
    return {batch, row0, std::min(plan_.rows, plan_.m - row0), col0,
            std::min(plan_.cols, plan_.n - col0)};
  }

  int64_t a_at(const GemmBatch& at) const { return plan_.swaps ? at.b : at.a; }
  int64_t b_at(const GemmBatch& at) const { return plan_.swaps ? at.a : at.b; }

  float* packed_a(int64_t batch) const { return packed_a_ + batch * plan_.m * shape_.k; }
  int64_t panel_stride() const { return shape_.k * plan_.panel_columns; }
  float* packed_b(int64_t batch) const {
    return packed_b_ + batch * round_up(plan_.slice, plan_.panel_columns) * shape_.k;
  }

  // What the tasks of a slice share.
  void pack(int64_t slice) const {
    const int64_t batch = static_cast<int64_t>(shape_.batch.size());
    const bool packs_a = plan_.packs_a && slice == 0;
    const int64_t cols = std::min(plan_.slice, plan_.n - slice);
    const int64_t a_passes = divide_up(shape_.k, plan_.depth);
    const int64_t a_pieces = packs_a ? a_passes * plan_.row_blocks : 0;
    const int64_t b_passes = divide_up(shape_.k, kPieceDepth);
    const int64_t b_pieces = plan_.shares_b ? b_passes * divide_up(cols, kPieceCols) : 0;
    const int64_t pieces = a_pieces + b_pieces;
    if (pieces == 0) return;
    const int64_t bytes =
        4 * (packs_a ? plan_.m * shape_.k : 0) + 4 * (plan_.shares_b ? cols * shape_.k : 0);
    parallel_for(batch * pieces, std::max<int64_t>(bytes / pieces, 1), [&](int64_t i) {
      const GemmBatch& at = shape_.batch[static_cast<size_t>(i / pieces)];
      int64_t piece = i % pieces;
      if (piece < a_pieces) {
        const int64_t row0 = piece / a_passes * plan_.rows;
        const int64_t rows = std::min(plan_.rows, plan_.m - row0);
        const int64_t k = piece % a_passes * plan_.depth;
        kernels().pack_rows(a_ + a_at(at) + row0 * plan_.a_row + k * plan_.a_depth, plan_.a_row,
                            plan_.a_depth, rows, std::min(plan_.depth, shape_.k - k),
                            packed_a(i / pieces) + row0 * shape_.k + k * rows);
        return;
      }
      piece -= a_pieces;
      const int64_t col = piece / b_passes * kPieceCols;
      const int64_t k = piece % b_passes * kPieceDepth;
      kernels().pack_columns(b_ + b_at(at) + (slice + col) * plan_.b_col + k * plan_.b_depth,
                             plan_.b_depth, plan_.b_col, std::min(kPieceDepth, shape_.k - k),
                             std::min(kPieceCols, cols - col),
                             packed_b(i / pieces) + col / plan_.panel_columns * panel_stride() +
                                 k * plan_.panel_columns,
                             panel_stride());
    });
  }

  // Writes the block, summed over k in [k0, k0 + count), to its place in c.
  void compute(const Block& block, int64_t slice, int64_t k0, int64_t count, float* c,
               int64_t c_stride, bool accumulate) const {
    const GemmBatch& at = shape_.batch[static_cast<size_t>(block.batch)];
    float* scratch = thread_scratch(plan_.panel_floats + plan_.a_floats + plan_.c_floats);
    float* copy = scratch + plan_.panel_floats;
    float* swapped = copy + plan_.a_floats;

    GemmBlock g{};
    g.b_depth = plan_.b_depth;
    g.b_col = plan_.b_col;
    g.rows = block.rows;
    g.cols = block.cols;
    g.fetch = plan_.fetches;
    g.pack_b = plan_.packs_b;
    g.packed_a = plan_.packs_a;
    g.panel = scratch;
    g.c_row = plan_.swaps ? block_stride(block.cols) : c_stride;
    g.c = plan_.swaps ? swapped : c + block.row0 * c_stride + block.col0;
    const float* b = b_ + b_at(at) + block.col0 * g.b_col;
    if (plan_.shares_b || shape_.packed_b) {
      g.b_panel = panel_stride();
      g.b_depth = plan_.panel_columns;
      g.b_col = 1;
      b = plan_.shares_b ? packed_b(block.batch) : b_ + b_at(at);
      b += (block.col0 - (plan_.shares_b ? slice : 0)) / plan_.panel_columns * g.b_panel;
    }
    for (int64_t k = k0; k < k0 + count; k += plan_.depth) {
      g.depth = std::min(plan_.depth, k0 + count - k);
      g.b = b + k * g.b_depth;
      g.b_then = k + g.depth < k0 + count && g.b_col == 1 ? g.b + g.depth * g.b_depth : nullptr;
      g.accumulate = accumulate || k > k0;
      g.a_row = plan_.a_row;
      g.a_depth = plan_.a_depth;
      if (plan_.packs_a) {
        g.a = packed_a(block.batch) + block.row0 * shape_.k + k * block.rows;
      } else if (plan_.copies_a) {
        copy_a(at, block, k, g, copy);
      } else {
        g.a = a_ + a_at(at) + block.row0 * g.a_row + k * g.a_depth;
      }
      kernels().gemm_block(g);
    }
    if (plan_.swaps) {
      kernels().transpose_matrix(swapped, g.c_row, block.rows, block.cols,
                                 c + block.col0 * c_stride + block.row0, c_stride);
    }
  }

  // Rows of what is stored, far enough from one another; sets where g finds its a.
  void copy_a(const GemmBatch& at, const Block& block, int64_t k, GemmBlock& g, float* copy) const {
    const bool by_depth = shape_.fills_a ? shape_.transpose_a : plan_.a_row == 1;
    const int64_t first = by_depth ? k : block.row0;
    const int64_t count = by_depth ? g.depth : block.rows;
    const int64_t column = by_depth ? block.row0 : k;
    const int64_t length = by_depth ? block.rows : g.depth;
    const int64_t stride = block_stride(length);
    if (shape_.fills_a) {
      operands_.fill_a(operands_.fill_context, block.batch, first, count, column, length, copy,
                       stride);
    } else {
      const int64_t from = by_depth ? plan_.a_depth : plan_.a_row;
      kernels().copy_rows(a_ + a_at(at) + first * from + column, from, count, length, copy, stride);
    }
    g.a = copy;
    g.a_row = by_depth ? 1 : stride;
    g.a_depth = by_depth ? stride : 1;
  }

  void apply_epilogue(const GemmBatch& at, int64_t row0, int64_t rows, int64_t col0, int64_t cols,
                      float* c) const {
    const Epilogue& epilogue = operands_.epilogue;
    if (epilogue.apply == nullptr) return;
    epilogue.apply(epilogue.context, c + row0 * shape_.c_stride + col0, at.row + row0, rows,
                   at.col + col0, cols, shape_.c_stride);
  }

  const GemmPlan& plan_;
  const GemmShape& shape_;
  const GemmOperands& operands_;
  const float* a_;
  const float* b_;
  float* packed_a_;
  float* packed_b_;
};

}  // namespace

float* thread_scratch(int64_t floats) noexcept {
  // From half a huge page on it lies in whole ones: products through AMX are 1.2 times as fast.
  constexpr int64_t kHugePage = (2 << 20) / sizeof(float);
  thread_local std::unique_ptr<Buffer> memory;
  thread_local float* data = nullptr;
  thread_local int64_t size = 0;
  if (size < floats) {
    const int64_t unit = floats < kHugePage / 2 ? 1 << 16 : kHugePage;
    const int64_t wanted = round_up(floats, unit);
    size = 0;
    memory.reset();
    memory = std::make_unique<Buffer>(static_cast<size_t>(wanted + unit) * sizeof(float));
    const auto address = reinterpret_cast<uintptr_t>(memory->data());
    const uintptr_t align = unit == kHugePage ? kHugePage * sizeof(float) : kBufferAlignment;
    data = reinterpret_cast<float*>((address + align - 1) / align * align);
    size = wanted;
  }
  return data;
}

void run_gemm(const GemmPlan& plan, const GemmOperands& operands) noexcept {
  if (plan.x3 != nullptr) return run_x3(plan.shape, *plan.x3, operands);
  if (plan.m == 0 || plan.n == 0 || plan.shape.batch.empty()) return;
  const Product product(plan, operands);
  if (plan.shape.k == 0) return product.run_empty();
  if (plan.splits > 1) return product.run_splits();
  product.run_blocks();
}

}  // namespace pronghorn
