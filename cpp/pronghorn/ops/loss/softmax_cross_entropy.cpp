// softmax_cross_entropy(logits (..., c), target (..., c)) -> loss (...) = -sum(target *
// log_softmax(logits)). softmax_cross_entropy_grad(logits, target, dloss) = (softmax(logits) *
// sum(target) - target) * dloss.
#include "pronghorn/base/parallel.h"
#include "pronghorn/kernels/kernels.h"
#include "pronghorn/ops/rows/row_blocks.h"
#include "pronghorn/ops/shape/rules.h"

namespace pronghorn::ops {
namespace {

struct Plan {
  int64_t rows;
  int64_t n;
  RowBlocks operands;
};

Shape loss_shape(const Shape& logits) {
  return Shape(logits.dims().first(static_cast<size_t>(logits.rank() - 1)));
}

std::vector<TensorType> infer(const OpCall& call) {
  expect_operands(call, 2);
  expect_float(call, 0);
  if (call.attrs.integer("float32_result", 0) == 0) expect_same_dtype(call, 0, 1);
  const Shape& logits = call.inputs[0].shape;
  if (logits.rank() == 0 || call.inputs[1].shape != logits) {
    value_error(
        call.op.name,
        ": logits and target must have the same shape of rank 1 or more. Received: logits.shape=",
        logits, ", target.shape=", call.inputs[1].shape, ".");
  }
  return {{DType::kFloat32, loss_shape(logits)}};
}

std::vector<TensorType> infer_grad(const OpCall& call) {
  expect_operands(call, 3);
  const Shape& logits = call.inputs[0].shape;
  if (logits.rank() == 0 || call.inputs[1].shape != logits ||
      call.inputs[2].shape != loss_shape(logits)) {
    value_error(call.op.name, ": shapes must fit. Received: logits.shape=", logits,
                ", target.shape=", call.inputs[1].shape, ", dloss.shape=", call.inputs[2].shape,
                ".");
  }
  return {result_like(call, 0)};
}

Value column(Builder& g, Value loss) {
  Shape shape = g.shape(loss);
  shape.push_back(1);
  return g.reshape(loss, shape);
}

std::vector<Value> gradient(const GradientCall& call) {
  Builder& g = call.g;
  const Attrs last{{"axis", int64_t{g.shape(call.inputs[0]).rank() - 1}}};
  const Value d_logits =
      g.apply("softmax_cross_entropy_grad", {call.inputs[0], call.inputs[1], call.d_outputs[0]});
  const Expr log_probs(g, g.apply("log_softmax", {call.inputs[0]}, last));
  const Expr dloss(g, column(g, call.d_outputs[0]));
  return {d_logits, (-(log_probs * dloss)).value};
}

// dx = (p T - t) dloss, p = softmax(logits), T = sum(t). With e the gradient of dx: d(logits) =
// softmax_grad(p, e dloss T); dt = dloss (sum(e p) - e); d(dloss) = sum(e (p T - t)).
std::vector<Value> grad_gradient(const GradientCall& call) {
  Builder& g = call.g;
  const int64_t axis = g.shape(call.inputs[0]).rank() - 1;
  const Expr p(g, g.apply("softmax", {call.inputs[0]}, {{"axis", axis}}));
  const Expr t(g, call.inputs[1]);
  const Expr dloss(g, column(g, call.inputs[2]));
  const Expr e(g, call.d_outputs[0]);
  const std::vector<int64_t> last{axis};
  const Expr total(g, g.reduce_sum(t.value, last, true));
  const Expr ep(g, g.reduce_sum((e * p).value, last, true));
  return {g.apply("softmax_grad", {p.value, (e * (dloss * total)).value}), (dloss * (ep - e)).value,
          g.reduce_sum((e * (p * total - t)).value, last, false)};
}

Value simplify(Builder& g, std::span<const Value> inputs, const Attrs& attrs) {
  return widened(g, "softmax_cross_entropy", inputs, attrs, false);
}

Plan plan_for(const OpCall& call, int own_inputs) {
  const Shape& x = call.inputs[0].shape;
  return {x.size(0, x.rank() - 1), x.back(), row_blocks(call, x.back(), {0, 1}, own_inputs)};
}

Prepared prepare(const OpCall& call) {
  Plan plan = plan_for(call, 2);
  plan.operands.has_result = false;
  return {.plan = std::make_shared<const Plan>(plan)};
}

Prepared prepare_grad(const OpCall& call) {
  return {.plan = std::make_shared<const Plan>(plan_for(call, 3))};
}

template <typename Kernel>
void for_rows(const Launch& launch, Kernel&& kernel) {
  const Plan& plan = launch.plan_as<Plan>();
  const int64_t piece = std::max<int64_t>(1, 8192 / std::max<int64_t>(plan.n, 1));
  parallel_ranges(plan.rows, piece, plan.n * 16, [&](int64_t begin, int64_t end) {
    plan.operands.run(launch, begin, end, rows_in_cache(plan.n), kernel);
  });
}

void run(const Launch& launch) noexcept {
  for_rows(launch, [&](const RowBlock& block) {
    kernels().softmax_cross_entropy_rows(block.x[0], block.x[1], block.rows,
                                         launch.plan_as<Plan>().n,
                                         launch.output<float>(0) + block.row);
  });
}

void run_grad(const Launch& launch) noexcept {
  for_rows(launch, [&](const RowBlock& block) {
    kernels().softmax_cross_entropy_grad_rows(block.x[0], block.x[1],
                                              launch.input<float>(2) + block.row, block.rows,
                                              launch.plan_as<Plan>().n, block.y);
  });
}

}  // namespace

OpDef softmax_cross_entropy_op() {
  return {.name = "softmax_cross_entropy",
          .infer = infer,
          .gradient = gradient,
          .prepare = prepare,
          .run = run,
          .simplify = simplify,
          .half_inputs = 3};
}

OpDef softmax_cross_entropy_grad_op() {
  return {.name = "softmax_cross_entropy_grad",
          .infer = infer_grad,
          .gradient = grad_gradient,
          .prepare = prepare_grad,
          .run = run_grad,
          .in_place_inputs = 1,
          .takes_epilogue = true,
          .half_inputs = 3,
          .epilogue_has_outputs = true};
}

}  // namespace pronghorn::ops
