// Attention's products on AMX: queries, keys, values and weights as tiles of bfloat16 parts, three
// of each float32 (see gemm/x3.h) or, where operands are bfloat16 anyway, one.
#include <algorithm>

#include "pronghorn/ops/attention/forward.h"

namespace pronghorn::ops {
namespace {

constexpr int64_t kMaxSize = 512;  // of a head: one pass along it

// What is packed of a block of keys, in floats from its start: panels of the transposed keys, of
// the values, the largest element of each panel.
struct Layout {
  explicit Layout(const AttentionForward& plan)
      : step(plan.parts * kX3PartBytes / 4),
        key_panel(divide_up(plan.size, kX3Depth) * step),
        value_panel(divide_up(plan.key_rows, kX3Depth) * step),
        key_panels(divide_up(plan.key_rows, kX3Lines)),
        value_panels(divide_up(plan.value_size, kX3Lines)) {}

  int64_t step;  // of a panel, for 32 along the sum
  int64_t key_panel;
  int64_t value_panel;
  int64_t key_panels;
  int64_t value_panels;

  int64_t values() const { return key_panels * key_panel; }
  int64_t largest() const { return values() + value_panels * value_panel; }
  int64_t floats() const { return round_up(largest() + key_panels + value_panels, int64_t{16}); }
};

float* block_at(const AttentionForward& plan, const Layout& layout, const Launch& launch,
                int64_t batch, int64_t key_head, int64_t block) {
  const int64_t index = (batch * plan.key_heads + key_head) * plan.key_blocks + block;
  return static_cast<float*>(launch.workspace) + index * layout.floats();
}

// Elements of an operand, float32 or bfloat16 as the plan says.
const void* element(const AttentionForward& plan, const void* x, int64_t index) {
  return static_cast<const char*>(x) + index * static_cast<int64_t>(size_of(plan.dtype));
}

void pack(const AttentionForward& plan, const X3Pack& pack) {
  if (plan.parts == 1) {
    kernels().bfloat16_pack(pack);
  } else {
    kernels().x3_pack(pack);
  }
}

int64_t scratch_of(const AttentionForward& plan, const Layout& layout) {
  const int64_t row_panels = divide_up(plan.query_rows, kX3Lines);
  return scratch_floats(row_panels * layout.key_panel) +
         scratch_floats(row_panels * layout.value_panel) + scratch_floats(2 * row_panels) +
         scratch_floats(row_panels * std::max(layout.key_panels, layout.value_panels)) +
         scratch_floats(plan.query_rows * plan.out_stride()) +
         scratch_floats(plan.query_rows * plan.score_stride()) +
         2 * scratch_floats(plan.query_rows) + score_memory_floats(plan);
}

class QueryTiles {
 public:
  QueryTiles(const AttentionForward& plan, const Launch& launch, int64_t batch, int64_t head,
             int64_t block)
      : plan_(plan), launch_(launch), layout_(plan), batch_(batch), head_(head) {
    query0_ = plan.query_begin(block);
    count_ = plan.query_begin(block + 1) - query0_;
    row_panels_ = divide_up(count_, kX3Lines);
    Scratch scratch(thread_scratch(scratch_of(plan, layout_)));
    const int64_t panels = divide_up(plan.query_rows, kX3Lines);
    queries_ = scratch.take(panels * layout_.key_panel);
    weights_ = scratch.take(panels * layout_.value_panel);
    largest_ = scratch.take(2 * panels);
    suspect_ = reinterpret_cast<uint32_t*>(
        scratch.take(panels * std::max(layout_.key_panels, layout_.value_panels)));
    rows_.out = scratch.take(plan.query_rows * plan.out_stride());
    rows_.out_stride = plan.out_stride();
    rows_.out_cols = plan.value_size;
    scores_ = scratch.take(plan.query_rows * plan.score_stride());
    rows_.largest = scratch.take(plan.query_rows);
    rows_.sum = scratch.take(plan.query_rows);
    rows_.is_first = true;
    memory_ = score_memory(plan, scratch);
  }

  bool run() {
    const int64_t query_row = plan_.heads * plan_.size;
    std::fill_n(largest_, row_panels_, 0.0f);
    const int64_t row = batch_ * plan_.queries + query0_;
    pack(plan_, rows_of(element(plan_, launch_.inputs[0], row * query_row + head_ * plan_.size),
                        query_row, plan_.size, queries_, layout_.key_panel, largest_));
    const KeyRange seen = visible_blocks(plan_, query0_, count_);
    for (int64_t block = seen.begin; block < seen.end; ++block) {
      if (!meet(block)) return false;
    }
    if (rows_.is_first || has_blind_row(rows_, count_)) {
      for (int64_t block = 0; block < plan_.key_blocks; ++block) {
        if ((block < seen.begin || block >= seen.end) && !meet(block)) return false;
      }
    }
    store_results(plan_, launch_, rows_, batch_, head_, query0_, count_);
    return true;
  }

 private:
  // Left factors of products, a row for each query.
  X3Pack rows_of(const void* x, int64_t stride, int64_t depth, float* packed, int64_t panel,
                 float* largest) const {
    return {.x = x,
            .line_stride = stride,
            .depth_stride = 1,
            .lines = count_,
            .depth = depth,
            .is_b = false,
            .packed = reinterpret_cast<char*>(packed),
            .panel_bytes = panel * 4,
            .largest = largest};
  }

