#include "pronghorn/base/fork_safe_mutex.h"

#include <pthread.h>

#include <thread>
#include <vector>

namespace pronghorn {
namespace {

struct Registry {
  std::mutex mutex;
  std::vector<ForkSafeMutex*> all;
};

// Never destroyed: a process may fork while it ends.
Registry& registry() {
  static Registry& instance = *new Registry;
  return instance;
}

// All or none: a thread that holds one may wait for another, in any order.
void lock_all() {
  for (;;) {
    registry().mutex.lock();
    const auto& all = registry().all;
    size_t held = 0;
    while (held < all.size() && all[held]->try_lock()) ++held;
    if (held == all.size()) return;
    while (held > 0) all[--held]->unlock();
    registry().mutex.unlock();
    std::this_thread::yield();
  }
}

void unlock_all() {
  for (ForkSafeMutex* mutex : registry().all) mutex->unlock();
  registry().mutex.unlock();
}

}  // namespace

ForkSafeMutex::ForkSafeMutex() {
  [[maybe_unused]] static const int registered = pthread_atfork(lock_all, unlock_all, unlock_all);
  const std::lock_guard lock(registry().mutex);
  registry().all.push_back(this);
}

}  // namespace pronghorn
