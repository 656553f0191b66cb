// What forward and gradient of attention share: checks, the cut into blocks, masks, products.
#include <algorithm>
#include <string_view>

#include "pronghorn/ops/attention/attention.h"
#include "pronghorn/ops/shape/rules.h"

namespace pronghorn::ops {
namespace {

constexpr int64_t kFar = int64_t{1} << 40;

// Strides of a bias or mask that broadcasts to (batch, heads, queries, keys).
AttentionPlan::Strides broadcast_strides(const OpCall& call, size_t i, DType dtype,
                                         const AttentionPlan& plan, std::string_view what) {
  const TensorType& type = call.inputs[i];
  const std::array<int64_t, 4> full = {plan.batch, plan.heads, plan.queries, plan.keys};
  bool fits = type.shape.rank() == 4 && type.dtype == dtype;
  AttentionPlan::Strides strides{};
  int64_t stride = 1;
  for (int d = 3; fits && d >= 0; --d) {
    const int64_t size = type.shape[d];
    const int64_t wanted = full[static_cast<size_t>(d)];
    if (size != 1 && size != wanted) fits = false;
    strides[static_cast<size_t>(d)] = size == 1 ? 0 : stride;
    stride *= size;
  }
  if (!fits) {
    value_error(call.op.name, ": expected a ", what, " of dtype ", dtype,
                " that broadcasts to (batch, heads, queries, keys) = ",
                Shape{full[0], full[1], full[2], full[3]}, ". Received: ", what, "=", type, ".");
  }
  return strides;
}

void check_shapes(const OpCall& call) {
  const char* const names[] = {"query", "key", "value"};
  for (size_t i = 0; i < 3; ++i) {
    const TensorType& type = call.inputs[i];
    if ((type.dtype != DType::kFloat32 && type.dtype != DType::kBfloat16) ||
        type.dtype != call.inputs[0].dtype) {
      type_error(call.op.name,
                 ": expected query, key and value of one dtype, float32 or bfloat16. Received: ",
                 names[i], ".dtype=", type.dtype, ", query.dtype=", call.inputs[0].dtype, ".");
    }
    if (type.shape.rank() != 4 || type.shape[2] == 0 || type.shape[3] == 0) {
      value_error(call.op.name, ": expected a ", names[i],
                  " of shape (batch, places, heads, size). Received: ", names[i],
                  ".shape=", type.shape, ".");
    }
  }
  const Shape& q = call.inputs[0].shape;
  const Shape& k = call.inputs[1].shape;
  const Shape& v = call.inputs[2].shape;
  if (q[0] != k[0] || q[0] != v[0] || k[1] != v[1] || k[2] != v[2] || q[2] % k[2] != 0 ||
      q[3] != k[3]) {
    value_error(
        call.op.name,
        ": expected query (batch, queries, heads, size), key (batch, keys, key_heads, size) "
        "and value (batch, keys, key_heads, value_size), heads a multiple of key_heads. "
        "Received: query.shape=",
        q, ", key.shape=", k, ", value.shape=", v, ".");
  }
}

}  // namespace

AttentionPlan plan_attention(const OpCall& call, int extras) {
  const double rate = call.attrs.number("rate", 0.0);
  if (!(rate >= 0.0 && rate <= 1.0))
    value_error(call.op.name, ": rate must be in [0, 1]. Received: rate=", rate, ".");
  AttentionPlan plan;
  plan.drops = rate > 0.0;
  plan.has_bias = call.attrs.integer("has_bias", 0) != 0;
  plan.is_causal = call.attrs.integer("causal", 0) != 0;
  plan.window = call.attrs.integer("window", 0);
  const int64_t masks = call.attrs.integer("masks", 0);
  if (plan.window < 0 || masks < 0 || masks > kAttentionMasks) {
    value_error(call.op.name, ": expected a window from 0 on and 0 to ", kAttentionMasks,
                " masks. Received: window=", plan.window, ", masks=", masks, ".");
  }
  plan.extras = extras;
  expect_operands(
      call, static_cast<size_t>(extras) + plan.drops + plan.has_bias + static_cast<size_t>(masks));
  check_shapes(call);
  const Shape& q = call.inputs[0].shape;
  const Shape& v = call.inputs[2].shape;
  plan.dtype = call.inputs[0].dtype;
  plan.batch = q[0];
  plan.queries = q[1];
  plan.heads = q[2];
  plan.size = q[3];
  plan.keys = v[1];
  plan.key_heads = v[2];
  plan.value_size = v[3];
  plan.scale = static_cast<float>(call.attrs.number("scale"));
  size_t next = static_cast<size_t>(extras);
  if (plan.drops) {
    const TensorType& key = call.inputs[next++];
    if (key.dtype != DType::kUint32 || key.shape != Shape{2}) {
      value_error(call.op.name,
                  ": the key of random numbers must be uint32 of shape (2,). "
                  "Received: ",
                  key, ".");
    }
    plan.threshold = static_cast<uint32_t>(std::min(rate * 0x1p32, 4294967295.0));
    plan.kept = rate < 1.0 ? static_cast<float>(1.0 / (1.0 - rate)) : 0.0f;
  }
  if (plan.has_bias) {
    plan.bias = broadcast_strides(call, next++, DType::kFloat32, plan, "bias");
  }
  for (int64_t i = 0; i < masks; ++i)
    plan.masks.push_back(broadcast_strides(call, next++, DType::kBool, plan, "mask"));
  return plan;
}

void cut_attention(AttentionPlan& plan, int64_t queries, int64_t keys) {
  plan.query_blocks = std::max<int64_t>(1, divide_up(plan.queries, queries));
  plan.query_rows = divide_up(plan.queries, plan.query_blocks);
  plan.key_blocks = divide_up(plan.keys, keys);
  // Multiples of 32, where panels of every ISA begin.
  plan.key_rows =
      plan.key_blocks == 0 ? 0 : round_up(divide_up(plan.keys, plan.key_blocks), int64_t{32});
  if (plan.key_rows > 0) plan.key_blocks = divide_up(plan.keys, plan.key_rows);
}

KeyRange visible_blocks(const AttentionPlan& plan, int64_t query0, int64_t rows) {
  const int64_t last = query0 + rows - 1;
  int64_t first_key = 0;
  int64_t end_key = plan.keys;
  if (plan.is_causal) end_key = std::min(end_key, last + 1);
  if (plan.window > 0) {
    first_key = std::max<int64_t>(0, query0 - plan.window + 1);
    end_key = std::min(end_key, last + plan.window);
  }
  if (first_key >= end_key) return {0, 0};
  return {first_key / plan.key_rows, divide_up(end_key, plan.key_rows)};
}

int64_t score_memory_floats(const AttentionPlan& plan) {
  int64_t floats = 0;
  if (plan.masks.size() > 1) floats += scratch_floats(plan.query_rows * plan.score_stride() / 4);
  if (plan.drops) {
    floats += scratch_floats(plan.query_rows * plan.score_stride()) +
              2 * scratch_floats(plan.key_rows + 4);
  }
  return floats;
}

ScoreMemory score_memory(const AttentionPlan& plan, Scratch& scratch) {
  ScoreMemory memory;
  if (plan.masks.size() > 1) {
    memory.mask =
        reinterpret_cast<uint8_t*>(scratch.take(plan.query_rows * plan.score_stride() / 4));
  }
  if (plan.drops) {
    memory.kept = scratch.take(plan.query_rows * plan.score_stride());
    memory.ones = scratch.take(plan.key_rows + 4);
    memory.row = scratch.take(plan.key_rows + 4);
    std::fill_n(memory.ones, plan.key_rows + 4, 1.0f);
  }
  return memory;
}

AttentionScores describe_scores(const AttentionPlan& plan, const Launch& launch,
                                const AttentionBlockAt& at, const ScoreMemory& memory,
                                float* scores) {
  AttentionScores s{};
  s.scores = scores;
  s.stride = plan.score_stride();
  s.rows = at.rows;
  s.cols = at.cols;
  s.scale = plan.scale;
  const int64_t diagonal = at.query0 - at.key0;
  s.low = plan.window > 0 ? diagonal - plan.window + 1 : -kFar;
  s.high = plan.is_causal ? diagonal + 1 : plan.window > 0 ? diagonal + plan.window : kFar;
  const auto offset = [&at](const AttentionPlan::Strides& strides) {
    return at.batch * strides[0] + at.head * strides[1] + at.query0 * strides[2] +
           at.key0 * strides[3];
  };
  int next = plan.extras;
  if (plan.drops) {
    const uint32_t* key = launch.input<uint32_t>(next++);
    s.kept = memory.kept;
    s.kept_stride = s.stride;
    for (int64_t i = 0; i < at.rows; ++i) {
      // Numbers come in blocks of 4, counted over (batch, heads, queries, keys).
      const int64_t row = (at.batch * plan.heads + at.head) * plan.queries + at.query0 + i;
      const int64_t first = row * plan.keys + at.key0;
      kernels().dropout(key[0], key[1], static_cast<uint64_t>(first) / 4, first % 4 + at.cols,
                        plan.threshold, plan.kept, memory.ones, memory.row);
      std::copy_n(memory.row + first % 4, at.cols, memory.kept + i * s.kept_stride);
    }
  }
  if (plan.has_bias) {
    s.bias = launch.input<float>(next++) + offset(plan.bias);
    s.bias_row = plan.bias[2];
    s.bias_col = plan.bias[3];
  }
  if (plan.masks.size() == 1) {
    s.mask = launch.input<uint8_t>(next) + offset(plan.masks[0]);
    s.mask_row = plan.masks[0][2];
    s.mask_col = plan.masks[0][3];
  } else if (plan.masks.size() > 1) {
    s.mask = memory.mask;
    s.mask_row = s.stride;
    s.mask_col = 1;
    for (size_t m = 0; m < plan.masks.size(); ++m) {
      const AttentionPlan::Strides& strides = plan.masks[m];
      const uint8_t* from = launch.input<uint8_t>(next + static_cast<int>(m)) + offset(strides);
      for (int64_t i = 0; i < at.rows; ++i, from += strides[2]) {
        uint8_t* to = memory.mask + i * s.stride;
        if (m == 0) std::fill_n(to, at.cols, uint8_t{1});
        if (strides[3] != 0) {
          for (int64_t j = 0; j < at.cols; ++j) to[j] = static_cast<uint8_t>(to[j] & from[j]);
        } else if (*from == 0) {
          std::fill_n(to, at.cols, uint8_t{0});
        }
      }
    }
  }
  return s;
}

const float* Widened::read(const void* bfloat16, int64_t count) {
  const auto* from = static_cast<const Bfloat16*>(bfloat16);
  float* const to = take(count);
  parallel_ranges(count, 16384, 6, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) to[i] = to_float(from[i]);
  });
  return to;
}

float* Widened::take(int64_t count) {
  float* const result = memory_;
  memory_ += floats(count);
  return result;
}

void round_to_bfloat16(const float* x, int64_t count, void* y) {
  auto* to = static_cast<Bfloat16*>(y);
  parallel_ranges(count, 16384, 6, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) to[i] = to_bfloat16(x[i]);
  });
}

void multiply(const AttentionProduct& p) {
  GemmBlock g{};
  g.a = p.a;
  g.a_row = p.a_row;
  g.a_depth = p.a_depth;
  g.b = p.b;
  g.b_depth = p.b_depth;
  g.b_col = p.b_col;
  g.b_panel = p.b_panel;
  g.c = p.c;
  g.c_row = p.c_row;
  g.rows = p.rows;
  g.cols = p.cols;
  g.depth = p.depth;
  g.accumulate = p.accumulate;
  g.pack_b = p.pack_b;
  g.panel = p.panel;
  kernels().gemm_block(g);
}

}  // namespace pronghorn::ops
