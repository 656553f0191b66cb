#include "pronghorn/tile/lower.h"

#include <algorithm>
#include <limits>

#include "pronghorn/tile/peephole.h"

namespace pronghorn {

static_assert(static_cast<int>(ElementType::kFloat32) == static_cast<int>(DType::kFloat32));
static_assert(kTileMaxRank == kMaxRank);

namespace {

constexpr int32_t kNone = -1;
constexpr int32_t kLargestTile = 256;
constexpr int32_t kRegisterMemory = 8192;  // floats; the rest of kTileMemory is for unrolled rows

}  // namespace

int64_t instruction_cost(TileOp op) {
  switch (op) {
    case TileOp::divide:
    case TileOp::sqrt:
    case TileOp::rsqrt:
    case TileOp::reciprocal:
    case TileOp::sqrt_add:
    case TileOp::step_by_ratio:
    case TileOp::floor_divide:
    case TileOp::mod: return 4;
    case TileOp::power:
    case TileOp::arctan2:
    case TileOp::gelu:
    case TileOp::gelu_tanh: return 30;
    default: break;
  }
  return op <= TileOp::gelu_tanh ? 15
                                 : 1;  // elementwise.inc starts with the transcendental functions
}

namespace {

class Lowering {
 public:
  explicit Lowering(const TileProgram& program)
      : program_(program),
        values_(program.values()),
        kept_(program.outputs()),
        plan_(std::make_shared<TilePlan>()) {}

  std::shared_ptr<const TilePlan> run(const EpilogueForm& epilogue) {
    plan_->epilogue = epilogue;
    plan_->total = program_.shape().size();
    add_output_copies();
    fuse_instructions(values_, kept_);
    find_live();
    find_scalars();
    assign_constants();
    assign_inputs();
    assign_outputs();
    assign_instructions();
    place_memory();
    finish();
    return plan_;
  }

 private:
  size_t at(int32_t value) const { return static_cast<size_t>(value); }
  bool is_instruction(int32_t value) const {
    return values_[at(value)].kind == TileValue::Kind::kInstruction;
  }

  // Every output is an instruction of its own, so that it can write to the output's memory.
  void add_output_copies() {
    for (size_t i = 0; i < kept_.size(); ++i) {
      const bool repeated = std::find(kept_.begin(), kept_.begin() + static_cast<std::ptrdiff_t>(i),
                                      kept_[i]) != kept_.begin() + static_cast<std::ptrdiff_t>(i);
      if (is_instruction(kept_[i]) && !repeated) continue;
      values_.push_back({.op = TileOp::copy, .args = {kept_[i], -1, -1, -1}});
      kept_[i] = static_cast<int32_t>(values_.size()) - 1;
    }
  }

  void find_live() {
    last_use_.assign(values_.size(), kNone);
    live_.assign(values_.size(), false);
    for (const int32_t value : kept_) live_[at(value)] = true;
    for (size_t i = values_.size(); i-- > 0;) {
      if (!live_[i]) continue;
      for (const int32_t arg : values_[i].args) {
        if (arg < 0) continue;
        live_[at(arg)] = true;
        if (last_use_[at(arg)] == kNone) last_use_[at(arg)] = static_cast<int32_t>(i);
      }
    }
  }

  // Values with equal elements, which take a vector instead of a tile.
  void find_scalars() {
    scalar_.assign(values_.size(), false);
    for (size_t i = 0; i < values_.size(); ++i) {
      const TileValue& value = values_[i];
      if (value.kind == TileValue::Kind::kConstant) scalar_[i] = true;
      if (value.kind == TileValue::Kind::kOperand) {
        const TensorType& type = program_.operands()[at(value.operand)];
        scalar_[i] =
            classify(type.shape, program_.shape(), type.dtype).access == TileAccess::kScalar;
      }
      if (value.kind == TileValue::Kind::kInstruction &&
          std::find(kept_.begin(), kept_.end(), static_cast<int32_t>(i)) == kept_.end()) {
        scalar_[i] = std::all_of(value.args.begin(), value.args.end(),
                                 [&](int32_t arg) { return arg < 0 || scalar_[at(arg)]; });
      }
    }
    slot_of_.assign(values_.size(), kNone);
    for (TileValue& value : values_) {
      if (value.kind == TileValue::Kind::kInstruction) order_factors(value);
    }
  }

  // Exchanges operands so that a scalar comes later.
  void order_factors(TileValue& value) {
    const auto order = [&](size_t i, size_t k) {
      if (scalar_[at(value.args[i])] && !scalar_[at(value.args[k])])
        std::swap(value.args[i], value.args[k]);
    };
    switch (value.op) {
      case TileOp::add:
      case TileOp::multiply:
      case TileOp::equal:
      case TileOp::not_equal:
      case TileOp::fma:
      case TileOp::fms:
      case TileOp::fnma:
      case TileOp::add_relu: order(0, 1); break;
      case TileOp::axpby:
        order(0, 1);
        order(2, 3);
        break;
      case TileOp::multiply_three:
        order(0, 1);
        order(1, 2);
        order(0, 1);
        break;
      case TileOp::step_by_ratio: order(1, 2); break;
      default: break;
    }
  }

