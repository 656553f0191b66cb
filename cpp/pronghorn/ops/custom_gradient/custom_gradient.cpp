// custom_gradient(y..., u..., x..., g...) {outputs}: y, with a gradient that the caller wrote down:
// `outputs` values y, as many u that stand for the gradients of y, and values x with, for each, the
// gradient g as computed from u. The gradient rule repeats that computation for the real gradients.
#include <algorithm>
#include <cstring>

#include "pronghorn/ir/builder.h"

namespace pronghorn::ops {
namespace {

size_t output_count(const Attrs& attrs) { return static_cast<size_t>(attrs.integer("outputs", 1)); }

std::vector<TensorType> infer(const OpCall& call) {
  const size_t count = call.inputs.size();
  const size_t outputs = output_count(call.attrs);
  if (outputs < 1 || count < 2 * outputs || count % 2 != 0) {
    value_error("custom_gradient: expected outputs, their gradients, sources and their gradients. ",
                "Received: ", count, " tensors, outputs=", outputs, ".");
  }
  const auto same = [&](size_t i, size_t k) {
    if (call.inputs[i] == call.inputs[k]) return;
    value_error("custom_gradient: expected a gradient of the type of its tensor. Received: ",
                call.inputs[k], " for ", call.inputs[i], ".");
  };
  const size_t sources = (count - 2 * outputs) / 2;
  for (size_t i = 0; i < outputs; ++i) same(i, outputs + i);
  for (size_t i = 0; i < sources; ++i) same(2 * outputs + i, 2 * outputs + sources + i);
  return {call.inputs.begin(), call.inputs.begin() + static_cast<std::ptrdiff_t>(outputs)};
}

// Copies of the nodes from `from` to `to`, with `from` replaced by `by`.
class Repeat {
 public:
  Repeat(Builder& g, std::span<const Value> from, std::span<const Value> by)
      : g_(g), copies_(g.graph().nodes.size()) {
    for (size_t i = 0; i < from.size(); ++i) {
      auto& row = copies_[static_cast<size_t>(from[i].node)];
      row.resize(std::max(row.size(), static_cast<size_t>(from[i].index) + 1));
      row[static_cast<size_t>(from[i].index)] = by[i];
      first_ = std::min(first_, static_cast<size_t>(from[i].node));
    }
    for (size_t i = first_; i < copies_.size(); ++i) copy(i);
  }

  Value operator()(Value v) const {
    const auto& row = copies_[static_cast<size_t>(v.node)];
    const auto index = static_cast<size_t>(v.index);
    return index < row.size() && row[index] ? row[index] : v;
  }

 private:
  void copy(size_t i) {
    if (!copies_[i].empty()) return;  // it is replaced
    bool depends = false;
    for (const Value v : g_.graph().nodes[i].inputs) depends = depends || !((*this)(v) == v);
    if (!depends) return;
    Node node = g_.graph().nodes[i];
    for (Value& v : node.inputs) v = (*this)(v);
    const auto at = static_cast<int32_t>(g_.graph().nodes.size());
    for (size_t k = 0; k < node.outputs.size(); ++k)
      copies_[i].push_back({at, static_cast<int32_t>(k)});
    g_.graph().nodes.push_back(std::move(node));
  }

  Builder& g_;
  std::vector<std::vector<Value>> copies_;  // by node and output
  size_t first_ = copies_.size();
};

std::vector<Value> gradient(const GradientCall& call) {
  const size_t outputs = output_count(call.node.attrs);
  const size_t sources = (call.inputs.size() - 2 * outputs) / 2;
  std::vector<Value> d_outputs(call.d_outputs.begin(), call.d_outputs.end());
  for (size_t i = 0; i < outputs; ++i) {
    if (!d_outputs[i]) d_outputs[i] = call.g.zeros_like(call.inputs[i]);
  }
  const Repeat repeated(call.g, call.inputs.subspan(outputs, outputs), d_outputs);
  std::vector<Value> result(call.inputs.size());
  for (size_t i = 0; i < sources; ++i)
    result[2 * outputs + i] = repeated(call.inputs[2 * outputs + sources + i]);
  return result;
}

struct Plan {
  std::vector<size_t> bytes;  // of each output
};

Prepared prepare(const OpCall& call) {
  auto plan = std::make_shared<Plan>();
  for (const TensorType& type : call.outputs) plan->bytes.push_back(type.bytes());
  return {.plan = plan};
}

// Where the simplify pass is switched off.
void run(const Launch& launch) noexcept {
  const Plan& plan = launch.plan_as<Plan>();
  for (size_t i = 0; i < plan.bytes.size(); ++i) {
    if (plan.bytes[i] > 0) std::memcpy(launch.outputs[i], launch.inputs[i], plan.bytes[i]);
  }
}

}  // namespace

OpDef custom_gradient_op() {
  return {.name = "custom_gradient",
          .infer = infer,
          .gradient = gradient,
          .prepare = prepare,
          .run = run,
          .forwards = true};
}

}  // namespace pronghorn::ops
