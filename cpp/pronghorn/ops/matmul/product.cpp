#include "pronghorn/ops/matmul/product.h"

#include "pronghorn/tile/lower.h"

namespace pronghorn::ops {
namespace {

struct Plan {
  GemmPlan gemm;
  std::shared_ptr<const TilePlan> epilogue;
  int own_inputs = 2;
  size_t own_result = 0;  // where the workspace has room for the result, if that is no output
  // Updates of variables stream several matrices: in pieces of wide rows they wait for memory, and
  // run faster in a sweep of their own.
  bool sweeps = false;
};

}  // namespace

Shape leading(const Shape& shape) {
  return Shape(shape.dims().first(static_cast<size_t>(shape.rank() - 2)));
}

Prepared prepare_product(const OpCall& call, const GemmShape& shape) {
  auto plan = std::make_shared<Plan>();
  const size_t own_bytes = own_result_bytes(call);
  GemmShape wanted = shape;
  wanted.discards_c = own_bytes > 0;
  plan->gemm = plan_gemm(wanted);
  if (shape.packed_b && shape.engine == GemmEngine::kX3) plan->own_inputs = 3;
  plan->epilogue = epilogue_plan(call);
  plan->sweeps = plan->epilogue != nullptr && plan->epilogue->code.output_count > 1 &&
                 own_bytes > 0 && !computes_whole_rows(plan->gemm);
  if (plan->sweeps) {
    wanted.discards_c = false;
    plan->gemm = plan_gemm(wanted);
  }
  plan->own_result = plan->gemm.workspace;
  const bool has_result = plan->gemm.x3 == nullptr || !wanted.discards_c;
  return {.plan = plan, .workspace = plan->own_result + (has_result ? own_bytes : 0)};
}

void run_product(const Launch& launch) noexcept {
  const Plan& plan = launch.plan_as<Plan>();
  const TileEpilogue epilogue{plan.epilogue.get(), launch.inputs + plan.own_inputs, launch.outputs};
  float* c = epilogue_result(plan.epilogue.get(), launch, plan.own_result);
  const bool inside = plan.epilogue != nullptr && !plan.sweeps;
  const bool packed = plan.gemm.shape.packed_b;
  run_gemm(plan.gemm, {.a = launch.input<float>(0),
                       .b = launch.input<float>(plan.own_inputs - 1),
                       .packed_b = packed ? launch.inputs[1] : nullptr,
                       .c = c,
                       .epilogue = {inside ? &TileEpilogue::apply : nullptr, &epilogue},
                       .workspace = launch.workspace});
  if (plan.sweeps) TileEpilogue::apply_to_all(epilogue, c);
}

}  // namespace pronghorn::ops
