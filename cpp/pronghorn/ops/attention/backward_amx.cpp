// Attention's gradient with operands in bfloat16: its products on AMX, sums in float32.
#include <algorithm>

#include "pronghorn/ops/attention/backward.h"

namespace pronghorn::ops {
namespace {

constexpr int64_t kStep = kX3PartBytes / 4;  // floats of a panel for 32 along the sum

int64_t panel_of(int64_t depth) { return divide_up(depth, kX3Depth) * kStep; }
int64_t panels_of(int64_t lines) { return divide_up(lines, kX3Lines); }
int64_t packed_of(int64_t lines, int64_t depth) { return panels_of(lines) * panel_of(depth); }

// A packed operand: lines across the sum, depth along it.
struct Packed {
  float* at = nullptr;
  int64_t panel = 0;  // floats from panel to panel
};

// Some blocks of keys of one key head.
class KeyTiles {
 public:
  KeyTiles(const AttentionBackward& plan, const Launch& launch, const void* const* operands,
           const float* dots, float* dquery, KeyHead head)
      : plan_(plan),
        launch_(launch),
        operands_(operands),
        dots_(dots),
        dquery_(dquery),
        head_(head) {
    const int64_t queries = plan.query_rows;
    const int64_t keys = plan.key_rows;
    const int64_t size = plan.size;
    const int64_t values = plan.value_size;
    // Twice: first to count.
    for (const bool counts : {true, false}) {
      float* const memory = counts ? nullptr : thread_scratch(floats_);
      int64_t at = 0;
      const auto take = [&](int64_t floats) {
        float* const result = memory == nullptr ? nullptr : memory + at;
        at += scratch_floats(floats);
        return result;
      };
      const auto packed = [&](int64_t lines, int64_t depth) {
        return Packed{take(packed_of(lines, depth)), panel_of(depth)};
      };
      queries_ = packed(queries, size);
      dresults_ = packed(queries, values);
      queries_turned_ = packed(size, queries);
      dresults_turned_ = packed(values, queries);
      keys_ = packed(keys, size);
      values_ = packed(keys, values);
      keys_turned_ = packed(size, keys);
      weights_by_keys_ = packed(keys, queries);
      dscores_by_keys_ = packed(keys, queries);
      dscores_by_queries_ = packed(queries, keys);
      weights_ = take(queries * plan.score_stride());
      dscores_ = take(queries * plan.score_stride());
      dkeys_ = take(size * plan.score_stride());
      dvalues_ = take(values * plan.score_stride());
      const int64_t memory_floats = score_memory_floats(plan);
      Scratch rest(take(memory_floats));
      if (!counts) memory_ = score_memory(plan, rest);
      floats_ = at;
    }
  }

  void run(int64_t block) {
    const int64_t key0 = plan_.key_begin(block);
    const int64_t count = plan_.key_count(block);
    const int64_t key_row = plan_.key_heads * plan_.size;
    const int64_t value_row = plan_.key_heads * plan_.value_size;
    const int64_t row = head_.batch * plan_.keys + key0;
    const int64_t key_at = row * key_row + head_.head * plan_.size;
    const int64_t value_at = row * value_row + head_.head * plan_.value_size;
    pack(1, key_at, key_row, 1, count, plan_.size, true, keys_);
    pack(1, key_at, 1, key_row, plan_.size, count, true, keys_turned_);
    pack(2, value_at, value_row, 1, count, plan_.value_size, true, values_);
    std::fill_n(dkeys_, plan_.size * plan_.score_stride(), 0.0f);
    std::fill_n(dvalues_, plan_.value_size * plan_.score_stride(), 0.0f);
    for (int64_t h = 0; h < plan_.group(); ++h) {
      for (int64_t i = 0; i < plan_.query_blocks; ++i) {
        const int64_t query0 = plan_.query_begin(i);
        const AttentionBlockAt at{head_.batch, head_.head * plan_.group() + h,
                                  query0,      plan_.query_begin(i + 1) - query0,
                                  key0,        count};
        if (at.rows > 0 && meets(plan_, at, block, saved_at(at))) meet(at);
      }
    }
    kernels().transpose_matrix(dkeys_, plan_.score_stride(), plan_.size, count,
                               launch_.output<float>(1) + key_at, key_row);
    kernels().transpose_matrix(dvalues_, plan_.score_stride(), plan_.value_size, count,
                               launch_.output<float>(2) + value_at, value_row);
  }

 private:
  const float* saved_at(const AttentionBlockAt& at) const {
    return launch_.input<float>(4) +
           2 * ((at.batch * plan_.heads + at.head) * plan_.queries + at.query0);
  }

  void pack(int operand, int64_t at, int64_t line_stride, int64_t depth_stride, int64_t lines,
            int64_t depth, bool is_b, const Packed& to) const {
    kernels().bfloat16_pack({.x = static_cast<const uint16_t*>(operands_[operand]) + at,
                             .line_stride = line_stride,
                             .depth_stride = depth_stride,
                             .lines = lines,
                             .depth = depth,
                             .is_b = is_b,
                             .packed = reinterpret_cast<char*>(to.at),
                             .panel_bytes = to.panel * 4,
                             .largest = nullptr});
  }

