// Where replication stood, as a line of the append-only file: after what the file holds up to here, the
// dataset is that of byte `offset` of history `id`. To other programs the line is a comment.
//   #VEDETTE-REPL:<id> <offset>
//   #VEDETTE-REPL:<offset>        of the same history as the last such line of the file
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vedette {

struct AppendPosition {
  std::string id;
  uint64_t offset = 0;
  bool operator==(const AppendPosition&) const = default;
};

/// The line with its end; an empty id stands for the last one that was told.
std::string print_append_position(std::string_view id, uint64_t offset);
/// What `line` (without its end) tells, if it is such a line; `last_id` is what the short form refers to.
std::optional<AppendPosition> parse_append_position(std::string_view line, std::string_view last_id);

}  // namespace vedette
