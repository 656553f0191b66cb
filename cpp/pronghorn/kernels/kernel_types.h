// Plain structs that kernels take as arguments. No functions here: an inline function would be
// compiled for several ISAs and merged by the linker.
#pragma once

#include <cstdint>

namespace pronghorn {

// Tile programs (tile/): what the interpreter is given. Built by tile/lower.cpp.

// Element types in the order of DType.
enum class ElementType : uint8_t {
  kBool,
  kUint8,
  kUint16,
  kUint32,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kFloat16,
  kBfloat16,
  kFloat32,
};

// out = op(a, b, c, d) over one tile; the letters are slots.
struct TileInstruction {
  uint8_t op;  // TileOp
  uint8_t out;
  uint8_t a, b, c, d;
  uint8_t scalars;  // bit 0: a is a scalar slot, bit 1: b, ...; of the operands that op has
  bool single;      // out is a scalar slot
};

enum class TileAccess : uint8_t {
  kScalar,   // one element
  kDirect,   // float32, element i of the program is element i of the operand: read where it is
  kConvert,  // the same of another type
  kRow,      // element i is element i % sizes[0] of the operand
  kGeneral,  // element i is at the dot product of its coordinates over sizes (outermost first) with
             // strides
};

inline constexpr int kTileMaxRank = 8;

struct TileInput {
  TileAccess access;
  ElementType type;
  uint8_t slot;
  uint8_t rank;  // of sizes and strides
  int32_t
      row_at;  // kRow: where in the tile memory (floats) to unroll the row; -1: it is not unrolled
  int64_t sizes[kTileMaxRank];
  int64_t strides[kTileMaxRank];  // in elements
};

struct TileOutput {
  ElementType type;
  uint8_t slot;
  bool direct;  // float32: the slot is the output's memory
};

inline constexpr int kTileSlots = 128;
inline constexpr int kTileMemory = 12288;  // floats of scratch memory
inline constexpr int kTileAlign = 16;      // floats; tiles, rows and scalars start at multiples

struct TileCode {
  const TileInstruction* instructions;
  const TileInput* inputs;
  const TileOutput* outputs;
  const float* constants;  // constant i is in slot i
  const int32_t* slot_at;  // where in the tile memory a slot lives; -1: it follows an operand
  const uint8_t*
      slot_scalar;  // 1: all elements of the slot are equal, and only kTileAlign are stored
  int32_t instruction_count;
  int32_t input_count;
  int32_t output_count;
  int32_t constant_count;
  int32_t slot_count;
  int32_t tile;  // elements, a multiple of kTileAlign
};

// out(i) = op(a(i), b(i)) on integers or bools; stride 0 repeats element 0. Tests and comparisons
// give bools.
struct IntegerCall {
  uint8_t op;  // TileOp
  ElementType type;
  uint8_t a_stride;
  uint8_t b_stride;
  const void* a;
  const void* b;
  void* out;
};

// out(i) = condition(i) ? a(i) : b(i), on elements of `bytes` bytes.
struct SelectCall {
  uint8_t bytes;
  uint8_t condition_stride;
  uint8_t a_stride;
  uint8_t b_stride;
  const uint8_t* condition;
  const void* a;
  const void* b;
  void* out;
};

}  // namespace pronghorn

namespace pronghorn {

// reduce, arg_reduce, cumulative
enum class ReduceKind : uint8_t { kSum, kProd, kMax, kMin };

}  // namespace pronghorn

namespace pronghorn {

// gemm. c(i, j) = sum over k of a(i, k) b(k, j), added to c if `accumulate`. Strides in floats; of
// (a_row, a_depth) and of (b_depth, b_col) one is 1.
struct GemmBlock {
  const float* a;
  int64_t a_row;
  int64_t a_depth;
  bool packed_a;  // by pack_rows, these rows and this depth: a_row and a_depth say nothing
  const float* b;
  int64_t b_depth;
  int64_t b_col;
  int64_t b_panel;  // not 0: b is packed by pack_columns, panels that far apart
  float* c;
  int64_t c_row;
  int64_t rows;
  int64_t cols;
  int64_t depth;
  bool accumulate;
  bool pack_b;   // copy each panel of b into `panel` first: pays when many rows read it
  float* panel;  // 64-byte aligned, depth * kGemmPanel floats
};

inline constexpr int64_t kGemmPanel = 128;  // columns of the widest panel

// Sliding windows over images, channels last: window o of an image covers the pixels  o * stride -
// pad + k * dilation  in each of the three spatial dimensions (unused leading ones have size 1);
// those outside the image are padding. As a matrix that is never stored ("patches"), row (image,
// o0, o1, o2) holds what a window sees and column (k0, k1, k2, channel) one of its elements.
struct Windows {
  int64_t out[3];  // number of windows
  int64_t in[3];   // image
  int64_t kernel[3];
  int64_t stride[3];
  int64_t dilation[3];
  int64_t pad[3];    // at the low end; negative: windows start inside
  int64_t channels;  // of one element of a window
  int64_t pixel;     // floats from one pixel to the next (channels of all groups)
};

// patch_product. Runs of rows of the result, and segments of the sum:
//   c(run.c + i * c_row + j) = sum over segments s and t < s.count of
//       a(run.a + i * a_row + s.a + t * a_step) b(t + counts of the segments before s, j)
// for i < run.count, j < cols, added to c if `accumulate`. Offsets and strides in floats; of a_row
// and a_step one is 1. Convolutions: a run is a line of windows and a segment what is contiguous of
// a window; for the gradient of the kernel the other way round.
struct PatchRun {
  int64_t a;
  int64_t c;
  int64_t count;
};
struct PatchSegment {
  int64_t a;
  int64_t count;
};

inline constexpr int64_t kPatchPanel = 32;  // columns of b; those past cols are read, not used

struct PatchProduct {
  const float* a;
  int64_t a_row;
  int64_t a_step;
  const PatchRun* runs;
  int64_t run_count;
  const PatchSegment* segments;
  int64_t segment_count;
  const float* b;  // rows of kPatchPanel floats
  float* c;
  int64_t c_row;
  int64_t cols;  // <= kPatchPanel
  bool accumulate;
};

}  // namespace pronghorn
