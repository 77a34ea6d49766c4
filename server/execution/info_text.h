// How INFO's lines are written, and the sections that have a file of their own.
#pragma once

#include <fmt/format.h>

#include <initializer_list>
#include <iterator>
#include <string>
#include <string_view>

#include "common/base/numbers.h"
#include "server/execution/server_state.h"

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
  void ratio(std::string_view name, double value) {
    fmt::format_to(std::back_inserter(text_), "{}:{:.2f}\r\n", name, value);
  }
  void percent(std::string_view name, double value) {
    fmt::format_to(std::back_inserter(text_), "{}:{:.2f}%\r\n", name, value);
  }
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

void write_persistence_info(InfoText& out, const ServerState& server, const Now& now);
/// What other sections tell of replication.
struct ReplicationTotals {
  uint64_t full = 0, partial = 0, refused = 0;
  uint64_t backlog_bytes = 0;
};
ReplicationTotals replication_totals(const ServerState& server);
void write_replication_info(InfoText& out, const ServerState& server, const Now& now);
/// The part of it that the state channel tells. There must be replication.
void write_role_info(InfoText& out, const ServerState& server, const Now& now);

}  // namespace vedette
