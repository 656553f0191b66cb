#include "pronghorn/tensor/buffer.h"

#include <cstdlib>
#include <new>
#include <utility>

#include "pronghorn/base/error.h"

namespace pronghorn {

Buffer::Buffer(size_t bytes) : bytes_(bytes) {
  // Rounded up, so that vector loads of the last elements stay inside.
  const size_t rounded = (bytes + 2 * kBufferAlignment - 1) / kBufferAlignment * kBufferAlignment;
  data_ = ::operator new(rounded, std::align_val_t{kBufferAlignment}, std::nothrow);
  if (data_ == nullptr) {
    throw Error(ErrorKind::kRuntime, concat("memory: could not allocate ", bytes, " bytes (",
                                            static_cast<double>(bytes) / (1 << 30), " GiB)."));
  }
}

Buffer::Buffer(void* data, size_t bytes, std::function<void()> release)
    : data_(data), bytes_(bytes), release_(std::move(release)) {}

Buffer::~Buffer() {
  if (release_) {
    release_();
  } else {
    ::operator delete(data_, std::align_val_t{kBufferAlignment});
  }
}

}  // namespace pronghorn
