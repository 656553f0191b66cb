// How much memory the machine can still give, and the error where that is too little.
#pragma once

#include <cstddef>
#include <new>
#include <string>

namespace pronghorn {

// MemoryError in Python.
class MemoryError : public std::bad_alloc {
 public:
  explicit MemoryError(std::string message) : message_(std::move(message)) {}
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  std::string message_;
};

// Bytes that a new allocation may take without other memory having to be given up: what is
// available and swap, at most the cgroup's limit; the largest number where the system does not say.
size_t available_memory();

// Throws a MemoryError if the machine has not that much memory left. Asks it from 1 GiB on (30 us):
// Linux grants more than there is, and ends the process when it is used.
void require_memory(size_t bytes);

// Throws the MemoryError of a request that was refused.
[[noreturn]] void refuse_memory(size_t bytes, size_t available);

}  // namespace pronghorn
