// Starting and ending a pause; what waited goes on in its order.
#include "server/execution/pause.h"

#include "server/execution/executor.h"

namespace vedette {

bool is_paused(PauseMode mode, uint32_t command_flags) {
  return mode == PauseMode::kAll || (mode == PauseMode::kWrites && (command_flags & (kWrite | kMayReplicate)));
}

void start_pause(ServerState& server, PauseMode mode, Instant until, Instant now) {
  server.pause.start(mode, until, now);
  server.set_condition(kPausedClients, server.pause.active(now));
}

void end_pause(ServerState& server, Executor& executor) {
  server.pause.end();
  server.set_condition(kPausedClients, server.pause.held());
  server.blocked.retry_postponed();
  std::vector<ClientId> waiting;
  waiting.swap(server.pause.waiting);
  for (const ClientId id : waiting)
    if (Session* session = server.clients.find(id)) executor.resume(*session);
}

void hold_writes(ServerState& server, Executor& executor, ClientPause::Hold reason, bool on) {
  server.pause.hold_writes(reason, on);
  if (on) server.set_condition(kPausedClients, true);
  else check_pause(server, executor, server.now.instant);
}

void check_pause(ServerState& server, Executor& executor, Instant now) {
  if ((server.conditions() & kPausedClients) && !server.pause.active(now)) end_pause(server, executor);
}

}  // namespace vedette
