// What a primary knows of one replica that is attached to it, and what it tells of it in INFO and ROLE.
//
// A replica presents itself with REPLCONF options before it asks for synchronisation; then it is fed a snapshot and the
// stream, and acknowledges offsets. Nothing here moves bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/base/time.h"

namespace vedette {

/// A capa of our own: the replica reads hashes whose fields expire in Redis 7.4's form of a snapshot.
inline constexpr std::string_view kFieldExpiriesCapa = "vedette-field-expiries";

struct Follower {
  enum class State : uint8_t {
    kHandshake,   ///< has not asked for synchronisation yet: not a replica in anybody's eyes
    kWaitBgsave,  ///< waits for its snapshot, or is sent it while it is made
    kSendBulk,    ///< is being sent a snapshot that has been made
    kOnline,      ///< is fed the stream
  };
  State state = State::kHandshake;

  // What it said of itself.
  int64_t listening_port = 0;
  std::string announced_ip;           ///< empty: the address that it connects from counts
  std::string version;                ///< empty: it did not say
  bool can_eof = false;               ///< takes a snapshot of unknown length, ended by a mark
  bool can_psync2 = false;            ///< understands a new id in +CONTINUE
  bool rdb_only = false;              ///< wants a snapshot and no stream
  bool without_data = false;          ///< the snapshot shall leave out the keys
  bool without_functions = false;     ///< ... and the functions
  bool knows_field_expiries = false;  ///< kFieldExpiriesCapa

  // What it has acknowledged: it never goes back.
  uint64_t ack_offset = 0;
  uint64_t aof_offset = 0;  ///< synced to its append-only file
  Instant last_ack;
  bool acked_once = false;  ///< since it was attached; after an end-marked snapshot the stream waits for this

  /// It has come again on another connection: what it acknowledged on this one counts no more, unless this one turns out to be
  /// of another server behind the same address by acknowledging what was written since.
  uint64_t doubted_up_to = 0;

  std::string peer_ip;  ///< set by whoever attaches it

  const std::string& ip() const { return announced_ip.empty() ? peer_ip : announced_ip; }
  bool online() const { return state == State::kOnline; }
  bool doubted() const { return doubted_up_to > 0 && ack_offset <= doubted_up_to; }
  /// It gives sign of life (an acknowledgement, an empty line while it loads).
  void alive(Instant now) { last_ack = now; }
  /// Whole seconds since the last sign of life; 0 unless online.
  int64_t lag_seconds(Instant now) const;
  /// Counts for min-replicas-to-write: online and not silent for longer than `lag_max` seconds.
  bool is_good(int64_t lag_max, Instant now) const { return online() && !doubted() && lag_seconds(now) <= lag_max; }
  /// Takes an acknowledgement in. Offsets beyond `produced` are refused: there is no such byte yet.
  Status acknowledge(int64_t offset, std::optional<int64_t> synced, uint64_t produced, Instant now);
};

/// "wait_bgsave", "send_bulk", "online"; "handshake" before.
std::string_view follower_state_name(Follower::State state);
/// "slave0:ip=127.0.0.1,port=6380,state=online,offset=14,lag=0", without a line end.
std::string info_line(size_t index, const Follower& follower, Instant now);

/// A row of ROLE: address, port and offset as texts. Only online followers are listed there.
struct RoleRow {
  std::string ip, port, offset;
};
RoleRow role_row(const Follower& follower);

/// What a REPLCONF asks for.
struct ReplconfOutcome {
  enum class Kind : uint8_t {
    kOptions,  ///< answer +OK: the options were taken in
    kAck,      ///< no answer: `ack`, and `synced` if it was given, are acknowledged by a replica (by others: ignored)
    kGetAck,   ///< no answer: the primary wants REPLCONF ACK at once (by others: ignored)
    kIgnored,  ///< no answer: an acknowledgement that is not a number
  };
  Kind kind = Kind::kOptions;
  int64_t ack = 0;
  std::optional<int64_t> synced = {};
};

/// Takes the arguments of one REPLCONF (without the command's name) into `follower`. Options before a faulty one have been
/// taken in, as every server of the protocol does. `version` is no option of Redis 7.0, later servers send it.
Result<ReplconfOutcome> apply_replconf(std::span<const std::string_view> args, Follower& follower);

}  // namespace vedette
