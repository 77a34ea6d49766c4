// CLUSTER and its relatives. There is no cluster mode; clients that probe for it get the answer that tells so, and find
// the subcommands they know in the table.
#include "server/commands/families.h"
#include "server/execution/context.h"

namespace vedette {
namespace {

Status refuse(CommandContext&) { return failure("This instance has cluster support disabled"); }

constexpr uint32_t kReads = kStale;
constexpr uint32_t kChanges = kAdmin | kStale | kNoAsyncLoading;
constexpr std::string_view kVaries = "nondeterministic_output";

constexpr Command row(std::string_view name, std::string_view usage, int arity, uint32_t flags, std::string_view since,
                      std::string_view summary, std::string_view tips = {}, std::string_view deprecated = {}) {
  return {CommandSpec{.name = name,
                      .usage = usage,
                      .arity = arity,
                      .flags = flags,
                      .category = "cluster",
                      .since = since,
                      .complexity = "O(1)",
                      .summary = summary,
                      .tips = tips,
                      .deprecated = deprecated},
          refuse};
}
constexpr Command connection_row(std::string_view name, uint32_t flags, std::string_view summary) {
  return {CommandSpec{.name = name,
                      .arity = 1,
                      .flags = flags | kFast,
                      .category = "cluster",
                      .acl = "connection",
                      .since = "3.0.0",
                      .complexity = "O(1)",
                      .summary = summary},
          refuse};
}

// clang-format off
constexpr Command kCommands[] = {
    connection_row("ASKING", 0, "After an ASK redirection: the next command is meant for this node."),
    connection_row("READONLY", kLoading | kStale, "Lets a connection read from a replica of the cluster."),
    connection_row("READWRITE", kLoading | kStale, "Takes READONLY back."),
    row("CLUSTER|ADDSLOTS", "slot [slot ...]", -3, kChanges, "3.0.0", "Gives slots to this node."),
    row("CLUSTER|ADDSLOTSRANGE", "start-slot end-slot [start-slot end-slot ...]", -4, kChanges, "7.0.0",
        "Gives ranges of slots to this node."),
    row("CLUSTER|BUMPEPOCH", {}, 2, kChanges, "3.0.0", "Advances the configuration epoch.", kVaries),
    row("CLUSTER|COUNT-FAILURE-REPORTS", "node-id", 3, kAdmin | kStale, "3.0.0",
        "Returns how many nodes report a node as failing.", kVaries),
    row("CLUSTER|COUNTKEYSINSLOT", "slot", 3, kReads, "3.0.0", "Returns the number of keys in a slot."),
    row("CLUSTER|DELSLOTS", "slot [slot ...]", -3, kChanges, "3.0.0", "Takes slots from this node."),
    row("CLUSTER|DELSLOTSRANGE", "start-slot end-slot [start-slot end-slot ...]", -4, kChanges, "7.0.0",
        "Takes ranges of slots from this node."),
    row("CLUSTER|FAILOVER", "[FORCE | TAKEOVER]", -2, kChanges, "3.0.0", "Makes this replica the primary of its slots."),
    row("CLUSTER|FLUSHSLOTS", {}, 2, kChanges, "3.0.0", "Takes every slot from this node."),
    row("CLUSTER|FORGET", "node-id", 3, kChanges, "3.0.0", "Removes a node from the table of nodes."),
    row("CLUSTER|GETKEYSINSLOT", "slot count", 4, kReads, "3.0.0", "Returns names of keys in a slot.", kVaries),
    row("CLUSTER|INFO", {}, 2, kReads, "3.0.0", "Tells the state of the cluster.", kVaries),
    row("CLUSTER|KEYSLOT", "key", 3, kReads, "3.0.0", "Returns the slot of a key."),
    row("CLUSTER|LINKS", {}, 2, kReads, "7.0.0", "Returns the links between nodes.", kVaries),
    row("CLUSTER|MEET", "ip port [cluster-bus-port]", -4, kChanges, "3.0.0", "Introduces another node."),
    row("CLUSTER|MYID", {}, 2, kReads, "3.0.0", "Returns the id of this node."),
    row("CLUSTER|MYSHARDID", {}, 2, kReads, "7.2.0", "Returns the id of this node's shard.", kVaries),
    row("CLUSTER|NODES", {}, 2, kReads, "3.0.0", "Returns this node's view of the cluster.", kVaries),
    row("CLUSTER|REPLICAS", "node-id", 3, kAdmin | kStale, "5.0.0", "Returns the replicas of a node.", kVaries),
    row("CLUSTER|REPLICATE", "node-id", 3, kChanges, "3.0.0", "Makes this node a replica of another."),
    row("CLUSTER|RESET", "[HARD | SOFT]", -2, kAdmin | kNoScript | kStale, "3.0.0", "Makes this node forget the cluster."),
    row("CLUSTER|SAVECONFIG", {}, 2, kChanges, "3.0.0", "Writes the table of nodes to disk."),
    row("CLUSTER|SET-CONFIG-EPOCH", "config-epoch", 3, kChanges, "3.0.0", "Sets the configuration epoch of a new node."),
    row("CLUSTER|SETSLOT", "slot <IMPORTING node-id | MIGRATING node-id | NODE node-id | STABLE>", -4, kChanges, "3.0.0",
        "Binds a slot to a node, or tells that it is on its way."),
    row("CLUSTER|SHARDS", {}, 2, kReads, "7.0.0", "Returns slots and nodes by shard.", kVaries),
    row("CLUSTER|SLAVES", "node-id", 3, kAdmin | kStale, "3.0.0", "Returns the replicas of a node.", kVaries,
        "5.0.0|`CLUSTER REPLICAS`"),
    row("CLUSTER|SLOTS", {}, 2, kReads, "3.0.0", "Returns which nodes serve which slots.", kVaries, "7.0.0|`CLUSTER SHARDS`"),
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> cluster_commands() { return kCommands; }

}  // namespace vedette
