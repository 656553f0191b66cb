// Fills of random numbers. Each works on tiles of 128 words, of the same position in the stream on
// every ISA. All: y(i) for i in [0, n) from the words of blocks first, first + 1, ...; n is a
// multiple of 128 but in the last call.
#include "pronghorn/kernels/kernel_types.h"
#include "pronghorn/ops/random/words.h"
#include "pronghorn/simd/math.h"
#include "pronghorn/simd/vec.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {
namespace {

constexpr int kTile = 128;
constexpr int kTiles = 4;  // whose words are made at a time

// Uniform in [0, 1), 24 bits; the same as unit_float of base/philox.h.
PRONGHORN_INLINE Vec unit(const uint32_t* words) {
  UVec w;
  std::memcpy(&w, words, sizeof w);
  return to_float((IVec)(w >> 8)) * 0x1p-24f;
}

// Calls tile(words, to) for each tile, where `to` takes 128 results.
template <typename T, typename Tile>
PRONGHORN_INLINE void for_tiles(uint32_t seed, uint32_t stream, uint64_t first, int64_t n, T* y,
                                Tile&& tile) {
  alignas(64) uint32_t words[kTiles * kTile];
  alignas(64) T last[kTile];
  for (int64_t i = 0; i < n; i += kTile) {
    const int64_t at = i % (kTiles * kTile);
    if (at == 0) {
      const int64_t tiles = (n - i + kTile - 1) / kTile;
      philox_words(seed, stream, first + static_cast<uint64_t>(i / 4),
                   (tiles < kTiles ? tiles : kTiles) * (kTile / 4), words);
    }
    if (i + kTile <= n) {
      tile(words + at, y + i);
    } else {
      tile(words + at, last);
      std::memcpy(y + i, last, static_cast<size_t>(n - i) * sizeof(T));
    }
  }
}

// sin and cos of 2 pi u, u in [0, 1).
PRONGHORN_INLINE void sin_cos_turns(Vec u, Vec* s, Vec* c) {
  const Vec quarter = round(u * 4.0f);
  const Vec r = (u - quarter * 0.25f) * 6.283185307f;  // |r| <= pi / 4
  const Vec z = r * r;
  // Taylor series: the first terms left out are below 3e-9 and 3e-8 here.
  const Vec sine =
      r + r * z * (-1.6666667e-1f + z * (8.3333333e-3f + z * (-1.9841270e-4f + z * 2.7557319e-6f)));
  const Vec cosine =
      1.0f + z * (-0.5f + z * (4.1666667e-2f + z * (-1.3888889e-3f + z * 2.4801587e-5f)));
  const IVec q = to_int(quarter);
  const Mask swap = (q & 1) != 0;
  const IVec sine_sign = (q & 2) << 30;
  const IVec cosine_sign = ((q + 1) & 2) << 30;
  *s = from_bits(bits_of(select(swap, cosine, sine)) ^ sine_sign);
  *c = from_bits(bits_of(select(swap, sine, cosine)) ^ cosine_sign);
}

}  // namespace

void random_bits(uint32_t seed, uint32_t stream, uint64_t first, int64_t n, uint32_t* y) {
  for_tiles(seed, stream, first, n, y, [&](const uint32_t* words, uint32_t* to) {
    std::memcpy(to, words, kTile * sizeof(uint32_t));
  });
}

// low + (high - low) u, below high.
void random_uniform(uint32_t seed, uint32_t stream, uint64_t first, int64_t n, float low,
                    float high, float* y) {
  const float range = high - low;
  // The sum may round up to high.
  const Vec most = broadcast(low < high ? __builtin_nextafterf(high, low) : high);
  for_tiles(seed, stream, first, n, y, [&](const uint32_t* words, float* to) {
    for (int i = 0; i < kTile; i += kLanes) store(to + i, min(unit(words + i) * range + low, most));
  });
}

// Box and Muller: the words of the first half of a tile give radii, those of the second half
// angles.
void random_normal(uint32_t seed, uint32_t stream, uint64_t first, int64_t n, float mean,
                   float stddev, float* y) {
  for_tiles(seed, stream, first, n, y, [&](const uint32_t* words, float* to) {
    for (int i = 0; i < kTile / 2; i += kLanes) {
      const Vec radius = sqrt(-2.0f * log(unit(words + i) + 0x1p-24f)) * stddev;
      Vec s;
      Vec c;
      sin_cos_turns(unit(words + kTile / 2 + i), &s, &c);
      store(to + i, radius * c + mean);
      store(to + kTile / 2 + i, radius * s + mean);
    }
  });
}

// Normal numbers within two standard deviations, by the inverse of their distribution function.
void random_truncated_normal(uint32_t seed, uint32_t stream, uint64_t first, int64_t n, float mean,
                             float stddev, float* y) {
  constexpr float kErf =
      0.954499736f;  // erf(sqrt(2)): probability of being within two standard deviations
  for_tiles(seed, stream, first, n, y, [&](const uint32_t* words, float* to) {
    for (int i = 0; i < kTile; i += kLanes) {
      const Vec p = (2.0f * unit(words + i) + (0x1p-24f - 1.0f)) * kErf;
      const Vec z = min(max(erfinv(p) * 1.414213562f, broadcast(-2.0f)), broadcast(2.0f));
      store(to + i, z * stddev + mean);
    }
  });
}

// y(i) = x(i) scale where the word is not below the threshold, else 0.  y may be x.
void dropout(uint32_t seed, uint32_t stream, uint64_t first, int64_t n, uint32_t threshold,
             float scale, const float* x, float* y) {
  constexpr int kWords = kTiles * kTile;
  alignas(64) uint32_t words[kWords];
  const UVec limit = threshold + UVec{};
  const auto kept = [&](int i, Vec v) {
    UVec w;
    std::memcpy(&w, words + i, sizeof w);
    return from_bits(bits_of(v * scale) & (IVec)(w >= limit));
  };
  for (int64_t at = 0; at < n; at += kWords) {
    const int count = n - at < kWords ? static_cast<int>(n - at) : kWords;
    philox_words(seed, stream, first + static_cast<uint64_t>(at / 4), (count + 3) / 4, words);
    int i = 0;
    for (; i + kLanes <= count; i += kLanes) store(y + at + i, kept(i, load(x + at + i)));
    if (i < count) store_part(y + at + i, kept(i, load_part(x + at + i, count - i)), count - i);
  }
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
