#include "pronghorn/base/memory.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

#include "pronghorn/base/error.h"

namespace pronghorn {

size_t available_memory() {
  constexpr size_t kUnknown = std::numeric_limits<size_t>::max();
  std::ifstream meminfo("/proc/meminfo");
  size_t kilobytes = 0;
  bool is_known = false;
  for (std::string name, unit; meminfo >> name;) {
    size_t value = 0;
    if (!(meminfo >> value)) break;
    std::getline(meminfo, unit);
    if (name == "MemAvailable:") is_known = true;
    if (name == "MemAvailable:" || name == "SwapFree:") kilobytes += value;
  }
  size_t limit = kUnknown;
  std::ifstream cgroup("/sys/fs/cgroup/memory.max");
  if (!(cgroup >> limit)) limit = kUnknown;  // "max", or no such file
  return is_known ? std::min(kilobytes * 1024, limit) : limit;
}

void require_memory(size_t bytes) {
  constexpr size_t kLarge = size_t{1} << 30;
  if (bytes < kLarge) return;
  const size_t available = available_memory();
  if (bytes > available) refuse_memory(bytes, available);
}

void refuse_memory(size_t bytes, size_t available) {
  constexpr double kGiB = 1 << 30;
  std::string text =
      concat("memory: ", bytes, " bytes (", static_cast<double>(bytes) / kGiB, " GiB) are needed");
  if (available < bytes) {
    text += concat(", ", static_cast<double>(available) / kGiB, " GiB are available");
  }
  throw MemoryError(text + ".");
}

}  // namespace pronghorn
