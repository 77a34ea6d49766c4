// INFO, SLOWLOG, LATENCY, MEMORY and COMMAND through whole calls.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <map>
#include <string>

#include "common/base/numbers.h"
#include "common/base/text.h"
#include "tests/session/test_server.h"

using namespace vedette;
using namespace vedette::testing;

namespace {

// The lines of an INFO reply, by name; "# Section" heads have no value.
std::map<std::string, std::string> fields_of(const std::string& text) {
  std::map<std::string, std::string> fields;
  for (size_t at = 0; at < text.size();) {
    size_t end = text.find("\r\n", at);
    if (end == std::string::npos) end = text.size();
    const std::string line = text.substr(at, end - at);
    at = end + 2;
    const size_t colon = line.find(':');
    if (!line.empty() && line[0] != '#' && colon != std::string::npos) fields[line.substr(0, colon)] = line.substr(colon + 1);
  }
  return fields;
}

std::map<std::string, std::string> info(TestClient& client, std::vector<std::string_view> sections) {
  sections.insert(sections.begin(), "INFO");
  const std::string bytes = client.send(request_bytes(sections));
  return fields_of(bytes.substr(bytes.find("\r\n") + 2));
}

bool is_number(std::string text) {
  if (!text.empty() && text.back() == '%') text.pop_back();
  return parse_double(text).has_value();
}

// clang-format off
constexpr std::string_view kNumbers[] = {
    "process_id", "tcp_port", "server_time_usec", "uptime_in_seconds", "uptime_in_days", "hz", "configured_hz", "lru_clock",
    "arch_bits", "io_threads_active", "redis_git_dirty",
    "connected_clients", "cluster_connections", "maxclients", "client_recent_max_input_buffer",
    "client_recent_max_output_buffer", "blocked_clients", "tracking_clients", "clients_in_timeout_table",
    "total_blocking_keys", "total_blocking_keys_on_nokey",
    "used_memory", "used_memory_rss", "used_memory_peak", "used_memory_peak_perc", "used_memory_overhead",
    "used_memory_startup", "used_memory_dataset", "used_memory_dataset_perc", "allocator_allocated", "allocator_active",
    "allocator_resident", "total_system_memory", "used_memory_lua", "used_memory_vm_eval", "used_memory_scripts_eval",
    "number_of_cached_scripts", "number_of_functions", "number_of_libraries", "used_memory_vm_functions",
    "used_memory_vm_total", "used_memory_functions", "used_memory_scripts", "maxmemory", "allocator_frag_ratio",
    "allocator_frag_bytes", "allocator_rss_ratio", "allocator_rss_bytes", "rss_overhead_ratio", "rss_overhead_bytes",
    "mem_fragmentation_ratio", "mem_fragmentation_bytes", "mem_not_counted_for_evict", "mem_replication_backlog",
    "mem_total_replication_buffers", "mem_clients_slaves", "mem_clients_normal", "mem_cluster_links", "mem_aof_buffer",
    "active_defrag_running", "lazyfree_pending_objects", "lazyfreed_objects",
    "loading", "async_loading", "current_cow_peak", "current_cow_size", "current_cow_size_age", "current_fork_perc",
    "current_save_keys_processed", "current_save_keys_total", "rdb_changes_since_last_save", "rdb_bgsave_in_progress",
    "rdb_last_save_time", "rdb_last_bgsave_time_sec", "rdb_current_bgsave_time_sec", "rdb_saves", "rdb_last_cow_size",
    "rdb_last_load_keys_expired", "rdb_last_load_keys_loaded", "aof_enabled", "aof_rewrite_in_progress",
    "aof_rewrite_scheduled", "aof_last_rewrite_time_sec", "aof_current_rewrite_time_sec", "aof_rewrites",
    "aof_rewrites_consecutive_failures", "aof_last_cow_size", "module_fork_in_progress", "module_fork_last_cow_size",
    "total_connections_received", "total_commands_processed", "instantaneous_ops_per_sec", "total_net_input_bytes",
    "total_net_output_bytes", "total_net_repl_input_bytes", "total_net_repl_output_bytes", "instantaneous_input_kbps",
    "instantaneous_output_kbps", "instantaneous_input_repl_kbps", "instantaneous_output_repl_kbps",
    "rejected_connections", "sync_full", "sync_partial_ok", "sync_partial_err", "expired_keys", "expired_stale_perc",
    "expired_time_cap_reached_count", "expire_cycle_cpu_milliseconds", "evicted_keys", "evicted_clients",
    "total_eviction_exceeded_time", "current_eviction_exceeded_time", "keyspace_hits", "keyspace_misses",
    "pubsub_channels", "pubsub_patterns", "pubsubshard_channels", "latest_fork_usec", "total_forks",
    "migrate_cached_sockets", "slave_expires_tracked_keys", "active_defrag_hits", "active_defrag_misses",
    "active_defrag_key_hits", "active_defrag_key_misses", "total_active_defrag_time", "current_active_defrag_time",
    "tracking_total_keys", "tracking_total_items", "tracking_total_prefixes", "unexpected_error_replies",
    "total_error_replies", "dump_payload_sanitizations", "total_reads_processed", "total_writes_processed",
    "io_threaded_reads_processed", "io_threaded_writes_processed", "reply_buffer_shrinks", "reply_buffer_expands",
    "eventloop_cycles", "eventloop_duration_sum", "eventloop_duration_cmd_sum", "instantaneous_eventloop_cycles_per_sec",
    "instantaneous_eventloop_duration_usec", "acl_access_denied_auth", "acl_access_denied_cmd", "acl_access_denied_key",
    "acl_access_denied_channel",
    "connected_slaves", "master_repl_offset", "second_repl_offset", "repl_backlog_active", "repl_backlog_size",
    "repl_backlog_first_byte_offset", "repl_backlog_histlen",
    "used_cpu_sys", "used_cpu_user", "used_cpu_sys_children", "used_cpu_user_children", "used_cpu_sys_main_thread",
    "used_cpu_user_main_thread", "cluster_enabled"};
// clang-format on
// clang-format off
constexpr std::string_view kTexts[] = {
    "redis_version", "redis_git_sha1", "redis_build_id", "redis_mode", "os", "monotonic_clock", "multiplexing_api",
    "atomicvar_api", "gcc_version", "process_supervised", "run_id", "executable", "config_file", "vedette_version",
    "used_memory_human", "used_memory_rss_human", "used_memory_peak_human", "total_system_memory_human",
    "used_memory_lua_human", "used_memory_vm_total_human", "used_memory_scripts_human", "maxmemory_human",
    "maxmemory_policy", "mem_allocator", "rdb_last_bgsave_status", "aof_last_bgrewrite_status", "aof_last_write_status",
    "role", "master_failover_state", "master_replid", "master_replid2"};
// clang-format on

}  // namespace

