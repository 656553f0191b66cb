// PRONGHORN_PROFILE=1: the time of every step, summed by op, printed to stderr as a table when the
// process ends.
#pragma once

#include <chrono>

#include "pronghorn/ir/graph.h"

namespace pronghorn {

bool profile_enabled();

// Counts the time from construction to destruction for the node's op and shape.
class ProfiledStep {
 public:
  explicit ProfiledStep(const Node& node) : node_(node), start_(std::chrono::steady_clock::now()) {}
  ~ProfiledStep();
  ProfiledStep(const ProfiledStep&) = delete;
  ProfiledStep& operator=(const ProfiledStep&) = delete;

 private:
  const Node& node_;
  std::chrono::steady_clock::time_point start_;
};

}  // namespace pronghorn
