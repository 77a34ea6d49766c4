// DEBUG: looks inside and small interventions for tests. One command with a table of its own: clients know it as a
// command without subcommands. Allowed by enable-debug-command only (the executor asks).
#include <fmt/format.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/numbers.h"
#include "common/config/registry.h"
#include "server/commands/families.h"
#include "server/execution/append_log.h"
#include "server/execution/context.h"
#include "server/execution/persistence.h"
#include "server/execution/replication.h"
#include "server/execution/script_host.h"
#include "server/snapshot/value_forms.h"
#include "server/store/digest.h"
#include "server/store/hash_value.h"
#include "server/store/list_value.h"
#include "server/store/set_value.h"
#include "server/store/sorted_set_value.h"
#include "server/store/value_kind.h"

namespace vedette {
namespace {

constexpr size_t kFirst = 2;  // index of the subcommand's first argument

Status reply_ok(CommandContext& ctx) {
  ctx.reply().ok();
  return Status::ok();
}

// Whether its time has come or not: nothing is looked at that way.
Result<const Entry*> existing(CommandContext& ctx) {
  if (const Database::Place place = ctx.db().find(ctx.key(kFirst))) return static_cast<const Entry*>(place.item());
  return errors::no_such_key();
}

bool is_on(std::string_view text) { return parse_integer(text).value_or(0) != 0; }

Status digest(CommandContext& ctx) {
  ctx.reply().status(to_hex(dataset_digest(ctx.server.keyspace)));
  return Status::ok();
}

Status digest_value(CommandContext& ctx) {
  ctx.reply().array(ctx.argc() - kFirst);
  for (size_t i = kFirst; i < ctx.argc(); i++) {
    const Entry* entry = ctx.peek(ctx.key(i));
    ctx.reply().status(to_hex(entry ? value_digest(*entry) : Sha1Digest{}));
  }
  return Status::ok();
}

Status error(CommandContext& ctx) { return Error(std::string(ctx.arg(kFirst))); }

// A slot is a bucket, and a chain what lies in one: up to eight items are one line of memory.
template <class Table>
std::string table_figures(const Table& table) {
  std::array<uint64_t, 33> lengths{};
  table.chain_lengths(lengths);
  uint64_t buckets = 0;
  size_t longest = 0;
  for (size_t i = 0; i < lengths.size(); i++) {
    buckets += lengths[i];
    if (lengths[i]) longest = i;
  }
  const uint64_t filled = buckets - lengths[0];
  std::string text = fmt::format(
      "Hash table 0 stats (main hash table):\n table size: {} buckets\n number of elements: {}\n different slots: {}\n"
      " max chain length: {}{}\n avg chain length (counted): {:.2f}\n bytes: {}\n resizing: {}\n Chain length distribution:\n",
      table.bucket_count(), table.size(), filled, longest, longest + 1 == lengths.size() ? " or more" : "",
      filled ? double(table.size()) / double(filled) : 0.0, table.memory_bytes(), table.resizing() ? "yes" : "no");
  for (size_t i = 0; i < lengths.size(); i++)
    if (lengths[i])
      text += fmt::format("   {}{}: {} ({:.2f}%)\n", i + 1 == lengths.size() ? ">= " : "", i, lengths[i],
                          double(lengths[i]) * 100 / double(buckets));
  return text;
}

// DEBUG HTSTATS dbid [full]. Figures of a database's table; `full` asks for what is told anyway.
Status hash_table_stats(CommandContext& ctx) {
  if (ctx.argc() > kFirst + 1 && !equals_ignoring_case(ctx.arg(kFirst + 1), "full")) return errors::syntax();
  const auto index = parse_integer(ctx.arg(kFirst));
  if (!index) return errors::not_an_integer();
  if (*index < 0 || *index >= ctx.server.keyspace.count()) return failure("Out of range database");
  const Database& db = ctx.server.keyspace.db(int(*index));
  std::string text = "[Dictionary HT]\n";
  if (db.size()) text += table_figures(db.table());
  else text += "No stats available for empty dictionaries\n";
  text += fmt::format("[Expires HT]\nExpiries are kept in the entries: {}\n", db.expires());
  ctx.reply().verbatim("txt", text);
  return Status::ok();
}

Status append_log_sleep(CommandContext& ctx) {
  const auto us = parse_integer(ctx.arg(kFirst));
  if (!us || *us < 0) return failure("value is out of range, must be positive");
  if (!ctx.server.append_log) return failure("this server has no append-only file");
  ctx.server.append_log->sleep_before_writes(*us);
  return reply_ok(ctx);
}

// DEBUG HTSTATS-KEY key [full]. The same of a value that is held as a table.
Status hash_table_stats_of_key(CommandContext& ctx) {
  if (ctx.argc() > kFirst + 1 && !equals_ignoring_case(ctx.arg(kFirst + 1), "full")) return errors::syntax();
  const auto found = existing(ctx);
  if (!found) return found.error();
  const Entry& entry = **found;
  std::string text;
  if (entry.is_large() && entry.type() == ValueType::kSet) text = table_figures(member_table(entry).table());
  if (entry.is_large() && entry.type() == ValueType::kHash) text = table_figures(entry.pointer<const HashValue>()->table());
  if (entry.is_large() && entry.type() == ValueType::kSortedSet) text = table_figures(entry.pointer<const SortedSet>()->table());
  if (text.empty()) return failure("The value stored at the specified key is not represented using an hash table");
  ctx.reply().verbatim("txt", text);
  return Status::ok();
}

Status load_append_log(CommandContext& ctx) {
  if (ctx.session.has(kScript)) return failure("DEBUG LOADAOF cannot be called by a script");
  if (!ctx.server.append_log) return failure("this server has no append-only file");
  if (Status status = ctx.server.append_log->reload(ctx.executor(), ctx.now()); !status) return status;
  return reply_ok(ctx);
}

Status change_replication_id(CommandContext& ctx) {
  if (!ctx.server.replication) return failure("this server was started without replication");
  log_notice("Changing the replication ID after a request of DEBUG");
  ctx.server.replication->change_id();
  return reply_ok(ctx);
}

Status log(CommandContext& ctx) {
  log_warning("DEBUG LOG: {}", ctx.arg(kFirst));
  return reply_ok(ctx);
}

// The bytes of a value in a snapshot, before compression. Of a string: small integers in 2 to 5 bytes, else a length and the bytes.
size_t serialized_size(const Entry& entry) {
  if (entry.type() != ValueType::kString) {
    BlockLog log;
    ValueProgress progress;
    while (!write_value_slice(entry, log, {.compress = false}, progress, SIZE_MAX)) {}
    return log.size();
  }
  if (const auto number = string_integer(entry)) {
    if (*number >= INT8_MIN && *number <= INT8_MAX) return 2;
    if (*number >= INT16_MIN && *number <= INT16_MAX) return 3;
    if (*number >= INT32_MIN && *number <= INT32_MAX) return 5;
  }
  const size_t size = string_size(entry);
  return size + (size < 64 ? 1 : size < 16384 ? 2 : size <= UINT32_MAX ? 5 : 9);
}

// What follows of a list that is large: its nodes, in the words that tests of this protocol look for.
std::string list_figures(const Entry& entry, int node_size) {
  if (entry.type() != ValueType::kList || !entry.is_large()) return {};
  const auto& chain = *entry.pointer<ListpackChain>();
  size_t bytes = 0;
  for (const ListpackChain::Node* node = chain.front_node(); node; node = node->next()) bytes += node->bytes().size();
  return fmt::format(" ql_nodes:{} ql_avg_node:{:.2f} ql_listpack_max:{} ql_compressed:0 ql_uncompressed_size:{}", chain.node_count(),
                     double(chain.size()) / double(chain.node_count()), node_size, bytes);
}

// Whether its time has come does not matter: this looks at what is held.
Status object(CommandContext& ctx) {
  const auto place = ctx.server.keyspace.db(ctx.session.db).find(ctx.key(kFirst));
  if (!place) return errors::no_such_key();
  const Entry& entry = *place.item();
  const AccessClock& access = ctx.server.keyspace.access;
  ctx.reply().status(fmt::format("Value at:{} refcount:1 encoding:{} serializedlength:{} lru:{} lru_seconds_idle:{}{}", fmt::ptr(&entry),
                                 kind_of(entry).encoding_name(entry), serialized_size(entry), entry.access(),
                                 access.lfu ? 0 : access.idle_seconds(entry),
                                 list_figures(entry, ctx.server.keyspace.packing.list_node_size)));
  return Status::ok();
}

Status out_of_memory(CommandContext&) {
  void* block = allocate(SIZE_MAX / 2);
  release(block, SIZE_MAX / 2);
  return Status::ok();
}

Status end_in_panic(CommandContext&) { panic("asked for by DEBUG PANIC", __FILE__, __LINE__); }

Status assertion(CommandContext& ctx) {
  VED_ASSERT(ctx.argc() == 0);
  return Status::ok();
}

Status segfault(CommandContext& ctx) {
  std::raise(SIGSEGV);
  return reply_ok(ctx);
}

Status rewrite_all_options(CommandContext& ctx) {
  if (!ctx.server.config) return failure("this server has no configuration");
  if (Status status = ctx.server.config->rewrite(ctx.server.process.config_file, true); !status) return status;
  return reply_ok(ctx);
}

Status table_resizing(CommandContext& ctx) {
  for (int i = 0; i < ctx.server.keyspace.count(); i++) ctx.server.keyspace.db(i).table().allow_resizes(is_on(ctx.arg(kFirst)));
  return reply_ok(ctx);
}

Status allocator_control(CommandContext& ctx) {
  std::optional<int64_t> wanted;
  if (ctx.argc() > kFirst + 1) {
    const auto number = parse_integer(ctx.arg(kFirst + 1));
    if (!number) return errors::not_an_integer();
    wanted = *number;
  }
  int reason = 0;
  const auto value = allocator_number(std::string(ctx.arg(kFirst)), wanted, reason);
  if (!value) return failure(std::strerror(reason));
  ctx.reply().integer(*value);
  return Status::ok();
}

Status allocator_control_text(CommandContext& ctx) {
  int reason = 0;
  if (ctx.argc() > kFirst + 1) {
    if (!equals_ignoring_case(ctx.arg(kFirst + 1), "void")) return errors::syntax();
    if (!allocator_action(std::string(ctx.arg(kFirst)), reason)) return failure(std::strerror(reason));
    return reply_ok(ctx);
  }
  const auto text = allocator_text(std::string(ctx.arg(kFirst)), reason);
  if (!text) return failure(std::strerror(reason));
  ctx.reply().bulk(*text);
  return Status::ok();
}

Status pause_cron(CommandContext& ctx) {
  ctx.server.cron_paused = is_on(ctx.arg(kFirst));
  return reply_ok(ctx);
}

// DEBUG POPULATE count [prefix] [size]. Adds `prefix`:0 ... with values value:0 ..., cut or filled with zero bytes to
// `size`; keys that are there stay as they are. Not replicated.
Status populate(CommandContext& ctx) {
  const auto count = parse_integer(ctx.arg(kFirst));
  const auto size = parse_integer(ctx.argc() > kFirst + 2 ? ctx.arg(kFirst + 2) : "0");
  if (!count || *count < 0 || !size || *size < 0) return failure("value is out of range, must be positive");
  const std::string_view prefix = ctx.argc() > kFirst + 1 ? ctx.arg(kFirst + 1) : "key";
  for (int64_t i = 0; i < *count; i++) {
    const std::string name = fmt::format("{}:{}", prefix, i);
    WriteEntry entry = ctx.write(ctx.key_of(name));
    if (entry) continue;
    std::string value = fmt::format("value:{}", i);
    if (*size) value.resize(size_t(*size), '\0');
    entry.set_string(value, kNoExpiry);
    if (!ctx.server.watches.empty()) ctx.server.watches.touch(ctx.session.db, name);
  }
  return reply_ok(ctx);
}

Status protocol_push(CommandContext& ctx) {
  if (!ctx.reply().resp3()) return failure("RESP2 is not supported by this command");
  ReplyWriter before = ctx.session.out_of_band();
  before.push(2);
  before.bulk("server-cpu-usage");
  before.integer(42);
  ctx.reply().bulk("Some real reply following the push reply");
  return Status::ok();
}

// DEBUG QUICKLIST-PACKED-THRESHOLD size. Elements of lists from this size on get a node of their own; 0: only those too long for one.
Status list_threshold(CommandContext& ctx) {
  const auto bytes = parse_bytes(ctx.arg(kFirst));
  if (!bytes) return failure("argument must be a memory value");
  ctx.server.keyspace.packing.list_plain_bytes = *bytes ? size_t(*bytes) : SIZE_MAX;
  return reply_ok(ctx);
}

// DEBUG REPLICATE command [arg ...]. Tells replicas and the append-only file a command that was not run here.
Status replicate(CommandContext& ctx) {
  ctx.propagate_as(ctx.args().subspan(kFirst));
  return reply_ok(ctx);
}

// DEBUG REPLYBUFFER RESIZING 0|1 | PEAK-RESET-TIME NEVER|RESET. Whether the most output that a client held is forgotten each second.
// Nothing else here is resized by it: output is held in pieces that are given back as soon as they are sent.
Status reply_buffer(CommandContext& ctx) {
  const std::string_view value = ctx.arg(kFirst + 1);
  if (equals_ignoring_case(ctx.arg(kFirst), "RESIZING")) ctx.server.keep_output_peaks = !is_on(value);
  else if (equals_ignoring_case(ctx.arg(kFirst), "PEAK-RESET-TIME") && equals_ignoring_case(value, "NEVER"))
    ctx.server.keep_output_peaks = true;
  else if (equals_ignoring_case(ctx.arg(kFirst), "PEAK-RESET-TIME") && equals_ignoring_case(value, "RESET"))
    ctx.server.keep_output_peaks = false;
  else return errors::syntax();
  return reply_ok(ctx);
}

// DEBUG RELOAD [NOSAVE] [NOFLUSH] [MERGE]. Saves, empties the databases and loads them again; with MERGE, what is in the file
// takes the place of what is there. Not replicated.
Status reload(CommandContext& ctx) {
  Persistence::Reload how;
  for (size_t i = kFirst; i < ctx.argc(); i++) {
    if (equals_ignoring_case(ctx.arg(i), "NOSAVE")) how.save = false;
    else if (equals_ignoring_case(ctx.arg(i), "NOFLUSH")) how.flush = false;
    else if (equals_ignoring_case(ctx.arg(i), "MERGE")) how.merge = true;
    else return failure("DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.");
  }
  if (!ctx.server.persistence || (ctx.server.conditions() & kLoadingDataset)) return failure("there is no snapshot to reload now");
  if (ctx.session.has(kScript)) return failure("DEBUG RELOAD cannot be called by a script");
  if (Status status = ctx.server.persistence->reload(ctx.now(), how); !status) {
    log_warning("DEBUG RELOAD: {}", status.error().text());
    return failure("Error trying to load the RDB dump, check server logs");
  }
  log_warning("DB reloaded by DEBUG RELOAD");
  return reply_ok(ctx);
}

// DEBUG PROTOCOL type. A value of each type that the protocol has.
Status protocol(CommandContext& ctx) {
  ReplyWriter& reply = ctx.reply();
  const std::string type = to_lower(ctx.arg(kFirst));
  if (type == "string") reply.bulk("Hello World");
  else if (type == "integer") reply.integer(12345);
  else if (type == "double") reply.real(3.141);
  else if (type == "null") reply.null();
  else if (type == "bignum") reply.big_number("1234567999999999999999999999999999999");
  else if (type == "true" || type == "false") reply.boolean(type == "true");
  else if (type == "verbatim") reply.verbatim("txt", "This is a verbatim\nstring");
  else if (type == "push") return protocol_push(ctx);
  else if (type == "array" || type == "set") {
    type == "array" ? reply.array(3) : reply.set(3);
    for (int i = 0; i < 3; i++) reply.integer(i);
  } else if (type == "map") {
    reply.map(3);
    for (int i = 0; i < 3; i++) reply.integer(i), reply.boolean(i == 1);
  } else if (type == "attrib") {
    if (reply.resp3()) reply.out().append("|1\r\n$14\r\nkey-popularity\r\n*2\r\n$7\r\nkey:123\r\n:90\r\n");
    reply.bulk("Some real reply following the attribute");
  } else {
    return failure(
        "Wrong protocol type name. Please use one of the following: "
        "string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false");
  }
  return Status::ok();
}

Status string_lengths(CommandContext& ctx) {
  const auto entry = existing(ctx);
  if (!entry) return entry.error();
  const Entry& held = **entry;
  if (held.type() != ValueType::kString || held.encoding() == Encoding::kInteger) return failure("Not an sds encoded string.");
  const size_t size = string_size(held);
  const bool external = held.encoding() == Encoding::kExternal;
  const size_t room = external ? held.pointer<StringBuffer>()->capacity : held.inline_capacity();
  ctx.reply().status(fmt::format("key_sds_len:{}, key_sds_avail:0, key_zmalloc: {}, val_sds_len:{}, val_sds_avail:{}, val_zmalloc: {}",
                                 held.key_size(), held.memory_bytes(), size, room - size, external ? sizeof(StringBuffer) + room : 0));
  return Status::ok();
}

Status set_active_expire(CommandContext& ctx) {
  ctx.server.active_expire = is_on(ctx.arg(kFirst));
  return reply_ok(ctx);
}

Status set_disable_deny_scripts(CommandContext& ctx) {
  if (ctx.server.scripts) ctx.server.scripts->allows_all = is_on(ctx.arg(kFirst));
  return reply_ok(ctx);
}

Status set_skip_checksum_validation(CommandContext& ctx) {
  ctx.server.verify_checksums = !is_on(ctx.arg(kFirst));
  return reply_ok(ctx);
}

Status sleep(CommandContext& ctx) {
  const double seconds = parse_double(ctx.arg(kFirst)).value_or(0);
  VED_ASSERT(ctx.server.actions);
  if (seconds > 0) ctx.server.actions->sleep_us(int64_t(std::min(seconds, 1e9) * 1e6));
  return reply_ok(ctx);
}

Status match_length(CommandContext& ctx) {
  const auto size = parse_integer(ctx.arg(kFirst));
  constexpr int64_t kSizeMax = 512 << 20;
  if (!size || *size < 0 || *size > kSizeMax) return failure("value is out of range, must be positive");
  ctx.reply().integer(glob_match(ctx.arg(kFirst + 1), std::string(size_t(*size), 'a')));
  return Status::ok();
}

Status structure_sizes(CommandContext& ctx) {
  ctx.reply().status(fmt::format("bits:{} entry:{} stringbuffer:{} slot:8 session:{} outputchunk:{}", sizeof(void*) * 8, sizeof(Entry),
                                 sizeof(StringBuffer), sizeof(Session), sizeof(OutputChunk)));
  return Status::ok();
}

struct Subcommand {
  std::string_view name, usage, help;
  size_t arguments_min, arguments_max;
  Status (*run)(CommandContext&);
};
constexpr size_t kAnyNumber = SIZE_MAX;
// clang-format off
constexpr Subcommand kSubcommands[] = {
    {"AOF-FLUSH-SLEEP", "<microseconds>", "Waits before each write to the append-only file; 0 ends that.", 1, 1, append_log_sleep},
    {"ASSERT", "", "Fails an assertion: the process ends.", 0, 0, assertion},
    {"CHANGE-REPL-ID", "", "Gives this server a new replication id.", 0, 0, change_replication_id},
    {"CONFIG-REWRITE-FORCE-ALL", "", "Rewrites the configuration file with every option in it.", 0, 0, rewrite_all_options},
    {"DICT-RESIZING", "<0|1>", "Keeps the databases' tables from starting to resize, or lets them again.", 1, 1, table_resizing},
    {"DIGEST", "", "Returns a signature of the whole dataset.", 0, 0, digest},
    {"DIGEST-VALUE", "<key> [<key> ...]", "Returns a signature of each key's value.", 0, kAnyNumber, digest_value},
    {"ERROR", "<text>", "Replies with this text as an error.", 1, 1, error},
    {"HTSTATS", "<dbid> [full]", "Returns figures of a database's table.", 1, 2, hash_table_stats},
    {"HTSTATS-KEY", "<key> [full]", "Returns figures of the table that a value is held as.", 1, 2, hash_table_stats_of_key},
    {"LOADAOF", "", "Writes out what was logged, empties the dataset and loads it from the append-only file.", 0, 0, load_append_log},
    {"LOG", "<message>", "Writes a message to the log.", 1, 1, log},
    {"MALLCTL", "<key> [<val>]", "Reads a number of the allocator's, or sets it.", 1, 2, allocator_control},
    {"MALLCTL-STR", "<key> [VOID]", "Reads a text of the allocator's, or has it do what a control without a value stands for.", 1, 2, allocator_control_text},
    {"OBJECT", "<key>", "Shows how the value of a key is stored.", 1, 1, object},
    {"OOM", "", "Runs out of memory: the process ends.", 0, 0, out_of_memory},
    {"PANIC", "", "Ends the process as an internal error does.", 0, 0, end_in_panic},
    {"PAUSE-CRON", "<0|1>", "Stops or resumes periodic work.", 1, 1, pause_cron},
    {"POPULATE", "<count> [<prefix>] [<size>]", "Adds keys named key:<number> (or by the prefix) with values of a size.", 1, 3, populate},
    {"PROTOCOL", "<type>", "Replies with a value of a type: string, integer, double, bignum, null, array, set, map, attrib, push, verbatim, true, false.", 1, 1, protocol},
    {"QUICKLIST-PACKED-THRESHOLD", "<size>", "Gives elements of lists from this size on a node of their own; 0 ends that.", 1, 1, list_threshold},
    {"RELOAD", "[NOSAVE] [NOFLUSH] [MERGE]", "Saves the dataset, empties the databases and loads it again.", 0, 3, reload},
    {"REPLICATE", "<command> [<arg> ...]", "Tells replicas and the append-only file a command without running it.", 1, kAnyNumber, replicate},
    {"REPLYBUFFER", "RESIZING <0|1> | PEAK-RESET-TIME <NEVER|RESET>", "Stops or resumes forgetting the most output that each client held.", 2, 2, reply_buffer},
    {"SDSLEN", "<key>", "Shows lengths and room of a key and its string.", 1, 1, string_lengths},
    {"SEGFAULT", "", "Ends the process by SIGSEGV.", 0, 0, segfault},
    {"SET-ACTIVE-EXPIRE", "<0|1>", "Switches the sweep for expired keys off or on.", 1, 1, set_active_expire},
    {"SET-DISABLE-DENY-SCRIPTS", "<0|1>", "Lets scripts call commands that are not for them, or ends that.", 1, 1, set_disable_deny_scripts},
    {"SET-SKIP-CHECKSUM-VALIDATION", "<0|1>", "Stops or starts the checking of checksums in payloads and snapshots.", 1, 1, set_skip_checksum_validation},
    {"SLEEP", "<seconds>", "Stops the whole server for a time; decimals are allowed.", 1, 1, sleep},
    {"STRINGMATCH-LEN", "<length> <pattern>", "Matches a pattern against a text of that many letters a.", 2, 2, match_length},
    {"STRUCTSIZE", "", "Returns the sizes of the main structures.", 0, 0, structure_sizes},
};
// clang-format on

Status help(CommandContext& ctx) {
  ctx.reply().array(2 * std::size(kSubcommands) + 3);
  ctx.reply().status("DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
  for (const Subcommand& sub : kSubcommands) {
    ctx.reply().status(sub.usage.empty() ? std::string(sub.name) : fmt::format("{} {}", sub.name, sub.usage));
    ctx.reply().status(fmt::format("    {}", sub.help));
  }
  ctx.reply().status("HELP");
  ctx.reply().status("    Prints this help.");
  return Status::ok();
}

Status debug(CommandContext& ctx) {
  const size_t arguments = ctx.argc() - kFirst;
  if (arguments == 0 && equals_ignoring_case(ctx.arg(1), "HELP")) return help(ctx);
  for (const Subcommand& sub : kSubcommands)
    if (equals_ignoring_case(sub.name, ctx.arg(1)) && arguments >= sub.arguments_min && arguments <= sub.arguments_max) return sub.run(ctx);
  return failure(fmt::format("unknown subcommand or wrong number of arguments for '{:.128}'. Try DEBUG HELP.", ctx.arg(1)));
}

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "DEBUG", .usage = "subcommand [arg [arg ...]]", .arity = -2,
      .flags = kAdmin | kNoScript | kLoading | kStale | kProtected, .category = "server", .since = "1.0.0",
      .complexity = "Depends on subcommand.", .summary = "Looks inside the server and intervenes, for tests."}, debug},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> debug_commands() { return kCommands; }

}  // namespace vedette
