// Options of REPLCONF, acknowledgements, and what is told of a follower.
#include "server/replication/follower.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/numbers.h"
#include "common/base/text.h"

namespace vedette {
namespace {

constexpr size_t kIpBytesMax = 255;
constexpr size_t kVersionBytesMax = 32;

Result<int64_t> integer_option(std::string_view value) {
  if (const auto number = parse_integer(value)) return *number;
  return failure("value is not an integer or out of range");
}

// Words of what the snapshot shall hold beside nothing: "" is neither keys nor functions.
Status apply_filter(std::string_view value, Follower& follower) {
  const auto words = split_words(value);
  if (!words) return failure("Missing rdb-filter-only values");
  follower.without_data = follower.without_functions = true;
  for (const std::string& word : *words) {
    if (!equals_ignoring_case(word, "functions")) return failure("Unsupported rdb-filter-only option: " + std::string(shown_word(word)));
    follower.without_functions = false;
  }
  return Status::ok();
}

Status apply_option(std::string_view name, std::string_view value, Follower& follower) {
  if (equals_ignoring_case(name, "listening-port")) {
    const auto port = integer_option(value);
    if (!port) return port.error();
    follower.listening_port = *port;
  } else if (equals_ignoring_case(name, "ip-address")) {
    if (value.size() > kIpBytesMax)
      return failure(fmt::format("REPLCONF ip-address provided by replica instance is too long: {} bytes", value.size()));
    follower.announced_ip = value;
  } else if (equals_ignoring_case(name, "capa")) {
    // What we do not know is what we do not offer: no error.
    follower.can_eof |= equals_ignoring_case(value, "eof");
    follower.can_psync2 |= equals_ignoring_case(value, "psync2");
    follower.knows_field_expiries |= equals_ignoring_case(value, kFieldExpiriesCapa);
  } else if (equals_ignoring_case(name, "version")) {
    if (value.size() > kVersionBytesMax) return failure("REPLCONF version is too long");
    follower.version = value;
  } else if (equals_ignoring_case(name, "rdb-only")) {
    const auto on = integer_option(value);
    if (!on) return on.error();
    if (*on < 0 || *on > 1) return failure("value is out of range, value must between 0 and 1");
    follower.rdb_only = *on == 1;
  } else if (equals_ignoring_case(name, "rdb-filter-only")) {
    return apply_filter(value, follower);
  } else {
    return failure("Unrecognized REPLCONF option: " + std::string(shown_word(name)));
  }
  return Status::ok();
}

// ACK offset [FACK offset]: `rest` follows the first offset.
ReplconfOutcome read_ack(std::string_view value, std::span<const std::string_view> rest) {
  using Kind = ReplconfOutcome::Kind;
  const auto ack = parse_integer(value);
  if (!ack) return {.kind = Kind::kIgnored};
  ReplconfOutcome outcome{.kind = Kind::kAck, .ack = *ack};
  if (rest.size() >= 2 && equals_ignoring_case(rest[0], "fack")) outcome.synced = parse_integer(rest[1]);
  return outcome;
}

}  // namespace

Result<ReplconfOutcome> apply_replconf(std::span<const std::string_view> args, Follower& follower) {
  if (args.size() % 2) return failure("syntax error");
  for (size_t i = 0; i < args.size(); i += 2) {
    if (equals_ignoring_case(args[i], "ack")) return read_ack(args[i + 1], args.subspan(i + 2));
    if (equals_ignoring_case(args[i], "getack")) return ReplconfOutcome{.kind = ReplconfOutcome::Kind::kGetAck};
    if (Status status = apply_option(args[i], args[i + 1], follower); !status) return status.error();
  }
  return ReplconfOutcome{};
}

int64_t Follower::lag_seconds(Instant now) const { return online() ? std::max<int64_t>(0, ns_between(last_ack, now) / 1000000000) : 0; }

Status Follower::acknowledge(int64_t offset, std::optional<int64_t> synced, uint64_t produced, Instant now) {
  for (const int64_t told : {offset, synced.value_or(0)})
    if (told < 0 || uint64_t(told) > produced)
      return Error(fmt::format("REPLCONF ACK of offset {} outside the stream, which is at {}", told, produced));
  ack_offset = std::max(ack_offset, uint64_t(offset));
  if (synced) aof_offset = std::max(aof_offset, uint64_t(*synced));
  acked_once = true;
  alive(now);
  return Status::ok();
}

std::string_view follower_state_name(Follower::State state) {
  switch (state) {
    case Follower::State::kHandshake: return "handshake";
    case Follower::State::kWaitBgsave: return "wait_bgsave";
    case Follower::State::kSendBulk: return "send_bulk";
    case Follower::State::kOnline: return "online";
  }
  VED_ASSERT(false);
  return {};
}

std::string info_line(size_t index, const Follower& follower, Instant now) {
  return fmt::format("slave{}:ip={},port={},state={},offset={},lag={}", index, follower.ip(), follower.listening_port,
                     follower_state_name(follower.state), follower.ack_offset, follower.lag_seconds(now));
}

RoleRow role_row(const Follower& follower) {
  return {follower.ip(), std::to_string(follower.listening_port), std::to_string(follower.ack_offset)};
}

}  // namespace vedette
