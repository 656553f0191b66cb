// Execution of single elementwise ops and casts.
#include <string_view>

#include "pronghorn/base/parallel.h"
#include "pronghorn/kernels/kernels.h"
#include "pronghorn/ops/elementwise/rules.h"
#include "pronghorn/tile/fused.h"

namespace pronghorn::ops {
namespace {

constexpr int64_t kBlock = 1024;   // elements of an operand that are gathered at once
constexpr int64_t kPiece = 16384;  // elements that one thread takes at once

enum class Path { kTiles, kInteger, kSelect, kCast };

struct ElementwisePlan {
  Path path = Path::kTiles;
  std::shared_ptr<const TilePlan> tiles;
  // The other paths:
  TileOp op{};
  int operand_count = 0;
  TileInput operands[3];
  ElementType out{};
  int64_t out_bytes = 0;  // of an element
  int64_t operand_bytes[3] = {};
  int64_t total = 0;
};

TileOp opcode_named(std::string_view name) {
  constexpr std::string_view kNames[] = {
#define FLOAT_UNARY(name, value, gradient) #name,
#define NUMBER_UNARY(name, value, integer, gradient) #name,
#define NUMBER_TEST(name, value, integer) #name,
#define LOGICAL_UNARY(name, value) #name,
#define INTEGER_UNARY(name, integer) #name,
#define FLOAT_BINARY(name, value, da, db) #name,
#define NUMBER_BINARY(name, value, integer, da, db) #name,
#define COMPARE(name, value, integer) #name,
#define LOGICAL_BINARY(name, value) #name,
#define INTEGER_BINARY(name, integer) #name,
#include "pronghorn/tile/elementwise.inc"
  };
  int i = 0;
  for (const std::string_view known : kNames) {
    if (known == name) return static_cast<TileOp>(i);
    ++i;
  }
  return TileOp::where;
}

std::shared_ptr<const TilePlan> tile_plan(const OpCall& call) {
  TileProgram program(call.outputs[0].shape);
  std::vector<int32_t> args;
  for (size_t i = 0; i < call.inputs.size(); ++i) {
    // Operands of a one-instruction program are not merged: each is another input of the step.
    args.push_back(program.operand(static_cast<int>(i), call.inputs[i]));
  }
  program.output(program.apply(call.op, args, call.outputs[0].dtype), call.outputs[0].dtype);
  program.finish();
  return program.plan();
}

Prepared prepare_loops(const OpCall& call, Path path, TileOp op) {
  auto plan = std::make_shared<ElementwisePlan>();
  plan->path = path;
  plan->op = op;
  plan->operand_count = static_cast<int>(call.inputs.size());
  for (size_t i = 0; i < call.inputs.size(); ++i) {
    plan->operands[i] = classify(call.inputs[i].shape, call.outputs[0].shape, call.inputs[i].dtype);
    plan->operand_bytes[i] = static_cast<int64_t>(size_of(call.inputs[i].dtype));
  }
  plan->out = static_cast<ElementType>(call.outputs[0].dtype);
  plan->out_bytes = static_cast<int64_t>(size_of(call.outputs[0].dtype));
  plan->total = call.outputs[0].size();
  return {.plan = plan};
}

Prepared prepare_tiles(const OpCall& call) {
  auto plan = std::make_shared<ElementwisePlan>();
  plan->tiles = tile_plan(call);
  return {.plan = plan};
}

void run_block(const ElementwisePlan& plan, const Launch& launch, int64_t begin, int64_t n) {
  alignas(64) char gathered[3][kBlock * 8];
  const void* operand[3] = {};
  uint8_t stride[3] = {};
  for (int i = 0; i < plan.operand_count; ++i) {
    const TileInput& input = plan.operands[i];
    stride[i] = input.access == TileAccess::kScalar ? 0 : 1;
    if (input.access == TileAccess::kScalar) {
      operand[i] = launch.inputs[i];
    } else if (input.access == TileAccess::kDirect || input.access == TileAccess::kConvert) {
      operand[i] = launch.input<char>(i) + begin * plan.operand_bytes[i];
    } else {
      kernels().tile_gather(input, launch.inputs[i], gathered[i], begin, n);
      operand[i] = gathered[i];
    }
  }
  void* out = launch.output<char>(0) + begin * plan.out_bytes;
  if (plan.path == Path::kSelect) {
    kernels().integer_select({static_cast<uint8_t>(plan.out_bytes), stride[0], stride[1], stride[2],
                              static_cast<const uint8_t*>(operand[0]), operand[1], operand[2], out},
                             n);
  } else if (plan.path == Path::kCast) {
    kernels().integer_cast(plan.operands[0].type, operand[0], plan.out, out, n);
  } else {
    kernels().integer_run({static_cast<uint8_t>(plan.op), plan.operands[0].type, stride[0],
                           stride[1], operand[0], operand[1], out},
                          n);
  }
}

}  // namespace

Prepared prepare_elementwise(const OpCall& call) {
  const TileOp op = opcode_named(call.op.name);
  if (op == TileOp::where) {
    if (call.outputs[0].dtype != DType::kFloat32) return prepare_loops(call, Path::kSelect, op);
    return prepare_tiles(call);
  }
  // A logical op has no integer loop, an integer op no instruction; the others run on bools either
  // way.
  const bool tiles = is_float(call.inputs[0].dtype) ||
                     (call.inputs[0].dtype == DType::kBool && call.op.tile_opcode >= 0 &&
                      (op == TileOp::logical_not || op == TileOp::logical_and ||
                       op == TileOp::logical_or || op == TileOp::logical_xor));
  return tiles ? prepare_tiles(call) : prepare_loops(call, Path::kInteger, op);
}

Prepared prepare_cast(const OpCall& call) {
  if (!is_float(call.inputs[0].dtype) && !is_float(call.outputs[0].dtype)) {
    return prepare_loops(call, Path::kCast, kTileCopy);
  }
  return prepare_tiles(call);
}

void run_elementwise(const Launch& launch) noexcept {
  const auto& plan = launch.plan_as<ElementwisePlan>();
  if (plan.path == Path::kTiles) return run_tiles(*plan.tiles, launch.inputs, launch.outputs);
  // An operand of one element in a bigger iteration repeats; in one of size 1 the strides do not
  // matter.
  parallel_ranges(plan.total, kPiece, 4, [&](int64_t begin, int64_t end) {
    for (int64_t at = begin; at < end; at += kBlock) {
      run_block(plan, launch, at, end - at < kBlock ? end - at : kBlock);
    }
  });
}

bool may_share_elementwise(const OpCall& call, int output, int input) {
  const TensorType& from = call.inputs[static_cast<size_t>(input)];
  const TensorType& to = call.outputs[static_cast<size_t>(output)];
  return from.size() == to.size() && size_of(from.dtype) == size_of(to.dtype);
}

}  // namespace pronghorn::ops
