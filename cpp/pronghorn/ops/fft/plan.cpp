#include "pronghorn/ops/fft/plan.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <complex>
#include <numbers>

#include "pronghorn/base/parallel.h"
#include "pronghorn/kernels/kernels.h"

namespace pronghorn::ops {
namespace {

using Root = std::complex<double>;

constexpr int64_t kMostRadix = 31;
constexpr int64_t kLongestInLanes = 4096;

// exp(-2 pi i k / n), from an angle of at most an eighth turn.
Root root(int64_t k, int64_t n) {
  k %= n;
  const int64_t eighths = 8 * k / n;
  const int64_t quarter = (eighths + 1) / 2;  // the nearest multiple of a quarter turn
  const double angle = 2.0 * std::numbers::pi * (static_cast<double>(4 * k - quarter * n) / 4.0) /
                       static_cast<double>(n);
  const double c = std::cos(angle);
  const double s = std::sin(angle);
  switch (quarter % 4) {
    case 0: return {c, -s};
    case 1: return {-s, -c};
    case 2: return {-c, s};
    default: return {s, c};
  }
}

int64_t largest_prime_factor(int64_t n) {
  int64_t largest = 1;
  for (int64_t p = 2; p * p <= n; ++p) {
    while (n % p == 0) {
      largest = p;
      n /= p;
    }
  }
  return std::max(largest, n);
}

int64_t largest_divisor(int64_t n, int64_t most) {
  for (int64_t d = std::min(n, most); d > 1; --d) {
    if (n % d == 0) return d;
  }
  return 1;
}

std::vector<int64_t> radices(int64_t n) {
  std::vector<int64_t> found;
  for (int64_t p = 3; p <= kMostRadix; p += 2) {
    for (; n % p == 0; n /= p) found.push_back(p);
  }
  if (n == 16) {
    found.push_back(16);
    return found;
  }
  int twos = std::countr_zero(static_cast<uint64_t>(n));
  if (twos % 3 == 1 && twos > 1) {
    found.insert(found.end(), {4, 4});
    twos -= 4;
  } else if (twos % 3 != 0) {
    found.push_back(int64_t{1} << (twos % 3));
    twos -= twos % 3;
  }
  for (; twos > 0; twos -= 3) found.push_back(8);
  return found;
}

// The transform in float64, in place; n is a power of two.
void transform(std::vector<Root>& x) {
  const size_t n = x.size();
  for (size_t i = 1, j = 0; i < n; ++i) {
    size_t bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) std::swap(x[i], x[j]);
  }
  for (size_t half = 1; half < n; half *= 2) {
    for (size_t k = 0; k < half; ++k) {
      const Root turn = root(static_cast<int64_t>(k), static_cast<int64_t>(2 * half));
      for (size_t i = k; i < n; i += 2 * half) {
        const Root odd = x[i + half] * turn;
        x[i + half] = x[i] - odd;
        x[i] += odd;
      }
    }
  }
}

}  // namespace

FftTables::FftTables(int64_t n, int64_t rows, bool in_columns) {
  const int64_t lanes = kernels().fft_lanes();
  plan_.n = n;
  if (largest_prime_factor(n) > kMostRadix) {
    convolve(n);
    return;
  }
  int64_t divisor = largest_divisor(n, lanes);
  if (divisor != lanes && divisor < 12 && n % 8 == 0) divisor = 8;
  // Rows in lanes have no factors between them, but a group of rows must fit into the cache.
  const int64_t most = divisor == lanes ? lanes * lanes - 1 : kLongestInLanes;
  const bool fits_lanes = n <= most && 2 * rows >= lanes;
  if (in_columns || fits_lanes || 2 * divisor < lanes) {
    plan_.columns = stages(n);
  } else {
    split(divisor);
  }
}

void FftTables::split(int64_t lanes) {
  const int64_t width = kernels().fft_lanes();
  const int64_t points = plan_.n / lanes;
  plan_.lanes = lanes;
  plan_.columns = stages(points);
  plan_.across = stages(lanes);
  const int64_t blocks = (points + width - 1) / width;
  float* turns = table(blocks * (lanes - 1) * 2 * width);
  plan_.turns = turns;
  for (int64_t block = 0; block < blocks; ++block) {
    for (int64_t l = 1; l < lanes; ++l, turns += 2 * width) {
      for (int64_t i = 0; i < width; ++i) {
        const Root turn = root(l * (block * width + i), plan_.n);
        turns[i] = static_cast<float>(turn.real());
        turns[width + i] = static_cast<float>(turn.imag());
      }
    }
  }
}

