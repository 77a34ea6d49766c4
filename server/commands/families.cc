#include "server/commands/families.h"

namespace vedette {

void add_all_commands(ServerCommandTable& table) {
  for (auto rows : {command_commands, connection_commands, info_commands, slowlog_commands, string_commands}) table.add(rows());
}

}  // namespace vedette
