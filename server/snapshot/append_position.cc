// Two forms of one line.
#include "server/snapshot/append_position.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "common/base/numbers.h"

namespace vedette {
namespace {

constexpr std::string_view kMark = "#VEDETTE-REPL:";
constexpr size_t kIdLength = 40;

bool is_hexadecimal(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

}  // namespace

std::string print_append_position(std::string_view id, uint64_t offset, int db) {
  return fmt::format("{}{}{}{} {}\r\n", kMark, id, id.empty() ? "" : " ", db, offset);
}

std::optional<AppendPosition> parse_append_position(std::string_view line, std::string_view last_id) {
  if (!line.starts_with(kMark)) return std::nullopt;
  line.remove_prefix(kMark.size());
  std::string_view id = last_id;
  if (const size_t blank = line.find(' '); blank == kIdLength) {
    id = line.substr(0, blank);
    line.remove_prefix(blank + 1);
  }
  const size_t blank = line.find(' ');
  if (blank == line.npos) return std::nullopt;
  const auto db = parse_unsigned(line.substr(0, blank));
  const auto offset = parse_unsigned(line.substr(blank + 1));
  if (!db || *db > INT32_MAX || !offset || id.size() != kIdLength || !std::all_of(id.begin(), id.end(), is_hexadecimal))
    return std::nullopt;
  return AppendPosition{std::string(id), *offset, int(*db)};
}

}  // namespace vedette
