// Plain structs of the kernels that only AMX and AVX512-BF16 have.
#pragma once

#include <cstdint>

namespace pronghorn {

// Three-way split products ("x3"): each float32 is the sum of three bfloat16 parts.
//
// A packed operand is a row of panels, one for each 32 lines (rows of A, columns of B). A panel
// holds for each step of 32 along k: [part 3][tile 2][16 rows][64 bytes]; a tile covers 16 lines,
// and its pair p is (k + p, k + p + 16). In A a row of a tile is a line, in B it is a pair. Lines
// and k beyond the operand are zero.
inline constexpr int64_t kX3Lines = 32;
inline constexpr int64_t kX3Depth = 32;  // of a step
inline constexpr int64_t kX3PartBytes = 2 * 1024;
inline constexpr int64_t kX3StepBytes = 3 * kX3PartBytes;
inline constexpr int64_t kX3MaxPass = 640;  // most k that are summed before they go into float32

// Panels of bfloat16 operands have one part, and pair p is (k + 2p, k + 2p + 1).

// x(line, k) for `lines` lines and `depth` k, line_stride and depth_stride elements apart; one of
// both is 1.
struct X3Pack {
  const void* x;  // float32 or bfloat16
  int64_t line_stride;
  int64_t depth_stride;
  int64_t lines;
  int64_t depth;
  bool is_b;
  char* packed;         // 64-byte aligned
  int64_t panel_bytes;  // from panel to panel
  float* largest;       // of each panel: raised to its largest |x| in bfloat16, NaN as infinity
};

// c(i, j) = sum over k of a(i, k) b(k, j), added to c if `accumulate`.
struct X3Block {
  const char* a;
  int64_t a_panel_bytes;
  const char* b;
  int64_t b_panel_bytes;
  int64_t steps;
  int64_t parts;  // 3, or 1 for panels of bfloat16
  float* c;
  int64_t c_row;
  int64_t rows;
  int64_t cols;
  bool accumulate;
  // After the last of k; else null. suspect[row panel * suspect_stride + column panel] gets bit i
  // if row i of that 32 x 32 block holds a value that is not finite or smaller than `depth`
  // (elements of k) times largest_a + largest_b + 6 times 2^-102, in which what AMX flushes to zero
  // could show.
  uint32_t* suspect;
  int64_t suspect_stride;
  const float* largest_a;
  const float* largest_b;
  int64_t depth;
};

}  // namespace pronghorn
