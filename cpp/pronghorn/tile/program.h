// A fused elementwise computation: values in the order in which they are computed, each an operand,
// a constant or an instruction on earlier values. It is the payload of fused nodes and epilogues;
// tile/lower.h makes it executable.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "pronghorn/ir/op_def.h"
#include "pronghorn/tile/opcodes.h"

namespace pronghorn {

struct TilePlan;

struct TileValue {
  enum class Kind : uint8_t { kOperand, kConstant, kInstruction };

  Kind kind = Kind::kInstruction;
  TileOp op = TileOp::copy;
  int32_t operand = -1;  // kOperand: which
  float constant = 0;
  std::array<int32_t, 4> args = {-1, -1, -1, -1};
};

class TileProgram final : public Payload {
 public:
  // shape: what every output has, and what every operand broadcasts to.
  explicit TileProgram(const Shape& shape) : shape_(shape) {}

  // Each returns the index of the new value (equal constants and operands share one).
  int32_t operand(int index, const TensorType& type);
  int32_t constant(float value);
  int32_t apply(TileOp op, std::array<int32_t, 4> args);
  // One application of an op for which is_tileable() holds; rounds to the output's dtype.
  int32_t apply(const OpDef& op, std::span<const int32_t> args, DType output);
  void output(int32_t value, DType dtype);

  // Makes the program executable; after it nothing can be added.
  void finish();
  const std::shared_ptr<const TilePlan>& plan() const { return plan_; }

  const Shape& shape() const { return shape_; }
  const std::vector<TileValue>& values() const { return values_; }
  const std::vector<TensorType>& operands() const { return operands_; }
  const std::vector<int32_t>& outputs() const { return outputs_; }
  const std::vector<DType>& output_dtypes() const { return output_dtypes_; }

 private:
  int32_t add(const TileValue& value);

  Shape shape_;
  std::vector<TileValue> values_;
  std::vector<TensorType> operands_;
  std::vector<int32_t> outputs_;
  std::vector<DType> output_dtypes_;
  std::shared_ptr<const TilePlan> plan_;
};

// Whether a tile program can compute that application of the op: all types are float or bool, or it
// is a cast to such.
bool is_tileable(const OpDef& op, std::span<const TensorType> inputs,
                 std::span<const TensorType> outputs);

// Number of operands of an instruction.
int operand_count(TileOp op);

}  // namespace pronghorn
