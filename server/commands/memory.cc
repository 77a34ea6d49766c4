// MEMORY: where the memory is.
#include <fmt/format.h>

#include "common/base/numbers.h"
#include "common/command/arg_reader.h"
#include "server/commands/families.h"
#include "server/execution/context.h"
#include "server/execution/memory_report.h"

namespace vedette {
namespace {

// MEMORY USAGE key [SAMPLES count]. Replies: bytes of the key, its value and its place in the table; null without a key.
Status usage(CommandContext& ctx) {
  ArgReader args(ctx.args(), 3);
  while (args.more()) {
    if (args.token_with("SAMPLES")) args.integer_or("ERR syntax error", 0);
    else args.fail_syntax();
  }
  if (!args.is_ok()) return args.status();
  const Entry* entry = ctx.peek(ctx.key(2));
  if (!entry) return ctx.reply().null(), Status::ok();
  constexpr size_t kSlotBytes = 8;
  ctx.reply().integer(int64_t(entry_memory_bytes(*entry) + kSlotBytes));
  return Status::ok();
}

class StatsReply {
 public:
  explicit StatsReply(ReplyWriter& reply) : reply_(reply), start_(reply.start_deferred()) {}
  void integer(std::string_view name, uint64_t value) {
    key(name);
    reply_.integer(int64_t(value));
  }
  void real(std::string_view name, double value) {
    key(name);
    reply_.real(value);
  }
  void database(const MemoryReport::DatabaseOverhead& db) {
    key(fmt::format("db.{}", db.index));
    reply_.map(3);
    reply_.bulk("overhead.hashtable.main");
    reply_.integer(int64_t(db.table_bytes));
    // Expiries stand in the entries, and there are no slots.
    for (const std::string_view name : {"overhead.hashtable.expires", "overhead.hashtable.slot-to-keys"}) {
      reply_.bulk(name);
      reply_.integer(0);
    }
  }
  void finish() { reply_.finish_map(start_, pairs_); }

