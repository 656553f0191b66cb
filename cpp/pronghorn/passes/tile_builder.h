// Translates nodes of a graph to one tile program.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "pronghorn/ir/graph.h"
#include "pronghorn/tile/program.h"

namespace pronghorn {

class TileBuilder {
 public:
  TileBuilder(const Graph& graph, const Shape& shape)
      : graph_(graph), program_(std::make_shared<TileProgram>(shape)) {}

  // Makes v, seen as of that dtype, operand 0 of the program.
  void operand(Value v, DType dtype);

  // Adds a tileable node. What it reads is an earlier node of the program, a constant, or becomes
  // an operand.
  void add(int32_t node);

  // The value of that node is an output; its type.
  TensorType output(int32_t node);

  const std::vector<Value>& operands() const { return operands_; }
  // The program, which nothing can be added to from now on.
  std::shared_ptr<TileProgram> take() { return std::move(program_); }

  // Whether programs hold the node as an immediate number instead of an operand.
  static bool is_immediate(const Node& node);

 private:
  int32_t value_of(Value v);

  const Graph& graph_;
  std::shared_ptr<TileProgram> program_;
  std::vector<Value> operands_;
  std::map<int32_t, int32_t> values_;  // by added node
};

}  // namespace pronghorn
