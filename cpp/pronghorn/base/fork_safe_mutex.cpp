#include "pronghorn/base/fork_safe_mutex.h"

#include <pthread.h>

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

void lock_all() {
  registry().mutex.lock();
  for (ForkSafeMutex* mutex : registry().all) mutex->lock();
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
