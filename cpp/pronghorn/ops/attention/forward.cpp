// attention(query, key, value, ...) {scale, causal, window, rate, has_bias, masks} -> y (batch,
// queries, heads, value_size) and, for the gradient, (batch, heads, queries, 2): the largest score
// of each query and the inverse of its sum. See attention.h for the operands.
#include <algorithm>
#include <array>
#include <cstring>

#include "pronghorn/base/precision.h"
#include "pronghorn/ops/attention/forward.h"
#include "pronghorn/ops/attention/rules.h"

namespace pronghorn::ops {
namespace {

constexpr int64_t kQueryRows = 84;  // whole tiles of 14 and of 6 rows
constexpr int64_t kAmxRows = 96;
constexpr int64_t kKeyRows = 256;
constexpr int64_t kSharedRows = 64;  // from so many rows on a head's keys and values are packed
constexpr int64_t kPackedRows = 16;  // from so many rows on a block's values are

using Plan = AttentionForward;

int64_t scratch_of(const Plan& plan) {
  return scratch_floats(plan.query_rows * plan.query_stride()) +
         scratch_floats(plan.query_rows * plan.out_stride()) +
         scratch_floats(plan.query_rows * plan.score_stride()) +
         2 * scratch_floats(plan.query_rows) + score_memory_floats(plan) +
         panel_floats(std::max(plan.size, plan.key_rows));
}

const Plan& plan_of(const Launch& launch) { return launch.plan_as<Plan>(); }

// Panels of the transposed keys and of the values of all heads.
void pack_heads(const Plan& plan, const Launch& launch) {
  const int64_t head_floats = plan.packed_keys + plan.packed_values;
  const int64_t key_row = plan.key_heads * plan.size;
  const int64_t value_row = plan.key_heads * plan.value_size;
  parallel_for(
      plan.batch * plan.key_heads * plan.key_blocks,
      8 * plan.key_rows * (plan.size + plan.value_size), [&](int64_t i) {
        const int64_t block = i % plan.key_blocks;
        const int64_t head = i / plan.key_blocks % plan.key_heads;
        const int64_t batch = i / plan.key_blocks / plan.key_heads;
        const int64_t key0 = plan.key_begin(block);
        const int64_t count = plan.key_count(block);
        float* to =
            static_cast<float*>(launch.workspace) + (batch * plan.key_heads + head) * head_floats;
        kernels().pack_columns(
            launch.input<float>(1) + (batch * plan.keys + key0) * key_row + head * plan.size, 1,
            key_row, plan.size, count, to + key0 / plan.panel_columns * plan.key_panel(),
            plan.key_panel());
        kernels().pack_columns(launch.input<float>(2) + (batch * plan.keys + key0) * value_row +
                                   head * plan.value_size,
                               value_row, 1, count, plan.value_size,
                               to + plan.packed_keys + key0 * plan.panel_columns,
                               plan.value_panel());
      });
}

// A block of queries of one head, against all blocks of keys.
class QueryBlock {
 public:
  QueryBlock(const Plan& plan, const Launch& launch, int64_t batch, int64_t head, int64_t block)
      : plan_(plan), launch_(launch), batch_(batch), head_(head) {
    query0_ = plan.query_begin(block);
    count_ = plan.query_begin(block + 1) - query0_;
    Scratch scratch(thread_scratch(scratch_of(plan)));
    queries_ = scratch.take(plan.query_rows * plan.query_stride());
    scores_ = scratch.take(plan.query_rows * plan.score_stride());
    rows_.out = scratch.take(plan.query_rows * plan.out_stride());
    rows_.out_stride = plan.out_stride();
    rows_.out_cols = plan.value_size;
    rows_.largest = scratch.take(plan.query_rows);
    rows_.sum = scratch.take(plan.query_rows);
    rows_.is_first = true;
    memory_ = score_memory(plan, scratch);
    panel_ = scratch.take(panel_floats(std::max(plan.size, plan.key_rows)));
  }

