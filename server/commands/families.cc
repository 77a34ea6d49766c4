#include "server/commands/families.h"

namespace vedette {

void add_all_commands(ServerCommandTable& table) {
  for (auto rows : {connection_commands, string_commands, string_number_commands, string_range_commands, string_compare_commands,
                    lcs_commands}) table.add(rows());
}

}  // namespace vedette
