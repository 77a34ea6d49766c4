#include "server/commands/families.h"

namespace vedette {

void add_all_commands(ServerCommandTable& table) {
  for (auto rows : {client_commands, config_commands, connection_commands, pubsub_commands, string_commands, transaction_commands}) table.add(rows());
}

}  // namespace vedette
