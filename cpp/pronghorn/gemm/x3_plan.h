// How a product is computed through AMX or vdpbf16ps, and how its operands lie in memory. For
// x3.cpp and x3_plan.cpp only.
#pragma once

#include <cstdint>

#include "pronghorn/gemm/gemm.h"
#include "pronghorn/gemm/sizes.h"
#include "pronghorn/kernels/amx_types.h"

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
  int64_t depth = 0;  // of a pass
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

inline constexpr int64_t kX3Rows = 256;  // of A that are packed at once

inline int64_t x3_panels(int64_t lines) { return divide_up(lines, kX3Lines); }
// Of a panel, for 32 k.
inline int64_t x3_step_bytes(const GemmShape& shape) {
  return (shape.bfloat16 ? 1 : 3) * kX3PartBytes;
}
inline int64_t x3_panel_bytes(const GemmShape& shape, int64_t depth) {
  return divide_up(depth, kX3Depth) * x3_step_bytes(shape);
}

// Floats of a thread's scratch memory for rows of A that a FillBlock writes.
inline int64_t x3_fill_floats(const GemmShape& shape, int64_t depth) {
  return shape.transpose_a ? kX3Depth * (kX3Rows + 32) : kX3Lines * (depth + 32);
}

}  // namespace pronghorn
