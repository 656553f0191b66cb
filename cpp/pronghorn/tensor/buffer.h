// Memory of tensors: 64-byte aligned, counted, or borrowed from a foreign owner (a NumPy array).
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

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

 private:
  void* data_;
  size_t bytes_;
  std::function<void()> release_;  // empty: the memory is ours
};

}  // namespace pronghorn
