// Runs a program over the batches of data that is in memory, without returning in between.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "pronghorn/runtime/program.h"

namespace pronghorn {

struct BatchRun {
  std::vector<const void*> sources;  // one per program input: rows of the input's row size
  const int64_t* order = nullptr;    // row numbers; null: rows follow one another
  int64_t batch_size = 0;
  std::vector<void*>
      results;  // empty, or one per program output: rows of step i start at i * batch_size
};

// Runs steps [first, last), where step i reads rows order[i * batch_size ...], until time_limit
// seconds have passed (0: no limit). Returns the next step to run. Throws a ValueError that names
// row and element before step 0 if any row of all steps, and before another step if one of its
// rows, is outside of the bounds of an input.
int64_t run_batches(const Program& program, const BatchRun& run, int64_t first, int64_t last,
                    double time_limit);

}  // namespace pronghorn
