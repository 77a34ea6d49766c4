// Snapshots, the append-only file.
#include <limits>

#include "server/app/option_grammars.h"

namespace vedette {

namespace {

constexpr int kIntMin = std::numeric_limits<int>::min();
constexpr int kIntMax = std::numeric_limits<int>::max();
constexpr int64_t kLongMax = std::numeric_limits<int64_t>::max();

}  // namespace

OptionGroup snapshot_options(PersistenceOptions& o) {
  OptionGroup group{"Snapshots", {}};
  auto& rows = group.options;
  const auto toggle = [&](std::string_view name, bool& value, std::string_view doc, uint32_t flags = 0) {
    rows.push_back(bool_option({.name = name, .flags = flags, .doc = doc}, value));
  };
  rows.push_back(save_option(
      {.name = "save",
       .doc = "Save points: write a snapshot after so many seconds if there were so many changes. By default a busy server loses a minute "
              "in a crash, a quiet one an hour."},
      o.save));
  toggle("stop-writes-on-bgsave-error", o.stop_writes_on_bgsave_error, "Refuse writes while snapshots fail, so that somebody notices.");
  toggle("rdbcompression", o.rdbcompression, "Compress long strings in snapshots: less disk for a little time.");
  toggle("rdbchecksum", o.rdbchecksum, "End a snapshot with a checksum, and check it when loading.", kOptionImmutable);
  rows.push_back(
      string_option({.name = "dbfilename", .flags = kOptionProtected | kOptionNotWhileLoading, .doc = "Name of the snapshot, in dir."},
                    o.dbfilename, check_dbfilename));
  rows.push_back(bool_option(
      {.name = "rdb-del-sync-files",
       .doc = "Remove files that a synchronisation left where snapshots and the append-only file are off, so that no data stays on the "
              "disk. A replica that is started again then has nothing to go on from."},
      o.rdb_del_sync_files));
  toggle("rdb-save-incremental-fsync", o.rdb_save_incremental_fsync,
         "Bring a snapshot to the disk piece by piece while it is written, which avoids a stall at the end.");
  rows.push_back(enum_option({.name = "sanitize-dump-payload",
                              .flags = kOptionNoEffect,
                              .doc = "Check every encoded value in full when loading (yes), or only what clients RESTORE (clients).",
                              .note = "every encoded value is checked in full whenever it is read"},
                             o.sanitize_dump_payload,
                             {{"no", SanitizePayload::kNo}, {"yes", SanitizePayload::kYes}, {"clients", SanitizePayload::kClients}}));
  rows.push_back(integer_option({.name = "rdb-key-save-delay",
                                 .flags = kOptionHidden,
                                 .unit = "microseconds",
                                 .doc = "For tests: the pause after each key saved; -n is a microsecond every n keys."},
                                o.rdb_key_save_delay_microseconds, kIntMin, kIntMax));
  rows.push_back(integer_option({.name = "key-load-delay",
                                 .flags = kOptionHidden,
                                 .unit = "microseconds",
                                 .doc = "For tests: the pause after each key loaded; -n is a microsecond every n keys."},
                                o.key_load_delay_microseconds, kIntMin, kIntMax));
  rows.push_back(integer_option({.name = "loading-process-events-interval-bytes",
                                 .flags = kOptionHidden,
                                 .unit = "bytes",
                                 .doc = "Clients are looked after between pieces of this size while loading, and more often."},
                                o.loading_process_events_interval_bytes, 1024, kIntMax));
  return group;
}

OptionGroup append_log_options(PersistenceOptions& o) {
  OptionGroup group{"Append-only file", {}};
  auto& rows = group.options;
  const auto toggle = [&](std::string_view name, bool& value, std::string_view doc, uint32_t flags = 0) {
    rows.push_back(bool_option({.name = name, .flags = flags, .doc = doc}, value));
  };
  toggle("appendonly", o.appendonly, "Log every change to a file, so that a crash loses a second at most.", kOptionNotWhileLoading);
  rows.push_back(string_option({.name = "appendfilename", .flags = kOptionImmutable, .doc = "First part of the names of the files."},
                               o.appendfilename, check_appendfilename));
  rows.push_back(string_option({.name = "appenddirname", .flags = kOptionImmutable, .doc = "Folder of the files, in dir."}, o.appenddirname,
                               check_appenddirname));
  rows.push_back(enum_option(
      {.name = "appendfsync",
       .doc = "When the file reaches the disk: each second, before each reply (always), or when the kernel likes (no). Each second is "
              "nearly as fast as no, and nearly as safe as always."},
      o.appendfsync, {{"everysec", AppendFsync::kEverySecond}, {"always", AppendFsync::kAlways}, {"no", AppendFsync::kNo}}));
  toggle("no-appendfsync-on-rewrite", o.no_appendfsync_on_rewrite, "Do not wait for the disk while a snapshot or rewrite keeps it busy.");
  rows.push_back(integer_option(
      {.name = "auto-aof-rewrite-percentage", .unit = "percent", .doc = "Growth over the last rewrite that starts the next; 0 never."},
      o.auto_aof_rewrite_percentage, 0, kIntMax));
  rows.push_back(bytes_option({.name = "auto-aof-rewrite-min-size", .doc = "Size below which growth starts no rewrite."},
                              o.auto_aof_rewrite_min_size, 0, uint64_t(kLongMax)));
  toggle("aof-load-truncated", o.aof_load_truncated, "Start from a file whose end is torn, as a crash leaves it, and say so in the log.");
  toggle("aof-use-rdb-preamble", o.aof_use_rdb_preamble, "Begin a rewritten file with a snapshot: smaller, and fast to load.");
  toggle("aof-timestamp-enabled", o.aof_timestamp_enabled, "Note the time in the file, so that it can be cut at a moment.");
  toggle("aof-rewrite-incremental-fsync", o.aof_rewrite_incremental_fsync, "Bring a rewritten file to the disk piece by piece.");
  toggle("aof-disable-auto-gc", o.aof_disable_auto_gc, "Keep files that a rewrite has replaced.", kOptionHidden);
  return group;
}

}  // namespace vedette
