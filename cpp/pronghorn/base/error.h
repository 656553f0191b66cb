// Errors that reach the user. Thrown while a graph is built or a program is prepared, never by a
// kernel. Form: "<op>: <expected>. Received: <name>=<value>, ... [Hint.]"
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace pronghorn {

enum class ErrorKind { kValue, kType, kRuntime };  // ValueError, TypeError, RuntimeError in Python

class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const { return kind_; }

 private:
  ErrorKind kind_;
};

// Text of the parts one after the other.
template <typename... Parts>
std::string concat(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

template <typename... Parts>
[[noreturn]] void value_error(const Parts&... parts) {
  throw Error(ErrorKind::kValue, concat(parts...));
}

template <typename... Parts>
[[noreturn]] void type_error(const Parts&... parts) {
  throw Error(ErrorKind::kType, concat(parts...));
}

// A defect of pronghorn itself, not of what the user gave.
template <typename... Parts>
[[noreturn]] void internal_error(const Parts&... parts) {
  throw Error(ErrorKind::kRuntime, concat("internal: ", parts...));
}

}  // namespace pronghorn
