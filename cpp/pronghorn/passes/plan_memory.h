// Where every value of a graph lives while its program runs.
#pragma once

#include <vector>

#include "pronghorn/ir/graph.h"

namespace pronghorn {

enum class Place : uint8_t {
  kArena,     // at `offset` of the arena
  kInput,     // memory of input `slot`
  kVariable,  // memory of variable `slot`
  kConstant,  // memory of the constant node `slot`
  kOutput,    // memory of output `slot`
  kNone,      // no memory: nothing reads it and the op can do without
};

struct Location {
  Place place = Place::kArena;
  int32_t slot = 0;
  size_t offset = 0;
};

struct MemoryPlan {
  std::vector<std::vector<Location>> locations;  // by node and output
  size_t arena_bytes = 0;
  std::vector<int32_t>
      copied_outputs;  // outputs (indices) to copy from their value after the last step
  std::vector<int32_t> copied_updates;  // updates (indices) to copy after that

  // Updates whose value is another variable's old content, which an update may overwrite: they are
  // copied to the arena before any variable is.
  struct Staged {
    int32_t update;
    size_t offset;
  };
  std::vector<Staged> staged_updates;
};

// Lifetimes are intervals of node indices. A value that overwrites a variable is written in place
// when nothing reads the variable's old content after it; arena values are placed largest first
// into the lowest gap free for their lifetime.
MemoryPlan plan_memory(const Graph& graph);

}  // namespace pronghorn
