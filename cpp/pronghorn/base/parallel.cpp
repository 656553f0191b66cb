#include "pronghorn/base/parallel.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <set>
#include <string>
#include <utility>

#include "pronghorn/base/error.h"
#include "pronghorn/base/float_mode.h"
#include "pronghorn/base/thread_pool.h"

namespace pronghorn {
namespace {

// Physical cores in the affinity mask, at most the cgroup's CPU quota.
int default_threads() {
#if defined(__linux__)
  cpu_set_t mask;
  CPU_ZERO(&mask);
  int count = 0;
  if (sched_getaffinity(0, sizeof mask, &mask) == 0) {
    std::set<std::pair<int, int>> cores;
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (!CPU_ISSET(cpu, &mask)) continue;
      const std::string topology =
          "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/";
      int package = -1;
      int core = cpu;
      std::ifstream(topology + "physical_package_id") >> package;
      std::ifstream(topology + "core_id") >> core;
      cores.emplace(package, core);
    }
    count = static_cast<int>(cores.size());
  }
  std::string quota;
  double period = 0;
  std::ifstream limit("/sys/fs/cgroup/cpu.max");
  if (limit >> quota >> period && quota != "max" && period > 0) {
    count = std::min(
        count, std::max(1, static_cast<int>(std::strtod(quota.c_str(), nullptr) / period + 0.5)));
  }
  if (count > 0) return count;
#endif
  const long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? static_cast<int>(online) : 1;
}

int initial_threads() {
  for (const char* name : {"PRONGHORN_NUM_THREADS", "OMP_NUM_THREADS"}) {
    const char* text = std::getenv(name);
    if (text == nullptr || *text == '\0') continue;
    char* end = nullptr;
    const long n = std::strtol(text, &end, 10);
    // OMP_NUM_THREADS may be a list, one number for each level of nesting, and belongs to others.
    const bool own = *name == 'P';
    if (own && (*end != '\0' || n < 1 || n > 4096)) {
      value_error(name, ": expected a number of threads, 1 or more. Received: '", text, "'.");
    }
    if (n >= 1) return static_cast<int>(std::min(n, 4096L));
  }
  return default_threads();
}

std::atomic<bool> forked{false};

std::atomic<int>& thread_count() {
  static std::atomic<int> count = [] {
    // Threads do not survive a fork: the child runs on one.
    pthread_atfork(nullptr, nullptr, [] { forked.store(true); });
    return initial_threads();
  }();
  return count;
}

thread_local bool inside = false;  // of a parallel_for, or a worker

// Never destroyed: its threads sleep in it until the process ends.
ThreadPool& pool() {
  static ThreadPool& instance = *new ThreadPool;
  return instance;
}

}  // namespace

FlushSubnormals::FlushSubnormals() : before_(get_float_mode()) {
  set_float_mode(before_ | kFlushSubnormals);
}
FlushSubnormals::~FlushSubnormals() { set_float_mode(before_); }

int num_threads() {
  return forked.load(std::memory_order_relaxed) ? 1
                                                : thread_count().load(std::memory_order_relaxed);
}

void set_num_threads(int n) { thread_count().store(std::max(n, 1)); }

void enter_worker() { inside = true; }

void parallel_for_erased(int64_t n, int64_t cost_each, void (*body)(void*, int64_t),
                         void* context) {
  const int threads = num_threads();
  if (n > 1 && threads > 1 && n * cost_each >= kParallelGrain && !inside) {
    inside = true;
    const bool done = pool().run(threads, n, body, context);
    inside = false;
    if (done) return;
  }
  for (int64_t i = 0; i < n; ++i) body(context, i);
}

}  // namespace pronghorn
