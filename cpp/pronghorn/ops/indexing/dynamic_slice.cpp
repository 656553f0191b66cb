// dynamic_slice(x, starts) {sizes}: the box of x at starts (int32, one per dimension), clamped so
// that it fits. dynamic_update_slice(x, update, starts): a copy of x with update at starts, clamped
// in the same way.
#include "pronghorn/ops/shape/rules.h"
#include "pronghorn/ops/shape/strided_copy.h"

namespace pronghorn::ops {
namespace {

struct Plan {
  StridedCopy whole;  // x to y, of the update
  StridedCopy box;
  Shape strides;  // of x, in bytes
  Shape room;     // size of x minus size of the box
};

void check_starts(const OpCall& call, size_t i) {
  const Shape& starts = call.inputs[i].shape;
  if (call.inputs[i].dtype != DType::kInt32 || starts.rank() != 1 ||
      starts[0] != call.inputs[0].shape.rank()) {
    value_error(call.op.name, ": starts must be int32 of shape (", call.inputs[0].shape.rank(),
                ",). Received: starts=", call.inputs[i], ".");
  }
}

void check_box(const OpCall& call, const Shape& box) {
  const Shape& x = call.inputs[0].shape;
  bool fits = box.rank() == x.rank();
  for (int i = 0; fits && i < x.rank(); ++i) fits = box[i] >= 0 && box[i] <= x[i];
  if (!fits)
    value_error(call.op.name, ": the box must fit into x. Received: x.shape=", x, ", box=", box,
                ".");
}

std::vector<TensorType> infer_slice(const OpCall& call) {
  expect_operands(call, 2);
  check_starts(call, 1);
  const Shape box(std::span<const int64_t>(call.attrs.integers("sizes")));
  check_box(call, box);
  return {{call.inputs[0].dtype, box}};
}

std::vector<TensorType> infer_update(const OpCall& call) {
  expect_operands(call, 3);
  expect_same_dtype(call, 0, 1);
  check_starts(call, 2);
  check_box(call, call.inputs[1].shape);
  return {call.inputs[0]};
}

std::vector<Value> slice_gradient(const GradientCall& call) {
  Builder& g = call.g;
  return {g.apply("dynamic_update_slice",
                  {g.zeros_like(call.inputs[0]), call.d_outputs[0], call.inputs[1]}),
          {}};
}

std::vector<Value> update_gradient(const GradientCall& call) {
  Builder& g = call.g;
  const Value dy = call.d_outputs[0];
  const Value update = call.inputs[1];
  const Value starts = call.inputs[2];
  return {g.apply("dynamic_update_slice", {dy, g.zeros_like(update), starts}),
          g.apply("dynamic_slice", {dy, starts}, {{"sizes", to_vector(g.shape(update))}}),
          {}};
}

// is_update: the box is written into a tensor of x's layout; else read from one.
template <bool is_update>
Prepared prepare(const OpCall& call) {
  const TensorType& x = call.inputs[0];
  const Shape& box = is_update ? call.inputs[1].shape : call.outputs[0].shape;
  const size_t element = size_of(x.dtype);
  const Shape strides = strides_of(x.shape);
  auto plan = std::make_shared<Plan>();
  plan->whole = plan_copy(element, x.shape, strides, strides);
  plan->box = is_update ? plan_copy(element, box, strides_of(box), strides)
                        : plan_copy(element, box, strides, strides_of(box));
  plan->strides = strides;
  plan->room = x.shape;
  for (int i = 0; i < box.rank(); ++i) {
    plan->strides[i] *= static_cast<int64_t>(element);
    plan->room[i] -= box[i];
  }
  return {.plan = plan};
}

// Bytes from the start of x to the box.
int64_t offset_of(const Plan& plan, const int32_t* starts) {
  int64_t offset = 0;
  for (int i = 0; i < plan.room.rank(); ++i) {
    offset += std::clamp<int64_t>(starts[i], 0, plan.room[i]) * plan.strides[i];
  }
  return offset;
}

void run_slice(const Launch& launch) noexcept {
  const Plan& plan = launch.plan_as<Plan>();
  copy_strided(plan.box, launch.input<char>(0) + offset_of(plan, launch.input<int32_t>(1)),
               launch.outputs[0]);
}

void run_update(const Launch& launch) noexcept {
  const Plan& plan = launch.plan_as<Plan>();
  if (launch.outputs[0] != launch.inputs[0])
    copy_strided(plan.whole, launch.inputs[0], launch.outputs[0]);
  copy_strided(plan.box, launch.inputs[1],
               launch.output<char>(0) + offset_of(plan, launch.input<int32_t>(2)));
}

}  // namespace

OpDef dynamic_slice_op() {
  return {.name = "dynamic_slice",
          .infer = infer_slice,
          .gradient = slice_gradient,
          .prepare = prepare<false>,
          .run = run_slice};
}

OpDef dynamic_update_slice_op() {
  return {.name = "dynamic_update_slice",
          .infer = infer_update,
          .gradient = update_gradient,
          .prepare = prepare<true>,
          .run = run_update,
          .in_place_inputs = 1};
}

}  // namespace pronghorn::ops
