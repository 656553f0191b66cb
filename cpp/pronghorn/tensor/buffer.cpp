#include "pronghorn/tensor/buffer.h"

#include <cstdint>
#include <cstdlib>
#include <utility>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "pronghorn/base/memory.h"

namespace pronghorn {
namespace {

// malloc, aligned here: blocks of glibc's aligned_alloc are not found again by a request of their
// own size, so that data of many shapes grew the process by 12 MB a call (1.5 GB after 120 images
// of growing height; with this, flat). The address that malloc gave stands before the block.
void* allocate(size_t bytes) {
  void* const base = std::malloc(bytes + kBufferAlignment);
  if (base == nullptr) return nullptr;
  const auto address = reinterpret_cast<uintptr_t>(base);
  auto* const aligned = static_cast<char*>(base) + (kBufferAlignment - address % kBufferAlignment);
  reinterpret_cast<void**>(aligned)[-1] = base;
  return aligned;
}

// Asks for huge pages: fewer misses of the TLB and fewer page faults.
void advise_huge([[maybe_unused]] void* data, [[maybe_unused]] size_t bytes) {
#if defined(__linux__)
  constexpr uintptr_t kHugePage = 2 << 20;
  const auto address = reinterpret_cast<uintptr_t>(data);
  const uintptr_t begin = (address + kHugePage - 1) / kHugePage * kHugePage;
  const uintptr_t end = (address + bytes) / kHugePage * kHugePage;
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
#endif
}

void release(void* aligned) { std::free(static_cast<void**>(aligned)[-1]); }

std::atomic<uint64_t> last_version{0};
std::atomic<uint64_t> changes{0};

}  // namespace

Buffer::Buffer(size_t bytes) : bytes_(bytes) {
  // Rounded up, so that vector loads of the last elements stay inside.
  const size_t rounded = (bytes + 2 * kBufferAlignment - 1) / kBufferAlignment * kBufferAlignment;
  require_memory(bytes);
  data_ = allocate(rounded);
  if (data_ == nullptr) refuse_memory(bytes, bytes);
  advise_huge(data_, rounded);
}

Buffer::Buffer(void* data, size_t bytes, std::function<void()> release)
    : data_(data), bytes_(bytes), release_(std::move(release)) {}

Buffer::~Buffer() {
  if (release_) {
    release_();
  } else {
    release(data_);
  }
}

uint64_t change_count() { return changes.load(std::memory_order_acquire); }

uint64_t announce_changes(std::span<Buffer* const> buffers) {
  const uint64_t version = last_version.fetch_add(1, std::memory_order_relaxed) + 1;
  for (Buffer* const buffer : buffers) buffer->version_.store(version, std::memory_order_release);
  // Counted last: who sees the count sees the versions.
  return changes.fetch_add(1, std::memory_order_acq_rel);
}

}  // namespace pronghorn
