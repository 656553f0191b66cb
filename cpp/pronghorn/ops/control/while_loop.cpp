// while_loop(state..., a..., b...) {states, condition_operands}: while condition(state, a) holds,
// state = body(state, b). Condition and body are the two programs of the payload. There is no
// gradient: the number of steps is not known when a graph is built.
#include <cstring>

#include "pronghorn/ir/builder.h"
#include "pronghorn/ir/subprogram.h"

namespace pronghorn::ops {
namespace {

constexpr size_t kAlignment = 64;

size_t round_up(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

const Subprograms& subprograms(const OpCall& call) {
  const auto* found = dynamic_cast<const Subprograms*>(call.payload);
  if (found == nullptr || found->programs.size() != 2)
    value_error("while_loop: expected two programs, condition and body.");
  return *found;
}

struct Sizes {
  size_t states;
  size_t condition_operands;
  size_t body_operands;
};

Sizes sizes_of(const OpCall& call) {
  const int64_t states = call.attrs.integer("states", 0);
  const int64_t condition = call.attrs.integer("condition_operands", 0);
  const auto count = static_cast<int64_t>(call.inputs.size());
  if (states < 1 || condition < 0 || states > count || condition > count - states) {
    value_error("while_loop: expected at least one state. Received: states=", states,
                ", condition_operands=", condition, ", ", count, " tensors.");
  }
  return {static_cast<size_t>(states), static_cast<size_t>(condition),
          static_cast<size_t>(count - states - condition)};
}

void check_program(const Runnable& program, const OpCall& call, size_t states, size_t first,
                   size_t operands, const std::vector<TensorType>& outputs) {
  std::vector<TensorType> inputs(call.inputs.begin(),
                                 call.inputs.begin() + static_cast<std::ptrdiff_t>(states));
  for (size_t i = 0; i < operands; ++i) inputs.push_back(call.inputs[first + i]);
  if (program.inputs() != inputs || program.outputs() != outputs)
    value_error("while_loop: the types of condition and body must be those of the state.");
}

std::vector<TensorType> infer(const OpCall& call) {
  const Subprograms& found = subprograms(call);
  const Sizes sizes = sizes_of(call);
  const std::vector<TensorType> states(
      call.inputs.begin(), call.inputs.begin() + static_cast<std::ptrdiff_t>(sizes.states));
  check_program(*found.programs[0], call, sizes.states, sizes.states, sizes.condition_operands,
                {TensorType{DType::kBool, {}}});
  check_program(*found.programs[1], call, sizes.states, sizes.states + sizes.condition_operands,
                sizes.body_operands, states);
  return states;
}

std::vector<Value> gradient(const GradientCall&) {
  value_error(
      "while_loop: a loop whose number of steps depends on data has no gradient. Use "
      "ops.fori_loop, ops.scan or a Python loop with a known number of steps.");
}

struct Plan {
  std::shared_ptr<const Runnable> condition;
  std::shared_ptr<const Runnable> body;
  Sizes sizes;
  std::vector<size_t> bytes;    // of each state
  std::vector<size_t> offsets;  // of each state in a buffer
  size_t buffer = 0;            // bytes; there are two
};

size_t pointer_count(const Sizes& sizes) {
  return 2 * sizes.states + sizes.condition_operands + sizes.body_operands + sizes.states;
}

Prepared prepare(const OpCall& call) {
  const Subprograms& found = subprograms(call);
  auto plan =
      std::make_shared<Plan>(Plan{found.programs[0], found.programs[1], sizes_of(call), {}, {}, 0});
  for (const TensorType& type : call.outputs) {
    plan->bytes.push_back(type.bytes());
    plan->offsets.push_back(plan->buffer);
    plan->buffer += round_up(type.bytes());
  }
  const size_t pointers = round_up(pointer_count(plan->sizes) * sizeof(void*));
  return {.plan = plan, .workspace = 2 * plan->buffer + pointers + kAlignment};
}

void run(const Launch& launch) noexcept {
  const Plan& plan = launch.plan_as<Plan>();
  const Sizes& sizes = plan.sizes;
  auto* const memory = static_cast<char*>(launch.workspace);
  const auto copy = [](void* to, const void* from, size_t bytes) {
    if (bytes > 0) std::memcpy(to, from, bytes);
  };
  char* now = memory;
  char* next = memory + plan.buffer;
  bool* const goes_on = reinterpret_cast<bool*>(memory + 2 * plan.buffer);
  auto** const pointers = reinterpret_cast<void**>(memory + 2 * plan.buffer + kAlignment);
  const void** const condition = const_cast<const void**>(pointers);
  const void** const body = condition + sizes.states + sizes.condition_operands;
  void** const results =
      pointers + 2 * sizes.states + sizes.condition_operands + sizes.body_operands;
  const void* const* const operands = launch.inputs + sizes.states;
  for (size_t i = 0; i < sizes.condition_operands; ++i) condition[sizes.states + i] = operands[i];
  for (size_t i = 0; i < sizes.body_operands; ++i)
    body[sizes.states + i] = operands[sizes.condition_operands + i];
  for (size_t i = 0; i < sizes.states; ++i)
    copy(now + plan.offsets[i], launch.inputs[i], plan.bytes[i]);
  for (;;) {
    for (size_t i = 0; i < sizes.states; ++i) {
      condition[i] = now + plan.offsets[i];
      body[i] = condition[i];
      results[i] = next + plan.offsets[i];
    }
    void* const answer[] = {goes_on};
    try {
      plan.condition->run(condition, answer);
      if (!*goes_on) break;
      plan.body->run(body, results);
    } catch (...) {
      step_failure() = std::current_exception();
      break;
    }
    std::swap(now, next);
  }
  for (size_t i = 0; i < sizes.states; ++i)
    copy(launch.outputs[i], now + plan.offsets[i], plan.bytes[i]);
}

}  // namespace

OpDef while_loop_op() {
  return {.name = "while_loop",
          .infer = infer,
          .gradient = gradient,
          .prepare = prepare,
          .run = run,
          .is_opaque = true};
}

}  // namespace pronghorn::ops
