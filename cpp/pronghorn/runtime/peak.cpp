#include "pronghorn/runtime/peak.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>

#include "pronghorn/base/parallel.h"
#include "pronghorn/kernels/kernels.h"
#include "pronghorn/tensor/buffer.h"

namespace pronghorn {
namespace {

constexpr int kRepeats = 12;  // the best one counts
constexpr double kSeconds = 0.01;
constexpr int64_t kForks = int64_t{1} << 40;  // operations of a piece, as parallel_for counts them

// Best rate over kRepeats of piece(thread, rounds), which does `work` a round, in 1e9 a second.
template <typename Piece>
double best_rate(double work, Piece&& piece) {
  const int64_t threads = num_threads();
  const auto seconds = [&](int64_t rounds) {
    const auto start = std::chrono::steady_clock::now();
    parallel_for(threads, kForks, [&](int64_t i) { piece(i, rounds); });
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  int64_t rounds = 1;
  double spent = seconds(rounds);
  while (spent < kSeconds) {
    rounds *= 2;
    spent = seconds(rounds);
  }
  for (int i = 0; i < kRepeats; ++i) spent = std::min(spent, seconds(rounds));
  return work * static_cast<double>(rounds) * static_cast<double>(threads) / spent * 1e-9;
}

// Floats of one thread's part of `bytes`, in whole cache lines.
int64_t part_floats(size_t bytes) {
  const size_t part = bytes / static_cast<size_t>(num_threads()) / kBufferAlignment;
  return static_cast<int64_t>(std::max<size_t>(part, 1) * kBufferAlignment / sizeof(float));
}

}  // namespace

double peak_multiply_add() {
  constexpr int64_t kInner = 1000;
  alignas(64) float sink[16];
  const auto operations = static_cast<double>(kernels().multiply_add_rounds(1, sink));
  return best_rate(operations * kInner, [](int64_t, int64_t rounds) {
    alignas(64) float own[16];
    kernels().multiply_add_rounds(rounds * kInner, own);
  });
}

double sustained_multiply_add() {
  constexpr double kLong = 0.25;
  constexpr int64_t kInner = 100'000;
  const int64_t threads = num_threads();
  alignas(64) float sink[16];
  const auto operations = static_cast<double>(kernels().multiply_add_rounds(1, sink));
  const auto start = std::chrono::steady_clock::now();
  double spent = 0;
  double rounds = 0;
  while (spent < kLong) {
    parallel_for(threads, kForks, [](int64_t) {
      alignas(64) float own[16];
      kernels().multiply_add_rounds(kInner, own);
    });
    rounds += static_cast<double>(kInner * threads);
    spent = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  return operations * rounds / spent * 1e-9;
}

double peak_multiply_tiles() {
  constexpr int64_t kInner = 1000;
  if (kernels().tile_multiply_rounds == nullptr) {
    if (kernels().bfloat16_dot_rounds == nullptr) return 0;
    alignas(64) float sink[16];
    const auto dots = static_cast<double>(kernels().bfloat16_dot_rounds(1, sink));
    return best_rate(dots * kInner, [](int64_t, int64_t rounds) {
      alignas(64) float own[16];
      kernels().bfloat16_dot_rounds(rounds * kInner, own);
    });
  }
  const auto operations = static_cast<double>(kernels().tile_multiply_rounds(1));
  return best_rate(operations * kInner, [](int64_t, int64_t rounds) {
    kernels().tile_multiply_rounds(rounds * kInner);
  });
}

double peak_read(size_t bytes) {
  const int64_t n = part_floats(bytes);
  const size_t size = static_cast<size_t>(n) * sizeof(float);
  Buffer buffer(size * static_cast<size_t>(num_threads()));
  std::memset(buffer.data(), 0, buffer.bytes());
  const auto* x = static_cast<const float*>(buffer.data());
  return best_rate(static_cast<double>(size), [&](int64_t i, int64_t rounds) {
    float sum = 0;
    for (int64_t r = 0; r < rounds; ++r)
      kernels().reduce_rows(ReduceKind::kSum, x + i * n, 1, n, &sum);
  });
}

double peak_copy(size_t bytes) {
  const int64_t n = part_floats(bytes / 2);
  const size_t size = static_cast<size_t>(n) * sizeof(float);
  Buffer from(size * static_cast<size_t>(num_threads()));
  Buffer to(from.bytes());
  std::memset(from.data(), 0, from.bytes());
  std::memset(to.data(), 0, to.bytes());
  return best_rate(2.0 * static_cast<double>(size), [&](int64_t i, int64_t rounds) {
    for (int64_t r = 0; r < rounds; ++r) {
      std::memcpy(static_cast<float*>(to.data()) + i * n,
                  static_cast<const float*>(from.data()) + i * n, size);
    }
  });
}

}  // namespace pronghorn
