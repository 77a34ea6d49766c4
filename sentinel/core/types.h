// The words of the monitor: addresses, roles, epochs, and the periods that everything is paced by.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/time.h"

namespace vedette::sentinel {

/// Counts elections, in the whole group of sentinels. A configuration that was made in a later one wins.
using Epoch = uint64_t;
/// Names an outgoing connection that the monitor has asked for; never used twice. 0: none.
using LinkId = uint64_t;

/// Epochs grow by one an election. What is far ahead is nobody's, and would leave no room for the next.
constexpr Epoch kEpochMax = Epoch(1) << 62;
constexpr Epoch kEpochLeapMax = Epoch(1) << 32;
constexpr bool is_plausible(Epoch epoch, Epoch current) { return epoch <= kEpochMax && epoch <= current + kEpochLeapMax; }

/// Where somebody listens. The host is an IP address, or a name if names are to be resolved.
struct Address {
  std::string host;
  int port = 0;
  bool operator==(const Address&) const = default;
  auto operator<=>(const Address&) const = default;
  std::string text() const { return host + ":" + std::to_string(port); }
  explicit operator bool() const { return port != 0; }
};

/// Numbers, v4 or v6.
bool is_ip_address(std::string_view host);
/// An IP address, or what can be the name of a host: of letters, digits, dots, dashes and underscores. Whatever passes is one
/// word of a line in a file, and one field of a hello.
bool is_host(std::string_view host);

enum class Kind { kPrimary, kReplica, kSentinel };

/// The wire's word: "master", "slave", "sentinel".
std::string_view wire_name(Kind kind);

constexpr Instant kNever{INT64_MAX};
inline Instant after_ms(Instant at, int64_t ms) { return Instant{at.ns + ms * 1000000}; }
/// A time that is surely over elsewhere too, where the clock may be a twentieth slower.
constexpr int64_t with_drift(int64_t ms) { return ms + ms / 20 + 1; }
inline Instant earlier(Instant a, Instant b) { return a < b ? a : b; }
inline Instant later(Instant a, Instant b) { return a < b ? b : a; }

/// What SENTINEL DEBUG can change. All in milliseconds, but for the last ones.
struct Periods {
  int64_t info = 10000;
  int64_t ping = 1000;
  int64_t ask = 1000;
  int64_t publish = 2000;
  int64_t default_down_after = 30000;
  int64_t default_failover_timeout = 180000;
  int64_t tilt_trigger = 2000;
  int64_t tilt_period = 30000;
  int64_t reconf_timeout = 10000;
  int64_t link_reconnect_min = 15000;
  int64_t election_timeout = 10000;
  int64_t script_max_runtime = 60000;
  int64_t script_retry_delay = 30000;
};

}  // namespace vedette::sentinel
