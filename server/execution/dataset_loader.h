// Brings the keys of an RDB into the keyspace: at the start, in a full synchronisation, at the head of an append-only file.
//
// Bytes come as they come, in slices of the caller's size. A loader fills the keyspace itself, or databases beside it that take
// its place when all has arrived and was found good (commit). Entries are linked in batches, their table's buckets being fetched
// meanwhile.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "server/execution/script_host.h"
#include "server/snapshot/rdb_reader.h"

namespace vedette {

struct LoadOptions {
  enum class Target { kKeyspace, kBeside };
  Target target = Target::kKeyspace;
  int64_t now_ms = 0;
  bool drop_expired = true;  ///< a replica keeps them until its primary says so; so does an append-only file
  bool replace = false;      ///< a key that is there is replaced; else it is an error
  bool verify_checksum = true;
  uint64_t bytes_expected = 0;  ///< size of the whole, which bounds what its hints are believed; 0: unknown
};

/// What an RDB told of itself.
struct LoadedFacts {
  std::string redis_version;
  int64_t created_seconds = 0;
  uint64_t used_memory = 0;
  bool aof_base = false;
  // Where the dataset stands in the history of its replication, if it was told.
  std::string replication_id;
  int64_t replication_offset = -1;
  int stream_db = -1;
};

class DatasetLoader final : private RdbHandler {
 public:
  DatasetLoader(ServerState& server, const LoadOptions& options);
  ~DatasetLoader() override;

  /// Takes all of `bytes`; the error names the place. After one, nothing more is taken.
  Status feed(std::string_view bytes);
  /// All bytes have come: an error unless the RDB is complete.
  Status finish();
  /// The end of the RDB was read; `unread_tail()` bytes of the last feed() lie after it.
  bool finished() const { return reader_.finished(); }
  size_t unread_tail() const { return reader_.unread_tail(); }
  uint64_t offset() const { return reader_.offset(); }

  /// With kBeside, after a finish() that went well: puts the databases in the place of the keyspace's, which are
  /// discarded. Clients' watched keys and the like are the caller's to see to.
  void commit();

  uint64_t keys_loaded() const { return keys_loaded_; }
  uint64_t keys_expired() const { return keys_expired_; }
  uint64_t keys_empty() const { return keys_empty_; }
  const LoadedFacts& facts() const { return facts_; }

 private:
  struct Pending {
    Entry* entry;
    uint64_t hash;
    int db;
  };
  static constexpr size_t kBatch = 32;

  Status on_aux(std::string_view name, std::string_view value) override;
  Status on_module_aux(std::string_view name) override;
  Status on_function(std::string_view code) override;
  Status on_select(int db) override;
  Status on_resize(uint64_t keys, uint64_t expires) override;
  Status on_entry(int db, Entry* entry, const RdbEntryUse& use) override;
  Status on_empty(int db, std::string_view key) override;
  Status link_pending();
  Database& database(int db);

  ServerState& server_;
  LoadOptions options_;
  RdbReader reader_;
  std::vector<Database> beside_;
  std::unique_ptr<ScriptLibraries> libraries_;  // beside those in use
  std::vector<Pending> pending_;
  LoadedFacts facts_;
  int db_ = 0;
  uint64_t keys_loaded_ = 0, keys_expired_ = 0, keys_empty_ = 0;
};

}  // namespace vedette
