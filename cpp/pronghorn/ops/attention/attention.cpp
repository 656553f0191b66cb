// The ops attention and attention_grad, and their gradient rules.
#include "pronghorn/ops/attention/rules.h"
#include "pronghorn/ops/shape/rules.h"

namespace pronghorn::ops {
namespace {

// Which keys queries see by their places: (1, 1, queries, keys) bools.
Tensor place_mask(const AttentionPlan& plan) {
  Tensor mask(TensorType{DType::kBool, Shape{1, 1, plan.queries, plan.keys}});
  auto* seen = static_cast<uint8_t*>(mask.data());
  for (int64_t i = 0; i < plan.queries; ++i) {
    for (int64_t j = 0; j < plan.keys; ++j) {
      const int64_t distance = i > j ? i - j : j - i;
      *seen++ = (!plan.is_causal || j <= i) && (plan.window == 0 || distance < plan.window);
    }
  }
  return mask;
}

AttentionPlan plan_of(const GradientCall& call) {
  std::vector<TensorType> types;
  for (const Value v : call.inputs) types.push_back(call.g.type(v));
  return plan_attention({*call.node.op, types, {}, call.node.attrs, nullptr}, 3);
}

std::vector<Value> gradient(const GradientCall& call) {
  if (call.d_outputs[1]) value_error("attention: output 1 has no gradient.");
  std::vector<Value> operands(call.inputs.begin(), call.inputs.begin() + 3);
  operands.insert(operands.end(), {call.outputs[0], call.outputs[1], call.d_outputs[0]});
  operands.insert(operands.end(), call.inputs.begin() + 3, call.inputs.end());
  std::vector<Value> d = call.g.apply_all(find_op("attention_grad"), operands, call.node.attrs);
  d.resize(call.inputs.size());
  const AttentionPlan plan = plan_of(call);
  if (plan.has_bias) d[plan.drops ? 4 : 3] = attention_bias_gradient(call);
  return d;
}

std::vector<Value> no_second_gradient(const GradientCall&) {
  value_error(
      "attention_grad: the second derivative of fused attention is not available. Use "
      "flash_attention=False or config.disable_flash_attention().");
}

}  // namespace

// scores = scale query key^T + bias, weights = softmax(scores where seen);
// dbias = weights (dweights - sum(weights dweights)), dweights = kept * (dy value^T).
Value attention_bias_gradient(const GradientCall& call) {
  Builder& g = call.g;
  const AttentionPlan plan = plan_of(call);
  const std::vector<int64_t> heads_first = {0, 2, 1, 3};
  const Shape all{plan.batch, plan.heads, plan.queries, plan.keys};
  // Products of all heads with those of the keys: the heads that share one are rows of one product.
  const auto product = [&](Value rows, Value keys) {
    rows = g.cast(rows, DType::kFloat32);
    keys = g.cast(keys, DType::kFloat32);
    const int64_t size = g.shape(rows).back();
    const Value r = g.reshape(g.apply("transpose", {rows}, {{"axes", heads_first}}),
                              Shape{plan.batch, plan.key_heads, plan.group() * plan.queries, size});
    const Value k = g.apply("transpose", {keys}, {{"axes", heads_first}});
    return Expr(g, g.reshape(g.apply("matmul", {r, k}, {{"transpose_b", int64_t{1}}}), all));
  };
  size_t next = 3;
  const Value key = plan.drops ? call.inputs[next++] : Value{};
  const Value bias = call.inputs[next++];
  std::vector<Value> masks(call.inputs.begin() + static_cast<std::ptrdiff_t>(next),
                           call.inputs.end());
  if (plan.is_causal || plan.window > 0) masks.push_back(g.constant(place_mask(plan)));

  Expr scores =
      product(call.inputs[0], call.inputs[1]) * static_cast<double>(plan.scale) + Expr(g, bias);
  for (const Value mask : masks)
    scores = where(Expr(g, mask), scores, scores.number(static_cast<double>(kHiddenScore)));
  const Value weights = g.apply("softmax", {scores.value}, {{"axis", int64_t{3}}});
  Value dweights = product(call.d_outputs[0], call.inputs[2]).value;
  if (plan.drops) {
    dweights = g.apply("dropout", {dweights, key}, {{"rate", call.node.attrs.number("rate")}});
  }
  Expr dscores(g, g.apply("softmax_grad", {weights, dweights}));
  for (const Value mask : masks) dscores = where(Expr(g, mask), dscores, dscores.number(0.0));
  return g.sum_to_shape(dscores.value, g.shape(bias));
}

OpDef attention_op() {
  return {.name = "attention",
          .infer = infer_attention,
          .gradient = gradient,
          .prepare = prepare_attention,
          .run = run_attention,
          .optional_outputs = 0b10};
}

OpDef attention_grad_op() {
  return {.name = "attention_grad",
          .infer = infer_attention_grad,
          .gradient = no_second_gradient,
          .prepare = prepare_attention_grad,
          .run = run_attention_grad};
}

}  // namespace pronghorn::ops
