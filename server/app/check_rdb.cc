// The snapshot goes through the reader that loads it, with a handler that counts.
#include "server/app/check_rdb.h"

#include <fmt/format.h>

#include <cerrno>
#include <cinttypes>
#include <cstring>
#include <ctime>
#include <map>
#include <memory>
#include <vector>

#include "common/base/text.h"
#include "server/snapshot/rdb_reader.h"
#include "server/store/database.h"

namespace vedette {
namespace {

constexpr size_t kPieceBytes = 256 * 1024;
constexpr uint64_t kProgressBytes = uint64_t(256) << 20;  // a line for each so many

class Counting final : public RdbHandler {
 public:
  Counting(std::FILE* out, int64_t now_ms) : out_(out), now_ms_(now_ms) {}

  Status on_version(const RdbVersion& version) override {
    print("RDB version {} ({})", version.number, version.family == RdbFamily::kRedis ? "Redis" : "Valkey");
    return Status::ok();
  }
  Status on_aux(std::string_view name, std::string_view value) override {
    print("AUX {} = {}", quoted_if_needed(name), quoted(value));
    return Status::ok();
  }
  Status on_module_aux(std::string_view name) override {
    print("data of module {} outside of keys, passed over", quoted(name));
    return Status::ok();
  }
  Status on_function(std::string_view code) override {
    print("a library of functions, {} bytes: {}", code.size(), quoted(code.substr(0, code.find('\n')).substr(0, 80)));
    return Status::ok();
  }
  Status on_select(int db) override {
    print("selecting database {}", db);
    return Status::ok();
  }
  Status on_resize(uint64_t keys, uint64_t expires) override {
    print("announced: {} keys, {} of them with an expiry", keys, expires);
    return Status::ok();
  }
  Status on_entry(int db, Entry* entry, const RdbEntryUse&) override {
    Counts& counts = databases_[db];
    counts.keys++;
    types_[size_t(entry->type())]++;
    if (entry->has_expiry()) {
      counts.expires++;
      counts.expired += entry->expired_at(now_ms_);
    }
    last_db_ = db;
    last_key_.assign(entry->key().substr(0, kShownKeyMax));
    destroy_entry(entry);
    return Status::ok();
  }

  Status on_empty(int, std::string_view key) override {
    if (++empty_ <= kEmptyKeysShown) print("the key {} has no elements, so it would not be loaded", quoted(key.substr(0, kShownKeyMax)));
    return Status::ok();
  }

  void print_totals(uint64_t offset) const {
    for (const auto& [db, counts] : databases_)
      print("database {}: {} keys, {} with an expiry, {} of them expired", db, counts.keys, counts.expires, counts.expired);
    for (size_t type = 0; type < std::size(types_); type++)
      if (types_[type]) print("{}: {} keys", type_name(ValueType(type)), types_[type]);
    if (empty_) print("{} keys without elements", empty_);
    print("{} bytes", offset);
  }
  void print_last_key() const {
    if (!databases_.empty()) print("the last whole key: {} in database {}", quoted(last_key_), last_db_);
  }
  template <class... Values>
  void print(fmt::format_string<Values...> format, Values&&... values) const {
    const std::string line = fmt::format(format, std::forward<Values>(values)...) + '\n';
    std::fwrite(line.data(), 1, line.size(), out_);
  }

 private:
  struct Counts {
    uint64_t keys = 0, expires = 0, expired = 0;
  };
  static constexpr size_t kShownKeyMax = 128;
  static constexpr uint64_t kEmptyKeysShown = 10;

  std::FILE* out_;
  int64_t now_ms_;
  std::map<int, Counts> databases_;
  uint64_t types_[16] = {};
  uint64_t empty_ = 0;
  int last_db_ = 0;
  std::string last_key_;
};

}  // namespace

int check_rdb(const std::string& path, std::FILE* out) {
  const auto close = [](std::FILE* file) { std::fclose(file); };
  const std::unique_ptr<std::FILE, decltype(close)> file(std::fopen(path.c_str(), "rb"), close);
  if (!file) {
    std::fputs(fmt::format("cannot open {}: {}\n", path, std::strerror(errno)).c_str(), out);
    return 1;
  }
  Counting counting(out, int64_t(std::time(nullptr)) * 1000);
  RdbReader reader(counting);
  counting.print("checking {}", path);
  std::vector<char> piece(kPieceBytes);
  Status status;
  uint64_t next_line = kProgressBytes, tail = 0;
  for (size_t n = 0; status && (n = std::fread(piece.data(), 1, piece.size(), file.get())) > 0;) {
    status = reader.feed({piece.data(), n});
    tail += reader.unread_tail();
    if (reader.offset() >= next_line) {
      counting.print("{} bytes read, {} keys", reader.offset(), reader.keys());
      next_line += kProgressBytes;
    }
  }
  if (status && std::ferror(file.get())) status = Error(fmt::format("cannot read {}: {}", path, std::strerror(errno)));
  if (status) status = reader.end_of_input();
  if (!status) {
    counting.print("{}", status.error().text());
    counting.print_last_key();
    counting.print("not a good file; {} keys before the damage", reader.keys());
    return 1;
  }
  counting.print_totals(reader.offset());
  if (tail) counting.print("{} bytes follow the end of the RDB (the commands of an append-only file?); they were not looked at", tail);
  counting.print("the file is good");
  return 0;
}

}  // namespace vedette
