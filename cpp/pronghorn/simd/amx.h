// Tiles of AMX, and the split of floats into bfloat16 parts. Include only from *.amx.cpp.
//
// A tile holds 16 rows of 64 bytes: of operand a 16 rows of 16 pairs of bfloat16, of b 16 pairs
// (rows) by 16 columns, of the result 16 x 16 floats. A product adds  sum over pairs p: a(i, p).low
// b(p, j).low + a(i, p).high b(p, j).high.
#pragma once

#include "pronghorn/simd/vec.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {

inline constexpr int64_t kTileSide = 16;  // rows, columns of a result, pairs
inline constexpr int64_t kTileBytes = 1024;
inline constexpr int64_t kTileRowBytes = 64;

// The eight tiles are usable while this lives. Made anew in every kernel: other libraries of the
// process load their own configuration, and a product without one is an illegal instruction. The
// release lets context switches skip 8 KB.
class Tiles {
 public:
  PRONGHORN_INLINE Tiles() {
    alignas(64) struct {
      uint8_t palette = 1;
      uint8_t start_row = 0;
      uint8_t reserved[14] = {};
      uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
      uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
    } configuration;
    static_assert(sizeof configuration == 64);
    // The operand makes the compiler store the configuration first; GCC 12's intrinsic does not.
    __asm__ volatile("ldtilecfg %0" : : "m"(configuration));
  }
  PRONGHORN_INLINE ~Tiles() { __asm__ volatile("tilerelease"); }
  Tiles(const Tiles&) = delete;
  Tiles& operator=(const Tiles&) = delete;
};

template <int kTile>
PRONGHORN_INLINE void tile_zero() {
  __asm__ volatile("tilezero %%tmm%c0" : : "i"(kTile));
}

// Rows of 64 bytes, `stride` bytes apart.
template <int kTile>
PRONGHORN_INLINE void tile_load(const void* p, int64_t stride = kTileRowBytes) {
  __asm__ volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(p), "r"(stride), "i"(kTile) : "memory");
}
// The same for what is not read again soon: it leaves the L1 cache to what is.
template <int kTile>
PRONGHORN_INLINE void tile_stream(const void* p, int64_t stride = kTileRowBytes) {
  __asm__ volatile("tileloaddt1 (%0,%1,1), %%tmm%c2"
                   :
                   : "r"(p), "r"(stride), "i"(kTile)
                   : "memory");
}
template <int kTile>
PRONGHORN_INLINE void tile_store(void* p, int64_t stride = kTileRowBytes) {
  __asm__ volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(p), "r"(stride), "i"(kTile) : "memory");
}

// c += a b, bfloat16 to float32; subnormal operands and results count as zero.
template <int kC, int kA, int kB>
PRONGHORN_INLINE void tile_multiply() {
  __asm__ volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kC), "i"(kA), "i"(kB));
}

// Lane j: low[j] rounded to bfloat16 in the low half, high[j] in the high half. To nearest even;
// subnormals become zero.
PRONGHORN_INLINE IVec to_bfloat16_pairs(Vec low, Vec high) {
  const __m512i halves = (__m512i)_mm512_cvtne2ps_pbh((__m512)high, (__m512)low);
  const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24,
                                         8, 23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  return (IVec)_mm512_maskz_permutexvar_epi16(0xffffffffu, order, halves);
}
PRONGHORN_INLINE Vec low_of_pairs(IVec pairs) { return from_bits(pairs << 16); }
PRONGHORN_INLINE Vec high_of_pairs(IVec pairs) {
  return from_bits(pairs & static_cast<int32_t>(0xffff0000u));
}

// The low halves cut off.
PRONGHORN_INLINE IVec cut_pairs(Vec low, Vec high) {
  const __m512i high_halves = _mm512_set1_epi32(static_cast<int32_t>(0xffff0000u));
  const __m512i shifted = (__m512i)((UVec)low >> 16);
  return (IVec)_mm512_ternarylogic_epi32((__m512i)high, high_halves, shifted, 0xea);  // a & b | c
}

// part[0] + part[1] + part[2] = (low, high), exactly where all parts are normal or zero: above
// 2^-102. The first is rounded, so that the others have either sign and what a product leaves out
// (part[1] times part[2]) has mean zero; 15 bits are left then, which need no more rounding.
// Infinities and NaN, and what rounds to infinity, leave NaN in some part.
PRONGHORN_INLINE void split_pairs(Vec low, Vec high, IVec (&part)[3]) {
  part[0] = to_bfloat16_pairs(low, high);
  low -= low_of_pairs(part[0]);
  high -= high_of_pairs(part[0]);
  part[1] = cut_pairs(low, high);
  low -= from_bits(bits_of(low) & static_cast<int32_t>(0xffff0000u));
  high -= high_of_pairs(part[1]);
  part[2] = cut_pairs(low, high);
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
