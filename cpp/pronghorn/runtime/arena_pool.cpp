#include "pronghorn/runtime/arena_pool.h"

#include <algorithm>
#include <mutex>
#include <utility>

namespace pronghorn {

void ArenaPool::add_user(size_t bytes) {
  const std::lock_guard lock(mutex_);
  users_.insert(bytes);
}

void ArenaPool::remove_user(size_t bytes) {
  std::vector<std::unique_ptr<Buffer>> freed;  // outside of the lock
  const std::lock_guard lock(mutex_);
  users_.erase(users_.find(bytes));
  const size_t most = users_.empty() ? 0 : *users_.rbegin();
  while (!idle_.empty() && idle_.back()->bytes() > most) {
    freed.push_back(std::move(idle_.back()));
    idle_.pop_back();
  }
}

std::unique_ptr<Buffer> ArenaPool::take(size_t bytes) {
  std::unique_ptr<Buffer> smaller;
  {
    const std::lock_guard lock(mutex_);
    const auto fits =
        std::find_if(idle_.begin(), idle_.end(),
                     [&](const std::unique_ptr<Buffer>& b) { return b->bytes() >= bytes; });
    if (fits != idle_.end()) {
      std::unique_ptr<Buffer> found = std::move(*fits);
      idle_.erase(fits);
      return found;
    }
    if (!idle_.empty()) {
      smaller = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  smaller.reset();  // before the new one, so that they do not add up
  return std::make_unique<Buffer>(bytes);
}

void ArenaPool::give(std::unique_ptr<Buffer> buffer) {
  const std::lock_guard lock(mutex_);
  const auto place = std::upper_bound(
      idle_.begin(), idle_.end(), buffer->bytes(),
      [](size_t bytes, const std::unique_ptr<Buffer>& b) { return bytes < b->bytes(); });
  idle_.insert(place, std::move(buffer));
}

size_t ArenaPool::idle_bytes() {
  const std::lock_guard lock(mutex_);
  size_t bytes = 0;
  for (const auto& buffer : idle_) bytes += buffer->bytes();
  return bytes;
}

// Never destroyed: programs may outlive static destruction.
ArenaPool& arena_pool() {
  static ArenaPool& instance = *new ArenaPool;
  return instance;
}

}  // namespace pronghorn
