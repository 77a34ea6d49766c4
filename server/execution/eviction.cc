#include "server/execution/eviction.h"

namespace vedette {

bool over_memory_limit(const ServerState& server) {
  return server.settings.memory_max && used_memory() > server.settings.memory_max;
}

bool make_room(ServerState& server, const Now&) { return !over_memory_limit(server); }

}  // namespace vedette
