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
  int64_t b_panel;      // not 0: b is packed by pack_columns, panels that far apart
  const float* b_then;  // what will be read after this block, as b is: brought into cache; or null
  float* c;
  int64_t c_row;
  int64_t rows;
  int64_t cols;
  int64_t depth;
  bool accumulate;
  bool fetch;    // bring what is read next into cache meanwhile: slower where it is there already
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

// winograd_*. A line of tiles of an image, channels last: 4 x 4 pixels read or 2 x 2 written, two
// pixels apart. What lies outside the image reads as zero and is not written.
struct WinogradLine {
  int64_t height;  // of the image
  int64_t width;
  int64_t pixel;  // floats from pixel to pixel
  int64_t channels;
  int64_t y;  // first pixel of the first tile, may lie outside
  int64_t x;
  int64_t tiles;
};

inline constexpr int64_t kWinogradPositions = 16;  // 4 x 4 elements of a transformed tile

// depthwise_lines. Where results go: floats from image to image, from o0 to o0 + 1, ...
struct DepthwiseOutput {
  int64_t image;
  int64_t plane;
  int64_t line;
  int64_t pixel;
};

}  // namespace pronghorn

namespace pronghorn {

// recurrent

// What the gates and the state of a recurrent layer go through. Each derivative is a function of
// the result.
enum class GateFunction : uint8_t {
  kLinear,
  kTanh,
  kSigmoid,
  kRelu,
  kHardSigmoid,
  kSoftsign,
  kElu,
  kSoftplus,
};

struct GateFunctions {
  GateFunction activation;
  GateFunction recurrent;
};

// Rows of a matrix, `stride` floats apart. Null: there is no such matrix.
struct FloatRows {
  float* at;
  int64_t stride;
};
struct ConstRows {
  const float* at;
  int64_t stride;
};

// Whether a row's step counts. Null: all do; else the byte of row i is at[i * stride].
struct RowMask {
  const uint8_t* at;
  int64_t stride;
};

// A packed matrix b(k, j) lies in panels of kPackedPanel columns, one after the other; a panel is
// [k][column]. The last one is as wide as a multiple of kPackedRound columns; columns past the
// matrix are zero.
inline constexpr int64_t kPackedPanel = 64;
inline constexpr int64_t kPackedRound = 16;

// c(i, j) = base(i, j) + sum over k of a(i, k) b(k, j) for columns [col0, col1) of the product; b
// is packed, col0 starts a panel. No base: 0. c may be base.
struct PackedProduct {
  ConstRows a;
  const float* packed;
  int64_t depth;
  ConstRows base;
  FloatRows c;
  int64_t rows;
  int64_t col0;
  int64_t col1;
};

// Rows (rows, depth) in bfloat16 parts, 3 or 1: tiles of 16 rows by 32 columns, and the powers of
// two by which products of a row are to be multiplied.
struct RowSplit {
  ConstRows a;
  int64_t rows;
  int64_t depth;
  int64_t parts;
  char* tiles;    // rows rounded up to 16, depth to 32; 2 bytes for each part of an element
  float* scales;  // of rows
};

// PackedProduct with operands in tiles, of split_rows and pack_tiles.
struct TileProduct {
  const char* a;
  const float* scales;
  const char* b;
  int64_t parts;
  int64_t depth;
  ConstRows base;
  FloatRows c;
  int64_t rows;
  int64_t col0;
  int64_t col1;
};

// The state of one time step, for some rows. z holds the sums of the four gates (input, forget,
// cell, output; `units` columns each) and receives the gates. h and c: the state, replaced. y gets
// the state after the step; h_before and c_before get the one before it.
struct LstmStep {
  int64_t rows;
  int64_t units;
  GateFunctions functions;
  RowMask mask;
  FloatRows z;
  FloatRows h;
  FloatRows c;
  FloatRows y;
  FloatRows h_before;
  FloatRows c_before;
};

// Its gradient. dh and dc: with respect to the state after the step; dc becomes that of the state
// before it, dh its part that does not go through the product with the recurrent weights. dz
// (written twice) is with respect to the sums.
struct LstmGradStep {
  int64_t rows;
  int64_t units;
  GateFunctions functions;
  RowMask mask;
  ConstRows gates;
  ConstRows c_before;
  ConstRows dy;
  FloatRows dh;
  FloatRows dc;
  FloatRows dz;
  FloatRows dz_copy;
};

// Gates: update (z), reset (r), candidate. x: the input's sums, m: the state's sums, 3 * units
// columns each. gates gets update, reset, candidate and the candidate's column of m.
struct GruStep {
  int64_t rows;
  int64_t units;
  GateFunctions functions;
  RowMask mask;
  ConstRows x;
  ConstRows m;
  FloatRows h;
  FloatRows y;
  FloatRows h_before;
  FloatRows gates;
};

// dx and dm: with respect to x and to m.
struct GruGradStep {
  int64_t rows;
  int64_t units;
  GateFunctions functions;
  RowMask mask;
  ConstRows gates;
  ConstRows h_before;
  ConstRows dy;
  FloatRows dh;
  FloatRows dx;
  FloatRows dm;
  FloatRows dm_copy;
};

// With the reset before the product. sums: 2 * units columns, become the gates update and reset;
// reset_h = reset * h.
struct GruResetStep {
  int64_t rows;
  int64_t units;
  GateFunction recurrent;
  FloatRows sums;
  ConstRows h;
  FloatRows reset_h;
};

// Then: sums of the candidate. gates gets update, reset, candidate, reset_h.
struct GruUpdateStep {
  int64_t rows;
  int64_t units;
  GateFunction activation;
  RowMask mask;
  ConstRows update_reset;
  ConstRows reset_h;
  ConstRows sums;
  FloatRows h;
  FloatRows y;
  FloatRows h_before;
  FloatRows gates;
};

// Gradient of GruUpdateStep: dx gets columns [0, units) and [2 units, 3 units).
struct GruUpdateGradStep {
  int64_t rows;
  int64_t units;
  GateFunctions functions;
  RowMask mask;
  ConstRows gates;
  ConstRows h_before;
  ConstRows dy;
  FloatRows dh;
  FloatRows dx;
  FloatRows dz_copy;          // with respect to the update gate's sum
  FloatRows dcandidate_copy;  // with respect to the candidate's sum
};

// Gradient of GruResetStep: dx gets columns [units, 2 units); adds to dh.
struct GruResetGradStep {
  int64_t rows;
  int64_t units;
  GateFunction recurrent;
  RowMask mask;
  ConstRows gates;
  ConstRows h_before;
  ConstRows dreset_h;
  FloatRows dh;
  FloatRows dx;
  FloatRows dr_copy;
};

// h = activation(z).
struct RnnStep {
  int64_t rows;
  int64_t units;
  GateFunction activation;
  RowMask mask;
  ConstRows z;
  FloatRows h;
  FloatRows y;
  FloatRows h_before;
};

struct RnnGradStep {
  int64_t rows;
  int64_t units;
  GateFunction activation;
  RowMask mask;
  ConstRows y;
  ConstRows dy;
  FloatRows dh;
  FloatRows dz;
  FloatRows dz_copy;
};

}  // namespace pronghorn

