// Rewrites pairs and triples of tile instructions to fused ones.
#pragma once

#include <vector>

#include "pronghorn/tile/program.h"

namespace pronghorn {

// values: with every value before its readers, as in a TileProgram; kept: values that outputs need.
// A value that is no longer read is left in place.
void fuse_instructions(std::vector<TileValue>& values, const std::vector<int32_t>& kept);

}  // namespace pronghorn
