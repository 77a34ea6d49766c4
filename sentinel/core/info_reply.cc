// One pass over the lines; each field has its reader.
#include "sentinel/core/info_reply.h"

#include <charconv>

namespace vedette::sentinel {
namespace {

constexpr size_t kReplicasMax = 10000;

template <class Number>
std::optional<Number> whole(std::string_view text) {
  Number value{};
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

std::optional<int> port_of(std::string_view text) {
  const auto port = whole<int>(text);
  return port && *port > 0 && *port < 65536 ? port : std::nullopt;
}

std::optional<std::string> host_of(std::string_view text) { return is_host(text) ? std::optional(std::string(text)) : std::nullopt; }

// "ip=10.0.0.1,port=6380,state=online,offset=1,lag=0", or in the form of very old servers "10.0.0.1,6380,online".
std::optional<InfoReply::Replica> replica_of(std::string_view text) {
  InfoReply::Replica replica;
  std::optional<int> port;
  std::optional<std::string> host;
  int place = 0;
  while (!text.empty()) {
    const size_t comma = text.find(',');
    const std::string_view item = text.substr(0, comma);
    text.remove_prefix(comma == text.npos ? text.size() : comma + 1);
    const size_t equals = item.find('=');
    const std::string_view key = equals == item.npos ? std::string_view(place == 0   ? "ip"
                                                                        : place == 1 ? "port"
                                                                                     : "state")
                                                     : item.substr(0, equals);
    const std::string_view value = equals == item.npos ? item : item.substr(equals + 1);
    place++;
    if (key == "ip") host = host_of(value);
    if (key == "port") port = port_of(value);
    if (key == "state") replica.online = value == "online";
  }
  if (!host || !port) return std::nullopt;
  replica.address = {*host, *port};
  return replica;
}

bool is_replica_field(std::string_view name) {
  return name.starts_with("slave") && name.size() > 5 && name.find_first_not_of("0123456789", 5) == name.npos;
}

std::optional<bool> flag(std::string_view value) {
  if (value == "0" || value == "1") return value == "1";
  return std::nullopt;
}

void take_field(InfoReply& info, std::string_view name, std::string_view value) {
  if (name == "run_id" && value.size() == 40) info.run_id = value;
  else if (name == "role" && (value == "master" || value == "slave")) info.role = value == "master" ? Kind::kPrimary : Kind::kReplica;
  else if (name == "master_host") info.primary_host = host_of(value);
  else if (name == "master_port") info.primary_port = port_of(value);
  else if (name == "master_link_status") info.link_up = value == "up";
  else if (name == "master_link_down_since_seconds") info.link_down_s = whole<int64_t>(value);
  else if (name == "slave_priority") info.priority = whole<int>(value);
  else if (name == "slave_repl_offset" || (name == "master_repl_offset" && info.role == Kind::kPrimary))
    info.offset = whole<int64_t>(value);
  else if (name == "replica_announced") info.announced = flag(value);
  else if (name == "loading") info.loading = flag(value);
  else if (name == "replica_zone") info.zone = value;
  else if (name == "replica_refuses_rollback") info.refuses_rollback = flag(value);
  else if (name == "master_failover_state") info.failover_state = value;
  else if (name == "shutdown_requested") info.shutdown_requested = flag(value);
  else if (name == "lease_state") info.lease_state = value;
  else if (name == "vedette_version") info.vedette_version = value;
  else if (name == "connected_slaves") info.lists_replicas = true;
  else if (is_replica_field(name) && info.replicas.size() < kReplicasMax)
    if (auto replica = replica_of(value)) info.replicas.push_back(*std::move(replica));
}

}  // namespace

InfoReply parse_info(std::string_view text) {
  InfoReply info;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    const size_t colon = line.find(':');
    if (colon != line.npos) take_field(info, line.substr(0, colon), line.substr(colon + 1));
  }
  return info;
}

}  // namespace vedette::sentinel
