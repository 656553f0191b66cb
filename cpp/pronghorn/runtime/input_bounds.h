// Inputs of a program whose elements must lie in a range (token ids of an embedding): found when
// the program is made, checked before it runs, so that a bad one leaves all variables as they were.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "pronghorn/ir/graph.h"

namespace pronghorn {

struct InputBounds {
  size_t input;
  int64_t low;  // in [low, high)
  int64_t high;
  std::string owner;
};

// Of inputs that reach an operand with bounds as they are, reshaped or cast.
std::vector<InputBounds> find_input_bounds(const Graph& graph);

// Throws a ValueError that names an element outside, its position and its owner. data: of the
// type's rows `row0` to `row0` + `rows`. row_names: numbers to name the rows by, or null.
void check_input_bounds(const InputBounds& bounds, const TensorType& type, const void* data,
                        int64_t row0, int64_t rows, const int64_t* row_names);

}  // namespace pronghorn
