#include "pronghorn/tile/program.h"

#include <algorithm>
#include <cstring>

#include "pronghorn/tile/lower.h"

namespace pronghorn {
namespace {

struct OpFacts {
  int8_t operands;
  bool exact;  // the result has the precision of the operands: no rounding to 16 bits is needed
};

constexpr OpFacts kFacts[] = {
#define FLOAT_UNARY(name, value, gradient) {1, false},
#define NUMBER_UNARY(name, value, integer, gradient) {1, TileOp::name != TileOp::square},
#define NUMBER_TEST(name, value, integer) {1, true},
#define LOGICAL_UNARY(name, value) {1, true},
#define INTEGER_UNARY(name, integer) {1, true},
#define FLOAT_BINARY(name, value, da, db) {2, false},
#define NUMBER_BINARY(name, value, integer, da, db) \
  {2, TileOp::name == TileOp::maximum || TileOp::name == TileOp::minimum},
#define COMPARE(name, value, integer) {2, true},
#define LOGICAL_BINARY(name, value) {2, true},
#define INTEGER_BINARY(name, integer) {2, true},
#include "pronghorn/tile/elementwise.inc"
    {3, true},  // where
#define FUSED(name, often, also_often, value) {4, false},
#include "pronghorn/tile/fused.inc"
};

// Fused instructions with fewer than four operands.
constexpr std::pair<TileOp, int> kFewerOperands[] = {
    {TileOp::copy, 1},
    {TileOp::fma, 3},
    {TileOp::fms, 3},
    {TileOp::fnma, 3},
    {TileOp::lerp, 3},
    {TileOp::lerp_square, 3},
    {TileOp::sqrt_add, 2},
    {TileOp::add_relu, 2},
    {TileOp::multiply_three, 3},
    {TileOp::round_to_bfloat16, 1},
    {TileOp::round_to_float16, 1},
};

}  // namespace

int operand_count(TileOp op) {
  for (const auto& [fewer, count] : kFewerOperands) {
    if (fewer == op) return count;
  }
  return kFacts[static_cast<int>(op)].operands;
}

bool is_tileable(const OpDef& op, std::span<const TensorType> inputs,
                 std::span<const TensorType> outputs) {
  if (op.tile_opcode < 0 || outputs.size() != 1) return false;
  const auto real = [](const TensorType& type) {
    return is_float(type.dtype) || type.dtype == DType::kBool;
  };
  if (!real(outputs[0])) return false;
  if (static_cast<TileOp>(op.tile_opcode) == kTileCopy) return true;
  return std::all_of(inputs.begin(), inputs.end(), real);
}

int32_t TileProgram::add(const TileValue& value) {
  values_.push_back(value);
  return static_cast<int32_t>(values_.size()) - 1;
}

int32_t TileProgram::operand(int index, const TensorType& type) {
  for (size_t i = 0; i < values_.size(); ++i) {
    if (values_[i].kind == TileValue::Kind::kOperand && values_[i].operand == index)
      return static_cast<int32_t>(i);
  }
  if (operands_.size() <= static_cast<size_t>(index))
    operands_.resize(static_cast<size_t>(index) + 1);
  operands_[static_cast<size_t>(index)] = type;
  return add({.kind = TileValue::Kind::kOperand, .operand = index});
}

int32_t TileProgram::constant(float value) {
  for (size_t i = 0; i < values_.size(); ++i) {
    if (values_[i].kind == TileValue::Kind::kConstant &&
        std::memcmp(&values_[i].constant, &value, sizeof value) == 0) {
      return static_cast<int32_t>(i);
    }
  }
  return add({.kind = TileValue::Kind::kConstant, .constant = value});
}

int32_t TileProgram::apply(TileOp op, std::array<int32_t, 4> args) {
  return add({.kind = TileValue::Kind::kInstruction, .op = op, .args = args});
}

int32_t TileProgram::apply(const OpDef& op, std::span<const int32_t> args, DType output) {
  const auto opcode = static_cast<TileOp>(op.tile_opcode);
  bool exact = kFacts[op.tile_opcode].exact;
  int32_t result;
  if (opcode == kTileCopy) {
    result = args[0];
    exact = false;
    if (output == DType::kBool) return apply(TileOp::not_equal, {result, constant(0.0f), -1, -1});
  } else {
    std::array<int32_t, 4> four = {-1, -1, -1, -1};
    std::copy(args.begin(), args.end(), four.begin());
    result = apply(opcode, four);
  }
  // Inside of a program values keep the precision of float32, as they do in a register; a cast to
  // 16 bits rounds, and so does an output.
  if (exact || opcode != kTileCopy) return result;
  if (output == DType::kBfloat16) return apply(TileOp::round_to_bfloat16, {result, -1, -1, -1});
  if (output == DType::kFloat16) return apply(TileOp::round_to_float16, {result, -1, -1, -1});
  return result;
}

void TileProgram::output(int32_t value, DType dtype) {
  outputs_.push_back(value);
  output_dtypes_.push_back(dtype);
}

void TileProgram::finish() { plan_ = lower(*this); }

}  // namespace pronghorn