TEST_CASE("INFO has every field that clients read") {
  TestServer server;
  TestClient client(server);
  auto fields = info(client, {"everything"});
  for (const std::string_view name : kNumbers) {
    CAPTURE(name);
    REQUIRE(fields.count(std::string(name)));
    CHECK(is_number(fields[std::string(name)]));
  }
  for (const std::string_view name : kTexts) {
    CAPTURE(name);
    CHECK(fields.count(std::string(name)));
  }
  CHECK(fields["redis_version"] == kCompatibleVersion);
  CHECK(fields["role"] == "master");
  CHECK(fields["master_replid"].size() == 40);
}

TEST_CASE("INFO gives the sections asked for, in its own order") {
  TestServer server;
  TestClient client(server);
  CHECK(client("INFO nosuch") == "\"\"");
  CHECK(client.send(request_bytes({"INFO", "MODULES", "cluster", "nosuch"})) ==
        "$43\r\n# Modules\r\n\r\n# Cluster\r\ncluster_enabled:0\r\n\r\n");
  CHECK(info(client, {}).count("cmdstat_info") == 0);
  CHECK(info(client, {"default"}).count("cmdstat_info") == 0);
  CHECK(info(client, {"default", "commandstats"}).count("cmdstat_info") == 1);
  CHECK(info(client, {"all"}).count("cmdstat_info") == 1);
}

