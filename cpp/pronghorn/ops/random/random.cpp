// random_bits(key) {shape} -> uint32; random_uniform(key) {shape, low, high}, random_normal(key)
// and random_truncated_normal(key) {shape, mean, stddev} -> float32; dropout(x, key) {rate}. key:
// uint32 (2,), (seed, counter). The numbers depend on the key and the position in the output, on
// nothing else.
#include "pronghorn/base/parallel.h"
#include "pronghorn/kernels/kernels.h"
#include "pronghorn/ops/rows/row_blocks.h"
#include "pronghorn/ops/shape/rules.h"

namespace pronghorn::ops {
namespace {

constexpr int64_t kPiece =
    8192;  // numbers of one call of a kernel; a multiple of the kernels' tile

constexpr int64_t kDropoutTile = 2048;  // elements that are converted or finished at a time

struct Plan {
  int64_t size;
  float a;  // low or mean; scale of a dropout
  float b;  // high or stddev
  uint32_t threshold;
  RowBlocks operands;  // of a dropout: rows of one element
};

void check_key(const OpCall& call, size_t i) {
  if (call.inputs[i].dtype != DType::kUint32 || call.inputs[i].shape != Shape{2}) {
    value_error(call.op.name, ": key must be uint32 of shape (2,). Received: key=", call.inputs[i],
                ".");
  }
}

Shape target(const OpCall& call) {
  expect_operands(call, 1);
  check_key(call, 0);
  const Shape shape(std::span<const int64_t>(call.attrs.integers("shape")));
  for (const int64_t dim : shape.dims()) {
    if (dim < 0)
      value_error(call.op.name, ": shape must not be negative. Received: shape=", shape, ".");
  }
  return shape;
}

std::vector<TensorType> infer_float(const OpCall& call) {
  return {{DType::kFloat32, target(call)}};
}

std::vector<TensorType> infer_bits(const OpCall& call) { return {{DType::kUint32, target(call)}}; }

std::vector<TensorType> infer_dropout(const OpCall& call) {
  expect_operands(call, 2);
  expect_float(call, 0);
  check_key(call, 1);
  const double rate = call.attrs.number("rate");
  if (!(rate >= 0.0 && rate <= 1.0))
    value_error("dropout: rate must be in [0, 1]. Received: rate=", rate, ".");
  return {result_like(call, 0)};
}

std::vector<Value> dropout_gradient(const GradientCall& call) {
  return {call.g.apply("dropout", {call.d_outputs[0], call.inputs[1]}, call.node.attrs), {}};
}

Value simplify_dropout(Builder& g, std::span<const Value> inputs, const Attrs& attrs) {
  if (attrs.number("rate") == 0.0) return inputs[0];
  return widened(g, "dropout", inputs, attrs);
}

Prepared prepare_uniform(const OpCall& call) {
  return {.plan = std::make_shared<const Plan>(
              Plan{.size = call.outputs[0].size(),
                   .a = static_cast<float>(call.attrs.number("low", 0.0)),
                   .b = static_cast<float>(call.attrs.number("high", 1.0)),
                   .threshold = 0,
                   .operands = {}})};
}

Prepared prepare_normal(const OpCall& call) {
  return {.plan = std::make_shared<const Plan>(
              Plan{.size = call.outputs[0].size(),
                   .a = static_cast<float>(call.attrs.number("mean", 0.0)),
                   .b = static_cast<float>(call.attrs.number("stddev", 1.0)),
                   .threshold = 0,
                   .operands = {}})};
}

Prepared prepare_bits(const OpCall& call) {
  return {.plan = std::make_shared<const Plan>(Plan{
              .size = call.outputs[0].size(), .a = 0, .b = 0, .threshold = 0, .operands = {}})};
}

// An element is kept if its word is not below the threshold.
Prepared prepare_dropout(const OpCall& call) {
  const double rate = call.attrs.number("rate");
  const double threshold = std::min(rate * 0x1p32, 4294967295.0);
  return {.plan = std::make_shared<const Plan>(
              Plan{.size = call.outputs[0].size(),
                   .a = rate < 1.0 ? static_cast<float>(1.0 / (1.0 - rate)) : 0.0f,
                   .b = 0,
                   .threshold = static_cast<uint32_t>(threshold),
                   .operands = row_blocks(call, 1, {0}, 2)})};
}

// Calls kernel(first element, count) for pieces; kPiece / 4 blocks of Philox each.
template <typename Kernel>
void for_pieces(int64_t size, Kernel&& kernel) {
  parallel_ranges(size, kPiece, 16,
                  [&](int64_t begin, int64_t end) { kernel(begin, end - begin); });
}

void run_bits(const Launch& launch) noexcept {
  const uint32_t* key = launch.input<uint32_t>(0);
  uint32_t* y = launch.output<uint32_t>(0);
  for_pieces(launch.plan_as<Plan>().size, [&](int64_t at, int64_t n) {
    kernels().random_bits(key[0], key[1], static_cast<uint64_t>(at) / 4, n, y + at);
  });
}

void run_uniform(const Launch& launch) noexcept {
  const Plan& plan = launch.plan_as<Plan>();
  const uint32_t* key = launch.input<uint32_t>(0);
  float* y = launch.output<float>(0);
  for_pieces(plan.size, [&](int64_t at, int64_t n) {
    kernels().random_uniform(key[0], key[1], static_cast<uint64_t>(at) / 4, n, plan.a, plan.b,
                             y + at);
  });
}

void run_normal(const Launch& launch) noexcept {
  const Plan& plan = launch.plan_as<Plan>();
  const uint32_t* key = launch.input<uint32_t>(0);
  float* y = launch.output<float>(0);
  for_pieces(plan.size, [&](int64_t at, int64_t n) {
    kernels().random_normal(key[0], key[1], static_cast<uint64_t>(at) / 4, n, plan.a, plan.b,
                            y + at);
  });
}

void run_truncated_normal(const Launch& launch) noexcept {
  const Plan& plan = launch.plan_as<Plan>();
  const uint32_t* key = launch.input<uint32_t>(0);
  float* y = launch.output<float>(0);
  for_pieces(plan.size, [&](int64_t at, int64_t n) {
    kernels().random_truncated_normal(key[0], key[1], static_cast<uint64_t>(at) / 4, n, plan.a,
                                      plan.b, y + at);
  });
}

void run_dropout(const Launch& launch) noexcept {
  const Plan& plan = launch.plan_as<Plan>();
  const uint32_t* key = launch.input<uint32_t>(1);
  for_pieces(plan.size, [&](int64_t at, int64_t n) {
    plan.operands.run(launch, at, at + n, kDropoutTile, [&](const RowBlock& block) {
      kernels().dropout(key[0], key[1], static_cast<uint64_t>(block.row) / 4, block.rows,
                        plan.threshold, plan.a, block.x[0], block.y);
    });
  });
}

}  // namespace

OpDef random_bits_op() {
  return {.name = "random_bits", .infer = infer_bits, .prepare = prepare_bits, .run = run_bits};
}

OpDef random_uniform_op() {
  return {.name = "random_uniform",
          .infer = infer_float,
          .prepare = prepare_uniform,
          .run = run_uniform};
}

OpDef random_normal_op() {
  return {
      .name = "random_normal", .infer = infer_float, .prepare = prepare_normal, .run = run_normal};
}

OpDef random_truncated_normal_op() {
  return {.name = "random_truncated_normal",
          .infer = infer_float,
          .prepare = prepare_normal,
          .run = run_truncated_normal};
}

OpDef dropout_op() {
  return {.name = "dropout",
          .infer = infer_dropout,
          .gradient = dropout_gradient,
          .prepare = prepare_dropout,
          .run = run_dropout,
          .simplify = simplify_dropout,
          .in_place_inputs = 1,
          .takes_epilogue = true,
          .half_inputs = 1,
          .epilogue_has_outputs = true};
}

}  // namespace pronghorn::ops