  // Blocks of float32, rows of queries.
  void round(const float* x, const AttentionBlockAt& at, bool by_keys, const Packed& to) const {
    const int64_t stride = plan_.score_stride();
    kernels().rounded_pack({.x = x,
                            .line_stride = by_keys ? 1 : stride,
                            .depth_stride = by_keys ? stride : 1,
                            .lines = by_keys ? at.cols : at.rows,
                            .depth = by_keys ? at.rows : at.cols,
                            .is_b = by_keys,
                            .packed = reinterpret_cast<char*>(to.at),
                            .panel_bytes = to.panel * 4,
                            .largest = nullptr});
  }

  static void multiply(const Packed& a, const Packed& b, int64_t rows, int64_t cols, int64_t depth,
                       float* c, int64_t c_row, bool accumulate) {
    kernels().x3_block({.a = reinterpret_cast<const char*>(a.at),
                        .a_panel_bytes = a.panel * 4,
                        .b = reinterpret_cast<const char*>(b.at),
                        .b_panel_bytes = b.panel * 4,
                        .steps = divide_up(depth, kX3Depth),
                        .parts = 1,
                        .c = c,
                        .c_row = c_row,
                        .rows = rows,
                        .cols = cols,
                        .accumulate = accumulate,
                        .suspect = nullptr});
  }

  void meet(const AttentionBlockAt& at) {
    const int64_t query_row = plan_.heads * plan_.size;
    const int64_t y_row = plan_.heads * plan_.value_size;
    const int64_t row = at.batch * plan_.queries + at.query0;
    const int64_t query_at = row * query_row + at.head * plan_.size;
    const int64_t y_at = row * y_row + at.head * plan_.value_size;
    pack(0, query_at, query_row, 1, at.rows, plan_.size, false, queries_);
    pack(0, query_at, 1, query_row, plan_.size, at.rows, false, queries_turned_);
    pack(5, y_at, y_row, 1, at.rows, plan_.value_size, false, dresults_);
    pack(5, y_at, 1, y_row, plan_.value_size, at.rows, false, dresults_turned_);
    const int64_t stride = plan_.score_stride();
    // scores = query key^T, dweights = dy value^T
    multiply(queries_, keys_, at.rows, at.cols, plan_.size, weights_, stride, false);
    multiply(dresults_, values_, at.rows, at.cols, plan_.value_size, dscores_, stride, false);
    kernels().attention_gradient(
        describe_scores(plan_, launch_, at, memory_, weights_),
        {.dweights = dscores_,
         .stride = stride,
         .largest_inverse = saved_at(at),
         .dots = dots_ + (at.batch * plan_.heads + at.head) * plan_.queries + at.query0});
    round(weights_, at, true, weights_by_keys_);
    round(dscores_, at, true, dscores_by_keys_);
    round(dscores_, at, false, dscores_by_queries_);
    // dvalue^T += dy^T weights, dkey^T += query^T dscores, dquery += dscores key
    multiply(dresults_turned_, weights_by_keys_, plan_.value_size, at.cols, at.rows, dvalues_,
             stride, true);
    multiply(queries_turned_, dscores_by_keys_, plan_.size, at.cols, at.rows, dkeys_, stride, true);
    multiply(dscores_by_queries_, keys_turned_, at.rows, plan_.size, at.cols, dquery_ + query_at,
             query_row, true);
  }

  const AttentionBackward& plan_;
  const Launch& launch_;
  const void* const* operands_;
  const float* dots_;
  float* dquery_;
  KeyHead head_;
  int64_t floats_ = 0;
  Packed queries_, dresults_, queries_turned_, dresults_turned_;
  Packed keys_, values_, keys_turned_;
  Packed weights_by_keys_, dscores_by_keys_, dscores_by_queries_;
  float* weights_ = nullptr;
  float* dscores_ = nullptr;
  float* dkeys_ = nullptr;  // turned: (size, keys)
  float* dvalues_ = nullptr;
  ScoreMemory memory_;
};

}  // namespace

bool gradient_gains_from_amx(const AttentionPlan& plan) {
  return kernels().x3_block != nullptr && std::min(plan.size, plan.value_size) >= 16 &&
         std::max(plan.size, plan.value_size) <= 512 && plan.keys >= 32 && plan.queries >= 32;
}

void run_keys_on_amx(const AttentionBackward& plan, const Launch& launch,
                     const void* const* operands, const float* dots, float* dquery, KeyHead head,
                     int64_t begin, int64_t end) {
  KeyTiles tiles(plan, launch, operands, dots, dquery, head);
  for (int64_t block = begin; block < end; ++block) tiles.run(block);
}

}  // namespace pronghorn::ops
