// The state as directives, and back. What must outlive a crash are the epochs; the rest saves learning it anew.
#include <charconv>

#include "common/base/text.h"
#include "sentinel/core/monitor.h"

namespace vedette::sentinel {
namespace {

using Words = std::vector<std::string>;

template <class Number>
bool to_number(std::string_view text, Number& value) {
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  return code == std::errc() && end == text.data() + text.size() && !text.empty();
}

Status to_flag(const std::string& word, bool& flag) {
  if (word != "yes" && word != "no") return Error("argument must be 'yes' or 'no'");
  flag = word == "yes";
  return Status::ok();
}

Status to_address(const std::string& host, const std::string& port, Address& address) {
  address.host = host;
  if (!to_number(port, address.port) || address.port <= 0 || address.port > 65535) return Error("Invalid port number");
  return is_host(host) ? Status::ok() : Status(Error("Invalid IP address or hostname specified"));
}

}  // namespace

Status Monitor::configure(const Words& words, const Now& now) {
  if (words.empty()) return Error("an empty directive");
  const std::string name = to_lower(words[0]);
  const auto has = [&](size_t count) { return words.size() == count + 1; };
  if (name == "myid" && has(1)) {
    if (words[1].size() != 40 || words[1].find_first_not_of("0123456789abcdef") != std::string::npos)
      return Error("Malformed Sentinel id in myid option.");
    run_id_ = words[1];
  } else if (name == "current-epoch" && has(1)) {
    Epoch epoch = 0;
    if (!to_number(words[1], epoch)) return Error("current-epoch is no number");
    if (epoch > kEpochMax) return Error("current-epoch is larger than any election's");
    current_epoch_ = std::max(current_epoch_, epoch);
  } else if (name == "announce-ip" && has(1)) {
    options_.announce_host = words[1];
  } else if (name == "announce-port" && has(1)) {
    if (!to_number(words[1], options_.announce_port) || options_.announce_port < 0 || options_.announce_port > 65535)
      return Error("Invalid port number");
  } else if (name == "deny-scripts-reconfig" && has(1)) {
    return to_flag(words[1], options_.deny_scripts_reconfig);
  } else if (name == "sentinel-user" && has(1)) {
    options_.sentinel_user = words[1];
  } else if (name == "sentinel-pass" && has(1)) {
    options_.sentinel_pass = words[1];
  } else if (name == "resolve-hostnames" && has(1)) {
    return to_flag(words[1], options_.resolve_hostnames);
  } else if (name == "announce-hostnames" && has(1)) {
    return to_flag(words[1], options_.announce_hostnames);
  } else if (name == "zone" && has(1)) {
    options_.zone = words[1];
  } else if (name == "monitor" && has(4)) {
    Address address;
    int quorum = 0;
    if (Status status = to_address(words[2], words[3], address); !status) return status;
    if (!to_number(words[4], quorum)) return Error("Quorum must be 1 or greater.");
    Status status = monitor(words[1], address, quorum, now);
    if (!status) return Error(status.error().text().substr(4));
  } else if (words.size() >= 3) {
    Group* group = find(words[1]);
    return group ? configure_group(*group, words, now) : Status(Error("No such master with specified name."));
  } else {
    return Error("Unrecognized sentinel configuration statement.");
  }
  return Status::ok();
}

Status Monitor::configure_group(Group& group, const Words& words, const Now& now) {
  const std::string name = to_lower(words[0]);
  const size_t values = words.size() - 2;
  GroupOptions& o = group.options;
  const auto number = [&](auto& to, int64_t min) -> Status {
    int64_t n = 0;
    if (values != 1 || !to_number(words[2], n) || n < min || n > INT32_MAX * int64_t(1000))
      return Error("the value of " + name + " must be a number of at least " + std::to_string(min));
    to = std::decay_t<decltype(to)>(n);
    return Status::ok();
  };
  if (name == "down-after-milliseconds") return number(o.down_after_ms, 1);
  if (name == "failover-timeout") return number(o.failover_timeout_ms, 1);
  if (name == "parallel-syncs") return number(o.parallel_syncs, 1);
  if (name == "master-reboot-down-after-period" || name == "primary-reboot-down-after-period")
    return number(o.primary_reboot_down_after_ms, 0);
  if (name == "lease-milliseconds") return number(o.lease_ms, 0);
  if (name == "forget-after-seconds") return number(o.forget_after_s, 0);
  if (name == "config-epoch" || name == "leader-epoch") {
    Epoch epoch = 0;
    if (values != 1 || !to_number(words[2], epoch)) return Error("the epoch is no number");
    (name == "config-epoch" ? group.config_epoch : group.voted_epoch) = epoch;
    current_epoch_ = std::max(current_epoch_, epoch);
    return Status::ok();
  }
  if (name == "fast-evidence" && values == 1) return to_flag(words[2], o.fast_evidence);
  std::string* text = name == "auth-pass"                ? &o.auth_pass
                      : name == "auth-user"              ? &o.auth_user
                      : name == "notification-script"    ? &o.notification_script
                      : name == "client-reconfig-script" ? &o.client_reconfig_script
                                                         : nullptr;
  if (text && values == 1) {
    *text = words[2];
    return Status::ok();
  }
  if (name == "rename-command" && values == 2) {
    if (words[2].empty() || words[3].empty()) return Error("Rename-command needs two names");
    o.renamed_commands[to_upper(words[2])] = words[3];
    return Status::ok();
  }
  if ((name == "known-slave" || name == "known-replica") && values == 2) {
    Address address;
    if (Status status = to_address(words[2], words[3], address); !status) return status;
    if (!group.replicas.contains(address) && address != group.primary.address) add_replica(group, address, now);
    return Status::ok();
  }
  if (name == "known-sentinel" && (values == 3 || values == 2)) {
    Hello hello;
    if (Status status = to_address(words[2], words[3], hello.sentinel); !status) return status;
    // Without an identity it is met again by its hello.
    if (values == 2 || words[4] == run_id_) return Status::ok();
    if (words[4].size() != 40) return Error("Wrong run id of a known sentinel");
    hello.run_id = words[4];
    take_sentinel(group, hello, now);
    return Status::ok();
  }
  return Error("Unrecognized sentinel configuration statement.");
}

std::vector<std::string> Monitor::group_lines(const Group& group) const {
  std::vector<std::string> lines;
  const GroupOptions& o = group.options;
  const GroupOptions d;
  const auto add = [&](const std::string& name, const std::string& value) { lines.push_back(name + " " + group.name + " " + value); };
  const auto number = [&](const char* name, int64_t value, int64_t standard) {
    if (value != standard) add(name, std::to_string(value));
  };
  const auto text = [&](const char* name, const std::string& value) {
    if (!value.empty()) add(name, quoted_if_needed(value));
  };
  // A state with a name in it could not be read back where names are not looked up.
  const auto place = [&](const Address& a) {
    return (options_.resolve_hostnames ? a.host : host_ip(a.host)) + " " + std::to_string(a.port);
  };
  add("monitor", place(group.primary.address) + " " + std::to_string(o.quorum));
  number("down-after-milliseconds", o.down_after_ms, d.down_after_ms);
  number("failover-timeout", o.failover_timeout_ms, d.failover_timeout_ms);
  number("parallel-syncs", o.parallel_syncs, d.parallel_syncs);
  number("master-reboot-down-after-period", o.primary_reboot_down_after_ms, d.primary_reboot_down_after_ms);
  number("lease-milliseconds", o.lease_ms, d.lease_ms);
  number("forget-after-seconds", o.forget_after_s, d.forget_after_s);
  if (o.fast_evidence) add("fast-evidence", "yes");
  text("notification-script", o.notification_script);
  text("client-reconfig-script", o.client_reconfig_script);
  text("auth-pass", o.auth_pass);
  text("auth-user", o.auth_user);
  for (const auto& [from, to] : o.renamed_commands) add("rename-command", quoted_if_needed(from) + " " + quoted_if_needed(to));
  add("config-epoch", std::to_string(group.config_epoch));
  add("leader-epoch", std::to_string(group.voted_epoch));
  for (const auto& [address, replica] : group.replicas) add("known-replica", place(address));
  for (const auto& [id, sentinel] : group.sentinels) add("known-sentinel", place(sentinel->address) + " " + id);
  return lines;
}

std::vector<std::string> Monitor::state_lines() const {
  std::vector<std::string> lines;
  const GlobalOptions d;
  lines.push_back("myid " + run_id_);
  const auto text = [&](const char* name, const std::string& value) {
    if (!value.empty()) lines.push_back(std::string(name) + " " + quoted_if_needed(value));
  };
  if (options_.deny_scripts_reconfig != d.deny_scripts_reconfig) lines.push_back("deny-scripts-reconfig no");
  if (options_.resolve_hostnames) lines.push_back("resolve-hostnames yes");
  if (options_.announce_hostnames) lines.push_back("announce-hostnames yes");
  text("announce-ip", options_.announce_host);
  if (options_.announce_port) lines.push_back("announce-port " + std::to_string(options_.announce_port));
  text("sentinel-user", options_.sentinel_user);
  text("sentinel-pass", options_.sentinel_pass);
  text("zone", options_.zone);
  lines.push_back("current-epoch " + std::to_string(current_epoch_));
  for (const auto& [name, group] : groups_) {
    const auto of_group = group_lines(*group);
    lines.insert(lines.end(), of_group.begin(), of_group.end());
  }
  return lines;
}

}  // namespace vedette::sentinel