 private:
  void key(std::string_view name) {
    pairs_++;
    reply_.bulk(name);
  }
  ReplyWriter& reply_;
  ReplyWriter::Deferred start_;
  size_t pairs_ = 0;
};

// MEMORY STATS. Replies: a map of figures in bytes, ratios and percentages.
Status stats(CommandContext& ctx) {
  const MemoryReport report = memory_report(ctx.server);
  StatsReply out(ctx.reply());
  out.integer("peak.allocated", report.peak);
  out.integer("total.allocated", report.used);
  out.integer("startup.allocated", report.startup);
  out.integer("replication.backlog", report.backlog);
  out.integer("clients.slaves", report.clients_replicas);
  out.integer("clients.normal", report.clients_normal);
  out.integer("cluster.links", 0);
  out.integer("aof.buffer", report.append_buffer);
  out.integer("lua.caches", report.scripts.script_bytes);
  out.integer("functions.caches", report.scripts.library_bytes);
  for (const auto& db : report.databases) out.database(db);
  out.integer("overhead.total", report.overhead);
  out.integer("keys.count", report.keys);
  out.integer("keys.bytes-per-key", report.bytes_per_key);
  out.integer("dataset.bytes", report.dataset);
  out.real("dataset.percentage", report.dataset_percent);
  out.real("peak.percentage", report.peak_percent);
  out.integer("allocator.allocated", report.allocator.allocated);
  out.integer("allocator.active", report.allocator.active);
  out.integer("allocator.resident", report.allocator.resident);
  out.real("allocator-fragmentation.ratio", report.allocator_fragmentation);
  out.integer("allocator-fragmentation.bytes", uint64_t(report.allocator_fragmentation_bytes));
  out.real("allocator-rss.ratio", report.allocator_resident_ratio);
  out.integer("allocator-rss.bytes", uint64_t(report.allocator_resident_bytes));
  out.real("rss-overhead.ratio", report.resident_overhead);
  out.integer("rss-overhead.bytes", uint64_t(report.resident_overhead_bytes));
  out.real("fragmentation", report.fragmentation);
  out.integer("fragmentation.bytes", uint64_t(report.fragmentation_bytes));
  out.finish();
  return Status::ok();
}

// What a person should look at, one finding a paragraph.
std::string findings(const ServerState& server, const MemoryReport& report) {
  constexpr uint64_t kWorthLooking = 5 << 20, kLargeWaste = 10 << 20;
  if (report.used < kWorthLooking) return "There is too little data in this server (less than 5 MB) for its memory to tell anything.\n";
  std::string text;
  if (report.peak > report.used + report.used / 2)
    text += fmt::format(
        "* Peak: the most memory ever used, {}, is more than one and a half times what is used now, {}. The allocator may "
        "keep pages from that time; MEMORY PURGE gives back what it can.\n",
        human_bytes(report.peak), human_bytes(report.used));
  if (report.allocator_fragmentation > 1.1 && report.allocator_fragmentation_bytes > int64_t(kLargeWaste))
    text += fmt::format(
        "* Fragmentation: pages in use hold {:.2f} times what is allocated in them. Values whose sizes change much "
        "do this.\n",
        report.allocator_fragmentation);
  if (report.allocator_resident_ratio > 1.1 && report.allocator_resident_bytes > int64_t(kLargeWaste))
    text += fmt::format("* Unused pages: the allocator holds {} that are in no use. MEMORY PURGE gives them back.\n",
                        human_bytes(uint64_t(report.allocator_resident_bytes)));
  if (report.resident_overhead > 1.1 && report.resident_overhead_bytes > int64_t(kLargeWaste))
    text += fmt::format("* Outside of the allocator: {} of the process's memory are tables, code and stacks.\n",
                        human_bytes(uint64_t(report.resident_overhead_bytes)));
  const size_t clients = server.clients.size();
  const uint64_t each = clients ? (report.clients_normal - report.kept_chunks) / clients : 0;
  if (each > 200 * 1024)
    text += fmt::format("* Clients: they take {} each on average. Look for slow readers and long pipelines in CLIENT LIST.\n",
                        human_bytes(each));
  return text.empty() ? "Nothing stands out: the memory is where the data is.\n" : text;
}

Status doctor(CommandContext& ctx) {
  ctx.reply().verbatim("txt", findings(ctx.server, memory_report(ctx.server)));
  return Status::ok();
}

Status malloc_stats(CommandContext& ctx) {
  ctx.reply().verbatim("txt", allocator_report());
  return Status::ok();
}

Status purge(CommandContext& ctx) {
  if (!purge_allocator()) return failure("Error purging dirty pages");
  ctx.reply().ok();
  return Status::ok();
}

constexpr std::string_view kNodeTips = "nondeterministic_output,request_policy:all_shards,response_policy:special";
// clang-format off
constexpr Command kCommands[] = {
    {{.name = "MEMORY|DOCTOR", .arity = 2, .category = "server", .since = "4.0.0", .complexity = "O(1)",
      .summary = "Tells in words what stands out in the use of memory.", .tips = kNodeTips}, doctor},
    {{.name = "MEMORY|MALLOC-STATS", .arity = 2, .category = "server", .since = "4.0.0",
      .complexity = "Depends on how much memory is allocated, could be slow",
      .summary = "Returns the allocator's own report.", .tips = kNodeTips}, malloc_stats},
    {{.name = "MEMORY|PURGE", .arity = 2, .category = "server", .since = "4.0.0",
      .complexity = "Depends on how much memory is allocated, could be slow",
      .summary = "Asks the allocator to give unused pages back to the system.",
      .tips = "request_policy:all_shards,response_policy:all_succeeded"}, purge},
    {{.name = "MEMORY|STATS", .arity = 2, .category = "server", .since = "4.0.0", .complexity = "O(1)",
      .summary = "Returns figures of the use of memory.", .tips = kNodeTips}, stats},
    {{.name = "MEMORY|USAGE", .usage = "key [SAMPLES count]", .arity = -3, .flags = kReadOnly, .keys = {key_at(2, kKeyRO)},
      .category = "server", .since = "4.0.0", .complexity = "O(N) where N is the number of samples.",
      .summary = "Estimates the memory of a key and its value, in bytes.", .examples = "MEMORY USAGE k -> nil"}, usage},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> memory_commands() { return kCommands; }

}  // namespace vedette