TEST_CASE("replicas are not counted among the clients") {
  TestServer server;
  TestClient client(server), other(server), replica(server);
  replica.session.set(kReplicaLink);
  CHECK(info(client, {"clients"})["connected_clients"] == "2");
}

TEST_CASE("INFO counts commands, errors, latencies and keys") {
  TestServer server;
  TestClient client(server);
  client("SET k v");
  client("SET n 1 EX 100");
  client("GET k");
  client("GET absent");
  client("NOSUCH");
  client("GET");
  client("SLOWLOG LEN");
  auto fields = info(client, {"everything"});
  CHECK(fields["cmdstat_get"].starts_with("calls=2,usec=0,usec_per_call=0.00,rejected_calls=1,failed_calls=0"));
  CHECK(fields["cmdstat_slowlog|len"].starts_with("calls=1,"));
  CHECK(fields["errorstat_ERR"] == "count=2");
  CHECK(fields["total_error_replies"] == "2");
  CHECK(fields["latency_percentiles_usec_get"].starts_with("p50="));
  CHECK(fields["keyspace_hits"] == "1");
  CHECK(fields["keyspace_misses"] == "1");
  CHECK(fields["db0"].starts_with("keys=2,expires=1,avg_ttl="));
}

TEST_CASE("rates are those of the last samples") {
  RateMeter meter;
  Instant now{1000000000};
  meter.sample(500, now);
  CHECK(meter.per_second() == 0);
  for (uint64_t i = 1; i <= 16; i++) {
    now.ns += 100000000;
    meter.sample(500 + 100 * i, now);
  }
  CHECK(meter.per_second() == 1000);
  now.ns += 100000000;
  meter.sample(100, now);  // the counter was reset
  CHECK(meter.per_second() == 1000);
}

TEST_CASE("the slow log keeps the newest commands, without secrets") {
  TestServer server;
  TestClient client(server);
  server.state.settings.slow_log_threshold_us = 0;
  server.state.settings.slow_log_length_max = 2;
  client("SLOWLOG RESET");
  client("SET a 1");
  client("SET b 2");
  client("SET c 3");
  CHECK(client("SLOWLOG LEN") == "2");
  CHECK(client("SLOWLOG GET 0") == "[]");
  CHECK(client("SLOWLOG GET 1").find("[SLOWLOG, GET, 0]") != std::string::npos);
  CHECK(client("SLOWLOG GET -2").starts_with("(error) ERR count should be greater than or equal to -1"));
  CHECK(client("SLOWLOG GET x").starts_with("(error) ERR count should be greater"));
  CHECK(client("SLOWLOG GET 1 2").starts_with("(error) ERR unknown subcommand or wrong number of arguments for 'get'"));
  client("AUTH nobody secret");
  CHECK(client("SLOWLOG GET 1").find("[AUTH, (redacted), (redacted)]") != std::string::npos);
  client("HELLO 2 AUTH nobody secret SETNAME n");
  CHECK(client("SLOWLOG GET 1").find("[HELLO, 2, AUTH, (redacted), (redacted), SETNAME, n]") != std::string::npos);
  server.state.settings.slow_log_threshold_us = -1;
  client("SLOWLOG RESET");
  CHECK(client("SLOWLOG LEN") == "0");
}

TEST_CASE("latency spikes are kept by event, and drawn") {
  TestServer server;
  TestClient client(server);
  CHECK(client("LATENCY GRAPH command") == "(error) ERR No samples available for event 'command'");
  const int64_t now = server.now_ms() / 1000;
  const uint32_t spikes[] = {6, 50, 10, 100};
  for (int i = 0; i < 4; i++) server.state.latency.add("command", now - 5 + i, spikes[i]);
  CHECK(client("LATENCY LATEST") == fmt::format("[[command, {}, 100, 100]]", now - 2));
  CHECK(client("LATENCY HISTORY command").starts_with(fmt::format("[[{}, 6], [{}, 50]", now - 5, now - 4)));
  const std::string graph = client.send(request_bytes({"LATENCY", "GRAPH", "command"}));
  CHECK(graph == "$171\r\ncommand - high 100 ms, low 6 ms (all time high 100 ms)\n" + std::string(80, '-') +
                     "\n   #\n   |\n # |\n_|_|\n    \n5432\nssss\n\r\n");
  CHECK(client("LATENCY RESET nosuch command") == "1");
  CHECK(client("LATENCY LATEST") == "[]");
}

