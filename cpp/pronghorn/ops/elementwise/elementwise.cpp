// The elementwise ops and their gradients, out of elementwise.inc.
#include "pronghorn/ops/elementwise/rules.h"
#include "pronghorn/ops/shape/rules.h"
#include "pronghorn/tile/opcodes.h"

namespace pronghorn::ops {
namespace {

// A gradient that is zero or undefined.
struct NoGradient {
  Value value;
};
constexpr NoGradient kNone;

// Functions of Expr, for the gradient expressions.
#define FLOAT_UNARY(name, value, gradient) \
  [[maybe_unused]] Expr name(const Expr& x) { return x.apply(#name); }
#define NUMBER_UNARY(name, value, integer, gradient) \
  [[maybe_unused]] Expr name(const Expr& x) { return x.apply(#name); }
#define FLOAT_BINARY(name, value, da, db) \
  [[maybe_unused]] Expr name(const Expr& a, const Expr& b) { return a.apply(#name, b); }
#define NUMBER_BINARY(name, value, integer, da, db) \
  [[maybe_unused]] Expr name(const Expr& a, const Expr& b) { return a.apply(#name, b); }
#define COMPARE(name, value, integer) \
  [[maybe_unused]] Expr name(const Expr& a, const Expr& b) { return a.apply(#name, b); }
#include "pronghorn/tile/elementwise.inc"

// d(a^b)/da, with 0 for b = 0 where a^(b - 1) may be infinite.
Expr power_gradient_base(const Expr& a, const Expr& b, const Expr& dy) {
  if (const std::optional<double> exponent = constant_of(*b.g, b.value)) {
    return *exponent == 0.0 ? dy * 0.0 : dy * (*exponent * power(a, a.number(*exponent - 1.0)));
  }
  const Expr is_zero = equal(b, b.number(0.0));
  return dy * where(is_zero, b.number(0.0), b) * power(a, where(is_zero, b.number(1.0), b - 1.0));
}

// dy where `first`, half of it at a tie.
Expr share_gradient(const Expr& first, const Expr& tie, const Expr& dy) {
  return where(first, dy, where(tie, dy * 0.5, dy.number(0.0)));
}

Expr gelu_tanh_gradient(const Expr& x, const Expr& dy) {
  constexpr double kScale = 0.7978845608028654;  // sqrt(2 / pi)
  const Expr xx = square(x);
  const Expr t = tanh(x * (xx * (kScale * 0.044715) + kScale));
  const Expr slope = (1.0 - square(t)) * (xx * (3 * kScale * 0.044715) + kScale);
  return dy * (0.5 * (t + 1.0) + 0.5 * (x * slope));
}

bool has_gradient(const GradientCall& call) {
  return is_float(call.g.dtype(call.inputs[0])) && call.d_outputs[0];
}

#define UNARY_GRADIENT(name, gradient)                           \
  std::vector<Value> name##_gradient(const GradientCall& call) { \
    if (!has_gradient(call)) return {Value{}};                   \
    [[maybe_unused]] const Expr x(call.g, call.inputs[0]);       \
    [[maybe_unused]] const Expr y(call.g, call.outputs[0]);      \
    [[maybe_unused]] const Expr dy(call.g, call.d_outputs[0]);   \
    return {(gradient).value};                                   \
  }
#define BINARY_GRADIENT(name, da, db)                                          \
  std::vector<Value> name##_gradient(const GradientCall& call) {               \
    if (!has_gradient(call)) return {Value{}, Value{}};                        \
    [[maybe_unused]] const Expr a(call.g, call.inputs[0]);                     \
    [[maybe_unused]] const Expr b(call.g, call.inputs[1]);                     \
    [[maybe_unused]] const Expr y(call.g, call.outputs[0]);                    \
    [[maybe_unused]] const Expr dy(call.g, call.d_outputs[0]);                 \
    return {to_operand(call, 0, (da).value), to_operand(call, 1, (db).value)}; \
  }

// Undoes the broadcast of operand i.
Value to_operand(const GradientCall& call, size_t i, Value gradient) {
  if (!gradient) return gradient;
  return call.g.sum_to_shape(gradient, Shape(call.g.shape(call.inputs[i])));
}

#define FLOAT_UNARY(name, value, gradient) UNARY_GRADIENT(name, gradient)
#define NUMBER_UNARY(name, value, integer, gradient) UNARY_GRADIENT(name, gradient)
#define FLOAT_BINARY(name, value, da, db) BINARY_GRADIENT(name, da, db)
#define NUMBER_BINARY(name, value, integer, da, db) BINARY_GRADIENT(name, da, db)
#include "pronghorn/tile/elementwise.inc"

std::vector<Value> where_gradient(const GradientCall& call) {
  if (!is_float(call.g.dtype(call.inputs[1])) || !call.d_outputs[0])
    return {Value{}, Value{}, Value{}};
  const Expr condition(call.g, call.inputs[0]);
  const Expr dy(call.g, call.d_outputs[0]);
  const Expr zero = dy.number(0.0);
  return {Value{}, to_operand(call, 1, where(condition, dy, zero).value),
          to_operand(call, 2, where(condition, zero, dy).value)};
}

OpDef elementwise(std::string_view name, std::vector<TensorType> (*infer)(const OpCall&),
                  std::vector<Value> (*gradient)(const GradientCall&), int opcode) {
  return {.name = name,
          .infer = infer,
          .gradient = gradient,
          .prepare = prepare_elementwise,
          .run = run_elementwise,
          .simplify = simplify_rule(name),
          .tile_opcode = static_cast<int16_t>(opcode),
          .may_share = may_share_elementwise};
}

constexpr int kNoTile = -1;

template <std::vector<TensorType> (*rule)(const OpCall&), size_t operands>
std::vector<TensorType> infer(const OpCall& call) {
  expect_operands(call, operands);
  return rule(call);
}

}  // namespace

#define DEFINE(name, infer, gradient) \
  OpDef name##_op() { return elementwise(#name, infer, gradient, static_cast<int>(TileOp::name)); }
#define FLOAT_UNARY(name, value, gradient) DEFINE(name, (infer<infer_float, 1>), name##_gradient)
#define NUMBER_UNARY(name, value, integer, gradient) \
  DEFINE(name, (infer<infer_number, 1>), name##_gradient)
#define NUMBER_TEST(name, value, integer) DEFINE(name, (infer<infer_test, 1>), nullptr)
#define LOGICAL_UNARY(name, value) DEFINE(name, (infer<infer_logical, 1>), nullptr)
#define INTEGER_UNARY(name, integer) \
  OpDef name##_op() { return elementwise(#name, (infer<infer_integer, 1>), nullptr, kNoTile); }
#define FLOAT_BINARY(name, value, da, db) DEFINE(name, (infer<infer_float, 2>), name##_gradient)
#define NUMBER_BINARY(name, value, integer, da, db) \
  DEFINE(name, (infer<infer_number, 2>), name##_gradient)
#define COMPARE(name, value, integer) DEFINE(name, (infer<infer_test, 2>), nullptr)
#define LOGICAL_BINARY(name, value) DEFINE(name, (infer<infer_logical, 2>), nullptr)
#define INTEGER_BINARY(name, integer) \
  OpDef name##_op() { return elementwise(#name, (infer<infer_integer, 2>), nullptr, kNoTile); }
#include "pronghorn/tile/elementwise.inc"

OpDef where_op() {
  return elementwise("where", infer_where, where_gradient, static_cast<int>(TileOp::where));
}

OpDef identity_op() {
  return {
      .name = "identity",
      .infer = infer_same,
      .gradient = [](const GradientCall& call) { return std::vector<Value>{call.d_outputs[0]}; },
      .simplify = [](Builder&, std::span<const Value> inputs, const Attrs&) { return inputs[0]; },
      .is_view = true};
}

OpDef stop_gradient_op() {
  return {.name = "stop_gradient", .infer = infer_same, .is_view = true, .forwards = true};
}

}  // namespace pronghorn::ops
