// gru(x (batch, time, 3 units), u (units, 3 units), packed u, bias (3 units), h0 (batch, units)
// [, mask]) {activation, recurrent_activation, go_backwards, has_mask} -> y, h after the last step,
// and for the gradient: gates (batch, time, 4 units), h_before (batch, time, units). Gates: update,
// reset, candidate; the reset is applied after the product: candidate = activation(x + reset * (h u
// + bias)).
// gru_grad(gates, packed transpose of u, h_before [, dy] [, dh] [, mask]) -> dx, with respect to
// the state's sums dm (batch, time, 3 units), dh0.
#include "pronghorn/ops/recurrent/recurrent.h"
#include "pronghorn/ops/shape/rules.h"

namespace pronghorn::ops {
namespace {

std::vector<TensorType> infer(const OpCall& call) {
  const bool has_mask = call.attrs.integer("has_mask", 0) != 0;
  expect_operands(call, has_mask ? 6 : 5);
  const int64_t units = expect_sums(call, 3);
  const Shape& x = call.inputs[0].shape;
  const TensorType state{DType::kFloat32, Shape{x[0], units}};
  expect_operand(call, 1, DType::kFloat32, Shape{units, 3 * units}, "recurrent weights");
  expect_packed(call, 2, units, 3 * units);
  expect_operand(call, 3, DType::kFloat32, Shape{3 * units}, "bias");
  expect_operand(call, 4, DType::kFloat32, state.shape, "initial state h");
  if (has_mask) expect_mask(call, 5, x);
  gate_function(call, "activation");
  gate_function(call, "recurrent_activation");
  const TensorType sequence{DType::kFloat32, Shape{x[0], x[1], units}};
  return {sequence, state, {DType::kFloat32, Shape{x[0], x[1], 4 * units}}, sequence};
}

Prepared prepare(const OpCall& call) {
  const Shape& x = call.inputs[0].shape;
  auto plan = std::make_shared<RecurrentPlan>(
      plan_recurrent(call, x, 3, scratch_stride(x[2] / 3) + scratch_stride(x[2])));
  return {.plan = plan, .workspace = static_cast<size_t>(plan->workspace)};
}

void run(const Launch& launch) noexcept {
  const RecurrentPlan& plan = launch.plan_as<RecurrentPlan>();
  const int64_t units = plan.units;
  const float* x = launch.input<float>(0);
  const uint8_t* mask = plan.has_mask ? launch.input<uint8_t>(5) : nullptr;
  const StepWeights u = step_weights(launch, 2, units, 3 * units);
  for_pieces(plan, launch.workspace, [&](int64_t row0, int64_t rows, float* scratch) {
    const FloatRows h = take_rows(&scratch, rows, units);
    const FloatRows m = take_rows(&scratch, rows, 3 * units);
    copy_rows({launch.input<float>(4) + row0 * units, units}, rows, units, h);
    for (int64_t step = 0; step < plan.time; ++step) {
      const int64_t t = plan.step_time(step);
      step_product(plan, u, constant(h), {launch.input<float>(3), 0}, m, rows);
      step_rows(plan, rows, [&](int64_t begin, int64_t end) {
        const int64_t row = row0 + begin;
        kernels().gru_step({.rows = end - begin,
                            .units = units,
                            .functions = plan.functions,
                            .mask = plan.mask(mask, row, t),
                            .x = plan.rows(x, 3 * units, row, t),
                            .m = {m.at + begin * m.stride, m.stride},
                            .h = {h.at + begin * h.stride, h.stride},
                            .y = plan.rows(launch.output<float>(0), units, row, t),
                            .h_before = plan.rows(launch.output<float>(3), units, row, t),
                            .gates = plan.rows(launch.output<float>(2), 4 * units, row, t)});
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
      {call.outputs[2], g.apply("recurrent_pack", {call.inputs[1]}, {{"transpose", int64_t{1}}}),
       call.outputs[3]},
      call.node.attrs};
  operands.add("has_dy", call.d_outputs[0]);
  operands.add("has_dh", call.d_outputs[1]);
  if (has_mask) operands.values.push_back(call.inputs[5]);
  std::vector<Value> d = g.apply_all(find_op("gru_grad"), operands.values, operands.attrs);
  std::vector<Value> result = {d[0],
                               weights_gradient(call, call.outputs[3], d[1]),
                               {},
                               g.reduce_sum(as_rows(g, d[1]), {0}, false),
                               d[2]};
  if (has_mask) result.emplace_back();
  return result;
}

std::vector<TensorType> infer_grad(const OpCall& call) {
  const int64_t has_mask = call.attrs.integer("has_mask", 0);
  const int64_t has_dy = call.attrs.integer("has_dy", 0);
  const int64_t has_dh = call.attrs.integer("has_dh", 0);
  expect_operands(call, static_cast<size_t>(3 + has_mask + has_dy + has_dh));
  const int64_t units = expect_sums(call, 4);
  const Shape& gates = call.inputs[0].shape;
  const TensorType state{DType::kFloat32, Shape{gates[0], units}};
  const Shape sequence{gates[0], gates[1], units};
  expect_packed(call, 1, 3 * units, units);
  expect_operand(call, 2, DType::kFloat32, sequence, "h_before");
  size_t i = 3;
  if (has_dy != 0) expect_operand(call, i++, DType::kFloat32, sequence, "dy");
  if (has_dh != 0) expect_operand(call, i++, DType::kFloat32, state.shape, "dh");
  if (has_mask != 0) expect_mask(call, i, gates);
  gate_function(call, "activation");
  gate_function(call, "recurrent_activation");
  const TensorType dx{DType::kFloat32, Shape{gates[0], gates[1], 3 * units}};
  return {dx, dx, state};
}

Prepared prepare_grad(const OpCall& call) {
  const Shape& dx = call.outputs[0].shape;
  auto plan = std::make_shared<RecurrentPlan>(
      plan_recurrent(call, dx, 3, scratch_stride(dx[2] / 3) + scratch_stride(dx[2])));
  return {.plan = plan, .workspace = static_cast<size_t>(plan->workspace)};
}

void run_grad(const Launch& launch) noexcept {
  const RecurrentPlan& plan = launch.plan_as<RecurrentPlan>();
  const int64_t units = plan.units;
  int next = 3;
  const float* dy = plan.has_dy ? launch.input<float>(next++) : nullptr;
  const float* dh_last = plan.has_dh ? launch.input<float>(next++) : nullptr;
  const uint8_t* mask = plan.has_mask ? launch.input<uint8_t>(next) : nullptr;
  const StepWeights u = step_weights(launch, 1, 3 * units, units);
  for_pieces(plan, launch.workspace, [&](int64_t row0, int64_t rows, float* scratch) {
    const FloatRows dh = take_rows(&scratch, rows, units);
    const FloatRows dm = take_rows(&scratch, rows, 3 * units);
    zero_rows(dh, rows, units);
    if (dh_last != nullptr) copy_rows({dh_last + row0 * units, units}, rows, units, dh);
    for (int64_t step = plan.time - 1; step >= 0; --step) {
      const int64_t t = plan.step_time(step);
      step_rows(plan, rows, [&](int64_t begin, int64_t end) {
        const int64_t row = row0 + begin;
        kernels().gru_grad_step({.rows = end - begin,
                                 .units = units,
                                 .functions = plan.functions,
                                 .mask = plan.mask(mask, row, t),
                                 .gates = plan.rows(launch.input<float>(0), 4 * units, row, t),
                                 .h_before = plan.rows(launch.input<float>(2), units, row, t),
                                 .dy = plan.rows(dy, units, row, t),
                                 .dh = {dh.at + begin * dh.stride, dh.stride},
                                 .dx = plan.rows(launch.output<float>(0), 3 * units, row, t),
                                 .dm = plan.rows(launch.output<float>(1), 3 * units, row, t),
                                 .dm_copy = {dm.at + begin * dm.stride, dm.stride}});
      });
      step_product(plan, u, constant(dm), constant(dh), dh, rows);
    }
    copy_rows(constant(dh), rows, units, {launch.output<float>(2) + row0 * units, units});
  });
}

}  // namespace

OpDef gru_op() {
  return {.name = "gru",
          .infer = infer,
          .gradient = gradient,
          .prepare = prepare,
          .run = run,
          .optional_outputs = 0b1101};
}

OpDef gru_grad_op() {
  return {.name = "gru_grad",
          .infer = infer_grad,
          .gradient = no_second_gradient,
          .prepare = prepare_grad,
          .run = run_grad,
          .optional_outputs = 0b10};
}

}  // namespace pronghorn::ops
