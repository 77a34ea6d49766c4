// The conversation of handshake.h, line by line.
#include "server/replication/handshake.h"

#include <fmt/format.h>

#include <initializer_list>
#include <iterator>
#include <limits>

#include "common/base/assert.h"
#include "common/base/numbers.h"
#include "common/base/text.h"
#include "server/replication/follower.h"

namespace vedette {
namespace {

void append_command(std::string& out, std::initializer_list<std::string_view> argv) {
  fmt::format_to(std::back_inserter(out), "*{}\r\n", argv.size());
  for (const std::string_view arg : argv) {
    fmt::format_to(std::back_inserter(out), "${}\r\n", arg.size());
    out.append(arg).append("\r\n");
  }
}

// What a peer sent, as it may stand in a log.
std::string shown(std::string_view line) { return quoted(line.substr(0, 128)); }

bool begins_with_any(std::string_view line, std::initializer_list<std::string_view> beginnings) {
  for (const std::string_view beginning : beginnings)
    if (line.starts_with(beginning)) return true;
  return false;
}

}  // namespace

Handshake::Step Handshake::on_connected() {
  VED_ASSERT(expected_.empty());
  Step step;
  append_command(step.send, {"PING"});
  expected_.push_back(Sent::kPing);
  return step;
}

Handshake::Step Handshake::on_bytes(std::string_view& input) {
  Step step;
  while (step.outcome == Outcome::kMore && !input.empty()) {
    const size_t end = input.find('\n');
    const std::string_view part = input.substr(0, end);
    if (line_.size() + part.size() > kLineBytesMax) {
      line_ += part.substr(0, kLineBytesMax);
      fail(step, fmt::format("{} is longer than {} bytes: {}", waiting_for(), kLineBytesMax, shown(line_)));
      break;
    }
    line_ += part;
    input.remove_prefix(end == std::string_view::npos ? input.size() : end + 1);
    if (end == std::string_view::npos) break;
    if (line_.ends_with('\r')) line_.pop_back();
    const std::string line = std::move(line_);
    line_.clear();
    if (!line.empty()) on_line(line, step);
  }
  return step;
}

std::string_view Handshake::waiting_for() const {
  if (answered_ == expected_.size()) return "what follows the handshake";
  switch (expected_[answered_]) {
    case Sent::kPing: return "the reply to PING";
    case Sent::kAuth: return "the reply to AUTH";
    case Sent::kPort: return "the reply to REPLCONF listening-port";
    case Sent::kIp: return "the reply to REPLCONF ip-address";
    case Sent::kCapa: return "the reply to REPLCONF capa";
    case Sent::kVersion: return "the reply to REPLCONF version";
    case Sent::kPsync: return "the reply to PSYNC";
  }
  VED_ASSERT(false);
  return {};
}

void Handshake::on_line(std::string_view line, Step& step) {
  VED_ASSERT(answered_ < expected_.size());
  const Sent sent = expected_[answered_];
  if (sent == Sent::kPsync) return on_psync_reply(line, step);
  if (line[0] != '+' && line[0] != '-') return fail(step, fmt::format("{} is no reply: {}", waiting_for(), shown(line)));
  if (sent == Sent::kPing) return on_ping_reply(line, step);
  if (line[0] == '-') {
    const std::string text = fmt::format("{} is an error: {}", waiting_for(), shown(line));
    if (sent == Sent::kAuth) return fail(step, fmt::format("Unable to AUTH to MASTER: {}", shown(line)));
    step.notes.push_back(text);
  }
  if (++answered_ == expected_.size()) ask_for_sync(step);
}

void Handshake::on_ping_reply(std::string_view line, Step& step) {
  if (line.starts_with("-LOADING")) return retry_later(step, line);
  // Who must authenticate first, or may not ping, is told so by a primary that lives.
  if (line[0] == '-' && !begins_with_any(line, {"-NOAUTH", "-NOPERM", "-ERR operation not permitted"}))
    return fail(step, fmt::format("{} is an error: {}", waiting_for(), shown(line)));
  answered_++;
  present_ourselves(step);
}

void Handshake::present_ourselves(Step& step) {
  const auto send = [&](Sent what, std::initializer_list<std::string_view> argv) {
    append_command(step.send, argv);
    expected_.push_back(what);
  };
  if (!config_.password.empty()) {
    if (config_.user.empty()) send(Sent::kAuth, {"AUTH", config_.password});
    else send(Sent::kAuth, {"AUTH", config_.user, config_.password});
  }
  if (config_.listening_port) send(Sent::kPort, {"REPLCONF", "listening-port", to_text(int64_t(config_.listening_port))});
  if (!config_.announce_ip.empty()) send(Sent::kIp, {"REPLCONF", "ip-address", config_.announce_ip});
  if (config_.can_eof) send(Sent::kCapa, {"REPLCONF", "capa", "eof", "capa", kFieldExpiriesCapa, "capa", "psync2"});
  else send(Sent::kCapa, {"REPLCONF", "capa", kFieldExpiriesCapa, "capa", "psync2"});
  if (!config_.version.empty()) send(Sent::kVersion, {"REPLCONF", "version", config_.version});
}

void Handshake::ask_for_sync(Step& step) {
  const bool anew = config_.history_id.empty();
  const std::string id = anew ? "?" : config_.history_id;
  const std::string offset = anew ? "-1" : fmt::format("{}", config_.history_offset + 1);
  if (config_.failover) append_command(step.send, {"PSYNC", id, offset, "FAILOVER"});
  else append_command(step.send, {"PSYNC", id, offset});
  expected_.push_back(Sent::kPsync);
}

void Handshake::on_psync_reply(std::string_view line, Step& step) {
  const auto nonsense = [&] { fail(step, fmt::format("{} is no answer: {}", waiting_for(), shown(line))); };
  if (line.starts_with("+FULLRESYNC ")) {
    const std::string_view rest = line.substr(12);
    const std::string_view id = rest.substr(0, rest.find(' '));
    const auto offset = id.size() < rest.size() ? parse_unsigned(rest.substr(id.size() + 1)) : std::nullopt;
    if (!is_history_id(id) || !offset || *offset > uint64_t(std::numeric_limits<int64_t>::max())) return nonsense();
    step.point = {to_lower(id), *offset};
    step.outcome = Outcome::kFullSync;
  } else if (line == "+CONTINUE" || line.starts_with("+CONTINUE ")) {
    const std::string_view id = trim(line.substr(9));
    if (!id.empty() && !is_history_id(id)) return nonsense();
    // Who offered nothing cannot go on from anywhere.
    if (config_.history_id.empty()) return nonsense();
    step.point = {to_lower(id), config_.history_offset};
    step.outcome = Outcome::kContinue;
  } else if (begins_with_any(line, {"-NOMASTERLINK", "-LOADING"})) {
    return retry_later(step, line);
  } else if (line[0] != '-') {
    return nonsense();
  } else if (config_.failover) {
    return fail(step, fmt::format("{} is an error: {}", waiting_for(), shown(line)));
  } else {
    step.notes.push_back(fmt::format("{} is an error, SYNC is tried instead: {}", waiting_for(), shown(line)));
    step.send += "SYNC\r\n";
    step.outcome = Outcome::kLegacySync;
  }
  answered_++;
}

void Handshake::retry_later(Step& step, std::string_view line) {
  step.outcome = Outcome::kRetryLater;
  step.send.clear();
  step.text = fmt::format("the primary cannot serve us now: {}", shown(line));
}

void Handshake::fail(Step& step, std::string text) {
  step.outcome = Outcome::kFailed;
  step.send.clear();
  step.text = std::move(text);
}

std::string_view link_state_name(LinkState state) {
  switch (state) {
    case LinkState::kNone: return "none";
    case LinkState::kConnect: return "connect";
    case LinkState::kConnecting: return "connecting";
    case LinkState::kHandshake: return "handshake";
    case LinkState::kSync: return "sync";
    case LinkState::kConnected: return "connected";
  }
  VED_ASSERT(false);
  return {};
}

}  // namespace vedette
