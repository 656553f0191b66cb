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

#ifdef _OPENMP
#include <omp.h>
#endif

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
      const std::string topology = "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/";
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
    count = std::min(count, std::max(1, static_cast<int>(std::strtod(quota.c_str(), nullptr) / period + 0.5)));
  }
  if (count > 0) return count;
#endif
  const long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? static_cast<int>(online) : 1;
}

int initial_threads() {
  for (const char* name : {"PRONGHORN_NUM_THREADS", "OMP_NUM_THREADS"}) {
    const char* text = std::getenv(name);
    const int n = text == nullptr ? 0 : std::atoi(text);
    if (n >= 1) return n;
  }
  return default_threads();
}

std::atomic<bool> forked{false};

std::atomic<int>& thread_count() {
  static std::atomic<int> count = [] {
    // libgomp's threads do not survive a fork and starting new ones in the child can hang: the child runs on one thread.
    pthread_atfork(nullptr, nullptr, [] { forked.store(true); });
    return initial_threads();
  }();
  return count;
}

uint64_t float_mode() {
#if defined(__x86_64__)
  return __builtin_ia32_stmxcsr();
#elif defined(__aarch64__)
  uint64_t mode;
  __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
  return mode;
#else
  return 0;
#endif
}

void set_float_mode([[maybe_unused]] uint64_t mode) {
#if defined(__x86_64__)
  __builtin_ia32_ldmxcsr(static_cast<unsigned>(mode));
#elif defined(__aarch64__)
  __asm__ volatile("msr fpcr, %0" : : "r"(mode));
#endif
}

#if defined(__x86_64__)
constexpr uint64_t kFlush = 0x8040;  // FTZ, DAZ of MXCSR
#else
constexpr uint64_t kFlush = uint64_t{1} << 24;  // FZ of FPCR
#endif

}  // namespace

FlushSubnormals::FlushSubnormals() : before_(float_mode()) { set_float_mode(before_ | kFlush); }
FlushSubnormals::~FlushSubnormals() { set_float_mode(before_); }

int num_threads() { return forked.load(std::memory_order_relaxed) ? 1 : thread_count().load(std::memory_order_relaxed); }

void set_num_threads(int n) { thread_count().store(std::max(n, 1)); }

#ifdef _OPENMP

int thread_index() { return omp_get_thread_num(); }

void parallel_for_erased(int64_t n, int64_t cost_each, void (*body)(void*, int64_t), void* context) {
  const int threads = num_threads();
  if (n <= 1 || threads == 1 || n * cost_each < kParallelGrain || omp_in_parallel()) {
    for (int64_t i = 0; i < n; ++i) body(context, i);
    return;
  }
  const int team = static_cast<int>(std::min<int64_t>(threads, n));
  const uint64_t mode = float_mode();
#pragma omp parallel num_threads(team)
  {
    const uint64_t before = float_mode();
    set_float_mode(mode);
#pragma omp for schedule(dynamic, 1)
    for (int64_t i = 0; i < n; ++i) body(context, i);
    set_float_mode(before);
  }
}

#else

int thread_index() { return 0; }

void parallel_for_erased(int64_t n, int64_t, void (*body)(void*, int64_t), void* context) {
  for (int64_t i = 0; i < n; ++i) body(context, i);
}

#endif

}  // namespace pronghorn