  // tile: whether the slot needs a tile of memory; otherwise a vector, for a scalar or the end of a
  // direct operand.
  int32_t add_slot(bool scalar, bool tile) {
    plan_->slot_scalar.push_back(scalar ? 1 : 0);
    needs_tile_.push_back(tile);
    return static_cast<int32_t>(needs_tile_.size()) - 1;
  }

  void assign_constants() {
    for (size_t i = 0; i < values_.size(); ++i) {
      if (values_[i].kind != TileValue::Kind::kConstant || !live_[i]) continue;
      slot_of_[i] = add_slot(true, false);
      plan_->constants.push_back(values_[i].constant);
    }
  }

  void assign_inputs() {
    const auto& operands = program_.operands();
    plan_->inputs.resize(operands.size());
    plan_->last_read.assign(operands.size(), kNone);
    value_of_input_.assign(operands.size(), kNone);
    for (size_t i = 0; i < values_.size(); ++i) {
      if (values_[i].kind == TileValue::Kind::kOperand && live_[i]) {
        value_of_input_[at(values_[i].operand)] = static_cast<int32_t>(i);
      }
    }
    for (size_t k = 0; k < operands.size(); ++k) {
      TileInput& input = plan_->inputs[k];
      input = classify(operands[k].shape, program_.shape(), operands[k].dtype);
      if (value_of_input_[k] == kNone)
        input.access = TileAccess::kScalar;  // not read: the least work
      const bool scalar = input.access == TileAccess::kScalar;
      const bool tile = !scalar && input.access != TileAccess::kDirect;
      const int32_t slot = add_slot(scalar, tile);
      input.slot = static_cast<uint8_t>(slot);
      input.row_at = -1;
      if (value_of_input_[k] != kNone) slot_of_[at(value_of_input_[k])] = slot;
    }
  }

  void assign_outputs() {
    for (size_t k = 0; k < kept_.size(); ++k) {
      const DType dtype = program_.output_dtypes()[k];
      const bool direct = dtype == DType::kFloat32;
      const int32_t slot = add_slot(false, !direct);
      slot_of_[at(kept_[k])] = slot;
      plan_->outputs.push_back(
          {static_cast<ElementType>(dtype), static_cast<uint8_t>(slot), direct});
    }
  }

  void assign_instructions() {
    std::vector<int32_t> free_tiles;
    std::vector<int32_t> free_scalars;
    plan_->written_by.assign(kept_.size(), kNone);
    const auto slot = [&](int32_t value) {
      return value < 0 ? uint8_t{0} : static_cast<uint8_t>(slot_of_[at(value)]);
    };
    for (size_t i = 0; i < values_.size(); ++i) {
      if (values_[i].kind != TileValue::Kind::kInstruction || !live_[i]) continue;
      const TileValue& value = values_[i];
      const auto position = static_cast<int32_t>(plan_->instructions.size());
      for (const int32_t arg : value.args) {
        if (arg < 0) continue;
        const TileValue& source = values_[at(arg)];
        if (source.kind == TileValue::Kind::kOperand)
          plan_->last_read[at(source.operand)] = position;
        // A register is free for this instruction's result: elements are read before they are
        // written.
        const bool is_register = source.kind == TileValue::Kind::kInstruction &&
                                 std::find(kept_.begin(), kept_.end(), arg) == kept_.end();
        if (is_register && last_use_[at(arg)] == static_cast<int32_t>(i)) {
          auto& list = scalar_[at(arg)] ? free_scalars : free_tiles;
          const int32_t freed = slot_of_[at(arg)];
          if (std::find(list.begin(), list.end(), freed) == list.end()) list.push_back(freed);
        }
      }
      if (slot_of_[i] == kNone) {
        auto& list = scalar_[i] ? free_scalars : free_tiles;
        if (list.empty()) {
          slot_of_[i] = add_slot(scalar_[i], !scalar_[i]);
        } else {
          slot_of_[i] = list.back();
          list.pop_back();
        }
      }
      for (size_t k = 0; k < kept_.size(); ++k) {
        if (kept_[k] == static_cast<int32_t>(i)) plan_->written_by[k] = position;
      }
      uint8_t scalars = 0;
      for (size_t k = 0; k < 4; ++k) {
        if (value.args[k] >= 0 && scalar_[at(value.args[k])])
          scalars = static_cast<uint8_t>(scalars | 1 << k);
      }
      plan_->instructions.push_back(
          {static_cast<uint8_t>(value.op), static_cast<uint8_t>(slot_of_[i]), slot(value.args[0]),
           slot(value.args[1]), slot(value.args[2]), slot(value.args[3]), scalars, scalar_[i]});
      plan_->cost += instruction_cost(value.op);
    }
    // A converted output is written after all instructions of its tile.
    for (size_t k = 0; k < kept_.size(); ++k) {
      if (!plan_->outputs[k].direct) plan_->written_by[k] = std::numeric_limits<int32_t>::max();
    }
    // A converted operand is read before the instructions of its tile.
    for (size_t k = 0; k < plan_->inputs.size(); ++k) {
      if (plan_->inputs[k].access == TileAccess::kConvert) plan_->last_read[k] = kNone;
    }
  }

