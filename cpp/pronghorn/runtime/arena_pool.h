// Memory that programs use one after another: those of a model (train, test, predict, the short
// last batch) need one large arena together, not one each.
#pragma once

#include <cstddef>
#include <memory>
#include <set>
#include <vector>

#include "pronghorn/base/fork_safe_mutex.h"
#include "pronghorn/tensor/buffer.h"

namespace pronghorn {

// Smaller arenas stay with their programs: they cost little, and stay in cache.
inline constexpr size_t kPooledArena = 256 << 10;

// Thread safe. Every buffer that was taken is given back.
class ArenaPool {
 public:
  // A program that may take `bytes` comes or goes. Idle buffers that are larger than what is left
  // of them needs are freed.
  void add_user(size_t bytes);
  void remove_user(size_t bytes);

  // A buffer of at least `bytes`, the smallest idle one or else a new one in place of a smaller.
  std::unique_ptr<Buffer> take(size_t bytes);
  void give(std::unique_ptr<Buffer> buffer);

  size_t idle_bytes();

 private:
  ForkSafeMutex mutex_;
  std::multiset<size_t> users_;
  std::vector<std::unique_ptr<Buffer>> idle_;  // by size
};

// Of all programs.
ArenaPool& arena_pool();

}  // namespace pronghorn
