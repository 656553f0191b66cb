// sparse_softmax_cross_entropy(logits (..., c), labels (...)) -> loss (...) = log(sum(exp(logits)))
// - logits[label]. sparse_softmax_cross_entropy_grad(logits, labels, dloss) = (softmax(logits) -
// onehot(labels)) * dloss. A label outside [0, c) gives NaN, loss and gradient.
#include "pronghorn/base/parallel.h"
#include "pronghorn/kernels/kernels.h"
#include "pronghorn/ops/loss/labels.h"
#include "pronghorn/ops/rows/row_blocks.h"
#include "pronghorn/ops/shape/rules.h"

namespace pronghorn::ops {
namespace {

struct Plan {
  int64_t rows;
  int64_t n;
  DType labels;
  RowBlocks operands;
};

constexpr int64_t kRows = 64;  // rows of one call of a kernel: their labels lie on the stack

Shape loss_shape(const Shape& logits) {
  return Shape(logits.dims().first(static_cast<size_t>(logits.rank() - 1)));
}

std::vector<TensorType> infer(const OpCall& call) {
  expect_operands(call, 2);
  expect_float(call, 0);
  expect_integer(call, 1);
  const Shape& logits = call.inputs[0].shape;
  const Shape& labels = call.inputs[1].shape;
  if (logits.rank() == 0 || labels != loss_shape(logits)) {
    value_error(call.op.name,
                ": labels must have the shape of the logits without the last dimension. Received: ",
                "logits.shape=", logits, ", labels.shape=", labels, ".");
  }
  return {{DType::kFloat32, labels}};
}

std::vector<TensorType> infer_grad(const OpCall& call) {
  expect_operands(call, 3);
  const Shape& logits = call.inputs[0].shape;
  if (logits.rank() == 0 || call.inputs[1].shape != loss_shape(logits) ||
      call.inputs[2].shape != call.inputs[1].shape) {
    value_error(call.op.name, ": shapes must fit. Received: logits.shape=", logits,
                ", labels.shape=", call.inputs[1].shape, ", dloss.shape=", call.inputs[2].shape,
                ".");
  }
  return {result_like(call, 0)};
}

std::vector<Value> gradient(const GradientCall& call) {
  return {call.g.apply("sparse_softmax_cross_entropy_grad",
                       {call.inputs[0], call.inputs[1], call.d_outputs[0]}),
          {}};
}

// dx = (p - onehot) * dloss, p = softmax(logits). With e the gradient of dx: d(logits) =
// softmax_grad(p, e dloss); d(dloss) = sum(e (p - onehot)).
std::vector<Value> grad_gradient(const GradientCall& call) {
  Builder& g = call.g;
  const Shape shape = g.shape(call.inputs[0]);
  const int64_t last = shape.rank() - 1;
  const Expr probs(g, g.apply("softmax", {call.inputs[0]}, {{"axis", last}}));
  const Expr e(g, call.d_outputs[0]);
  Shape column = loss_shape(shape);
  column.push_back(1);
  const Expr dloss(g, g.reshape(call.inputs[2], column));
  const Expr one_hot(g, g.apply("one_hot", {call.inputs[1]},
                                {{"depth", shape.back()}, {"dtype", std::string("float32")}}));
  const Value d_dloss = g.reduce_sum((e * (probs - one_hot)).value, {last}, false);
  return {g.apply("softmax_grad", {probs.value, (e * dloss).value}), {}, d_dloss};
}

Value simplify(Builder& g, std::span<const Value> inputs, const Attrs& attrs) {
  return widened(g, "sparse_softmax_cross_entropy", inputs, attrs, false);
}

Plan plan_for(const OpCall& call, int own_inputs) {
  const Shape& x = call.inputs[0].shape;
  return {x.size(0, x.rank() - 1), x.back(), call.inputs[1].dtype,
          row_blocks(call, x.back(), {0}, own_inputs)};
}

Prepared prepare(const OpCall& call) {
  Plan plan = plan_for(call, 2);
  plan.operands.has_result = false;
  return {.plan = std::make_shared<const Plan>(plan)};
}

Prepared prepare_grad(const OpCall& call) {
  return {.plan = std::make_shared<const Plan>(plan_for(call, 3))};
}

// Calls kernel(RowBlock, labels of its rows) for all rows.
template <typename Kernel>
void for_rows(const Launch& launch, Kernel&& kernel) {
  const Plan& plan = launch.plan_as<Plan>();
  const int64_t piece = std::clamp<int64_t>(8192 / std::max<int64_t>(plan.n, 1), 1, kRows);
  parallel_ranges(plan.rows, piece, plan.n * 16, [&](int64_t begin, int64_t end) {
    int32_t labels[kRows];
    load_labels(plan.labels, launch.inputs[1], begin, end, plan.n, labels);
    plan.operands.run(launch, begin, end, rows_in_cache(plan.n),
                      [&](const RowBlock& block) { kernel(block, labels + (block.row - begin)); });
  });
}

void run(const Launch& launch) noexcept {
  for_rows(launch, [&](const RowBlock& block, const int32_t* labels) {
    kernels().sparse_softmax_cross_entropy_rows(block.x[0], labels, block.rows,
                                                launch.plan_as<Plan>().n,
                                                launch.output<float>(0) + block.row);
  });
}

void run_grad(const Launch& launch) noexcept {
  for_rows(launch, [&](const RowBlock& block, const int32_t* labels) {
    kernels().sparse_softmax_cross_entropy_grad_rows(block.x[0], labels,
                                                     launch.input<float>(2) + block.row, block.rows,
                                                     launch.plan_as<Plan>().n, block.y);
  });
}

}  // namespace

OpDef sparse_softmax_cross_entropy_op() {
  return {.name = "sparse_softmax_cross_entropy",
          .infer = infer,
          .gradient = gradient,
          .prepare = prepare,
          .run = run,
          .simplify = simplify,
          .half_inputs = 1};
}

OpDef sparse_softmax_cross_entropy_grad_op() {
  return {.name = "sparse_softmax_cross_entropy_grad",
          .infer = infer_grad,
          .gradient = grad_gradient,
          .prepare = prepare_grad,
          .run = run_grad,
          .in_place_inputs = 1,
          .takes_epilogue = true,
          .half_inputs = 1,
          .epilogue_has_outputs = true};
}

}  // namespace pronghorn::ops
