// Products of bfloat16 tiles in registers, as many as AMX does at most.
#include "pronghorn/kernels/kernels.h"
#include "pronghorn/simd/amx.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {

// Runs `rounds` rounds of independent tile products and returns the operations of a round.
int64_t tile_multiply_rounds(int64_t rounds) {
  const Tiles tiles;
  tile_zero<0>();
  tile_zero<1>();
  tile_zero<2>();
  tile_zero<3>();
  tile_zero<4>();
  tile_zero<5>();
  tile_zero<6>();
  tile_zero<7>();
  for (int64_t round = 0; round < rounds; ++round) {
    tile_multiply<0, 4, 6>();
    tile_multiply<1, 4, 7>();
    tile_multiply<2, 5, 6>();
    tile_multiply<3, 5, 7>();
  }
  return 4 * 2 * kTileSide * kTileSide * 2 * kTileSide;
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
