// attention_grad(query, key, value, y, saved, dy, ...) {as attention} -> dquery, dkey, dvalue.  y,
// saved: attention's results. A task takes some blocks of keys of one head and meets all blocks of
// queries: weights are computed again, dkey and dvalue of its keys stay in its cache, and it adds
// to a dquery of its own, if several tasks share a head.
#include <algorithm>
#include <array>
#include <cstring>

#include "pronghorn/ops/attention/backward.h"
#include "pronghorn/ops/attention/rules.h"

namespace pronghorn::ops {
namespace {

constexpr int64_t kQueryRows = 84;
constexpr int64_t kKeyRows = 128;
constexpr int64_t kAmxQueryRows = 96;
constexpr int64_t kAmxKeyRows = 256;
constexpr int64_t kTasks = 8;

using Plan = AttentionBackward;

int64_t panels_of(const Plan& plan, int64_t depth) {
  return round_up(plan.key_rows, plan.panel_columns) * depth;
}

int64_t scratch_of(const Plan& plan) {
  return 2 * scratch_floats(plan.query_rows * plan.score_stride()) +
         scratch_floats(plan.query_rows * plan.size_stride()) +
         scratch_floats(plan.query_rows * plan.value_stride()) +
         2 * scratch_floats(plan.key_rows * plan.size_stride()) +
         scratch_floats(plan.key_rows * plan.value_stride()) +
         scratch_floats(panels_of(plan, plan.size)) +
         scratch_floats(panels_of(plan, plan.value_size)) + score_memory_floats(plan) +
         panel_floats(std::max(plan.query_rows, plan.key_rows));
}

// Some blocks of keys of one key head.
class KeyBlocks {
 public:
  KeyBlocks(const Plan& plan, const Launch& launch, const float* dots, float* dquery, int64_t batch,
            int64_t key_head)
      : plan_(plan),
        launch_(launch),
        dots_(dots),
        dquery_(dquery),
        batch_(batch),
        key_head_(key_head) {
    Scratch scratch(thread_scratch(scratch_of(plan)));
    weights_ = scratch.take(plan.query_rows * plan.score_stride());
    dscores_ = scratch.take(plan.query_rows * plan.score_stride());
    queries_ = scratch.take(plan.query_rows * plan.size_stride());
    dresults_ = scratch.take(plan.query_rows * plan.value_stride());
    keys_ = scratch.take(plan.key_rows * plan.size_stride());
    dkeys_ = scratch.take(plan.key_rows * plan.size_stride());
    dvalues_ = scratch.take(plan.key_rows * plan.value_stride());
    key_panels_ = scratch.take(panels_of(plan, plan.size));
    value_panels_ = scratch.take(panels_of(plan, plan.value_size));
    memory_ = score_memory(plan, scratch);
    panel_ = scratch.take(panel_floats(std::max(plan.query_rows, plan.key_rows)));
  }

  void run(int64_t block) {
    const int64_t key0 = plan_.key_begin(block);
    const int64_t count = plan_.key_count(block);
    const int64_t key_row = plan_.key_heads * plan_.size;
    const int64_t value_row = plan_.key_heads * plan_.value_size;
    const int64_t row = batch_ * plan_.keys + key0;
    const float* keys = launch_.input<float>(1) + row * key_row + key_head_ * plan_.size;
    const float* values = launch_.input<float>(2) + row * value_row + key_head_ * plan_.value_size;
    kernels().copy_rows(keys, key_row, count, plan_.size, keys_, plan_.size_stride());
    kernels().pack_columns(keys, 1, key_row, plan_.size, count, key_panels_, key_panel(plan_.size));
    kernels().pack_columns(values, 1, value_row, plan_.value_size, count, value_panels_,
                           key_panel(plan_.value_size));
    std::fill_n(dkeys_, count * plan_.size_stride(), 0.0f);
    std::fill_n(dvalues_, count * plan_.value_stride(), 0.0f);
    for (int64_t h = 0; h < plan_.group(); ++h) {
      for (int64_t i = 0; i < plan_.query_blocks; ++i) {
        const int64_t query0 = plan_.query_begin(i);
        const AttentionBlockAt at{batch_, key_head_ * plan_.group() + h,
                                  query0, plan_.query_begin(i + 1) - query0,
                                  key0,   count};
        if (at.rows > 0 && meets(plan_, at, block, saved_at(at))) meet(at);
      }
    }
    kernels().copy_rows(dkeys_, plan_.size_stride(), count, plan_.size,
                        launch_.output<float>(1) + row * key_row + key_head_ * plan_.size, key_row);
    kernels().copy_rows(dvalues_, plan_.value_stride(), count, plan_.value_size,
                        launch_.output<float>(2) + row * value_row + key_head_ * plan_.value_size,
                        value_row);
  }

