// The list of command families: one file each in this folder, with the rows and handlers of its commands.
#pragma once

#include <span>

#include "server/execution/server_state.h"

namespace vedette {

std::span<const Command> acl_commands();
std::span<const Command> append_log_commands();
std::span<const Command> bitfield_commands();
std::span<const Command> bitmap_commands();
std::span<const Command> client_commands();
std::span<const Command> client_tracking_commands();
std::span<const Command> cluster_commands();
std::span<const Command> command_commands();
std::span<const Command> config_commands();
std::span<const Command> connection_commands();
std::span<const Command> database_commands();
std::span<const Command> debug_commands();
std::span<const Command> dump_commands();
std::span<const Command> expire_commands();
std::span<const Command> function_commands();
std::span<const Command> geo_commands();
std::span<const Command> geo_search_commands();
std::span<const Command> hash_commands();
std::span<const Command> hash_expiry_commands();
std::span<const Command> hash_walk_commands();
std::span<const Command> hyperloglog_commands();
std::span<const Command> info_commands();
std::span<const Command> keys_commands();
std::span<const Command> latency_commands();
std::span<const Command> lcs_commands();
std::span<const Command> lease_commands();
std::span<const Command> list_commands();
std::span<const Command> list_transfer_commands();
std::span<const Command> memory_commands();
std::span<const Command> migrate_commands();
std::span<const Command> module_commands();
std::span<const Command> monitor_commands();
std::span<const Command> object_commands();
std::span<const Command> persistence_commands();
std::span<const Command> pubsub_commands();
std::span<const Command> replication_commands();
std::span<const Command> scan_commands();
std::span<const Command> script_commands();
std::span<const Command> set_algebra_commands();
std::span<const Command> set_commands();
std::span<const Command> set_random_commands();
std::span<const Command> shutdown_commands();
std::span<const Command> slowlog_commands();
std::span<const Command> sort_commands();
std::span<const Command> sorted_set_algebra_commands();
std::span<const Command> sorted_set_commands();
std::span<const Command> sorted_set_pop_commands();
std::span<const Command> sorted_set_range_commands();
std::span<const Command> sorted_set_walk_commands();
std::span<const Command> stream_commands();
std::span<const Command> stream_delete_commands();
std::span<const Command> stream_group_commands();
std::span<const Command> stream_info_commands();
std::span<const Command> stream_pending_commands();
std::span<const Command> stream_read_commands();
std::span<const Command> string_commands();
std::span<const Command> string_compare_commands();
std::span<const Command> string_number_commands();
std::span<const Command> string_range_commands();
std::span<const Command> transaction_commands();

/// Fills the table with every family's rows.
void add_all_commands(ServerCommandTable& table);

}  // namespace vedette
