// Patterns that keys or channels must match, with what each permits.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace vedette {

class AclPatterns {
 public:
  /// Adds a pattern with permissions; to one that is there already the permissions are added.
  void add(std::string_view pattern, uint8_t permissions);
  void clear();

  size_t size() const { return patterns_.size(); }
  std::string_view text(size_t i) const { return patterns_[i].text; }
  uint8_t permissions(size_t i) const { return patterns_[i].permissions; }

  /// Whether any pattern with all these permissions matches.
  bool match(std::string_view name, uint8_t need) const;
  /// Whether any pattern reads exactly so.
  bool contains(std::string_view text) const;

 private:
  struct Pattern {
    std::string text;
    uint8_t permissions;
  };
  size_t find(std::string_view text) const;

  std::vector<Pattern> patterns_;
  std::unordered_map<std::string, size_t> places_;  // of all, once there are so many that a search would be long
};

}  // namespace vedette