namespace pronghorn {

// attention

// What attention weights are made of, for a block of queries (rows) and keys (columns): the
// products of queries and keys in `scores`; a bias and a mask (bytes, 0: hidden), null or with
// strides of 0 where they broadcast; row i sees the columns j with  low <= j - i < high.  kept:
// factors of a dropout of the weights, or null.
struct AttentionScores {
  float* scores;
  int64_t stride;
  int64_t rows;
  int64_t cols;
  float scale;
  const float* bias;
  int64_t bias_row;
  int64_t bias_col;
  const uint8_t* mask;
  int64_t mask_row;
  int64_t mask_col;
  int64_t low;
  int64_t high;
  const float* kept;
  int64_t kept_stride;
};

// Hidden scores: 0.7 times the lowest float32. Rows without a visible key weigh all keys alike.
inline constexpr float kHiddenScore = -0.7f * 3.40282347e38f;

// Of rows, over the keys seen so far: the largest score, the sum of exp(score - largest), and the
// sum of the values with these weights.
struct AttentionRows {
  float* largest;
  float* sum;
  float* out;
  int64_t out_stride;
  int64_t out_cols;
  bool is_first;  // no keys so far: out is not read
};

// dweights: with respect to the weights (after the dropout). largest_inverse: pairs, of each row
// the largest score and 1 / sum; dots: of each row of results with its gradient.
struct AttentionGradient {
  float* dweights;
  int64_t stride;
  const float* largest_inverse;
  const float* dots;
};

}  // namespace pronghorn
