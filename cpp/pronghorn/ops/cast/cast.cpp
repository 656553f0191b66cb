// cast: conversion of the element type. Float to integer truncates and saturates, NaN gives 0;
// anything to bool is != 0; integer to integer keeps the low bits.
#include "pronghorn/ops/elementwise/rules.h"
#include "pronghorn/tile/opcodes.h"

namespace pronghorn::ops {
namespace {

std::vector<Value> gradient(const GradientCall& call) {
  const DType from = call.g.dtype(call.inputs[0]);
  if (!is_float(from) || !is_float(call.g.dtype(call.outputs[0])) || !call.d_outputs[0])
    return {Value{}};
  return {call.g.cast(call.d_outputs[0], from)};
}

Value simplify(Builder& g, std::span<const Value> inputs, const Attrs& attrs) {
  return name_of(g.dtype(inputs[0])) == attrs.text("dtype") ? inputs[0] : Value{};
}

}  // namespace

OpDef cast_op() {
  return {.name = "cast",
          .infer = infer_cast,
          .gradient = gradient,
          .prepare = prepare_cast,
          .run = run_elementwise,
          .simplify = simplify,
          .tile_opcode = static_cast<int16_t>(kTileCopy),
          .may_share = may_share_elementwise};
}

}  // namespace pronghorn::ops