  void run() {
    const int64_t query_row = plan_.heads * plan_.size;
    kernels().copy_rows(launch_.input<float>(0) + (batch_ * plan_.queries + query0_) * query_row +
                            head_ * plan_.size,
                        query_row, count_, plan_.size, queries_, plan_.query_stride());
    const KeyRange seen = visible_blocks(plan_, query0_, count_);
    for (int64_t block = seen.begin; block < seen.end; ++block) meet(block);
    // Queries without a visible key weigh all keys alike.
    if (rows_.is_first || has_blind_row(rows_, count_)) {
      for (int64_t block = 0; block < plan_.key_blocks; ++block) {
        if (block < seen.begin || block >= seen.end) meet(block);
      }
    }
    store_results(plan_, launch_, rows_, batch_, head_, query0_, count_);
  }

 private:
  void meet(int64_t block) {
    const int64_t key0 = plan_.key_begin(block);
    const int64_t keys = plan_.key_count(block);
    const int64_t head = head_ / plan_.group();
    AttentionProduct p{.a = queries_,
                       .a_row = plan_.query_stride(),
                       .a_depth = 1,
                       .c = scores_,
                       .c_row = plan_.score_stride(),
                       .rows = count_,
                       .cols = keys,
                       .depth = plan_.size,
                       .panel = panel_};
    const float* packed =
        static_cast<const float*>(launch_.workspace) +
        (batch_ * plan_.key_heads + head) * (plan_.packed_keys + plan_.packed_values);
    const int64_t key_row = plan_.key_heads * plan_.size;
    const int64_t value_row = plan_.key_heads * plan_.value_size;
    const bool packs = plan_.shares && plan_.parts == 0;
    if (packs) {
      p.b = packed + key0 / plan_.panel_columns * plan_.key_panel();
      p.b_depth = plan_.panel_columns;
      p.b_col = 1;
      p.b_panel = plan_.key_panel();
    } else {
      p.b = launch_.input<float>(1) + (batch_ * plan_.keys + key0) * key_row + head * plan_.size;
      p.b_depth = 1;
      p.b_col = key_row;
    }
    multiply(p);
    const AttentionBlockAt at{batch_, head_, query0_, count_, key0, keys};
    kernels().attention_weights(describe_scores(plan_, launch_, at, memory_, scores_), rows_);
    p.a = scores_;
    p.a_row = plan_.score_stride();
    if (packs) {
      p.b = packed + plan_.packed_keys + key0 * plan_.panel_columns;
      p.b_panel = plan_.value_panel();
    } else {
      p.b = launch_.input<float>(2) + (batch_ * plan_.keys + key0) * value_row +
            head * plan_.value_size;
      p.b_depth = value_row;
      p.b_col = 1;
      p.pack_b = count_ >= kPackedRows;
    }
    p.c = rows_.out;
    p.c_row = rows_.out_stride;
    p.cols = plan_.value_size;
    p.depth = keys;
    p.accumulate = !rows_.is_first;
    multiply(p);
    rows_.is_first = false;
  }

