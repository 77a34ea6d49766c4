// How INFO is written: its lines, which sections are asked for, and what every process tells of itself.
#pragma once

#include <fmt/format.h>

#include <initializer_list>
#include <iterator>
#include <span>
#include <string>
#include <string_view>

#include "common/base/numbers.h"

namespace vedette {

class InfoText {
 public:
  void section(std::string_view name) {
    if (!text_.empty()) text_ += "\r\n";
    fmt::format_to(std::back_inserter(text_), "# {}\r\n", name);
  }
  template <class T>
  void field(std::string_view name, const T& value) {
    fmt::format_to(std::back_inserter(text_), "{}:{}\r\n", name, value);
  }
  /// With two decimals.
  void ratio(std::string_view name, double value) { fmt::format_to(std::back_inserter(text_), "{}:{:.2f}\r\n", name, value); }
  void percent(std::string_view name, double value) { fmt::format_to(std::back_inserter(text_), "{}:{:.2f}%\r\n", name, value); }
  void seconds(std::string_view name, int64_t us) {
    fmt::format_to(std::back_inserter(text_), "{}:{}.{:06}\r\n", name, us / 1000000, us % 1000000);
  }
  /// The bytes, and the same for humans under the name with "_human".
  void bytes(std::string_view name, uint64_t value) {
    field(name, value);
    fmt::format_to(std::back_inserter(text_), "{}_human:{}\r\n", name, human_bytes(value));
  }
  void zeros(std::initializer_list<std::string_view> names) {
    for (const std::string_view name : names) field(name, 0);
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

/// Whether INFO with these arguments wants the section of this name.
bool wants_section(std::span<const std::string_view> names, std::string_view section, bool by_default);

/// What waits for events on this machine.
std::string_view polling_api();
/// The compiler that has built this, "12.2.0".
std::string compiler_version();
/// The section "CPU".
void write_cpu_usage(InfoText& out);

}  // namespace vedette
