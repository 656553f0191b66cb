#include "pronghorn/base/thread_pool.h"

#if defined(__linux__)
#include <sched.h>
#endif

#include <algorithm>
#include <system_error>
#include <thread>

#include "pronghorn/base/float_mode.h"
#include "pronghorn/base/parallel.h"

namespace pronghorn {
namespace {

// How long a worker looks for the next job before it sleeps, in pauses of tens of nanoseconds:
// longer than the gaps within a training step, short enough not to be felt by other processes.
constexpr int kSpins = 2000;

inline void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

int current_core() {
#if defined(__linux__)
  return sched_getcpu();
#else
  return -1;
#endif
}

// Where other processes keep all cores busy, the system wakes a worker on the core of the caller,
// whose time it then takes. Such a worker goes to another core and does not come back to that one.
void leave_core([[maybe_unused]] int core) {
#if defined(__linux__)
  thread_local cpu_set_t allowed;
  thread_local cpu_set_t left;  // what this function has made of it
  cpu_set_t now;
  CPU_ZERO(&now);
  if (core < 0 || core >= CPU_SETSIZE || sched_getaffinity(0, sizeof now, &now) != 0) return;
  if (!CPU_EQUAL(&now, &left)) allowed = now;  // the first time, or somebody else has set it
  left = allowed;
  CPU_CLR(static_cast<size_t>(core), &left);
  if (CPU_COUNT(&left) == 0) {
    left = now;
    return;
  }
  sched_setaffinity(0, sizeof left, &left);
#endif
}

}  // namespace

bool ThreadPool::run(int threads, int64_t n, Body body, void* context) {
  if (!busy_.try_lock()) return false;
  const std::lock_guard lock(busy_, std::adopt_lock);
  const int wanted = std::min<int>(
      {threads - 1, kMaxWorkers, static_cast<int>(std::min<int64_t>(n - 1, kMaxWorkers))});
  start_workers(wanted);
  const int helpers = std::min(wanted, workers_);
  n_ = n;
  body_ = body;
  context_ = context;
  float_mode_ = get_float_mode();
  core_ = current_core();
  next_.store(0, std::memory_order_relaxed);
  const uint64_t epoch = (state_.load(std::memory_order_relaxed) >> kEpochShift) + 1;
  // Sequentially consistent with sleepers_: either this thread sees the sleeper or the sleeper sees
  // the job.
  state_.store(epoch << kEpochShift | static_cast<uint64_t>(helpers) << kTeamShift | kOpen);
  if (sleepers_.load() > 0) {
    wake_.fetch_add(1);
    wake_.notify_all();
  }
  take_pieces();
  state_.fetch_and(~kOpen);
  while ((state_.load(std::memory_order_acquire) & kInside) != 0) pause();
  return true;
}

void ThreadPool::take_pieces() {
  for (int64_t i = next_.fetch_add(1, std::memory_order_relaxed); i < n_;
       i = next_.fetch_add(1, std::memory_order_relaxed)) {
    body_(context_, i);
  }
}

// Where the system gives no more threads, the work is done by those that there are.
void ThreadPool::start_workers(int count) {
  try {
    for (; workers_ < count; ++workers_) std::thread(&ThreadPool::work, this, workers_).detach();
  } catch (const std::system_error&) {
  }
}

// Enters the open job unless that is `*epoch`, the one the worker did last, or needs fewer workers.
bool ThreadPool::join(uint64_t* epoch, int worker) {
  uint64_t state = state_.load();  // after sleepers_ in the order of all threads: see run()
  while ((state & kOpen) != 0 && (state >> kEpochShift) != *epoch &&
         worker < static_cast<int>((state >> kTeamShift) & 0x7f)) {
    if (state_.compare_exchange_weak(state, state + 1, std::memory_order_acq_rel)) {
      *epoch = state >> kEpochShift;
      return true;
    }
  }
  return false;
}

void ThreadPool::work(int worker) {
  enter_worker();
  uint64_t epoch = 0;
  for (;;) {
    bool joined = join(&epoch, worker);
    for (int i = 0; i < kSpins && !joined; ++i) {
      pause();
      joined = join(&epoch, worker);
    }
    if (!joined) {
      const uint32_t before = wake_.load();
      sleepers_.fetch_add(1);
      joined = join(&epoch, worker);
      if (!joined) wake_.wait(before);
      sleepers_.fetch_sub(1);
    }
    if (!joined) continue;
    if (core_ == current_core()) leave_core(core_);
    set_float_mode(float_mode_);
    take_pieces();
    state_.fetch_sub(1, std::memory_order_acq_rel);
  }
}

}  // namespace pronghorn
