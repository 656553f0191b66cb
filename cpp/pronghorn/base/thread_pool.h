// The threads behind parallel_for.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

namespace pronghorn {

// Workers that take part in one job at a time. The caller of run() works too and waits only for
// workers that have begun a piece: a worker that the machine does not schedule costs nothing.
class ThreadPool {
 public:
  using Body = void (*)(void* context, int64_t i);

  // Calls body(context, i) for each i in [0, n) on up to `threads` threads. Returns false, having
  // done nothing, if another thread's job is running.
  bool run(int threads, int64_t n, Body body, void* context);

 private:
  void start_workers(int count);
  void work(int worker);
  void take_pieces();
  bool join(uint64_t* epoch, int worker);

  // state_: epoch (48 bits) | team - 1 (7 bits) | open (1 bit) | workers inside (8 bits).
  static constexpr uint64_t kInside = 0xff;
  static constexpr uint64_t kOpen = 0x100;
  static constexpr int kTeamShift = 9;
  static constexpr int kEpochShift = 16;
  static constexpr int kMaxWorkers = 127;

  std::mutex busy_;
  int workers_ = 0;
  alignas(64) std::atomic<uint64_t> state_{0};
  std::atomic<uint32_t> wake_{0};
  std::atomic<int> sleepers_{0};
  alignas(64) std::atomic<int64_t> next_{0};
  alignas(64) int64_t n_ = 0;
  Body body_ = nullptr;
  void* context_ = nullptr;
  uint64_t float_mode_ = 0;
  int core_ = -1;  // of the caller
};

}  // namespace pronghorn