  bool multiply(X3Block g, int64_t col_panels) {
    g.rows = count_;
    g.parts = plan_.parts;
    g.suspect = plan_.parts == 1 ? nullptr : suspect_;
    g.suspect_stride = col_panels;
    kernels().x3_block(g);
    return plan_.parts == 1 || std::all_of(suspect_, suspect_ + row_panels_ * col_panels,
                                           [](uint32_t rows) { return rows == 0; });
  }

  bool meet(int64_t block) {
    const int64_t keys = plan_.key_count(block);
    const float* packed = block_at(plan_, layout_, launch_, batch_, head_ / plan_.group(), block);
    const float* largest = packed + layout_.largest();
    if (!multiply({.a = reinterpret_cast<const char*>(queries_),
                   .a_panel_bytes = layout_.key_panel * 4,
                   .b = reinterpret_cast<const char*>(packed),
                   .b_panel_bytes = layout_.key_panel * 4,
                   .steps = divide_up(plan_.size, kX3Depth),
                   .c = scores_,
                   .c_row = plan_.score_stride(),
                   .cols = keys,
                   .accumulate = false,
                   .largest_a = largest_,
                   .largest_b = largest,
                   .depth = plan_.size},
                  divide_up(keys, kX3Lines))) {
      return false;
    }
    const AttentionBlockAt at{batch_, head_, query0_, count_, plan_.key_begin(block), keys};
    kernels().attention_weights(describe_scores(plan_, launch_, at, memory_, scores_), rows_);
    float* largest_weights = largest_ + divide_up(plan_.query_rows, kX3Lines);
    std::fill_n(largest_weights, row_panels_, 0.0f);
    const X3Pack weights = rows_of(scores_, plan_.score_stride(), keys, weights_,
                                   layout_.value_panel, largest_weights);
    if (plan_.parts == 1) {
      kernels().rounded_pack(weights);
    } else {
      kernels().x3_pack(weights);
    }
    const bool fits = multiply({.a = reinterpret_cast<const char*>(weights_),
                                .a_panel_bytes = layout_.value_panel * 4,
                                .b = reinterpret_cast<const char*>(packed + layout_.values()),
                                .b_panel_bytes = layout_.value_panel * 4,
                                .steps = divide_up(keys, kX3Depth),
                                .c = rows_.out,
                                .c_row = rows_.out_stride,
                                .cols = plan_.value_size,
                                .accumulate = !rows_.is_first,
                                .largest_a = largest_weights,
                                .largest_b = largest + layout_.key_panels,
                                .depth = keys},
                               layout_.value_panels);
    rows_.is_first = false;
    return fits;
  }

  const AttentionForward& plan_;
  const Launch& launch_;
  Layout layout_;
  int64_t batch_;
  int64_t head_;
  int64_t query0_;
  int64_t count_;
  int64_t row_panels_;
  float* queries_;
  float* weights_;
  float* largest_;  // of the panels of queries, then of weights
  uint32_t* suspect_;
  float* scores_;
  AttentionRows rows_{};
  ScoreMemory memory_;
};

}  // namespace

bool attention_gains_from_amx(const AttentionPlan& plan, int64_t parts) {
  const int64_t size = std::min(plan.size, plan.value_size);
  if (plan.size > kMaxSize) return false;
  if (parts == 1) return size >= 16 && plan.keys >= 64;
  return size >= 64 && plan.keys >= 256 && plan.queries * plan.group() >= 192;
}

int64_t amx_workspace(const AttentionForward& plan) {
  return plan.batch * plan.key_heads * plan.key_blocks * Layout(plan).floats();
}

void pack_heads_for_amx(const AttentionForward& plan, const Launch& launch) {
  const Layout layout(plan);
  const int64_t key_row = plan.key_heads * plan.size;
  const int64_t value_row = plan.key_heads * plan.value_size;
  parallel_for(
      plan.batch * plan.key_heads * plan.key_blocks,
      8 * plan.key_rows * (plan.size + plan.value_size), [&](int64_t i) {
        const int64_t block = i % plan.key_blocks;
        const int64_t head = i / plan.key_blocks % plan.key_heads;
        const int64_t batch = i / plan.key_blocks / plan.key_heads;
        const int64_t row = batch * plan.keys + plan.key_begin(block);
        const int64_t count = plan.key_count(block);
        float* to = block_at(plan, layout, launch, batch, head, block);
        float* largest = to + layout.largest();
        std::fill_n(largest, layout.key_panels + layout.value_panels, 0.0f);
        pack(plan, {.x = element(plan, launch.inputs[1], row * key_row + head * plan.size),
                    .line_stride = key_row,
                    .depth_stride = 1,
                    .lines = count,
                    .depth = plan.size,
                    .is_b = true,
                    .packed = reinterpret_cast<char*>(to),
                    .panel_bytes = layout.key_panel * 4,
                    .largest = largest});
        pack(plan, {.x = element(plan, launch.inputs[2], row * value_row + head * plan.value_size),
                    .line_stride = 1,
                    .depth_stride = value_row,
                    .lines = plan.value_size,
                    .depth = count,
                    .is_b = true,
                    .packed = reinterpret_cast<char*>(to + layout.values()),
                    .panel_bytes = layout.value_panel * 4,
                    .largest = largest + layout.key_panels});
      });
}

bool run_queries_on_amx(const AttentionForward& plan, const Launch& launch, int64_t batch,
                        int64_t head, int64_t block) {
  return QueryTiles(plan, launch, batch, head, block).run();
}

}  // namespace pronghorn::ops
