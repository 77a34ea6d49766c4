#include "server/commands/families.h"

namespace vedette {
namespace {

constexpr std::span<const Command> (*kFamilies[])() = {
    command_commands,
    config_commands,
    connection_commands,
    info_commands,
    slowlog_commands,
    string_commands,
};

}  // namespace

void add_all_commands(ServerCommandTable& table) {
  for (const auto rows : kFamilies) table.add(rows());
}

}  // namespace vedette
