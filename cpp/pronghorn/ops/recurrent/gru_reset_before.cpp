// gru_reset_before(x (batch, time, 3 units), u (units, 3 units), packed columns [0, 2 units) of u,
// packed columns [2 units, 3 units), h0 (batch, units) [, mask]) {activation, recurrent_activation,
// go_backwards, has_mask} -> y, h after the last step, and for the gradient: gates (batch, time, 4
// units), h_before (batch, time, units). Gates: update, reset, candidate; the reset is applied
// before the product: candidate = activation(x + (reset * h) u).
// gru_reset_before_grad(gates, packed transposes of the two parts of u, h_before [, dy] [, dh]
// [, mask]) -> dx, dh0.
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
  expect_packed(call, 2, units, 2 * units);
  expect_packed(call, 3, units, units);
  expect_operand(call, 4, DType::kFloat32, state.shape, "initial state h");
  if (has_mask) expect_mask(call, 5, x);
  gate_function(call, "activation");
  gate_function(call, "recurrent_activation");
  const TensorType sequence{DType::kFloat32, Shape{x[0], x[1], units}};
  return {sequence, state, {DType::kFloat32, Shape{x[0], x[1], 4 * units}}, sequence};
}

Prepared plan_of(const OpCall& call, const Shape& x) {
  const int64_t units = x[2] / 3;
  auto plan = std::make_shared<RecurrentPlan>(
      plan_recurrent(call, x, 3, 3 * scratch_stride(units) + scratch_stride(2 * units)));
  return {.plan = plan, .workspace = static_cast<size_t>(plan->workspace)};
}

Prepared prepare(const OpCall& call) { return plan_of(call, call.inputs[0].shape); }
Prepared prepare_grad(const OpCall& call) { return plan_of(call, call.outputs[0].shape); }

FloatRows part(FloatRows m, int64_t begin) { return {m.at + begin * m.stride, m.stride}; }

void run(const Launch& launch) noexcept {
  const RecurrentPlan& plan = launch.plan_as<RecurrentPlan>();
  const int64_t units = plan.units;
  const float* x = launch.input<float>(0);
  const uint8_t* mask = plan.has_mask ? launch.input<uint8_t>(5) : nullptr;
  const StepWeights u = step_weights(launch, 2, units, 2 * units);
  const StepWeights candidate_u = step_weights(launch, 3, units, units, &u);
  for_pieces(plan, launch.workspace, [&](int64_t row0, int64_t rows, float* scratch) {
    const FloatRows h = take_rows(&scratch, rows, units);
    const FloatRows reset_h = take_rows(&scratch, rows, units);
    const FloatRows candidate = take_rows(&scratch, rows, units);
    const FloatRows gates = take_rows(&scratch, rows, 2 * units);
    copy_rows({launch.input<float>(4) + row0 * units, units}, rows, units, h);
    for (int64_t step = 0; step < plan.time; ++step) {
      const int64_t t = plan.step_time(step);
      const ConstRows sums = plan.rows(x, 3 * units, row0, t);
      step_product(plan, u, constant(h), sums, gates, rows);
      step_rows(plan, rows, [&](int64_t begin, int64_t end) {
        kernels().gru_reset_step({.rows = end - begin,
                                  .units = units,
                                  .recurrent = plan.functions.recurrent,
                                  .sums = part(gates, begin),
                                  .h = constant(part(h, begin)),
                                  .reset_h = part(reset_h, begin)});
      });
      step_product(plan, candidate_u, constant(reset_h), {sums.at + 2 * units, sums.stride},
                   candidate, rows);
      step_rows(plan, rows, [&](int64_t begin, int64_t end) {
        const int64_t row = row0 + begin;
        kernels().gru_update_step({.rows = end - begin,
                                   .units = units,
                                   .activation = plan.functions.activation,
                                   .mask = plan.mask(mask, row, t),
                                   .update_reset = constant(part(gates, begin)),
                                   .reset_h = constant(part(reset_h, begin)),
                                   .sums = constant(part(candidate, begin)),
                                   .h = part(h, begin),
                                   .y = plan.rows(launch.output<float>(0), units, row, t),
                                   .h_before = plan.rows(launch.output<float>(3), units, row, t),
                                   .gates = plan.rows(launch.output<float>(2), 4 * units, row, t)});
      });
    }
    copy_rows(constant(h), rows, units, {launch.output<float>(1) + row0 * units, units});
  });
}

// Columns [begin, end) of a (batch, time, columns) value.
Value columns(Builder& g, Value v, int64_t begin, int64_t end) {
  const Shape& shape = g.shape(v);
  return g.apply("slice", {v},
                 {{"begin", std::vector<int64_t>{0, 0, begin}},
                  {"end", std::vector<int64_t>{shape[0], shape[1], end}},
                  {"strides", std::vector<int64_t>{1, 1, 1}}});
}

std::vector<Value> gradient(const GradientCall& call) {
  expect_no_gradient(call, 2);
  Builder& g = call.g;
  const bool has_mask = call.node.attrs.integer("has_mask", 0) != 0;
  const int64_t units = g.shape(call.inputs[1])[0];
  const auto pack = [&](int64_t begin, int64_t end) {
    return g.apply("recurrent_pack", {call.inputs[1]},
                   {{"transpose", int64_t{1}}, {"begin", begin}, {"end", end}});
  };
  GradientOperands operands{
      {call.outputs[2], pack(0, 2 * units), pack(2 * units, 3 * units), call.outputs[3]},
      call.node.attrs};
  operands.add("has_dy", call.d_outputs[0]);
  operands.add("has_dh", call.d_outputs[1]);
  if (has_mask) operands.values.push_back(call.inputs[5]);
  std::vector<Value> d =
      g.apply_all(find_op("gru_reset_before_grad"), operands.values, operands.attrs);
  const Value of_gates = weights_gradient(call, call.outputs[3], columns(g, d[0], 0, 2 * units));
  const Value of_candidate =
      weights_gradient(call, columns(g, call.outputs[2], 3 * units, 4 * units),
                       columns(g, d[0], 2 * units, 3 * units));
  const Value du = g.apply("concatenate", {of_gates, of_candidate}, {{"axis", int64_t{1}}});
  std::vector<Value> result = {d[0], du, {}, {}, d[1]};
  if (has_mask) result.emplace_back();
  return result;
}

