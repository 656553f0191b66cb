// Memory of tensors: 64-byte aligned, counted, or borrowed from a foreign owner (a NumPy array).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

namespace pronghorn {

inline constexpr size_t kBufferAlignment = 64;

class Buffer {
 public:
  // Uninitialized memory of at least `bytes`; throws an Error if there is none.
  explicit Buffer(size_t bytes);
  // Borrowed memory; `release` is called when the buffer goes.
  Buffer(void* data, size_t bytes, std::function<void()> release);
  ~Buffer();
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  void* data() const { return data_; }
  size_t bytes() const { return bytes_; }

  // Another number after each announced change of the contents.
  uint64_t version() const { return version_.load(std::memory_order_acquire); }

 private:
  friend uint64_t announce_changes(std::span<Buffer* const> buffers);

  void* data_;
  size_t bytes_;
  std::function<void()> release_;  // empty: the memory is ours
  std::atomic<uint64_t> version_{0};
};

// Number of announcements so far: while it stays, all versions do.
uint64_t change_count();

// Called after the contents of the buffers (variables) have been written: what was computed from
// them is out of date. Returns the number of announcements before.
uint64_t announce_changes(std::span<Buffer* const> buffers);

}  // namespace pronghorn
