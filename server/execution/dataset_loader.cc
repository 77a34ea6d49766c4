// Entry by entry into the tables.
#include "server/execution/dataset_loader.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/log.h"
#include "common/base/numbers.h"
#include "common/base/text.h"

namespace vedette {
namespace {

constexpr uint64_t kEmptyKeysLogged = 10;
constexpr uint64_t kKeyBytesMin = 4;            // in an RDB no key with its value takes less
constexpr uint64_t kKeysBelievedMax = 4 << 20;  // of a hint about a stream of unknown length

}  // namespace

DatasetLoader::DatasetLoader(ServerState& server, const LoadOptions& options)
    : server_(server), options_(options), reader_(*this, RdbReadOptions{options.verify_checksum, &server.keyspace.packing}) {
  pending_.reserve(kBatch);
  if (options.target == LoadOptions::Target::kKeyspace) return;
  beside_.reserve(size_t(server.keyspace.count()));
  for (int i = 0; i < server.keyspace.count(); i++) beside_.emplace_back(server.keyspace.hash_key());
  if (server.scripts) libraries_ = server.scripts->empty_libraries();
}

// What was staged and not taken into use may be large.
DatasetLoader::~DatasetLoader() {
  for (const Pending& pending : pending_) destroy_entry(pending.entry);
  for (Database& database : beside_) server_.keyspace.discard(std::move(database));
}

Status DatasetLoader::feed(std::string_view bytes) {
  Status status = reader_.feed(bytes);
  if (!status) log_warning("Internal error in RDB: {}", status.error().text());
  return status;
}

Status DatasetLoader::finish() {
  if (Status status = reader_.end_of_input(); !status) return status;
  if (Status status = link_pending(); !status) return status;
  log_notice("Done loading RDB, keys loaded: {}, keys expired: {}{}.", keys_loaded_, keys_expired_,
             keys_empty_ ? fmt::format(", empty keys skipped: {}", keys_empty_) : "");
  return Status::ok();
}

void DatasetLoader::commit() {
  VED_ASSERT(finished() && pending_.empty());
  VED_ASSERT(options_.target == LoadOptions::Target::kBeside);
  for (int i = 0; i < server_.keyspace.count(); i++) {
    server_.keyspace.discard(i);
    server_.keyspace.db(i).swap(beside_[size_t(i)]);
  }
  beside_.clear();
  server_.local_expiries.clear();
  if (libraries_) server_.scripts->adopt(std::move(libraries_));
}

Database& DatasetLoader::database(int db) { return beside_.empty() ? server_.keyspace.db(db) : beside_[size_t(db)]; }

Status DatasetLoader::on_aux(std::string_view name, std::string_view value) {
  const auto number = parse_integer(value);
  if (name == "redis-ver" || name == "valkey-ver") facts_.redis_version = value;
  if (name == "repl-id") facts_.replication_id = value;
  if (!number) return Status::ok();
  if (name == "ctime") facts_.created_seconds = *number;
  if (name == "used-mem") facts_.used_memory = server_.loading.rdb_used_memory = uint64_t(std::max<int64_t>(0, *number));
  if (name == "aof-base") facts_.aof_base = *number != 0;
  if (name == "repl-offset") facts_.replication_offset = *number;
  if (name == "repl-stream-db") facts_.stream_db = int(std::clamp<int64_t>(*number, -1, server_.keyspace.count() - 1));
  return Status::ok();
}

Status DatasetLoader::on_module_aux(std::string_view name) {
  log_warning("The snapshot holds data of the module {} outside of keys, which is passed over: there are no modules here", name);
  return Status::ok();
}

Status DatasetLoader::on_function(std::string_view code) {
  if (!server_.scripts) return Error("it holds a library of functions, and there are no functions here");
  const Status status = libraries_ ? libraries_->load(code) : server_.scripts->load_library(code, options_.replace);
  return status ? Status::ok() : Status(Error(fmt::format("a library of functions cannot be loaded: {}", status.error().text())));
}

Status DatasetLoader::on_select(int db) {
  if (db >= server_.keyspace.count())
    return Error(fmt::format("it has a database {}, but 'databases' allows {} only", db, server_.keyspace.count()));
  db_ = db;
  return Status::ok();
}

Status DatasetLoader::on_resize(uint64_t keys, uint64_t) {
  const uint64_t believed = options_.bytes_expected ? options_.bytes_expected / kKeyBytesMin : kKeysBelievedMax;
  database(db_).table().reserve(size_t(std::min(keys, believed)));
  return Status::ok();
}

Status DatasetLoader::on_entry(int db, Entry* entry, const RdbEntryUse& use) {
  // A dataset that stands at a point of a history is taken as it is: what has expired is deleted as always, and replicas learn of it.
  if (options_.drop_expired && facts_.replication_id.empty() && entry->expired_at(options_.now_ms)) {
    destroy_entry(entry);
    keys_expired_++;
    server_.loading.keys_expired++;
    return Status::ok();
  }
  const AccessClock& access = server_.keyspace.access;
  uint32_t used = access.for_new_entry();
  if (access.lfu && use.frequency >= 0) used = access.lfu_of(uint32_t(use.frequency));
  if (!access.lfu && use.idle_seconds >= 0) used = access.lru_at(uint32_t(std::min<int64_t>(use.idle_seconds, INT32_MAX)));
  entry->set_access(used);
  Database& content = database(db);
  const uint64_t hash = content.key_of(entry->key()).hash;
  content.table().prefetch(hash);
  pending_.push_back(Pending{entry, hash, db});
  return pending_.size() < kBatch ? Status::ok() : link_pending();
}

Status DatasetLoader::on_empty(int, std::string_view key) {
  if (keys_empty_++ < kEmptyKeysLogged) log_notice("The snapshot is skipping empty key: {}", quoted_if_needed(key.substr(0, 128)));
  return Status::ok();
}

Status DatasetLoader::link_pending() {
  for (size_t i = 0; i < pending_.size(); i++) {
    const auto [entry, hash, db] = pending_[i];
    Database& content = database(db);
    if (const auto place = content.find(Key{entry->key(), hash})) {
      if (!options_.replace) {
        const std::string key = quoted(entry->key().substr(0, 128));
        pending_.erase(pending_.begin(), pending_.begin() + long(i));
        return Error(fmt::format("the key {} of database {} is there already", key, db));
      }
      content.erase(hash, place);
    }
    content.add(hash, entry);
    keys_loaded_++;
    server_.loading.keys_loaded++;
  }
  pending_.clear();
  return Status::ok();
}

}  // namespace vedette