std::vector<TensorType> infer_grad(const OpCall& call) {
  const int64_t has_mask = call.attrs.integer("has_mask", 0);
  const int64_t has_dy = call.attrs.integer("has_dy", 0);
  const int64_t has_dh = call.attrs.integer("has_dh", 0);
  expect_operands(call, static_cast<size_t>(4 + has_mask + has_dy + has_dh));
  const int64_t units = expect_sums(call, 4);
  const Shape& gates = call.inputs[0].shape;
  const TensorType state{DType::kFloat32, Shape{gates[0], units}};
  const Shape sequence{gates[0], gates[1], units};
  expect_packed(call, 1, 2 * units, units);
  expect_packed(call, 2, units, units);
  expect_operand(call, 3, DType::kFloat32, sequence, "h_before");
  size_t i = 4;
  if (has_dy != 0) expect_operand(call, i++, DType::kFloat32, sequence, "dy");
  if (has_dh != 0) expect_operand(call, i++, DType::kFloat32, state.shape, "dh");
  if (has_mask != 0) expect_mask(call, i, gates);
  gate_function(call, "activation");
  gate_function(call, "recurrent_activation");
  return {{DType::kFloat32, Shape{gates[0], gates[1], 3 * units}}, state};
}

void run_grad(const Launch& launch) noexcept {
  const RecurrentPlan& plan = launch.plan_as<RecurrentPlan>();
  const int64_t units = plan.units;
  int next = 4;
  const float* dy = plan.has_dy ? launch.input<float>(next++) : nullptr;
  const float* dh_last = plan.has_dh ? launch.input<float>(next++) : nullptr;
  const uint8_t* mask = plan.has_mask ? launch.input<uint8_t>(next) : nullptr;
  const StepWeights u = step_weights(launch, 1, 2 * units, units);
  const StepWeights candidate_u = step_weights(launch, 2, units, units, &u);
  for_pieces(plan, launch.workspace, [&](int64_t row0, int64_t rows, float* scratch) {
    const FloatRows dh = take_rows(&scratch, rows, units);
    const FloatRows dcandidate = take_rows(&scratch, rows, units);
    const FloatRows dreset_h = take_rows(&scratch, rows, units);
    const FloatRows dgates = take_rows(&scratch, rows, 2 * units);
    zero_rows(dh, rows, units);
    if (dh_last != nullptr) copy_rows({dh_last + row0 * units, units}, rows, units, dh);
    for (int64_t step = plan.time - 1; step >= 0; --step) {
      const int64_t t = plan.step_time(step);
      const float* gates = launch.input<float>(0);
      const float* h_before = launch.input<float>(3);
      float* dx = launch.output<float>(0);
      step_rows(plan, rows, [&](int64_t begin, int64_t end) {
        const int64_t row = row0 + begin;
        kernels().gru_update_grad_step({.rows = end - begin,
                                        .units = units,
                                        .functions = plan.functions,
                                        .mask = plan.mask(mask, row, t),
                                        .gates = plan.rows(gates, 4 * units, row, t),
                                        .h_before = plan.rows(h_before, units, row, t),
                                        .dy = plan.rows(dy, units, row, t),
                                        .dh = part(dh, begin),
                                        .dx = plan.rows(dx, 3 * units, row, t),
                                        .dz_copy = part(dgates, begin),
                                        .dcandidate_copy = part(dcandidate, begin)});
      });
      step_product(plan, candidate_u, constant(dcandidate), {}, dreset_h, rows);
      step_rows(plan, rows, [&](int64_t begin, int64_t end) {
        const int64_t row = row0 + begin;
        const FloatRows dr = part(dgates, begin);
        kernels().gru_reset_grad_step({.rows = end - begin,
                                       .units = units,
                                       .recurrent = plan.functions.recurrent,
                                       .mask = plan.mask(mask, row, t),
                                       .gates = plan.rows(gates, 4 * units, row, t),
                                       .h_before = plan.rows(h_before, units, row, t),
                                       .dreset_h = constant(part(dreset_h, begin)),
                                       .dh = part(dh, begin),
                                       .dx = plan.rows(dx, 3 * units, row, t),
                                       .dr_copy = {dr.at + units, dr.stride}});
      });
      step_product(plan, u, constant(dgates), constant(dh), dh, rows);
    }
    copy_rows(constant(dh), rows, units, {launch.output<float>(1) + row0 * units, units});
  });
}

}  // namespace

OpDef gru_reset_before_op() {
  return {.name = "gru_reset_before",
          .infer = infer,
          .gradient = gradient,
          .prepare = prepare,
          .run = run,
          .optional_outputs = 0b1101};
}

OpDef gru_reset_before_grad_op() {
  return {.name = "gru_reset_before_grad",
          .infer = infer_grad,
          .gradient = no_second_gradient,
          .prepare = prepare_grad,
          .run = run_grad};
}

}  // namespace pronghorn::ops
