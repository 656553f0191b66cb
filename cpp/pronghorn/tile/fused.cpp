#include "pronghorn/tile/fused.h"

#include "pronghorn/base/parallel.h"
#include "pronghorn/kernels/kernels.h"

namespace pronghorn {
namespace {

const TileProgram& program_of(const OpCall& call) {
  return *static_cast<const TileProgram*>(call.payload);
}

std::vector<TensorType> infer(const OpCall& call) {
  const TileProgram& program = program_of(call);
  std::vector<TensorType> types;
  for (const DType dtype : program.output_dtypes()) types.push_back({dtype, program.shape()});
  return types;
}

Prepared prepare(const OpCall& call) { return {.plan = program_of(call).plan()}; }

void run(const Launch& launch) noexcept {
  run_tiles(launch.plan_as<TilePlan>(), launch.inputs, launch.outputs);
}

bool may_share(const OpCall& call, int output, int input) {
  const TileProgram& program = program_of(call);
  return may_share_tiles(program, *program.plan(), output, input);
}

}  // namespace

const OpDef kFusedElementwiseOp{.name = "fused_elementwise",
                                .infer = infer,
                                .prepare = prepare,
                                .run = run,
                                .may_share = may_share};

void run_tiles(const TilePlan& plan, const void* const* inputs, void* const* outputs) noexcept {
  const auto tile_run = kernels().tile_run;
  if (plan.total <= plan.piece) {
    if (plan.total > 0) tile_run(plan.code, inputs, outputs, 0, plan.total);
    return;
  }
  parallel_ranges(plan.total, plan.piece, plan.cost, [&](int64_t begin, int64_t end) {
    tile_run(plan.code, inputs, outputs, begin, end);
  });
}

bool may_share_tiles(const TileProgram& program, const TilePlan& plan, int output, int input) {
  const auto o = static_cast<size_t>(output);
  const auto i = static_cast<size_t>(input);
  const TensorType& type = program.operands()[i];
  return type.size() == program.shape().size() &&
         size_of(type.dtype) == size_of(program.output_dtypes()[o]) &&
         plan.last_read[i] <= plan.written_by[o];
}

}  // namespace pronghorn
