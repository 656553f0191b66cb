// Plans of Fourier transforms: how a length is cut, and tables of roots of unity.
#pragma once

#include <memory>
#include <vector>

#include "pronghorn/kernels/fft_types.h"

namespace pronghorn::ops {

class FftTables {
 public:
  // A complex transform of n >= 1 points for `rows` rows. in_columns: columns will be transformed,
  // not rows; the plan then keeps them in lanes, unless n has a large prime factor.
  FftTables(int64_t n, int64_t rows, bool in_columns);

  const FftPlan& plan() const { return plan_; }
  bool is_convolution() const { return plan_.chirp != nullptr; }
  bool keeps_rows_in_lanes() const { return plan_.lanes == 0 && plan_.chirp == nullptr; }
  // Floats of scratch memory of one row (not in lanes), behind those that it needs to copy rows.
  int64_t row_work() const;
  // exp(-2 pi i k / n) for k < count: real parts, then imaginary ones.
  const float* turns(int64_t n, int64_t count);

 private:
  float* table(int64_t floats);
  FftStages stages(int64_t n);
  void split(int64_t lanes);
  void convolve(int64_t n);

  FftPlan plan_{};
  std::unique_ptr<FftTables> convolution_;
  std::vector<std::unique_ptr<float[]>> tables_;
};

// Rows of transforms as tasks: how many there are, and rows of each but the last.
struct FftTasks {
  int64_t count;
  int64_t rows;
};
FftTasks fft_tasks(int64_t rows, int64_t n, bool in_lanes, int64_t work);

// Operations of a transform of n points.
int64_t fft_cost(int64_t n);

}  // namespace pronghorn::ops
