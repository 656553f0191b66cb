// The words of Philox4x32-10 (base/philox.h), several blocks at a time.
#include <cstdint>

#include "pronghorn/ops/random/words.h"

#if defined(__AVX512F__) || defined(__AVX2__) || defined(__SSE4_2__)
#include <immintrin.h>
#endif

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {
namespace {

// One counter of each block in the low half of a 64-bit element; the high half is not used.
// Independent computations at a time hide the latency of the products.
#if defined(PRONGHORN_ISA_AVX512)
constexpr int kBlocks = 8;
constexpr int kChains = 4;
#elif defined(PRONGHORN_ISA_AVX2)
constexpr int kBlocks = 4;
constexpr int kChains = 2;
#else
constexpr int kBlocks = 2;
constexpr int kChains = 2;
#endif
typedef uint64_t Wide __attribute__((vector_size(kBlocks * 8)));
constexpr int kRounds = 10;

// Product of the low halves, 64 bits.
inline Wide multiply_low(Wide a, Wide b) {
#if defined(PRONGHORN_ISA_AVX512)
  return (Wide)_mm512_maskz_mul_epu32(0xff, (__m512i)a,
                                      (__m512i)b);  // GCC 12 warns about the unmasked one
#elif defined(PRONGHORN_ISA_AVX2)
  return (Wide)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#elif defined(__SSE4_2__)
  return (Wide)_mm_mul_epu32((__m128i)a, (__m128i)b);
#else
  const Wide low = Wide{} + 0xffffffffu;
  return (a & low) * (b & low);
#endif
}

// The high halves as low ones; what becomes of the high ones is left open. Shuffles run on another
// port than products do.
inline Wide high_half(Wide a) {
#if defined(PRONGHORN_ISA_AVX512)
  return (Wide)_mm512_maskz_shuffle_epi32(0xffff, (__m512i)a, _MM_PERM_DDBB);
#elif defined(PRONGHORN_ISA_AVX2)
  return (Wide)_mm256_shuffle_epi32((__m256i)a, 0xf5);
#elif defined(__SSE4_2__)
  return (Wide)_mm_shuffle_epi32((__m128i)a, 0xf5);
#else
  return a >> 32;
#endif
}

// to = front[0], back[0], front[1], back[1], ...
inline void store_interleaved(Wide front, Wide back, uint32_t* to) {
#if defined(PRONGHORN_ISA_AVX512)
  const __m512i even = _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11);
  const __m512i odd = _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15);
  _mm512_storeu_si512(to, _mm512_permutex2var_epi64((__m512i)front, even, (__m512i)back));
  _mm512_storeu_si512(to + 16, _mm512_permutex2var_epi64((__m512i)front, odd, (__m512i)back));
#elif defined(PRONGHORN_ISA_AVX2)
  const __m256i a = _mm256_unpacklo_epi64((__m256i)front, (__m256i)back);  // blocks 0 and 2
  const __m256i b = _mm256_unpackhi_epi64((__m256i)front, (__m256i)back);  // blocks 1 and 3
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm256_permute2x128_si256(a, b, 0x20));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + 8), _mm256_permute2x128_si256(a, b, 0x31));
#else
  for (int i = 0; i < kBlocks; ++i) {
    const uint64_t pair[2] = {front[i], back[i]};
    __builtin_memcpy(to + 4 * i, pair, sizeof pair);
  }
#endif
}

}  // namespace

// words[4 i + j] = word j of block first + i, i in [0, blocks). words has room for blocks rounded
// up to 32.
void philox_words(uint32_t seed, uint32_t stream, uint64_t first, int64_t blocks, uint32_t* words) {
  const Wide low = Wide{} + 0xffffffffu;
  const Wide m0 = Wide{} + 0xD2511F53u;
  const Wide m1 = Wide{} + 0xCD9E8D57u;
  Wide keys[2 * kRounds];
  for (int round = 0; round < kRounds; ++round) {
    keys[2 * round] = Wide{} + uint64_t{seed + static_cast<uint32_t>(round) * 0x9E3779B9u};
    keys[2 * round + 1] = Wide{} + uint64_t{stream + static_cast<uint32_t>(round) * 0xBB67AE85u};
  }
  Wide lane = {};
  for (int i = 0; i < kBlocks; ++i) lane[i] = static_cast<uint64_t>(i);
  for (int64_t b = 0; b < blocks; b += kChains * kBlocks) {
    Wide c0[kChains], c1[kChains], c2[kChains], c3[kChains];
#pragma GCC unroll 4
    for (int k = 0; k < kChains; ++k) {
      c0[k] = lane + (first + static_cast<uint64_t>(b + k * kBlocks));
      c1[k] = c0[k] >> 32;
      c2[k] = Wide{};
      c3[k] = Wide{};
    }
    for (int round = 0; round < kRounds; ++round) {
#pragma GCC unroll 4
      for (int k = 0; k < kChains; ++k) {
        const Wide p0 = multiply_low(c0[k], m0);
        const Wide p1 = multiply_low(c2[k], m1);
        c0[k] = high_half(p1) ^ c1[k] ^ keys[2 * round];
        c1[k] = p1;
        c2[k] = high_half(p0) ^ c3[k] ^ keys[2 * round + 1];
        c3[k] = p0;
      }
    }
#pragma GCC unroll 4
    for (int k = 0; k < kChains; ++k) {
      const Wide front = (c0[k] & low) | (c1[k] << 32);  // words 0 and 1 of each block
      const Wide back = (c2[k] & low) | (c3[k] << 32);   // words 2 and 3
      store_interleaved(front, back, words + 4 * (b + k * kBlocks));
    }
  }
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