 private:
  int64_t key_panel(int64_t depth) const { return depth * plan_.panel_columns; }
  float* dquery_at(int64_t head, int64_t query) const {
    return dquery_ + ((batch_ * plan_.queries + query) * plan_.heads + head) * plan_.size;
  }
  const float* saved_at(const AttentionBlockAt& at) const {
    return launch_.input<float>(4) +
           2 * ((batch_ * plan_.heads + at.head) * plan_.queries + at.query0);
  }

  void meet(const AttentionBlockAt& at) {
    const int64_t query_row = plan_.heads * plan_.size;
    const int64_t y_row = plan_.heads * plan_.value_size;
    const int64_t row = batch_ * plan_.queries + at.query0;
    kernels().copy_rows(launch_.input<float>(0) + row * query_row + at.head * plan_.size, query_row,
                        at.rows, plan_.size, queries_, plan_.size_stride());
    kernels().copy_rows(launch_.input<float>(5) + row * y_row + at.head * plan_.value_size, y_row,
                        at.rows, plan_.value_size, dresults_, plan_.value_stride());
    const int64_t stride = plan_.score_stride();
    // scores = query key^T, dweights = dy value^T
    AttentionProduct p{.a = queries_,
                       .a_row = plan_.size_stride(),
                       .a_depth = 1,
                       .b = key_panels_,
                       .b_depth = plan_.panel_columns,
                       .b_col = 1,
                       .b_panel = key_panel(plan_.size),
                       .c = weights_,
                       .c_row = stride,
                       .rows = at.rows,
                       .cols = at.cols,
                       .depth = plan_.size,
                       .panel = panel_};
    multiply(p);
    p.a = dresults_;
    p.a_row = plan_.value_stride();
    p.b = value_panels_;
    p.b_panel = key_panel(plan_.value_size);
    p.c = dscores_;
    p.depth = plan_.value_size;
    multiply(p);
    kernels().attention_gradient(
        describe_scores(plan_, launch_, at, memory_, weights_),
        {.dweights = dscores_,
         .stride = stride,
         .largest_inverse = saved_at(at),
         .dots = dots_ + (batch_ * plan_.heads + at.head) * plan_.queries + at.query0});
    // dvalue += weights^T dy, dkey += dscores^T query, dquery += dscores key
    p = {.a = weights_,
         .a_row = 1,
         .a_depth = stride,
         .b = dresults_,
         .b_depth = plan_.value_stride(),
         .b_col = 1,
         .c = dvalues_,
         .c_row = plan_.value_stride(),
         .rows = at.cols,
         .cols = plan_.value_size,
         .depth = at.rows,
         .accumulate = true,
         .panel = panel_};
    multiply(p);
    p.a = dscores_;
    p.b = queries_;
    p.b_depth = plan_.size_stride();
    p.c = dkeys_;
    p.c_row = plan_.size_stride();
    p.cols = plan_.size;
    multiply(p);
    p.a_row = stride;
    p.a_depth = 1;
    p.b = keys_;
    p.c = dquery_at(at.head, at.query0);
    p.c_row = query_row;
    p.rows = at.rows;
    p.depth = at.cols;
    multiply(p);
  }