  void place_memory() {
    const auto slots = static_cast<int32_t>(needs_tile_.size());
    if (slots > kTileSlots) internal_error("tile program: ", slots, " slots.");
    const auto tiles =
        static_cast<int32_t>(std::count(needs_tile_.begin(), needs_tile_.end(), true));
    int32_t tile = kLargestTile;
    while (tile > 64 && tiles * tile > kRegisterMemory) tile /= 2;
    int32_t next = 0;
    for (size_t s = 0; s < needs_tile_.size(); ++s) {
      plan_->slot_at.push_back(next);
      next += needs_tile_[s] ? tile : kTileAlign;
    }
    for (TileInput& input : plan_->inputs) {
      if (input.access != TileAccess::kRow) continue;
      const int64_t needed = (input.sizes[0] + tile + kTileAlign - 1) / kTileAlign * kTileAlign;
      if (next + needed > kTileMemory) continue;
      input.row_at = next;
      next += static_cast<int32_t>(needed);
    }
    plan_->code.tile = tile;
  }

  void finish() {
    TilePlan& plan = *plan_;
    TileCode& code = plan.code;
    code.instructions = plan.instructions.data();
    code.inputs = plan.inputs.data();
    code.outputs = plan.outputs.data();
    code.constants = plan.constants.data();
    code.slot_at = plan.slot_at.data();
    code.slot_scalar = plan.slot_scalar.data();
    code.instruction_count = static_cast<int32_t>(plan.instructions.size());
    code.input_count = static_cast<int32_t>(plan.inputs.size());
    code.output_count = static_cast<int32_t>(plan.outputs.size());
    code.constant_count = static_cast<int32_t>(plan.constants.size());
    code.slot_count = static_cast<int32_t>(plan.slot_at.size());
    // An instruction on a vector costs about what moving a few bytes does.
    plan.cost += 2 * static_cast<int64_t>(plan.inputs.size() + plan.outputs.size());
    const int64_t piece = 131072 / plan.cost / kLargestTile * kLargestTile;
    plan.piece = std::clamp<int64_t>(piece, 4 * kLargestTile, 64 * kLargestTile);
  }

  const TileProgram& program_;
  std::vector<TileValue> values_;
  std::vector<int32_t> kept_;  // values of the outputs
  std::shared_ptr<TilePlan> plan_;
  std::vector<bool> live_;
  std::vector<bool> scalar_;
  std::vector<int32_t> last_use_;
  std::vector<int32_t> slot_of_;
  std::vector<int32_t> value_of_input_;
  std::vector<bool> needs_tile_;  // by slot
};

}  // namespace

TileInput classify(const Shape& from, const Shape& to, DType dtype) {
  TileInput input{};
  input.type = static_cast<ElementType>(dtype);
  const int added = to.rank() - from.rank();
  // Dimensions of `to` with the operand's strides; adjacent ones that can be walked as one are
  // merged.
  int64_t stride = 1;
  int rank = 0;
  int64_t sizes[kMaxRank];  // innermost first
  int64_t strides[kMaxRank];
  for (int i = to.rank() - 1; i >= 0; --i) {
    const int64_t size = to[i];
    const int64_t own = i < added ? 1 : from[i - added];
    const int64_t step = own == 1 && size != 1 ? 0 : stride;
    stride *= own;
    if (size == 1) continue;
    if (rank > 0 &&
        ((step == 0 && strides[rank - 1] == 0) ||
         (step != 0 && strides[rank - 1] != 0 && step == strides[rank - 1] * sizes[rank - 1]))) {
      sizes[rank - 1] *= size;
      continue;
    }
    sizes[rank] = size;
    strides[rank++] = step;
  }
  for (int i = 0; i < rank; ++i) {
    input.sizes[i] = sizes[rank - 1 - i];
    input.strides[i] = strides[rank - 1 - i];
  }
  input.rank = static_cast<uint8_t>(rank);
  if (rank == 0 || (rank == 1 && strides[0] == 0)) {
    input.access = TileAccess::kScalar;
  } else if (rank == 1) {
    input.access = dtype == DType::kFloat32 ? TileAccess::kDirect : TileAccess::kConvert;
  } else if (rank == 2 && strides[0] == 1 && strides[1] == 0) {
    input.access = TileAccess::kRow;
    input.sizes[0] = sizes[0];
  } else {
    input.access = TileAccess::kGeneral;
  }
  return input;
}

std::shared_ptr<const TilePlan> lower(const TileProgram& program, const EpilogueForm& epilogue) {
  return Lowering(program).run(epilogue);
}

}  // namespace pronghorn
