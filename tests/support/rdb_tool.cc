// Snapshots as text, for tests that compare them with what other servers read and write, and their speed.
//
//   rdb_tool print FILE              every key as a line: DB EXPIRY KEY VALUE, key and value in hexadecimal,
//   "-" where empty rdb_tool write FILE [plain]      the same lines from standard input, made a file; plain:
//   nothing packed, no checksum rdb_tool speed KEYS VALUE_BYTES  how long it takes to write and to load so
//   many keys in memory
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "common/base/numbers.h"
#include "common/base/rng.h"
#include "server/snapshot/rdb_reader.h"
#include "server/snapshot/rdb_writer.h"
#include "server/store/keyspace.h"
#include "server/store/string_value.h"

namespace vedette {
namespace {

std::string to_hex(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) text += fmt::format("{:02x}", uint8_t(byte));
  return text.empty() ? "-" : text;
}

std::string from_hex(const std::string& text) {
  std::string bytes;
  if (text == "-") return bytes;
  for (size_t i = 0; i + 1 < text.size(); i += 2) bytes += char(std::stoi(text.substr(i, 2), nullptr, 16));
  return bytes;
}

class Printing final : public RdbHandler {
 public:
  Status on_function(std::string_view) override { return Status::ok(); }
  Status on_entry(int db, Entry* entry, const RdbEntryUse&) override {
    IntegerText text;
    const std::string value(string_bytes(*entry, text));
    fmt::print("{} {} {} {}\n", db, entry->expiry_ms(), to_hex(entry->key()), to_hex(value));
    destroy_entry(entry);
    return Status::ok();
  }
};

class Keeping final : public RdbHandler {
 public:
  explicit Keeping(Keyspace& keyspace) : keyspace_(keyspace) {}
  Status on_function(std::string_view) override { return Status::ok(); }
  Status on_resize(uint64_t keys, uint64_t) override {
    (void)keys;
    return Status::ok();
  }
  Status on_entry(int db, Entry* entry, const RdbEntryUse&) override {
    Database& database = keyspace_.db(db);
    database.add(database.key_of(entry->key()).hash, entry);
    return Status::ok();
  }

 private:
  Keyspace& keyspace_;
};

int failed(const std::string& reason) {
  fmt::print(stderr, "{}\n", reason);
  return 1;
}

int print(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return failed("cannot open " + path);
  Printing printing;
  RdbReader reader(printing);
  char piece[10007];
  Status status;
  while (status && (file.read(piece, sizeof piece), file.gcount() > 0))
    status = reader.feed({piece, size_t(file.gcount())});
  if (status) status = reader.end_of_input();
  return status ? 0 : failed(status.error().text());
}

struct Line {
  std::string key, value;
  int64_t expiry_ms;
};

void pour(BlockLog& log, std::ostream& to) {
  log.for_each_piece(log.begin(), [&to](const char* bytes, size_t size) {
    to.write(bytes, std::streamsize(size));
    return true;
  });
  log.trim(log.end());
}

int write(const std::string& path, bool plain) {
  std::map<int, std::vector<Line>> databases;
  std::string line, key, value;
  while (std::getline(std::cin, line)) {
    std::istringstream words(line);
    int db = 0;
    int64_t expiry_ms = 0;
    words >> db >> expiry_ms >> key >> value;
    databases[db].push_back({from_hex(key), from_hex(value), expiry_ms});
  }
  std::ofstream file(path, std::ios::binary);
  BlockLog log;
  RdbWriter writer(log, {.compress = !plain, .checksum = !plain});
  writer.header({.redis_version = "7.2.4", .created_seconds = 1700000000, .used_memory = 1000000});
  for (const auto& [db, lines] : databases) {
    uint64_t expires = 0;
    for (const Line& each : lines) expires += each.expiry_ms != kNoExpiry;
    writer.select(db, lines.size(), expires);
    for (const Line& each : lines) {
      Entry* entry = make_string_entry(each.key, each.value, each.expiry_ms);
      for (bool whole = writer.entry(*entry, 5000); !whole; whole = writer.go_on(5000)) {
      }
      destroy_entry(entry);
    }
    writer.settle();
    pour(log, file);
  }
  writer.end();
  pour(log, file);
  return file ? 0 : failed("cannot write " + path);
}

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

int speed(size_t keys, size_t value_bytes) {
  Rng rng(1);
  Keyspace keyspace(1, HashKey{1, 2}, 3);
  Database& db = keyspace.db(0);
  std::string value(value_bytes, ' ');
  for (size_t i = 0; i < keys; i++) {
    for (char& c : value) c = char('a' + rng.below(26));
    const std::string key = fmt::format("key:{:012}", i);
    db.add(db.key_of(key).hash, make_string_entry(key, value, kNoExpiry));
  }
  for (const bool compress : {false, true}) {
    BlockLog log(1 << 20);
    const double written = seconds_of([&] {
      RdbWriter writer(log, {.compress = compress});
      writer.header({.redis_version = "7.2.4"});
      writer.select(0, db.size(), db.expires());
      db.table().for_each([&](const Entry& entry) { (void)writer.entry(entry); });
      writer.end();
    });
    fmt::print("write, {}: {:.2f} M keys/s, {:.0f} MB/s\n", compress ? "packed" : "plain",
               double(keys) / written / 1e6, double(log.size()) / written / 1e6);
    Keyspace other(1, HashKey{1, 2}, 3);
    const double loaded = seconds_of([&] {
      Keeping keeping(other);
      RdbReader reader(keeping);
      log.for_each_piece(log.begin(), [&](const char* bytes, size_t size) {
        return bool(reader.feed({bytes, size}));
      });
      VED_ASSERT(reader.finished());
    });
    fmt::print("load, {}: {:.2f} M keys/s\n", compress ? "packed" : "plain", double(keys) / loaded / 1e6);
  }
  return 0;
}

int run(const std::vector<std::string>& args) {
  if (args.size() == 2 && args[0] == "print") return print(args[1]);
  if ((args.size() == 2 || (args.size() == 3 && args[2] == "plain")) && args[0] == "write")
    return write(args[1], args.size() == 3);
  if (args.size() == 3 && args[0] == "speed")
    return speed(parse_unsigned(args[1]).value_or(1), parse_unsigned(args[2]).value_or(1));
  return failed("usage: rdb_tool print FILE | write FILE [plain] | speed KEYS VALUE_BYTES");
}

}  // namespace
}  // namespace vedette

int main(int argc, char** argv) { return vedette::run(std::vector<std::string>(argv + 1, argv + argc)); }