  const Plan& plan_;
  const Launch& launch_;
  const float* dots_;
  float* dquery_;
  int64_t batch_;
  int64_t key_head_;
  float* weights_;
  float* dscores_;
  float* queries_;
  float* dresults_;
  float* keys_;
  float* dkeys_;
  float* dvalues_;
  float* key_panels_;
  float* value_panels_;
  float* panel_;
  ScoreMemory memory_;
};

}  // namespace

std::vector<TensorType> infer_attention_grad(const OpCall& call) {
  const AttentionPlan plan = plan_attention(call, 6);
  const TensorType y{plan.dtype, Shape{plan.batch, plan.queries, plan.heads, plan.value_size}};
  const TensorType saved{DType::kFloat32, Shape{plan.batch, plan.heads, plan.queries, 2}};
  if (!(call.inputs[3] == y) || !(call.inputs[4] == saved) || !(call.inputs[5] == y)) {
    value_error("attention_grad: expected y and dy ", y, " and saved ", saved,
                ". Received: y=", call.inputs[3], ", saved=", call.inputs[4],
                ", dy=", call.inputs[5], ".");
  }
  return {call.inputs[0], call.inputs[1], call.inputs[2]};
}

Prepared prepare_attention_grad(const OpCall& call) {
  auto plan = std::make_shared<Plan>();
  static_cast<AttentionPlan&>(*plan) = plan_attention(call, 6);
  plan->on_amx = plan->dtype == DType::kBfloat16 && gradient_gains_from_amx(*plan);
  if (plan->on_amx) {
    cut_attention(*plan, kAmxQueryRows, kAmxKeyRows);
  } else {
    cut_attention(*plan, kQueryRows, kKeyRows);
  }
  plan->panel_columns = kernels().gemm_panel_columns();
  const int64_t heads = plan->batch * plan->key_heads;
  if (heads > 0 && heads < kTasks) {
    plan->chunks = std::max<int64_t>(1, std::min(plan->key_blocks, divide_up(kTasks, heads)));
  }
  const int64_t dots = round_up(plan->batch * plan->heads * plan->queries, int64_t{16});
  const int64_t parts = plan->chunks > 1 ? plan->chunks * plan->dquery_floats() : 0;
  plan->widened = round_up(dots + parts, int64_t{16});
  int64_t floats = plan->widened;
  if (plan->dtype == DType::kBfloat16) {
    for (size_t i = 0; i < 3; ++i) floats += 2 * Widened::floats(call.inputs[i].shape.size());
    floats += 2 * Widened::floats(call.inputs[3].shape.size());
  }
  return {.plan = plan, .workspace = static_cast<size_t>(floats) * sizeof(float)};
}

namespace {

// dquery of the heads that share a key head becomes 0.
void clear(const Plan& plan, float* dquery, int64_t batch, int64_t key_head) {
  const int64_t group = plan.group() * plan.size;
  for (int64_t i = 0; i < plan.queries; ++i) {
    std::fill_n(dquery + ((batch * plan.queries + i) * plan.key_heads + key_head) * group, group,
                0.0f);
  }
}

// operands: those of the launch, bfloat16 ones as they are, for AMX.
void run_blocks(const Plan& plan, const Launch& launch, const void* const* operands) {
  float* dquery = launch.output<float>(0);
  const int64_t dquery_floats = plan.dquery_floats();
  float* dots = static_cast<float*>(launch.workspace);
  float* parts = dots + round_up(plan.batch * plan.heads * plan.queries, int64_t{16});
  parallel_ranges(plan.batch * plan.queries, 16, 4 * plan.heads * plan.value_size,
                  [&](int64_t begin, int64_t end) {
                    for (int64_t i = begin; i < end; ++i) {
                      const int64_t row = i * plan.heads * plan.value_size;
                      kernels().dot_rows(
                          launch.input<float>(3) + row, launch.input<float>(5) + row, plan.heads,
                          plan.value_size,
                          dots + i / plan.queries * plan.heads * plan.queries + i % plan.queries,
                          plan.queries);
                    }
                  });
  const int64_t tasks = plan.batch * plan.key_heads * plan.chunks;
  const int64_t cost = 2 * plan.group() * plan.queries * plan.keys / plan.chunks *
                       (3 * plan.size + 2 * plan.value_size + 16);
  parallel_for(tasks, cost, [&](int64_t i) {
    const int64_t chunk = i % plan.chunks;
    const int64_t head = i / plan.chunks;
    float* own = plan.chunks == 1 ? dquery : parts + chunk * dquery_floats;
    const int64_t batch = head / plan.key_heads;
    const int64_t key_head = head % plan.key_heads;
    clear(plan, own, batch, key_head);
    const int64_t end = plan.chunk_begin(chunk + 1);
    if (plan.on_amx) {
      run_keys_on_amx(plan, launch, operands, dots, own, {batch, key_head}, plan.chunk_begin(chunk),
                      end);
      return;
    }
    KeyBlocks blocks(plan, launch, dots, own, batch, key_head);
    for (int64_t b = plan.chunk_begin(chunk); b < end; ++b) blocks.run(b);
  });
  if (plan.chunks == 1) return;
  parallel_ranges(dquery_floats, 16384, 4 * (plan.chunks + 1), [&](int64_t begin, int64_t end) {
    kernels().add_partial_sums(parts + begin, plan.chunks, dquery_floats, end - begin,
                               dquery + begin, false);
  });
}

// The same on float32 copies of the operands.
void run_widened(const Plan& plan, const Launch& launch) {
  Widened copies(static_cast<float*>(launch.workspace) + plan.widened);
  const int64_t keys = plan.batch * plan.keys * plan.key_heads;
  const int64_t rows = plan.batch * plan.queries * plan.heads;
  const std::array<int64_t, 3> counts = {rows * plan.size, keys * plan.size,
                                         keys * plan.value_size};
  std::array<const void*, kAttentionOperands> inputs;
  std::copy_n(launch.inputs, plan.operands(), inputs.begin());
  std::array<void*, 3> outputs;
  for (size_t i = 0; i < 3; ++i) {
    if (!plan.on_amx) inputs[i] = copies.read(launch.inputs[i], counts[i]);
    outputs[i] = copies.take(counts[i]);
  }
  inputs[3] = copies.read(launch.inputs[3], rows * plan.value_size);
  inputs[5] = copies.read(launch.inputs[5], rows * plan.value_size);
  run_blocks(plan, {launch.plan, inputs.data(), outputs.data(), launch.workspace}, launch.inputs);
  for (size_t i = 0; i < 3; ++i)
    round_to_bfloat16(static_cast<float*>(outputs[i]), counts[i], launch.outputs[i]);
}

}  // namespace

bool meets(const AttentionPlan& plan, const AttentionBlockAt& at, int64_t block,
           const float* saved) {
  const KeyRange seen = visible_blocks(plan, at.query0, at.rows);
  if (block >= seen.begin && block < seen.end) return true;
  for (int64_t i = 0; i < at.rows; ++i) {
    if (saved[2 * i] <= kHiddenScore) return true;
  }
  return false;
}

void run_attention_grad(const Launch& launch) noexcept {
  const Plan& plan = launch.plan_as<Plan>();
  if (plan.queries == 0 || plan.keys == 0) {
    const auto bytes = static_cast<int64_t>(size_of(plan.dtype));
    const int64_t keys = plan.batch * plan.keys * plan.key_heads;
    std::memset(launch.outputs[0], 0, static_cast<size_t>(plan.dquery_floats() * bytes));
    std::memset(launch.outputs[1], 0, static_cast<size_t>(keys * plan.size * bytes));
    std::memset(launch.outputs[2], 0, static_cast<size_t>(keys * plan.value_size * bytes));
  } else if (plan.dtype == DType::kBfloat16) {
    run_widened(plan, launch);
  } else {
    run_blocks(plan, launch, launch.inputs);
  }
}

}  // namespace pronghorn::ops
