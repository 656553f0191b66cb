// How float32 products are computed.
#pragma once

namespace pronghorn {

// Strict: by float32 multiply-adds only. Default: also by other means that are as accurate, where
// they are faster (sums of products of bfloat16 parts, on AMX). The first call reads PRONGHORN_FP32
// ("strict" or "default"; a ValueError for anything else). Programs that exist already follow a
// change at their next run.
bool strict_float32();
void set_strict_float32(bool strict);

// Keeps what strict_float32() says on this thread for its lifetime: all parts of a program are
// planned for one precision, whatever other threads set meanwhile.
class FixedPrecision {
 public:
  explicit FixedPrecision(bool strict);
  ~FixedPrecision();
  FixedPrecision(const FixedPrecision&) = delete;
  FixedPrecision& operator=(const FixedPrecision&) = delete;

 private:
  int before_;
};

}  // namespace pronghorn
