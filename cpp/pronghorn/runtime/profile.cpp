#include "pronghorn/runtime/profile.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace pronghorn {
namespace {

struct Entry {
  int64_t calls = 0;
  double seconds = 0;
};

struct Profile {
  std::mutex mutex;
  std::map<std::string, Entry> entries;  // by op and type of its first output
};

// Never destroyed: steps may run while the process ends.
Profile& profile() {
  static Profile& instance = *new Profile;
  return instance;
}

void print_table() {
  const std::lock_guard lock(profile().mutex);
  std::vector<std::pair<std::string, Entry>> rows(profile().entries.begin(),
                                                  profile().entries.end());
  std::sort(rows.begin(), rows.end(),
            [](const auto& a, const auto& b) { return a.second.seconds > b.second.seconds; });
  double total = 0;
  for (const auto& [name, entry] : rows) total += entry.seconds;
  std::fprintf(stderr, "%8s %10s %10s %6s  %s\n", "calls", "total ms", "us/call", "%",
               "op -> type of its result");
  for (const auto& [name, entry] : rows) {
    std::fprintf(stderr, "%8lld %10.2f %10.2f %6.1f  %s\n", static_cast<long long>(entry.calls),
                 entry.seconds * 1e3, entry.seconds * 1e6 / static_cast<double>(entry.calls),
                 100 * entry.seconds / total, name.c_str());
  }
}

}  // namespace

bool profile_enabled() {
  static const bool enabled = [] {
    const char* text = std::getenv("PRONGHORN_PROFILE");
    const bool on = text != nullptr && *text != '\0' && *text != '0';
    if (on) std::atexit(print_table);
    return on;
  }();
  return enabled;
}

ProfiledStep::~ProfiledStep() {
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start_;
  const std::string name = concat(node_.op->name, " -> ", node_.outputs[0]);
  const std::lock_guard lock(profile().mutex);
  Entry& entry = profile().entries[name];
  ++entry.calls;
  entry.seconds += spent.count();
}

}  // namespace pronghorn
