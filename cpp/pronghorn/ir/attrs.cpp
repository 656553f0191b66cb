#include "pronghorn/ir/attrs.h"

#include <algorithm>

#include "pronghorn/base/error.h"

namespace pronghorn {
namespace {

template <typename T>
const T& get(const AttrValue* value, std::string_view name) {
  if (value == nullptr) internal_error("attribute '", name, "' is missing.");
  const T* typed = std::get_if<T>(value);
  if (typed == nullptr) internal_error("attribute '", name, "' has another type.");
  return *typed;
}

}  // namespace

void Attrs::set(const std::string& name, AttrValue value) {
  const auto at =
      std::lower_bound(entries_.begin(), entries_.end(), name,
                       [](const auto& entry, const std::string& key) { return entry.first < key; });
  if (at != entries_.end() && at->first == name) {
    at->second = std::move(value);
  } else {
    entries_.emplace(at, name, std::move(value));
  }
}

const AttrValue* Attrs::find(std::string_view name) const {
  for (const auto& [key, value] : entries_) {
    if (key == name) return &value;
  }
  return nullptr;
}

int64_t Attrs::integer(std::string_view name) const { return get<int64_t>(find(name), name); }

int64_t Attrs::integer(std::string_view name, int64_t otherwise) const {
  const AttrValue* value = find(name);
  return value == nullptr ? otherwise : get<int64_t>(value, name);
}

double Attrs::number(std::string_view name) const {
  const AttrValue* value = find(name);
  if (value != nullptr && std::holds_alternative<int64_t>(*value))
    return static_cast<double>(std::get<int64_t>(*value));
  return get<double>(value, name);
}

double Attrs::number(std::string_view name, double otherwise) const {
  return has(name) ? number(name) : otherwise;
}

const std::string& Attrs::text(std::string_view name) const {
  return get<std::string>(find(name), name);
}

const std::vector<int64_t>& Attrs::integers(std::string_view name) const {
  return get<std::vector<int64_t>>(find(name), name);
}

std::ostream& operator<<(std::ostream& out, const Attrs& attrs) {
  bool first = true;
  for (const auto& [name, value] : attrs) {
    out << (first ? "" : ", ") << name << '=';
    first = false;
    if (const auto* integers = std::get_if<std::vector<int64_t>>(&value)) {
      out << '[';
      for (size_t i = 0; i < integers->size(); ++i) out << (i ? " " : "") << (*integers)[i];
      out << ']';
    } else if (const auto* integer = std::get_if<int64_t>(&value)) {
      out << *integer;
    } else if (const auto* number = std::get_if<double>(&value)) {
      out << *number;
    } else {
      out << '\'' << std::get<std::string>(value) << '\'';
    }
  }
  return out;
}

}  // namespace pronghorn
