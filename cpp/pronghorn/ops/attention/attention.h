// Scaled dot-product attention without a matrix of all weights. Blocks of queries meet blocks of
// keys, with the largest score and the sum of the weights of each query so far (Rabe and Staats,
// "Self-attention Does Not Need O(n^2) Memory", 2021); the gradient computes weights again from the
// largest score and the inverse of the sum, which the op saves (Dao et al., "FlashAttention", 2022,
// section 3).
//
// Operands: query (batch, queries, heads, size), key (batch, keys, key_heads, size), value (batch,
// keys, key_heads, value_size), each key head for heads / key_heads query heads that follow one
// another; then what the attributes announce: `rate` of a dropout of the weights: a key (2,) of
// random numbers; `has_bias`: float32 that is added to scores; `masks`: that many operands of
// bools, false hides. Bias and masks are (batch, heads, queries, keys), each size that or 1.
// `causal`: query i sees keys up to i; `window`: keys less than so many places away, 0: all.
// Query, key, value and results are float32 or bfloat16, then weights may be rounded to that.
#pragma once

#include <array>
#include <vector>

#include "pronghorn/base/parallel.h"
#include "pronghorn/gemm/gemm.h"
#include "pronghorn/gemm/sizes.h"
#include "pronghorn/ir/builder.h"
#include "pronghorn/kernels/kernels.h"

namespace pronghorn::ops {

inline constexpr int64_t kAttentionMasks = 8;  // most of them
inline constexpr size_t kAttentionOperands = 8 + kAttentionMasks;

struct AttentionPlan {
  // In elements, along batch, heads, queries, keys; 0 where the operand broadcasts.
  using Strides = std::array<int64_t, 4>;

  int64_t batch = 0;
  int64_t queries = 0;
  int64_t keys = 0;
  int64_t heads = 0;
  int64_t key_heads = 0;
  int64_t size = 0;
  int64_t value_size = 0;
  DType dtype = DType::kFloat32;
  float scale = 1;
  bool is_causal = false;
  int64_t window = 0;
  bool drops = false;
  uint32_t threshold = 0;  // random words below it drop
  float kept = 1;          // factor of what is kept
  bool has_bias = false;
  Strides bias{};
  std::vector<Strides> masks;
  int extras = 0;  // first operand after those of every call

  // Blocks: even shares of the queries, key_rows keys each.
  int64_t query_blocks = 0;
  int64_t query_rows = 0;  // of the longest
  int64_t key_blocks = 0;
  int64_t key_rows = 0;

  int operands() const { return extras + drops + has_bias + static_cast<int>(masks.size()); }
  int64_t group() const { return heads / key_heads; }
  int64_t query_begin(int64_t block) const { return queries * block / query_blocks; }
  int64_t key_begin(int64_t block) const { return block * key_rows; }
  int64_t key_count(int64_t block) const {
    return keys - block * key_rows < key_rows ? keys - block * key_rows : key_rows;
  }
  int64_t score_stride() const { return block_stride(key_rows); }
};

// Checks operands, the first `extras` of which are the op's own; shapes and attributes of the plan.
AttentionPlan plan_attention(const OpCall& call, int extras);
// Cuts it into blocks of at most so many queries and keys.
void cut_attention(AttentionPlan& plan, int64_t queries, int64_t keys);

// Where operands are bfloat16 and drivers compute in float32: copies in the workspace.
class Widened {
 public:
  // The first float of the workspace that is free for them.
  explicit Widened(float* memory) : memory_(memory) {}
  const float* read(const void* bfloat16, int64_t count);
  float* take(int64_t count);
  static int64_t floats(int64_t count) { return round_up(count, 16); }

 private:
  float* memory_;
};
void round_to_bfloat16(const float* x, int64_t count, void* y);

// A block of scores in the making.
struct AttentionBlockAt {
  int64_t batch;
  int64_t head;
  int64_t query0, rows;
  int64_t key0, cols;
};

// Blocks of keys of which some query in [query0, query0 + rows) sees one by its place.
struct KeyRange {
  int64_t begin;
  int64_t end;
};
KeyRange visible_blocks(const AttentionPlan& plan, int64_t query0, int64_t rows);

// Pieces of a thread's scratch memory.
class Scratch {
 public:
  explicit Scratch(float* memory) : at_(memory) {}
  float* take(int64_t floats) {
    float* const result = at_;
    at_ += round_up(floats, 16);
    return result;
  }

 private:
  float* at_;
};
inline int64_t scratch_floats(int64_t floats) { return round_up(floats, 16); }

// What describe_scores needs of it: a combined mask, factors of a dropout.
struct ScoreMemory {
  uint8_t* mask = nullptr;
  float* kept = nullptr;
  float* ones = nullptr;
  float* row = nullptr;
};
int64_t score_memory_floats(const AttentionPlan& plan);
ScoreMemory score_memory(const AttentionPlan& plan, Scratch& scratch);

// Scores, rows plan.score_stride() apart, with all that the operands say of them.
AttentionScores describe_scores(const AttentionPlan& plan, const Launch& launch,
                                const AttentionBlockAt& at, const ScoreMemory& memory,
                                float* scores);

// c (+)= a b for a block: matrices whose rows or columns are contiguous.
struct AttentionProduct {
  const float* a;
  int64_t a_row;
  int64_t a_depth;
  const float* b;
  int64_t b_depth;
  int64_t b_col;
  int64_t b_panel = 0;  // not 0: packed
  float* c;
  int64_t c_row;
  int64_t rows, cols, depth;
  bool accumulate = false;
  bool pack_b = false;  // b's rows are far apart and read by many rows of a
  float* panel;         // scratch: panel_floats(depth)
};
void multiply(const AttentionProduct& product);
inline int64_t panel_floats(int64_t depth) { return depth * kGemmPanel; }

}  // namespace pronghorn::ops
