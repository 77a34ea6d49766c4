// The list of families, in one place.
#include "server/commands/families.h"

namespace vedette {
namespace {

constexpr std::span<const Command> (*kFamilies[])() = {
    acl_commands,
    append_log_commands,
    bitfield_commands,
    bitmap_commands,
    client_commands,
    client_tracking_commands,
    cluster_commands,
    command_commands,
    config_commands,
    connection_commands,
    database_commands,
    debug_commands,
    dump_commands,
    expire_commands,
    function_commands,
    geo_commands,
    geo_search_commands,
    hash_commands,
    hash_expiry_commands,
    hash_walk_commands,
    hyperloglog_commands,
    info_commands,
    keys_commands,
    latency_commands,
    lcs_commands,
    lease_commands,
    list_commands,
    list_transfer_commands,
    memory_commands,
    migrate_commands,
    module_commands,
    monitor_commands,
    object_commands,
    persistence_commands,
    pubsub_commands,
    replication_commands,
    scan_commands,
    script_commands,
    set_algebra_commands,
    set_commands,
    set_random_commands,
    shutdown_commands,
    slowlog_commands,
    sort_commands,
    sorted_set_algebra_commands,
    sorted_set_commands,
    sorted_set_pop_commands,
    sorted_set_range_commands,
    sorted_set_walk_commands,
    stream_commands,
    stream_delete_commands,
    stream_group_commands,
    stream_info_commands,
    stream_pending_commands,
    stream_read_commands,
    string_commands,
    string_compare_commands,
    string_number_commands,
    string_range_commands,
    transaction_commands,
};

}  // namespace

void add_all_commands(ServerCommandTable& table) {
  for (const auto rows : kFamilies) table.add(rows());
}

}  // namespace vedette
