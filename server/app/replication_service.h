// Replication as part of the process: sockets and files for it, its options, its hour in the turn.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "common/net/loop.h"
#include "server/app/options.h"
#include "server/execution/replication.h"

namespace vedette {

class ReplicationService {
 public:
  ReplicationService(Loop& loop, ServerState& state, Executor& executor, ServerOptions& options, const TlsContexts& tls);

  Replication& replication() { return replication_; }
  /// The dataset has been loaded: it stands at this point of a history, if `id` is not empty. Follows the configured primary.
  void begin(const std::string& id, int64_t offset, int db);
  void end_turn(const Now& now);
  /// Stops following and timers, before the loop ends.
  void stop();

  std::unique_ptr<OutgoingLink> connect(LinkUse use, const std::string& host, int port, LinkOwner& owner);
  std::unique_ptr<Spool> open_spool();

 private:
  void on_role_change();

  Loop& loop_;
  ServerState& state_;
  Executor& executor_;
  ServerOptions& options_;
  const TlsContexts& tls_;
  Replication replication_;
  Timer deadline_timer_;
  std::optional<Instant> armed_for_;  // when it fires
  uint64_t spools_ = 0;
};

}  // namespace vedette
