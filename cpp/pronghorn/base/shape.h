// Sizes of a tensor, outermost first. Tensors are always contiguous, so a shape is all there is to
// a layout.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <ostream>
#include <span>

#include "pronghorn/base/error.h"

namespace pronghorn {

inline constexpr int kMaxRank = 8;

class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<int64_t> dims)
      : Shape(std::span<const int64_t>(dims.begin(), dims.size())) {}
  explicit Shape(std::span<const int64_t> dims) {
    if (dims.size() > kMaxRank) {
      value_error("shape: expected at most ", kMaxRank, " dimensions. Received: rank=", dims.size(),
                  ".");
    }
    rank_ = static_cast<int>(dims.size());
    std::copy(dims.begin(), dims.end(), dims_.begin());
  }

  int rank() const { return rank_; }
  int64_t operator[](int i) const { return dims_[static_cast<size_t>(i)]; }
  int64_t& operator[](int i) { return dims_[static_cast<size_t>(i)]; }
  int64_t back() const { return (*this)[rank_ - 1]; }
  const int64_t* begin() const { return dims_.data(); }
  const int64_t* end() const { return dims_.data() + rank_; }
  std::span<const int64_t> dims() const { return {begin(), end()}; }

  // Number of elements; of dimensions [from, to).
  int64_t size() const { return size(0, rank_); }
  int64_t size(int from, int to) const {
    int64_t n = 1;
    for (int i = from; i < to; ++i) n *= (*this)[i];
    return n;
  }

  void push_back(int64_t dim) {
    if (rank_ == kMaxRank) value_error("shape: expected at most ", kMaxRank, " dimensions.");
    dims_[static_cast<size_t>(rank_++)] = dim;
  }

  friend bool operator==(const Shape& a, const Shape& b) {
    return a.rank_ == b.rank_ && std::equal(a.begin(), a.end(), b.begin());
  }

 private:
  std::array<int64_t, kMaxRank> dims_{};
  int rank_ = 0;
};

// "(32, 784)", "(5,)", "()"
std::ostream& operator<<(std::ostream& out, const Shape& shape);

// NumPy broadcasting of two shapes; throws a ValueError naming `op`.
Shape broadcast_shapes(std::string_view op, const Shape& a, const Shape& b);

// axis in [-rank, rank) -> [0, rank); throws a ValueError naming `op`.
int normalize_axis(std::string_view op, int64_t axis, int rank);

}  // namespace pronghorn