TEST_CASE("a latency histogram counts up to bounds that double") {
  LatencyHistogram histogram;
  for (const int64_t us : {0, 1, 2, 33, 34, 5000}) histogram.record_ns(us * 1000);
  std::string text;
  for (const auto& step : histogram.cumulative()) text += fmt::format("{}:{} ", step.bound_us, step.count);
  CHECK(text == "1:2 2:3 33:4 66:5 8454:6 ");
}

TEST_CASE("LATENCY HISTOGRAM answers for containers and passes over unknown names") {
  TestServer server;
  TestClient client(server);
  client("GET k");
  client("SLOWLOG LEN");
  CHECK(client("LATENCY HISTOGRAM get nosuch") == "[get, [calls, 1, histogram_usec, [1, 1]]]");
  CHECK(client("LATENCY HISTOGRAM slowlog") == "[slowlog|len, [calls, 1, histogram_usec, [1, 1]]]");
}

TEST_CASE("MEMORY tells what a key takes and where the rest is") {
  TestServer server;
  TestClient client(server);
  client("SET k v");
  const auto small = parse_integer(client("MEMORY USAGE k"));
  client.call({"SET", "large", std::string(100000, 'x')});
  const auto large = parse_integer(client("MEMORY USAGE large SAMPLES 0"));
  REQUIRE(small);
  REQUIRE(large);
  CHECK(*small > 0);
  CHECK(*large >= 100000);
  CHECK(client("MEMORY USAGE k SAMPLES -1") == "(error) ERR syntax error");
  CHECK(client("MEMORY USAGE k SAMPLES") == "(error) ERR syntax error");
  CHECK(client("MEMORY USAGE k WHAT 1") == "(error) ERR syntax error");
  CHECK(client("MEMORY STATS").find("keys.count, 2,") != std::string::npos);
  CHECK(client("MEMORY STATS").find("db.0, [overhead.hashtable.main, ") != std::string::npos);
}

TEST_CASE("containers answer HELP and refuse what they do not know") {
  TestServer server;
  TestClient client(server);
  CHECK(client("SLOWLOG HELP").find("GET [<count>]") != std::string::npos);
  CHECK(client("COMMAND HELP").find("GETKEYS") != std::string::npos);
  CHECK(client("SLOWLOG HELP me") == "(error) ERR wrong number of arguments for 'slowlog|help' command");
  CHECK(client("SLOWLOG NOSUCH") == "(error) ERR unknown subcommand 'NOSUCH'. Try SLOWLOG HELP.");
  CHECK(client("COMMAND NOSUCH") == "(error) ERR unknown subcommand 'NOSUCH'. Try COMMAND HELP.");
  CHECK(client("SLOWLOG") == "(error) ERR wrong number of arguments for 'slowlog' command");
}

TEST_CASE("COMMAND describes the table") {
  TestServer server;
  TestClient client(server);
  CHECK(parse_integer(client("COMMAND COUNT")) == int64_t(server.state.commands.commands().size()));
  CHECK(client("COMMAND INFO get").starts_with("[[get, 2, [readonly, fast], 1, 1, 1,"));
  CHECK(client("COMMAND GETKEYS MGET a b") == "[a, b]");
  CHECK(client("COMMAND GETKEYS nosuch a").starts_with("(error) ERR Invalid command"));
  CHECK(client("COMMAND DOCS nosuch") == "[]");
}

TEST_CASE("a server without cluster or modules says so") {
  TestServer server;
  TestClient client(server);
  for (const std::string_view line : {"CLUSTER INFO", "CLUSTER KEYSLOT k", "ASKING", "READONLY", "READWRITE"})
    CHECK(client(line) == "(error) ERR This instance has cluster support disabled");
  CHECK(client("CLUSTER NOSUCH") == "(error) ERR unknown subcommand 'NOSUCH'. Try CLUSTER HELP.");
  CHECK(client("MODULE LIST") == "[]");
}
