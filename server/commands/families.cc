#include "server/commands/families.h"

namespace vedette {

void add_all_commands(ServerCommandTable& table) {
  for (auto rows : {
           connection_commands,
           database_commands,
           expire_commands,
           keys_commands,
           object_commands,
           scan_commands,
           string_commands,
       })
    table.add(rows());
}

}  // namespace vedette
