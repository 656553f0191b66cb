#include "pronghorn/runtime/permutation.h"

#include <utility>

#include "pronghorn/base/philox.h"

namespace pronghorn {
namespace {

// Words of Philox, and from them numbers below a bound.
class Words {
 public:
  Words(uint32_t seed, uint32_t stream) : seed_(seed), stream_(stream) {}

  // Uniform in [0, bound). Lemire, "Fast random integer generation in an interval", TOMACS 2019:
  // the high half of a product, and another word where that would favour some numbers.
  uint32_t below(uint32_t bound) {
    uint64_t product = uint64_t{next()} * bound;
    if (static_cast<uint32_t>(product) < bound) {
      const uint32_t uneven = (0 - bound) % bound;
      while (static_cast<uint32_t>(product) < uneven) product = uint64_t{next()} * bound;
    }
    return static_cast<uint32_t>(product >> 32);
  }

 private:
  // Blocks at a time, which are independent of one another.
  static constexpr int kBlocks = 16;

  uint32_t next() {
    if (at_ == 4 * kBlocks) {
      for (int i = 0; i < kBlocks; ++i) blocks_[i] = philox(seed_, stream_, block_++);
      at_ = 0;
    }
    const uint32_t word = blocks_[at_ / 4].word[at_ % 4];
    ++at_;
    return word;
  }

  uint32_t seed_;
  uint32_t stream_;
  uint64_t block_ = 0;
  PhiloxBlock blocks_[kBlocks];
  int at_ = 4 * kBlocks;
};

}  // namespace

void random_permutation(uint32_t seed, uint32_t stream, std::span<int64_t> order) {
  Words words(seed, stream);
  // Durstenfeld's form of the Fisher-Yates shuffle, from the inside out.
  for (size_t i = 0; i < order.size(); ++i) {
    const size_t j = words.below(static_cast<uint32_t>(i + 1));
    order[i] = order[j];
    order[j] = static_cast<int64_t>(i);
  }
}

}  // namespace pronghorn