void FftTables::convolve(int64_t n) {
  const int64_t width = kernels().fft_lanes();
  const int64_t size = static_cast<int64_t>(
      std::bit_ceil(static_cast<uint64_t>(std::max(2 * n - 1, width * width))));
  convolution_ = std::make_unique<FftTables>(size, 1, false);
  plan_.convolution = &convolution_->plan();
  float* chirp = table(2 * n);
  std::vector<Root> conjugate(static_cast<size_t>(size));
  for (int64_t j = 0; j < n; ++j) {
    const Root value = root(j * j % (2 * n), 2 * n);
    chirp[j] = static_cast<float>(value.real());
    chirp[n + j] = static_cast<float>(value.imag());
    conjugate[static_cast<size_t>(j)] = std::conj(value);
    if (j > 0) conjugate[static_cast<size_t>(size - j)] = std::conj(value);
  }
  transform(conjugate);
  float* spectrum = table(2 * size);
  for (int64_t k = 0; k < size; ++k) {
    const Root value = conjugate[static_cast<size_t>(k)] / static_cast<double>(size);
    spectrum[k] = static_cast<float>(value.real());
    spectrum[size + k] = static_cast<float>(value.imag());
  }
  plan_.chirp = chirp;
  plan_.spectrum = spectrum;
}

FftStages FftTables::stages(int64_t n) {
  FftStages found{.length = n, .count = 0, .stage = {}};
  int64_t stride = 1;
  for (const int64_t radix : radices(n)) {
    const int64_t length = n / stride;
    const int64_t groups = length / radix;
    float* factors = table(groups * (radix - 1) * 2);
    FftStage& stage = found.stage[found.count++];
    stage = {radix, groups, stride, factors, nullptr};
    for (int64_t p = 0; p < groups; ++p) {
      for (int64_t u = 1; u < radix; ++u) {
        const Root turn = root(p * u, length);
        *factors++ = static_cast<float>(turn.real());
        *factors++ = static_cast<float>(turn.imag());
      }
    }
    if (radix > 5 && radix % 2 == 1) {
      float* roots = table(2 * radix);
      stage.roots = roots;
      for (int64_t u = 0; u < radix; ++u) {
        *roots++ = static_cast<float>(root(u, radix).real());
        *roots++ = static_cast<float>(root(u, radix).imag());
      }
    }
    stride *= radix;
  }
  return found;
}

int64_t FftTables::row_work() const {
  const int64_t width = kernels().fft_lanes();
  if (is_convolution()) return 2 * plan_.convolution->n + convolution_->row_work();
  return 4 * plan_.columns.length * width + 4 * width * width;
}

const float* FftTables::turns(int64_t n, int64_t count) {
  float* found = table(2 * count);
  for (int64_t k = 0; k < count; ++k) {
    found[k] = static_cast<float>(root(k, n).real());
    found[count + k] = static_cast<float>(root(k, n).imag());
  }
  return found;
}

float* FftTables::table(int64_t floats) {
  tables_.push_back(std::make_unique<float[]>(static_cast<size_t>(floats)));
  return tables_.back().get();
}

FftTasks fft_tasks(int64_t rows, int64_t n, bool in_lanes, int64_t work) {
  // Scratch memory of all tasks stays below 16 MB.
  const int64_t most = std::clamp<int64_t>((int64_t{1} << 22) / std::max<int64_t>(work, 1), 4, 64);
  const int64_t unit = in_lanes ? kernels().fft_lanes() : 1;
  const int64_t enough = kParallelGrain / 4 / std::max<int64_t>(fft_cost(n), 1);
  const int64_t least = std::max({(rows + most - 1) / most, enough, int64_t{1}});
  const int64_t size = (least + unit - 1) / unit * unit;
  return {.count = (rows + size - 1) / size, .rows = size};
}

int64_t fft_cost(int64_t n) {
  return 5 * n * std::max<int64_t>(std::bit_width(static_cast<uint64_t>(n)) - 1, 1);
}

}  // namespace pronghorn::ops
