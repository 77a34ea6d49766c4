// A dozen rows written like real ones, of every way in which keys stand among arguments; the tests compare
// what derives from them with what clients have always been told about the commands of these names.
#pragma once

#include "common/command/table.h"

namespace vedette::sample {

struct Context {};
using Row = CommandRow<int, Context>;

inline constexpr uint16_t kReads = kKeyRO | kKeyAccess;
inline constexpr KeySpec noted(KeySpec spec, std::string_view notes) {
  spec.notes = notes;
  return spec;
}
inline constexpr KeySpec unknown(unsigned flags, std::string_view notes) {
  KeySpec spec;
  spec.begin = KeySpec::Begin::kUnknown;
  spec.find = KeySpec::Find::kUnknown;
  spec.flags = uint16_t(flags);
  spec.notes = notes;
  return spec;
}

// clang-format off
inline constexpr Row kRows[] = {
    {{.name = "GET",
      .usage = "key",
      .arity = 2,
      .flags = kReadOnly | kFast,
      .keys = {key_at(1, kReads)},
      .category = "string",
      .since = "1.0.0",
      .complexity = "O(1)",
      .summary = "Read a string."}},
    {{.name = "SET",
      .usage = "key value [NX | XX] [GET] [EX seconds | PX milliseconds | EXAT unix-time-seconds | KEEPTTL]",
      .arity = -3,
      .flags = kWrite | kDenyOom,
      .keys = {noted(key_at(1, kKeyRW | kKeyAccess | kKeyUpdate | kKeyVariableFlags), "GET reads")},
      .category = "string",
      .since = "1.0.0",
      .complexity = "O(1)",
      .summary = "Write a string.",
      .history = "2.6.12|EX, PX, NX, XX.\n6.2.0|GET and EXAT."}},
    {{.name = "GETSET",
      .usage = "key value",
      .arity = 3,
      .flags = kWrite | kDenyOom | kFast,
      .keys = {key_at(1, kKeyRW | kKeyAccess | kKeyUpdate)},
      .category = "string",
      .since = "1.0.0",
      .complexity = "O(1)",
      .summary = "Swap a string.",
      .deprecated = "6.2.0|SET with GET"}},
    {{.name = "MSET",
      .usage = "key value [key value ...]",
      .arity = -3,
      .flags = kWrite | kDenyOom,
      .keys = {keys_at(1, -1, 2, kKeyOW | kKeyUpdate)},
      .category = "string",
      .since = "1.0.1",
      .complexity = "O(N)",
      .summary = "Write strings.",
      .tips = "request_policy:multi_shard,response_policy:all_succeeded"}},
    {{.name = "DEL",
      .usage = "key [key ...]",
      .arity = -2,
      .flags = kWrite,
      .keys = {keys_at(1, -1, 1, kKeyRM | kKeyDelete)},
      .category = "generic",
      .since = "1.0.0",
      .complexity = "O(N)",
      .summary = "Remove keys.",
      .tips = "request_policy:multi_shard,response_policy:agg_sum"}},
    {{.name = "SORT",
      .usage = "key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] [ALPHA] "
               "[STORE destination]",
      .arity = -2,
      .flags = kWrite | kDenyOom,
      .keys = {key_at(1, kReads), unknown(kReads, "BY and GET"), unknown(kKeyOW | kKeyUpdate, "STORE")},
      .category = "generic",
      .acl = "-keyspace set sortedset list dangerous",
      .since = "1.0.0",
      .complexity = "O(N)",
      .summary = "Sort elements."}},
    {{.name = "EVAL",
      .usage = "script numkeys [key [key ...]] [arg [arg ...]]",
      .arity = -3,
      .flags = kNoScript | kStale | kSkipMonitor | kMayReplicate | kNoMandatoryKeys,
      .keys = {keys_counted_at(2, 1, kKeyRW | kKeyAccess | kKeyUpdate)},
      .category = "scripting",
      .since = "2.6.0",
      .complexity = "Depends.",
      .summary = "Run a script."}},
    {{.name = "ZUNIONSTORE",
      .usage = "destination numkeys key [key ...] [WEIGHTS weight [weight ...]]",
      .arity = -4,
      .flags = kWrite | kDenyOom,
      .keys = {key_at(1, kKeyOW | kKeyUpdate), keys_counted_at(2, 1, kReads)},
      .category = "sorted-set",
      .since = "2.0.0",
      .complexity = "O(N)",
      .summary = "Store a union."}},
    {{.name = "CONFIG|GET",
      .usage = "parameter [parameter ...]",
      .arity = -3,
      .flags = kAdmin | kNoScript | kLoading | kStale,
      .category = "server",
      .since = "2.0.0",
      .complexity = "O(N)",
      .summary = "Tell the values of the parameters whose names match; a long enough summary is broken into "
                 "lines."}},
    {{.name = "CONFIG|HELP",
      .arity = 2,
      .flags = kLoading | kStale,
      .category = "server",
      .since = "5.0.0",
      .complexity = "O(1)",
      .summary = "List the subcommands."}},
    {{.name = "CLIENT|KILL",
      .usage = "<ip:port | <ID client-id | TYPE <NORMAL | PUBSUB> | SKIPME yes/no> "
               "[<ID client-id | TYPE <NORMAL | PUBSUB> | SKIPME yes/no> ...]>",
      .arity = -3,
      .flags = kAdmin | kNoScript | kLoading | kStale,
      .category = "connection",
      .since = "2.4.0",
      .complexity = "O(N)",
      .summary = "Close connections."}},
    {{.name = "OBJECT|ENCODING",
      .usage = "key",
      .arity = 3,
      .flags = kReadOnly,
      .keys = {key_at(2, kKeyRO)},
      .category = "generic",
      .since = "2.2.3",
      .complexity = "O(1)",
      .summary = "Name the encoding.",
      .tips = "nondeterministic_output"}},
    {{.name = "XREAD",
      .usage = "[COUNT count] [BLOCK milliseconds] STREAMS key [key ...] id [id ...]",
      .arity = -4,
      .flags = kReadOnly | kBlocking,
      .keys = {keys_after("STREAMS", 1, -1, 1, 2, kReads)},
      .category = "stream",
      .since = "5.0.0",
      .complexity = "O(N)",
      .summary = "Read streams."}},
    {{.name = "MIGRATE",
      .usage =
          "host port <key | \"\"> destination-db timeout [COPY] [AUTH password | AUTH2 username password] "
          "[KEYS key [key ...]]",
      .arity = -6,
      .flags = kWrite,
      .keys = {key_at(3, kKeyRW | kKeyAccess | kKeyDelete),
               keys_after("KEYS", -2, -1, 1, 0, kKeyRW | kKeyAccess | kKeyDelete | kKeyIncomplete)},
      .category = "generic",
      .acl = "dangerous",
      .since = "2.6.0",
      .complexity = "O(N)",
      .summary = "Move keys.",
      .tips = "nondeterministic_output"}},
    {{.name = "WAIT",
      .usage = "numreplicas timeout",
      .arity = 3,
      .flags = kNoScript,
      .category = "generic",
      .acl = "-keyspace connection",
      .since = "3.0.0",
      .complexity = "O(1)",
      .summary = "Wait for replicas.",
      .tips = "request_policy:all_shards,response_policy:agg_min"}},
    {{.name = "SSUBSCRIBE",
      .usage = "shardchannel [shardchannel ...]",
      .arity = -2,
      .flags = kPubSub | kNoScript | kLoading | kStale,
      .keys = {keys_at(1, -1, 1, kKeyNotKey)},
      .category = "pubsub",
      .since = "7.0.0",
      .complexity = "O(N)",
      .summary = "Listen to shard channels."}},
};
// clang-format on
static_assert(all_consistent(kRows));

inline CommandTable<int, Context> table() {
  CommandTable<int, Context> table;
  table.add(kRows);
  return table;
}

/// "set k v" -> its words, which view `line`.
inline std::vector<std::string_view> words(std::string_view line) {
  std::vector<std::string_view> list;
  while (!line.empty()) {
    const size_t end = std::min(line.find(' '), line.size());
    list.push_back(line.substr(0, end) == "''" ? std::string_view() : line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return list;
}

}  // namespace vedette::sample
