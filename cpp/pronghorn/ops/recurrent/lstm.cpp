// lstm(x (batch, time, 4 units), u (units, 4 units), packed u, h0, c0 (batch, units) [, mask])
// {activation, recurrent_activation, go_backwards, has_mask} -> y, h, c after the last step, and
// for the gradient: gates (batch, time, 4 units), h_before and c_before (batch, time, units).
// Gates: input, forget, cell, output.
// lstm_grad(gates, packed transpose of u, c_before [, dy] [, dh] [, dc] [, mask]) {..., has_dy,
// has_dh, has_dc} -> dx, dh0, dc0.
#include "pronghorn/ops/recurrent/recurrent.h"
#include "pronghorn/ops/shape/rules.h"

namespace pronghorn::ops {
namespace {

constexpr int64_t kGates = 4;

std::vector<TensorType> infer(const OpCall& call) {
  const bool has_mask = call.attrs.integer("has_mask", 0) != 0;
  expect_operands(call, has_mask ? 6 : 5);
  const int64_t units = expect_sums(call, kGates);
  const Shape& x = call.inputs[0].shape;
  const Shape state{x[0], units};
  expect_operand(call, 1, DType::kFloat32, Shape{units, kGates * units}, "recurrent weights");
  expect_packed(call, 2, units, kGates * units);
  expect_operand(call, 3, DType::kFloat32, state, "initial state h");
  expect_operand(call, 4, DType::kFloat32, state, "initial state c");
  if (has_mask) expect_mask(call, 5, x);
  gate_function(call, "activation");
  gate_function(call, "recurrent_activation");
  const TensorType sequence{DType::kFloat32, Shape{x[0], x[1], units}};
  const TensorType last{DType::kFloat32, state};
  return {sequence, last, last, {DType::kFloat32, x}, sequence, sequence};
}

Prepared prepare(const OpCall& call) {
  const Shape& x = call.inputs[0].shape;
  const int64_t units = x[2] / kGates;
  auto plan = std::make_shared<RecurrentPlan>(
      plan_recurrent(call, x, kGates, 2 * scratch_stride(units) + scratch_stride(x[2])));
  return {.plan = plan, .workspace = static_cast<size_t>(plan->workspace)};
}

void run(const Launch& launch) noexcept {
  const RecurrentPlan& plan = launch.plan_as<RecurrentPlan>();
  const int64_t units = plan.units;
  const int64_t sums = kGates * units;
  const float* x = launch.input<float>(0);
  const uint8_t* mask = plan.has_mask ? launch.input<uint8_t>(5) : nullptr;
  const StepWeights u = step_weights(launch, 2, units, sums);
  for_pieces(plan, launch.workspace, [&](int64_t row0, int64_t rows, float* scratch) {
    const FloatRows h = take_rows(&scratch, rows, units);
    const FloatRows c = take_rows(&scratch, rows, units);
    const FloatRows spare = take_rows(&scratch, rows, sums);
    copy_rows({launch.input<float>(3) + row0 * units, units}, rows, units, h);
    copy_rows({launch.input<float>(4) + row0 * units, units}, rows, units, c);
    for (int64_t step = 0; step < plan.time; ++step) {
      const int64_t t = plan.step_time(step);
      FloatRows z = plan.rows(launch.output<float>(3), sums, row0, t);
      if (z.at == nullptr) z = spare;
      step_product(plan, u, constant(h), plan.rows(x, sums, row0, t), z, rows);
      step_rows(plan, rows, [&](int64_t begin, int64_t end) {
        const int64_t row = row0 + begin;
        kernels().lstm_step({.rows = end - begin,
                             .units = units,
                             .functions = plan.functions,
                             .mask = plan.mask(mask, row, t),
                             .z = {z.at + begin * z.stride, z.stride},
                             .h = {h.at + begin * h.stride, h.stride},
                             .c = {c.at + begin * c.stride, c.stride},
                             .y = plan.rows(launch.output<float>(0), units, row, t),
                             .h_before = plan.rows(launch.output<float>(4), units, row, t),
                             .c_before = plan.rows(launch.output<float>(5), units, row, t)});
      });
    }
    copy_rows(constant(h), rows, units, {launch.output<float>(1) + row0 * units, units});
    copy_rows(constant(c), rows, units, {launch.output<float>(2) + row0 * units, units});
  });
}

std::vector<Value> gradient(const GradientCall& call) {
  expect_no_gradient(call, 3);
  Builder& g = call.g;
  const bool has_mask = call.node.attrs.integer("has_mask", 0) != 0;
  GradientOperands operands{
      {call.outputs[3], g.apply("recurrent_pack", {call.inputs[1]}, {{"transpose", int64_t{1}}}),
       call.outputs[5]},
      call.node.attrs};
  operands.add("has_dy", call.d_outputs[0]);
  operands.add("has_dh", call.d_outputs[1]);
  operands.add("has_dc", call.d_outputs[2]);
  if (has_mask) operands.values.push_back(call.inputs[5]);
  std::vector<Value> d = g.apply_all(find_op("lstm_grad"), operands.values, operands.attrs);
  std::vector<Value> result = {d[0], weights_gradient(call, call.outputs[4], d[0]), {}, d[1], d[2]};
  if (has_mask) result.emplace_back();
  return result;
}

std::vector<TensorType> infer_grad(const OpCall& call) {
  const int64_t has_mask = call.attrs.integer("has_mask", 0);
  const int64_t has_dy = call.attrs.integer("has_dy", 0);
  const int64_t has_dh = call.attrs.integer("has_dh", 0);
  const int64_t has_dc = call.attrs.integer("has_dc", 0);
  expect_operands(call, static_cast<size_t>(3 + has_mask + has_dy + has_dh + has_dc));
  const int64_t units = expect_sums(call, kGates);
  const Shape& x = call.inputs[0].shape;
  const Shape sequence{x[0], x[1], units};
  const Shape state{x[0], units};
  expect_packed(call, 1, kGates * units, units);
  expect_operand(call, 2, DType::kFloat32, sequence, "c_before");
  size_t i = 3;
  if (has_dy != 0) expect_operand(call, i++, DType::kFloat32, sequence, "dy");
  if (has_dh != 0) expect_operand(call, i++, DType::kFloat32, state, "dh");
  if (has_dc != 0) expect_operand(call, i++, DType::kFloat32, state, "dc");
  if (has_mask != 0) expect_mask(call, i, x);
  gate_function(call, "activation");
  gate_function(call, "recurrent_activation");
  const TensorType last{DType::kFloat32, state};
  return {call.inputs[0], last, last};
}

Prepared prepare_grad(const OpCall& call) {
  const Shape& x = call.inputs[0].shape;
  const int64_t units = x[2] / kGates;
  auto plan = std::make_shared<RecurrentPlan>(
      plan_recurrent(call, x, kGates, 2 * scratch_stride(units) + scratch_stride(x[2])));
  return {.plan = plan, .workspace = static_cast<size_t>(plan->workspace)};
}

void run_grad(const Launch& launch) noexcept {
  const RecurrentPlan& plan = launch.plan_as<RecurrentPlan>();
  const int64_t units = plan.units;
  const int64_t sums = kGates * units;
  const float* gates = launch.input<float>(0);
  const float* c_before = launch.input<float>(2);
  int next = 3;
  const float* dy = plan.has_dy ? launch.input<float>(next++) : nullptr;
  const float* dh_last = plan.has_dh ? launch.input<float>(next++) : nullptr;
  const float* dc_last = plan.has_dc ? launch.input<float>(next++) : nullptr;
  const uint8_t* mask = plan.has_mask ? launch.input<uint8_t>(next) : nullptr;
  const StepWeights u = step_weights(launch, 1, sums, units);
  for_pieces(plan, launch.workspace, [&](int64_t row0, int64_t rows, float* scratch) {
    const FloatRows dh = take_rows(&scratch, rows, units);
    const FloatRows dc = take_rows(&scratch, rows, units);
    const FloatRows dz = take_rows(&scratch, rows, sums);
    zero_rows(dh, rows, units);
    zero_rows(dc, rows, units);
    if (dh_last != nullptr) copy_rows({dh_last + row0 * units, units}, rows, units, dh);
    if (dc_last != nullptr) copy_rows({dc_last + row0 * units, units}, rows, units, dc);
    for (int64_t step = plan.time - 1; step >= 0; --step) {
      const int64_t t = plan.step_time(step);
      step_rows(plan, rows, [&](int64_t begin, int64_t end) {
        const int64_t row = row0 + begin;
        kernels().lstm_grad_step({.rows = end - begin,
                                  .units = units,
                                  .functions = plan.functions,
                                  .mask = plan.mask(mask, row, t),
                                  .gates = plan.rows(gates, sums, row, t),
                                  .c_before = plan.rows(c_before, units, row, t),
                                  .dy = plan.rows(dy, units, row, t),
                                  .dh = {dh.at + begin * dh.stride, dh.stride},
                                  .dc = {dc.at + begin * dc.stride, dc.stride},
                                  .dz = plan.rows(launch.output<float>(0), sums, row, t),
                                  .dz_copy = {dz.at + begin * dz.stride, dz.stride}});
      });
      step_product(plan, u, constant(dz), constant(dh), dh, rows);
    }
    copy_rows(constant(dh), rows, units, {launch.output<float>(1) + row0 * units, units});
    copy_rows(constant(dc), rows, units, {launch.output<float>(2) + row0 * units, units});
  });
}

// gates over x, dx over gates: a row's step is read before it is written.
bool over_first(const OpCall& call, int output, int input) {
  return input == 0 && output == (call.op.name == "lstm" ? 3 : 0);
}

}  // namespace

OpDef lstm_op() {
  return {.name = "lstm",
          .infer = infer,
          .gradient = gradient,
          .prepare = prepare,
          .run = run,
          .may_share = over_first,
          .optional_outputs = 0b111001};
}

OpDef lstm_grad_op() {
  return {.name = "lstm_grad",
          .infer = infer_grad,
          .gradient = no_second_gradient,
          .prepare = prepare_grad,
          .run = run_grad,
          .may_share = over_first};
}

}  // namespace pronghorn::ops
