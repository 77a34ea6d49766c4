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

#include "common/base/memory.h"
#include "common/base/numbers.h"
#include "common/base/prefetch.h"
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
  Status on_entry(int db, Entry* entry, const RdbEntryUse&) override {
    Database& database = keyspace_.db(db);
    database.add(database.key_of(entry->key()).hash, entry);
    return Status::ok();
  }

 private:
  Keyspace& keyspace_;
};

class Dropping final : public RdbHandler {
 public:
  Status on_function(std::string_view) override { return Status::ok(); }
  Status on_entry(int, Entry* entry, const RdbEntryUse&) override {
    destroy_entry(entry);
    return Status::ok();
  }
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
  while (status && (file.read(piece, sizeof piece), file.gcount() > 0)) status = reader.feed({piece, size_t(file.gcount())});
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
      for (bool whole = writer.entry(*entry, 5000); !whole; whole = writer.go_on(5000)) {}
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

// As a walk does it: entries fetched ahead, what was written taken away in between.
std::string written_file(const std::vector<const Entry*>& walk, bool compress, std::string& file) {
  constexpr size_t kAhead = 8, kTurn = 256;
  BlockLog log;
  RdbWriter writer(log, {.compress = compress});
  const auto drain = [&] {
    writer.settle();
    log.for_each_piece(log.begin(), [&file](const char* bytes, size_t size) {
      file.append(bytes, size);
      return true;
    });
    log.trim(log.end());
  };
  writer.header(SnapshotFacts{.redis_version = "7.2.4", .replication = {}});
  writer.select(0, walk.size(), 0);
  for (size_t i = 0; i < walk.size(); i++) {
    if (i + kAhead < walk.size())
      for (size_t line = 0; line < 4; line++) prefetch_line(reinterpret_cast<const char*>(walk[i + kAhead]) + line * 64);
    (void)writer.entry(*walk[i]);
    if (i % kTurn == 0) drain();
  }
  writer.end();
  drain();
  return std::move(file);
}

void feed(std::string_view file, RdbHandler& handler) {
  constexpr size_t kPiece = 64 * 1024;
  RdbReader reader(handler);
  Status status;
  for (size_t at = 0; status && at < file.size(); at += kPiece) status = reader.feed(file.substr(at, kPiece));
  VED_ASSERT(reader.finished());
}

void report(std::string_view what, size_t keys, size_t bytes, double seconds) {
  fmt::print("{:12} {:6.2f} M keys/s {:6.0f} MB/s\n", what, double(keys) / seconds / 1e6, double(bytes) / seconds / 1e6);
}

int speed(size_t keys, size_t value_bytes) {
  register_memory_thread();
  advise_huge_pages();
  Rng rng(1);
  Keyspace keyspace(1, HashKey{1, 2}, 3);
  Database& db = keyspace.db(0);
  std::string value(value_bytes, ' ');
  for (size_t i = 0; i < keys; i++) {
    for (char& c : value) c = char('a' + rng.below(26));
    const std::string key = fmt::format("key:{:012}", i);
    db.add(db.key_of(key).hash, make_string_entry(key, value, kNoExpiry));
  }
  std::vector<const Entry*> walk;
  db.table().for_each([&](const Entry& entry) { walk.push_back(&entry); });
  for (const bool compress : {false, true}) {
    std::string file(keys * (value_bytes + 40), ' ');  // touched: the kernel's pages are not what is measured
    file.clear();
    const double written = seconds_of([&] { file = written_file(walk, compress, file); });
    report(compress ? "write packed" : "write", keys, file.size(), written);
    Dropping dropping;
    report("read", keys, file.size(), seconds_of([&] { feed(file, dropping); }));
    Keyspace other(1, HashKey{1, 2}, 3);
    Keeping keeping(other);
    report("load", keys, file.size(), seconds_of([&] { feed(file, keeping); }));
  }
  return 0;
}

int run(const std::vector<std::string>& args) {
  if (args.size() == 2 && args[0] == "print") return print(args[1]);
  if ((args.size() == 2 || (args.size() == 3 && args[2] == "plain")) && args[0] == "write") return write(args[1], args.size() == 3);
  if (args.size() == 3 && args[0] == "speed") return speed(parse_unsigned(args[1]).value_or(1), parse_unsigned(args[2]).value_or(1));
  return failed("usage: rdb_tool print FILE | write FILE [plain] | speed KEYS VALUE_BYTES");
}

}  // namespace
}  // namespace vedette

int main(int argc, char** argv) { return vedette::run(std::vector<std::string>(argv + 1, argv + argc)); }
