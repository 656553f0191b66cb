// Matrix products C = A B (+ C), batched, on all threads. An operand is a row-major matrix, or its
// transpose, or (A) rows that a function writes on demand: convolutions give patches of an image
// that are never stored as a whole; or (B) what pack_operand wrote before. Work is split by
// shape only: the same bits for any number of threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "pronghorn/gemm/epilogue.h"

namespace pronghorn {

// Writes rows [row0, row0 + rows), columns [col0, col0 + cols) of matrix `batch` to out, rows
// out_stride floats apart.
using FillBlock = void (*)(const void* context, int64_t batch, int64_t row0, int64_t rows,
                           int64_t col0, int64_t cols, float* out, int64_t out_stride);

// Where a product of a batch finds its matrices, in floats from the operands' starts, and where its
// result lies in the matrix that the epilogue sees.
struct GemmBatch {
  int64_t a = 0;
  int64_t b = 0;
  int64_t c = 0;
  int64_t row = 0;
  int64_t col = 0;
};

enum class GemmEngine : uint8_t {
  kAny,  // whichever is expected to be fastest
  kFma,
  kX3,  // float32 in three bfloat16 parts (x3.h); an error where there is no AMX
};

struct GemmShape {
  int64_t m = 0;  // C is (m, n), A (m, k), B (k, n)
  int64_t n = 0;
  int64_t k = 0;
  bool transpose_a = false;  // A is stored (k, m): so are the rows that a FillBlock writes
  bool transpose_b = false;  // B is stored (n, k)
  int64_t a_stride = 0;      // from row to row of what is stored; ignored with a FillBlock
  int64_t b_stride = 0;
  int64_t c_stride = 0;
  bool fills_a = false;     // A comes from a FillBlock
  bool packed_b = false;    // B was written by pack_operand
  bool accumulate = false;  // C += A B
  // Only the epilogue sees C: where GemmPlan::x3 is set, GemmOperands::c is not read.
  bool discards_c = false;
  // A and B are bfloat16, only where plan_gemm can do that (takes_bfloat16); C is float32. Offsets
  // and strides are in elements; GemmOperands' pointers are those of the bfloat16.
  bool bfloat16 = false;
  GemmEngine engine = GemmEngine::kAny;
  std::vector<GemmBatch> batch = {GemmBatch{}};
};

struct X3Plan;

// How a product of that shape is computed. Where that is easier C^T = B^T A^T is computed in blocks
// and written transposed; m, n, a and b here are those of the product that is computed.
struct GemmPlan {
  GemmShape shape;
  bool swaps = false;
  int64_t m = 0;
  int64_t n = 0;
  int64_t a_row = 0;  // strides
  int64_t a_depth = 0;
  int64_t b_depth = 0;
  int64_t b_col = 0;
  int64_t rows = 0;  // of a block of C that one task computes
  int64_t cols = 0;
  int64_t depth = 0;  // of a pass over A and B
  int64_t split = 0;  // k is cut into pieces of this size, which run in parallel
  int64_t row_blocks = 0;
  int64_t col_blocks = 0;
  int64_t splits = 0;    // more than 1: partial sums go through the workspace
  int64_t slice = 0;     // columns whose panels of b are in the workspace at once
  int64_t products = 1;  // of a batch, in one task

  bool copies_a = false;  // a task copies (or fills) its rows of A
  bool packs_a = false;   // all of A is packed first, into the workspace
  bool shares_b = false;  // a slice of B is packed first, into the workspace
  bool packs_b = false;   // a task packs its panels of B
  bool fetches = false;   // operands come from a farther cache than L2
  int64_t panel_columns = 0;

  // Floats of scratch memory of a thread: panels of b, rows of a, the result to transpose.
  int64_t panel_floats = 0;
  int64_t a_floats = 0;
  int64_t c_floats = 0;
  int64_t packed_a = 0;  // floats of the workspace: of all of A, of a slice of B
  int64_t packed_b = 0;
  size_t workspace = 0;  // bytes

  // If set it computes the product; then only shape, cols and workspace count.
  std::shared_ptr<const X3Plan> x3;
};

GemmPlan plan_gemm(const GemmShape& shape);

// Whether this machine multiplies bfloat16 itself, and whether it does so faster than it multiplies
// them as floats where an operand has so many rows.
bool takes_bfloat16();
bool prefers_bfloat16(int64_t rows);

// Whether every block of C that meets the epilogue has all columns of its rows.
inline bool computes_whole_rows(const GemmPlan& plan) {
  return (plan.swaps ? plan.rows : plan.cols) >= plan.shape.n;
}

// A B that many products read may be packed once, before them (GemmShape::packed_b), as the engine
// wants it: kAny stands for kFma here. Of the shape, n, k, bfloat16 and the engine count, and how B
// is stored.

// The engine that gains from a packed B in a product of that shape, its B not packed yet; nothing
// if none does.
std::optional<GemmEngine> engine_for_packed(const GemmShape& shape);
int64_t packed_bytes(const GemmShape& shape);
// packed: 64-byte aligned.
void pack_operand(const GemmShape& shape, const void* b, void* packed) noexcept;

struct GemmOperands {
  const float* a = nullptr;
  const float* b = nullptr;  // with packed_b only kX3 reads it, for results that it repeats
  const void* packed_b = nullptr;
  float* c = nullptr;
  FillBlock fill_a = nullptr;
  const void* fill_context = nullptr;
  Epilogue epilogue;
  void* workspace = nullptr;
};

void run_gemm(const GemmPlan& plan, const GemmOperands& operands) noexcept;

// At least `floats` floats of scratch memory of the calling thread, 64-byte aligned, valid until
// the next call there. It is allocated at a thread's first call (and grows, rarely): tasks are not
// tied to threads, so it cannot be planned.
float* thread_scratch(int64_t floats) noexcept;

}  // namespace pronghorn
