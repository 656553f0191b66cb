#include "pronghorn/base/precision.h"

#include <atomic>
#include <cstdlib>
#include <string_view>

#include "pronghorn/base/error.h"

namespace pronghorn {
namespace {

bool initial() {
  const char* text = std::getenv("PRONGHORN_FP32");
  const std::string_view wanted = text == nullptr ? "" : text;
  if (wanted == "strict") return true;
  if (wanted.empty() || wanted == "default") return false;
  value_error("PRONGHORN_FP32: expected 'strict' or 'default'. Received: '", wanted, "'.");
}

std::atomic<bool>& strict() {
  static std::atomic<bool> setting = initial();
  return setting;
}

constexpr int kNotFixed = -1;
thread_local int fixed = kNotFixed;

}  // namespace

bool strict_float32() {
  return fixed == kNotFixed ? strict().load(std::memory_order_relaxed) : fixed != 0;
}
void set_strict_float32(bool value) { strict().store(value); }

FixedPrecision::FixedPrecision(bool strict) : before_(fixed) { fixed = strict ? 1 : 0; }
FixedPrecision::~FixedPrecision() { fixed = before_; }

}  // namespace pronghorn
