// The instructions of tile programs, in the order of elementwise.inc and fused.inc. An op's
// OpDef::tile_opcode is one.
#pragma once

#include <cstdint>

namespace pronghorn {

enum class TileOp : uint8_t {
#define NAME(name) name,
#define FLOAT_UNARY(name, value, gradient) NAME(name)
#define NUMBER_UNARY(name, value, integer, gradient) NAME(name)
#define NUMBER_TEST(name, value, integer) NAME(name)
#define LOGICAL_UNARY(name, value) NAME(name)
#define INTEGER_UNARY(name, integer) NAME(name)
#define FLOAT_BINARY(name, value, da, db) NAME(name)
#define NUMBER_BINARY(name, value, integer, da, db) NAME(name)
#define COMPARE(name, value, integer) NAME(name)
#define LOGICAL_BINARY(name, value) NAME(name)
#define INTEGER_BINARY(name, integer) NAME(name)
#include "pronghorn/tile/elementwise.inc"
  where,
#define FUSED(name, often, also_often, value) NAME(name)
#include "pronghorn/tile/fused.inc"
#undef NAME
  kCount,
};

// The instruction of `cast` and of other ops whose output is input 0, broadcast and converted.
inline constexpr TileOp kTileCopy = TileOp::copy;

}  // namespace pronghorn
