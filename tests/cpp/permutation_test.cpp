#include "pronghorn/runtime/permutation.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <vector>

namespace pronghorn {

TEST_CASE("random_permutation: every order equally often, the same for the same key") {
  std::map<std::vector<int64_t>, int> times;
  constexpr int kDraws = 24000;
  for (uint32_t stream = 0; stream < kDraws; ++stream) {
    std::vector<int64_t> order(4);
    random_permutation(7, stream, order);
    ++times[order];
  }
  CHECK(times.size() == 24);
  // Each count is binomial: mean 1000, standard deviation 31.
  for (const auto& [order, count] : times) CHECK(std::abs(count - 1000) < 5 * 31);

  std::vector<int64_t> order(10007);
  random_permutation(1, 2, order);
  std::vector<int64_t> again(order.size());
  random_permutation(1, 2, again);
  CHECK(order == again);
  random_permutation(1, 3, again);
  CHECK(order != again);
  std::sort(order.begin(), order.end());
  for (size_t i = 0; i < order.size(); ++i) CHECK(order[i] == static_cast<int64_t>(i));
  random_permutation(1, 2, {});
}

}  // namespace pronghorn
