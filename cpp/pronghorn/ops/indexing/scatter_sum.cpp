// scatter_sum(indices, updates) {size} -> y (size, ...): y(r) is the sum of the updates of which
// the index is r, in order, 0 where there is none; the gradient of an embedding's table. An index
// outside is dropped. Rows are computed a block at a time, so that an epilogue (the optimizer's
// update of the table) finds them in the cache and the gradient is never stored.
#include <cstring>

#include "pronghorn/base/parallel.h"
#include "pronghorn/ops/indexing/indices.h"
#include "pronghorn/ops/rows/row_blocks.h"
#include "pronghorn/ops/shape/rules.h"

namespace pronghorn::ops {
namespace {

struct Plan {
  int64_t size;
  int64_t inner;
  int64_t count;
  DType index;
  int64_t block;  // rows
  int64_t blocks;
  RowBlocks rows;
};

std::vector<TensorType> infer(const OpCall& call) {
  expect_operands(call, 2);
  expect_integer(call, 0);
  const Shape& indices = call.inputs[0].shape;
  const TensorType& updates = call.inputs[1];
  if (updates.dtype != DType::kFloat32)
    type_error("scatter_sum: updates must be float32. Received: dtype=", updates.dtype, ".");
  const int64_t size = call.attrs.integer("size");
  const int rank = indices.rank();
  if (size < 0 || updates.shape.rank() < rank ||
      !std::equal(indices.begin(), indices.end(), updates.shape.begin())) {
    value_error(
        "scatter_sum: expected size >= 0 and updates whose shape begins with that of the indices. "
        "Received: size=",
        size, ", indices.shape=", indices, ", updates.shape=", updates.shape, ".");
  }
  Shape shape{size};
  for (int i = rank; i < updates.shape.rank(); ++i) shape.push_back(updates.shape[i]);
  return {{DType::kFloat32, shape}};
}

std::vector<Value> gradient(const GradientCall& call) {
  return {{},
          call.g.apply("gather", {call.d_outputs[0], call.inputs[0]},
                       {{"axis", int64_t{0}}, {"zero_fill", int64_t{1}}})};
}

// At least 32 blocks for all threads, of at most 64 KB. Workspace: indices in the order of their
// blocks, and where each block begins.
Prepared prepare(const OpCall& call) {
  const Shape& indices = call.inputs[0].shape;
  const Shape& updates = call.inputs[1].shape;
  auto plan = std::make_shared<Plan>();
  plan->size = call.attrs.integer("size");
  plan->inner = updates.size(indices.rank(), updates.rank());
  plan->count = indices.size();
  plan->index = call.inputs[0].dtype;
  plan->block = std::clamp<int64_t>(16'384 / std::max<int64_t>(plan->inner, 1), 1,
                                    std::max<int64_t>(1, plan->size / 32));
  plan->blocks = (plan->size + plan->block - 1) / plan->block;
  plan->rows = row_blocks(call, plan->inner, {}, 2);
  return {.plan = plan,
          .workspace = static_cast<size_t>(plan->count + plan->blocks + 1) * sizeof(int64_t)};
}

// begin[b] to begin[b + 1]: where in `order` the indices into block b are. begin: blocks + 1.
template <typename Index>
void sort_by_block(const Plan& plan, const Index* indices, int64_t* order, int64_t* begin) {
  std::fill_n(begin, plan.blocks + 1, int64_t{0});
  for (int64_t i = 0; i < plan.count; ++i) {
    const int64_t at = wrapped(indices[i], plan.size);
    if (at >= 0) ++begin[at / plan.block];
  }
  int64_t total = 0;
  for (int64_t b = 0; b <= plan.blocks; ++b) begin[b] = total += begin[b];
  for (int64_t i = plan.count; i-- > 0;) {
    const int64_t at = wrapped(indices[i], plan.size);
    if (at >= 0) order[--begin[at / plan.block]] = i;
  }
}

template <typename Index>
void run_typed(const Plan& plan, const Launch& launch) {
  const Index* indices = launch.input<Index>(0);
  const float* updates = launch.input<float>(1);
  auto* const order = static_cast<int64_t*>(launch.workspace);
  int64_t* const begin = order + plan.count;
  sort_by_block(plan, indices, order, begin);
  parallel_for(plan.blocks, plan.block * plan.inner * 8, [&](int64_t b) {
    const int64_t first = b * plan.block;
    const int64_t last = std::min(first + plan.block, plan.size);
    plan.rows.run(launch, first, last, plan.block, [&](const RowBlock& block) {
      std::fill_n(block.y, block.rows * plan.inner, 0.0f);
      for (int64_t k = begin[b]; k < begin[b + 1]; ++k) {
        if (k + kAhead < begin[b + 1]) prefetch_row(updates, plan.inner, order[k + kAhead]);
        const float* update = updates + order[k] * plan.inner;
        float* row = block.y + (wrapped(indices[order[k]], plan.size) - first) * plan.inner;
        for (int64_t j = 0; j < plan.inner; ++j) row[j] += update[j];
      }
    });
  });
}

void run(const Launch& launch) noexcept {
  const Plan& plan = launch.plan_as<Plan>();
  if (plan.size == 0 || plan.inner == 0) return;
  dispatch_index(plan.index, [&]<typename Index>() { run_typed<Index>(plan, launch); });
}

}  // namespace

OpDef scatter_sum_op() {
  return {.name = "scatter_sum",
          .infer = infer,
          .gradient = gradient,
          .prepare = prepare,
          .run = run,
          .takes_epilogue = true,
          .epilogue_has_outputs = true};
}

}  // namespace pronghorn::ops
