// simple_rnn(x (batch, time, units), u (units, units), packed u, h0 (batch, units) [, mask])
// {activation, go_backwards, has_mask} -> y, h after the last step, h_before (batch, time, units).
// simple_rnn_grad(y, packed transpose of u [, dy] [, dh] [, mask]) -> dx, dh0.
#include "pronghorn/ops/recurrent/recurrent.h"
#include "pronghorn/ops/shape/rules.h"

namespace pronghorn::ops {
namespace {

std::vector<TensorType> infer(const OpCall& call) {
  const bool has_mask = call.attrs.integer("has_mask", 0) != 0;
  expect_operands(call, has_mask ? 5 : 4);
  const int64_t units = expect_sums(call, 1);
  const TensorType& x = call.inputs[0];
  const TensorType state{DType::kFloat32, Shape{x.shape[0], units}};
  expect_operand(call, 1, DType::kFloat32, Shape{units, units}, "recurrent weights");
  expect_packed(call, 2, units, units);
  expect_operand(call, 3, DType::kFloat32, state.shape, "initial state h");
  if (has_mask) expect_mask(call, 4, x.shape);
  gate_function(call, "activation");
  return {x, state, x};
}

Prepared prepare(const OpCall& call) {
  const Shape& x = call.inputs[0].shape;
  auto plan = std::make_shared<RecurrentPlan>(plan_recurrent(call, x, 1, 2 * scratch_stride(x[2])));
  return {.plan = plan, .workspace = static_cast<size_t>(plan->workspace)};
}

void run(const Launch& launch) noexcept {
  const RecurrentPlan& plan = launch.plan_as<RecurrentPlan>();
  const int64_t units = plan.units;
  const uint8_t* mask = plan.has_mask ? launch.input<uint8_t>(4) : nullptr;
  const StepWeights u = step_weights(launch, 2, units, units);
  for_pieces(plan, launch.workspace, [&](int64_t row0, int64_t rows, float* scratch) {
    const FloatRows h = take_rows(&scratch, rows, units);
    const FloatRows z = take_rows(&scratch, rows, units);
    copy_rows({launch.input<float>(3) + row0 * units, units}, rows, units, h);
    for (int64_t step = 0; step < plan.time; ++step) {
      const int64_t t = plan.step_time(step);
      step_product(plan, u, constant(h), plan.rows(launch.input<float>(0), units, row0, t), z,
                   rows);
      step_rows(plan, rows, [&](int64_t begin, int64_t end) {
        const int64_t row = row0 + begin;
        kernels().rnn_step({.rows = end - begin,
                            .units = units,
                            .activation = plan.functions.activation,
                            .mask = plan.mask(mask, row, t),
                            .z = {z.at + begin * z.stride, z.stride},
                            .h = {h.at + begin * h.stride, h.stride},
                            .y = plan.rows(launch.output<float>(0), units, row, t),
                            .h_before = plan.rows(launch.output<float>(2), units, row, t)});
      });
    }
    copy_rows(constant(h), rows, units, {launch.output<float>(1) + row0 * units, units});
  });
}

std::vector<Value> gradient(const GradientCall& call) {
  expect_no_gradient(call, 2);
  Builder& g = call.g;
  const bool has_mask = call.node.attrs.integer("has_mask", 0) != 0;
  GradientOperands operands{
      {call.outputs[0], g.apply("recurrent_pack", {call.inputs[1]}, {{"transpose", int64_t{1}}})},
      call.node.attrs};
  operands.add("has_dy", call.d_outputs[0]);
  operands.add("has_dh", call.d_outputs[1]);
  if (has_mask) operands.values.push_back(call.inputs[4]);
  std::vector<Value> d = g.apply_all(find_op("simple_rnn_grad"), operands.values, operands.attrs);
  std::vector<Value> result = {d[0], weights_gradient(call, call.outputs[2], d[0]), {}, d[1]};
  if (has_mask) result.emplace_back();
  return result;
}

std::vector<TensorType> infer_grad(const OpCall& call) {
  const int64_t has_mask = call.attrs.integer("has_mask", 0);
  const int64_t has_dy = call.attrs.integer("has_dy", 0);
  const int64_t has_dh = call.attrs.integer("has_dh", 0);
  expect_operands(call, static_cast<size_t>(2 + has_mask + has_dy + has_dh));
  const int64_t units = expect_sums(call, 1);
  const TensorType& y = call.inputs[0];
  const TensorType state{DType::kFloat32, Shape{y.shape[0], units}};
  expect_packed(call, 1, units, units);
  size_t i = 2;
  if (has_dy != 0) expect_operand(call, i++, DType::kFloat32, y.shape, "dy");
  if (has_dh != 0) expect_operand(call, i++, DType::kFloat32, state.shape, "dh");
  if (has_mask != 0) expect_mask(call, i, y.shape);
  gate_function(call, "activation");
  return {y, state};
}

void run_grad(const Launch& launch) noexcept {
  const RecurrentPlan& plan = launch.plan_as<RecurrentPlan>();
  const int64_t units = plan.units;
  int next = 2;
  const float* dy = plan.has_dy ? launch.input<float>(next++) : nullptr;
  const float* dh_last = plan.has_dh ? launch.input<float>(next++) : nullptr;
  const uint8_t* mask = plan.has_mask ? launch.input<uint8_t>(next) : nullptr;
  const StepWeights u = step_weights(launch, 1, units, units);
  for_pieces(plan, launch.workspace, [&](int64_t row0, int64_t rows, float* scratch) {
    const FloatRows dh = take_rows(&scratch, rows, units);
    const FloatRows dz = take_rows(&scratch, rows, units);
    zero_rows(dh, rows, units);
    if (dh_last != nullptr) copy_rows({dh_last + row0 * units, units}, rows, units, dh);
    for (int64_t step = plan.time - 1; step >= 0; --step) {
      const int64_t t = plan.step_time(step);
      step_rows(plan, rows, [&](int64_t begin, int64_t end) {
        const int64_t row = row0 + begin;
        kernels().rnn_grad_step({.rows = end - begin,
                                 .units = units,
                                 .activation = plan.functions.activation,
                                 .mask = plan.mask(mask, row, t),
                                 .y = plan.rows(launch.input<float>(0), units, row, t),
                                 .dy = plan.rows(dy, units, row, t),
                                 .dh = {dh.at + begin * dh.stride, dh.stride},
                                 .dz = plan.rows(launch.output<float>(0), units, row, t),
                                 .dz_copy = {dz.at + begin * dz.stride, dz.stride}});
      });
      step_product(plan, u, constant(dz), constant(dh), dh, rows);
    }
    copy_rows(constant(dh), rows, units, {launch.output<float>(1) + row0 * units, units});
  });
}

}  // namespace

OpDef simple_rnn_op() {
  return {.name = "simple_rnn",
          .infer = infer,
          .gradient = gradient,
          .prepare = prepare,
          .run = run,
          .in_place_inputs = 1,
          .optional_outputs = 0b101};
}

OpDef simple_rnn_grad_op() {
  return {.name = "simple_rnn_grad",
          .infer = infer_grad,
          .gradient = no_second_gradient,
          .prepare = prepare,
          .run = run_grad,
          .in_place_inputs = 1};
}

}  // namespace pronghorn::ops
