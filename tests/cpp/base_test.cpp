#include <doctest/doctest.h>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <limits>
#include <mutex>
#include <thread>
#include <vector>

#include "pronghorn/base/dtype.h"
#include "pronghorn/base/fork_safe_mutex.h"
#include "pronghorn/base/parallel.h"
#include "pronghorn/base/philox.h"
#include "pronghorn/base/shape.h"
#include "pronghorn/base/thread_pool.h"

namespace pronghorn {

TEST_CASE("float16: every value survives a round trip") {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const Float16 x{static_cast<uint16_t>(bits)};
    const float wide = to_float(x);
    if (std::isnan(wide)) {
      CHECK(std::isnan(to_float(to_float16(wide))));
    } else {
      CHECK(to_float16(wide).bits == x.bits);
    }
  }
}

TEST_CASE("float16: rounds to nearest even between all neighbours") {
  for (uint32_t bits = 0; bits < 0x7bff; ++bits) {
    const float low = to_float(Float16{static_cast<uint16_t>(bits)});
    const float high = to_float(Float16{static_cast<uint16_t>(bits + 1)});
    const float middle = low + (high - low) / 2;
    CHECK(to_float16(std::nextafter(middle, low)).bits == bits);
    CHECK(to_float16(std::nextafter(middle, high)).bits == bits + 1);
    CHECK(to_float16(middle).bits == (bits % 2 == 0 ? bits : bits + 1));
  }
  CHECK(to_float(to_float16(65519.0f)) == 65504.0f);
  CHECK(std::isinf(to_float(to_float16(65520.0f))));
}

TEST_CASE("bfloat16: rounds to nearest even, keeps infinity and NaN") {
  CHECK(to_float(to_bfloat16(1.0f)) == 1.0f);
  CHECK(to_float(to_bfloat16(1.0f + 0x1p-8f)) == 1.0f);            // tie, even below
  CHECK(to_float(to_bfloat16(1.0f + 0x3p-8f)) == 1.0f + 0x4p-8f);  // tie, even above
  CHECK(std::isinf(to_float(to_bfloat16(std::numeric_limits<float>::infinity()))));
  CHECK(std::isnan(to_float(to_bfloat16(std::numeric_limits<float>::quiet_NaN()))));
}

TEST_CASE("philox: the known answers of the paper's reference implementation") {
  // counter 0, key 0.
  const PhiloxBlock zero = philox(0, 0, 0);
  CHECK(zero.word[0] == 0x6627e8d5u);
  CHECK(zero.word[1] == 0xe169c58du);
  CHECK(zero.word[2] == 0xbc57ac4cu);
  CHECK(zero.word[3] == 0x9b00dbd8u);
}

TEST_CASE("broadcast_shapes") {
  CHECK(broadcast_shapes("add", Shape{3, 1}, Shape{4}) == Shape{3, 4});
  CHECK(broadcast_shapes("add", Shape{}, Shape{2, 0}) == Shape{2, 0});
  CHECK_THROWS_WITH(broadcast_shapes("add", Shape{3}, Shape{4}),
                    "add: shapes must broadcast. Received: x1.shape=(3,), x2.shape=(4,).");
}

TEST_CASE("parallel_for calls every index once") {
  for (const int threads : {1, 2, 5}) {
    set_num_threads(threads);
    std::vector<int> calls(1000, 0);
    parallel_for(1000, kParallelGrain, [&](int64_t i) { ++calls[static_cast<size_t>(i)]; });
    CHECK(calls == std::vector<int>(1000, 1));
  }
}

TEST_CASE("parallel_ranges covers the range, the last piece shorter") {
  std::vector<int> calls(103, 0);
  parallel_ranges(103, 10, kParallelGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) ++calls[static_cast<size_t>(i)];
  });
  CHECK(calls == std::vector<int>(103, 1));
}

TEST_CASE("parallel_for works where the system gives no threads") {
#if defined(__linux__) && !defined(__SANITIZE_ADDRESS__)  // which needs address space itself
  rlimit before;
  getrlimit(RLIMIT_AS, &before);
  const rlimit none{1, before.rlim_max};
  ThreadPool& pool = *new ThreadPool;  // its workers never end
  std::vector<int> calls(8, 0);
  setrlimit(RLIMIT_AS, &none);
  const bool done = pool.run(
      8, 8, [](void* context, int64_t i) { ++static_cast<int*>(context)[i]; }, calls.data());
  setrlimit(RLIMIT_AS, &before);
  CHECK(done);
  CHECK(calls == std::vector<int>(8, 1));
#endif
}

TEST_CASE("a forked child finds mutexes free that other threads held") {
  ForkSafeMutex& mutex = *new ForkSafeMutex;  // lives until the process ends
  std::atomic<bool> held{false};
  std::thread holder([&] {
    const std::lock_guard lock(mutex);
    held = true;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  });
  while (!held) std::this_thread::yield();
  const pid_t child = fork();
  if (child == 0) {
    alarm(10);
    mutex.lock();
    _exit(0);
  }
  holder.join();
  int status = -1;
  waitpid(child, &status, 0);
  CHECK(status == 0);
}

}  // namespace pronghorn
