// RDBs as texts: what a writer gives, what a reader tells, and bytes put together by hand.
#pragma once

#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "server/snapshot/crc64.h"
#include "server/snapshot/rdb_reader.h"
#include "server/snapshot/rdb_writer.h"
#include "server/store/database.h"
#include "server/store/string_value.h"

namespace vedette::rdb_bytes {

struct EntryDeleter {
  void operator()(Entry* entry) const { destroy_entry(entry); }
};
using EntryOwner = std::unique_ptr<Entry, EntryDeleter>;

inline EntryOwner string_entry(std::string_view key, std::string_view value, int64_t expiry_ms = kNoExpiry) {
  return EntryOwner(make_string_entry(key, value, expiry_ms));
}

inline std::string all_of(const BlockLog& log) {
  std::string bytes;
  log.for_each_piece(log.begin(), [&bytes](const char* at, size_t size) {
    bytes.append(at, size);
    return true;
  });
  return bytes;
}

/// An RDB's bytes from its parts: with the head of `version` before and the end with its checksum after.
inline std::string framed(std::string_view records, int version = 10) {
  std::string bytes = fmt::format("REDIS{:04}", version);
  bytes += records;
  bytes += '\xff';
  const uint64_t crc = crc64(0, bytes);
  if (version >= 5) bytes.append(reinterpret_cast<const char*>(&crc), sizeof crc);
  return bytes;
}

/// Tells what it is told, one line each.
class Telling final : public RdbHandler {
 public:
  std::vector<std::string> lines;
  std::string refuse;  ///< a line that is refused
  bool values = true;  ///< whether lines show values

  Status on_version(const RdbVersion& version) override {
    return tell(fmt::format("{} {}", version.family == RdbFamily::kRedis ? "redis" : "valkey", version.number));
  }
  Status on_aux(std::string_view name, std::string_view value) override { return tell(fmt::format("aux {}={}", name, value)); }
  Status on_module_aux(std::string_view name) override { return tell(fmt::format("module {}", name)); }
  Status on_function(std::string_view code) override { return tell(fmt::format("function {}", code)); }
  Status on_select(int db) override { return tell(fmt::format("select {}", db)); }
  Status on_resize(uint64_t keys, uint64_t expires) override { return tell(fmt::format("resize {} {}", keys, expires)); }
  Status on_entry(int db, Entry* entry, const RdbEntryUse& use) override {
    const EntryOwner owner(entry);
    IntegerText text;
    const std::string_view value = string_bytes(*entry, text);
    std::string line = fmt::format("{} {}={}", db, entry->key(), values ? std::string(value) : std::to_string(value.size()));
    if (entry->has_expiry()) line += fmt::format(" at {}", entry->expiry_ms());
    if (use.idle_seconds >= 0) line += fmt::format(" idle {}", use.idle_seconds);
    if (use.frequency >= 0) line += fmt::format(" freq {}", use.frequency);
    return tell(line);
  }
  Status on_empty(int db, std::string_view key) override { return tell(fmt::format("{} {} is empty", db, key)); }
  std::string all() const {
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    return text;
  }

 private:
  Status tell(std::string line) {
    lines.push_back(std::move(line));
    return lines.back() == refuse ? Status(Error("refused")) : Status::ok();
  }
};

/// What a reader tells of `bytes` that come in pieces of `piece_bytes`; the error, if any, as the last line.
inline std::string told(std::string_view bytes, size_t piece_bytes = SIZE_MAX, bool verify_checksum = true) {
  Telling telling;
  RdbReader reader(telling, {verify_checksum});
  Status status;
  while (status && !bytes.empty()) {
    // A copy of its own size: reading past its end is seen by the address sanitizer.
    const std::string_view piece = bytes.substr(0, piece_bytes);
    const std::unique_ptr<char[]> copy(new char[piece.size()]);
    piece.copy(copy.get(), piece.size());
    status = reader.feed({copy.get(), piece.size()});
    bytes.remove_prefix(piece.size());
  }
  if (status) status = reader.end_of_input();
  return telling.all() + (status ? "" : "error: " + status.error().text() + "\n");
}

}  // namespace vedette::rdb_bytes
