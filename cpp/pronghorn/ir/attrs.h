// Attributes of a node: a few named values, sorted by name, so that equal sets compare and hash
// equal.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace pronghorn {

using AttrValue =
    std::variant<int64_t, double, std::string, std::vector<int64_t>>;  // bool is int64_t

class Attrs {
 public:
  Attrs() = default;
  Attrs(std::initializer_list<std::pair<std::string, AttrValue>> entries) {
    for (const auto& [name, value] : entries) set(name, value);
  }

  void set(const std::string& name, AttrValue value);
  bool has(std::string_view name) const { return find(name) != nullptr; }

  // Each throws an internal error if the attribute is missing (without a default) or of another
  // type.
  int64_t integer(std::string_view name) const;
  int64_t integer(std::string_view name, int64_t otherwise) const;
  double number(std::string_view name) const;  // integers are accepted
  double number(std::string_view name, double otherwise) const;
  const std::string& text(std::string_view name) const;
  const std::vector<int64_t>& integers(std::string_view name) const;

  auto begin() const { return entries_.begin(); }
  auto end() const { return entries_.end(); }
  friend bool operator==(const Attrs&, const Attrs&) = default;

 private:
  const AttrValue* find(std::string_view name) const;

  std::vector<std::pair<std::string, AttrValue>> entries_;
};

// "axis=1, keepdims=0"
std::ostream& operator<<(std::ostream& out, const Attrs& attrs);

}  // namespace pronghorn
