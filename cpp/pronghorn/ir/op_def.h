// What the core knows about an op. Passes, runtime and bindings see ops only through this.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pronghorn/ir/attrs.h"
#include "pronghorn/tensor/tensor.h"

namespace pronghorn {

class Builder;
struct Node;
struct OpDef;

// Output `index` of node `node` of a graph; node -1: no value.
struct Value {
  int32_t node = -1;
  int32_t index = 0;

  explicit operator bool() const { return node >= 0; }
  friend bool operator==(const Value&, const Value&) = default;
};

// What a pass attaches to a node beyond attributes (a tile program). Part of the node's identity by
// pointer.
class Payload {
 public:
  virtual ~Payload() = default;

  // Whether that output of the node may be written into the memory of that input; no value: the op
  // decides.
  virtual std::optional<bool> may_share(int /*output*/, int /*input*/) const { return {}; }
};

// One application of an op: what its rules are given.
struct OpCall {
  const OpDef& op;
  std::span<const TensorType> inputs;
  std::span<const TensorType> outputs;  // empty for the shape rule
  const Attrs& attrs;
  const Payload* payload;  // may be null
};

// What a step needs besides its operands, computed once when a program is built: sizes, strides,
// the chosen kernel.
struct Prepared {
  std::shared_ptr<const void> plan;
  size_t workspace = 0;  // bytes of scratch memory, 64-byte aligned, not kept between runs
};

// One execution. Operands are contiguous, of the types that prepare saw. run() does not throw and
// allocates nothing.
struct Launch {
  const void* plan;
  const void* const* inputs;
  void* const* outputs;
  void* workspace;

  template <typename T>
  const T& plan_as() const {
    return *static_cast<const T*>(plan);
  }
  template <typename T>
  const T* input(int i) const {
    return static_cast<const T*>(inputs[i]);
  }
  template <typename T>
  T* output(int i) const {
    return static_cast<T*>(outputs[i]);
  }
};

// What a gradient rule is given: the node's operands and the gradients of its outputs, as values of
// the graph.
struct GradientCall {
  Builder& g;
  const Node& node;
  std::span<const Value> inputs;
  std::span<const Value> outputs;
  std::span<const Value> d_outputs;  // an output that does not reach the loss has no value
};

// Elements of an operand are expected in [low, high); `owner` is who says so in an error.
struct OperandBounds {
  size_t operand;
  int64_t low;
  int64_t high;
  std::string owner;
};

struct OpDef {
  std::string_view name;

  // Types of the outputs; throws a ValueError or TypeError in the user's words.
  std::vector<TensorType> (*infer)(const OpCall&) = nullptr;

  // One value per input; no value where the gradient is zero or undefined. Null: no gradient flows
  // through the op.
  std::vector<Value> (*gradient)(const GradientCall&) = nullptr;

  // What is checked before a program runs, if the operand is an input of it. The op itself takes
  // any values.
  std::optional<OperandBounds> (*operand_bounds)(const OpCall&) = nullptr;

  // Null: no plan, no workspace.
  Prepared (*prepare)(const OpCall&) = nullptr;
  void (*run)(const Launch&) noexcept = nullptr;

  // Local rewrite while a graph is built: another value that equals output 0, or no value.
  // Single-output ops only.
  Value (*simplify)(Builder&, std::span<const Value> inputs, const Attrs&) = nullptr;

  // Another value that equals output 0, for a node of which some inputs are the same in every run
  // (fixed[i]): what is computed from these alone costs one run, weights packed for products, say.
  // The gradient has been taken. No value: the node stays.
  Value (*prepack)(Builder&, const Node&, std::span<const bool> fixed) = nullptr;

  // Output 0 times a vector along its last dimension, for a node whose input 1, the weights, the op
  // is linear in: the op with scaled weights. Null: the op cannot.
  Value (*scale_columns)(Builder&, const Node&, Value factor) = nullptr;

  // Index of the tile instruction that computes output 0 elementwise (see tile/), -1 if there is
  // none.
  int16_t tile_opcode = -1;

  // Output 0 is input 0 with another shape: no step, the planner lets them share memory.
  bool is_view = false;

  // Output i is input i: the op exists for its gradient rule. The simplify pass removes it, and
  // with it what only its further inputs needed.
  bool forwards = false;

  // Bit i: output 0 may be written into the memory of input i, if that has the same size in bytes
  // and is not read later.
  uint32_t in_place_inputs = 0;

  // The same for any output, where it depends on the call; replaces in_place_inputs. Null:
  // in_place_inputs decides.
  bool (*may_share)(const OpCall&, int output, int input) = nullptr;

  // Bit i: output i may have no memory (a null pointer) when nothing reads it.
  uint32_t optional_outputs = 0;

  // Result depends on more than inputs and attributes: never folded or merged. (Random ops are
  // pure: the key is an input.)
  bool is_opaque = false;

  // Tile program of the payload is applied to output 0 while it is in cache; its operands follow
  // the op's own inputs.
  bool takes_epilogue = false;

  // The op's only input may be the result of a tile program, which is computed in pieces as the op
  // reads it and never stored; the program's operands take the input's place (tile/prologue.h).
  bool takes_prologue = false;

  // Bit i: input i, float32 by the shape rule, may be of 16 bits in a node that the pass fold_casts
  // has given the attribute `float32_result`: the op converts as it reads.
  uint32_t half_inputs = 0;

  // The op hands its outputs to the epilogue, which may then have several of any float dtype and
  // take the place of the op's result (tile/epilogue.h).
  bool epilogue_has_outputs = false;
};

// The op of that name; throws a ValueError with near matches. Defined in ops/registry.cpp.
const OpDef& find_op(std::string_view name);

// All ops, in the order of op_list.inc.
std::span<const OpDef> all_ops();

}  // namespace pronghorn
