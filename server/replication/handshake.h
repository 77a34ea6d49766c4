// The replica's side of the conversation before a synchronisation, as a state machine without a socket.
//
//   PING                                        a sign of life; "you must authenticate" is one too, "loading" means later
//   AUTH, REPLCONF listening-port, ip-address,  sent at once, answered in order: AUTH must succeed, a primary that does
//     capa, version                             not know a REPLCONF option is a primary all the same
//   PSYNC id offset                             the answer is the outcome
//
// Bare line ends at any point are the primary's signs of life while it gets a snapshot ready. A primary that does not know
// PSYNC is asked for SYNC, and sends its snapshot without telling a history. What follows the last line (the snapshot, the
// stream) is not consumed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/replication/history.h"

namespace vedette {

struct HandshakeConfig {
  std::string user, password;   ///< AUTH with both, with the password alone, or none
  int listening_port = 0;       ///< 0: not told
  std::string announce_ip;      ///< empty: not told
  std::string version;          ///< empty: not told
  bool can_eof = true;          ///< capa eof
  std::string history_id;       ///< what to go on from: reported(); empty asks for a full synchronisation
  uint64_t history_offset = 0;  ///< bytes that are held: PSYNC asks for the next one
  bool failover = false;        ///< PSYNC ... FAILOVER: asks the replica on the other end to take over
};

class Handshake {
 public:
  enum class Outcome : uint8_t {
    kMore,        ///< send `send`, then give what comes
    kFullSync,    ///< a snapshot follows; after it the stream goes on at `point`
    kContinue,    ///< the stream follows from where we were; `point.id` is the new id, empty if none was named
    kLegacySync,  ///< send `send` (SYNC); a snapshot follows, of an unnamed history
    kRetryLater,  ///< the primary cannot serve us now: `text` says why; close and try again
    kFailed,      ///< `text` says what went wrong; close
  };
  struct Step {
    Outcome outcome = Outcome::kMore;
    std::string send = {};
    HistoryPoint point = {};
    std::string text = {};
    std::vector<std::string> notes = {};  ///< for the log: options that the primary refused
  };

  explicit Handshake(HandshakeConfig config) : config_(std::move(config)) {}

  /// What to send first.
  Step on_connected();
  /// Reads from the front of `input` and removes what it has read, at most to the end of the deciding line. A line that is
  /// cut is kept in part. Not to be called after an outcome other than kMore.
  Step on_bytes(std::string_view& input);
  /// The answer that is waited for, for the log of a timeout: "the reply to PING".
  std::string_view waiting_for() const;

  static constexpr size_t kLineBytesMax = 1024;

 private:
  enum class Sent : uint8_t { kPing, kAuth, kPort, kIp, kCapa, kVersion, kPsync };
  void on_line(std::string_view line, Step& step);
  void on_ping_reply(std::string_view line, Step& step);
  void on_psync_reply(std::string_view line, Step& step);
  void present_ourselves(Step& step);
  void ask_for_sync(Step& step);
  void retry_later(Step& step, std::string_view line);
  void fail(Step& step, std::string text);

  HandshakeConfig config_;
  std::vector<Sent> expected_;  // what has been sent and not been answered
  size_t answered_ = 0;         // of these
  std::string line_;            // the part of a cut line that has come
};

/// Where a replica's link is, in the words of INFO and ROLE.
enum class LinkState : uint8_t { kNone, kConnect, kConnecting, kHandshake, kSync, kConnected };
/// "none", "connect" (wants to), "connecting", "handshake", "sync", "connected".
std::string_view link_state_name(LinkState state);

}  // namespace vedette