  const Plan& plan_;
  const Launch& launch_;
  int64_t batch_;
  int64_t head_;
  int64_t query0_;
  int64_t count_;
  float* queries_;
  float* scores_;
  float* panel_;
  AttentionRows rows_{};
  ScoreMemory memory_;
};

}  // namespace

std::vector<TensorType> infer_attention(const OpCall& call) {
  const AttentionPlan plan = plan_attention(call, 3);
  return {{plan.dtype, Shape{plan.batch, plan.queries, plan.heads, plan.value_size}},
          {DType::kFloat32, Shape{plan.batch, plan.heads, plan.queries, 2}}};
}

Prepared prepare_attention(const OpCall& call) {
  auto plan = std::make_shared<Plan>();
  static_cast<AttentionPlan&>(*plan) = plan_attention(call, 3);
  const int64_t parts = plan->dtype == DType::kBfloat16 ? 1 : 3;
  const bool on_amx = kernels().x3_block != nullptr && (parts == 1 || !strict_float32()) &&
                      plan->queries * plan->group() >= kSharedRows &&
                      attention_gains_from_amx(*plan, parts);
  cut_attention(*plan, on_amx ? kAmxRows : kQueryRows, kKeyRows);
  const int64_t rows = plan->queries * plan->group();
  plan->shares = plan->query_blocks * plan->group() > 1 && rows >= kSharedRows;
  plan->panel_columns = kernels().gemm_panel_columns();
  int64_t floats = 0;
  if (on_amx) {
    plan->parts = parts;
    floats = amx_workspace(*plan);
  } else if (plan->shares) {
    plan->packed_keys = round_up(plan->keys, plan->panel_columns) * plan->size;
    plan->packed_values = plan->keys * round_up(plan->value_size, plan->panel_columns);
    floats = plan->batch * plan->key_heads * (plan->packed_keys + plan->packed_values);
  }
  plan->widened = round_up(floats, int64_t{16});
  if (plan->widens()) {
    floats = plan->widened + Widened::floats(call.outputs[0].shape.size());
    for (size_t i = 0; i < 3; ++i) floats += Widened::floats(call.inputs[i].shape.size());
  }
  return {.plan = plan, .workspace = static_cast<size_t>(floats) * sizeof(float)};
}

namespace {

void run_blocks(const Plan& plan, const Launch& launch) {
  if (plan.parts > 0) {
    pack_heads_for_amx(plan, launch);
  } else if (plan.shares) {
    pack_heads(plan, launch);
  }
  const int64_t cost = 2 * plan.query_rows * plan.keys * (plan.size + plan.value_size + 16);
  parallel_for(plan.batch * plan.heads * plan.query_blocks, cost, [&](int64_t i) {
    const int64_t block = i % plan.query_blocks;
    const int64_t head = i / plan.query_blocks % plan.heads;
    const int64_t batch = i / plan.query_blocks / plan.heads;
    if (plan.parts > 0 && run_queries_on_amx(plan, launch, batch, head, block)) return;
    QueryBlock(plan, launch, batch, head, block).run();
  });
}

// The same on float32 copies of the operands.
void run_widened(const Plan& plan, const Launch& launch) {
  Widened copies(static_cast<float*>(launch.workspace) + plan.widened);
  const int64_t keys = plan.batch * plan.keys * plan.key_heads;
  const int64_t rows = plan.batch * plan.queries * plan.heads;
  std::array<const void*, kAttentionOperands> inputs;
  std::copy_n(launch.inputs, plan.operands(), inputs.begin());
  inputs[0] = copies.read(launch.inputs[0], rows * plan.size);
  inputs[1] = copies.read(launch.inputs[1], keys * plan.size);
  inputs[2] = copies.read(launch.inputs[2], keys * plan.value_size);
  float* y = copies.take(rows * plan.value_size);
  void* const outputs[] = {y, launch.outputs[1]};
  run_blocks(plan, {launch.plan, inputs.data(), outputs, launch.workspace});
  round_to_bfloat16(y, rows * plan.value_size, launch.outputs[0]);
}

}  // namespace

void run_attention(const Launch& launch) noexcept {
  const Plan& plan = plan_of(launch);
  const int64_t rows = plan.batch * plan.heads * plan.queries;
  if (rows == 0) return;
  if (plan.keys == 0) {
    std::memset(launch.outputs[0], 0,
                static_cast<size_t>(rows * plan.value_size) * size_of(plan.dtype));
    if (launch.outputs[1] != nullptr) std::fill_n(launch.output<float>(1), 2 * rows, 0.0f);
    return;
  }
  if (plan.widens()) {
    run_widened(plan, launch);
  } else {
    run_blocks(plan, launch);
  }
}

void store_results(const AttentionForward& plan, const Launch& launch, const AttentionRows& rows,
                   int64_t batch, int64_t head, int64_t query0, int64_t count) {
  const int64_t y_row = plan.heads * plan.value_size;
  const int64_t at = (batch * plan.queries + query0) * y_row + head * plan.value_size;
  float* saved = launch.output<float>(1);
  if (saved != nullptr) saved += 2 * ((batch * plan.heads + head) * plan.queries + query0);
  if (plan.parts == 1) {
    kernels().attention_results(rows, count, rows.out, rows.out_stride, saved);
    kernels().conv_store(rows.out, count, rows.out_stride, plan.value_size,
                         launch.output<Bfloat16>(0) + at, y_row, true, false);
  } else {
    kernels().attention_results(rows, count, launch.output<float>(0) + at, y_row, saved);
  }
}

bool has_blind_row(const AttentionRows& rows, int64_t count) {
  return std::any_of(rows.largest, rows.largest + count, [](float x) { return x <= kHiddenScore; });
}

}  // namespace pronghorn::ops
