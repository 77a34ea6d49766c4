// Keeping the latest slow commands, shortened.
#include "server/execution/slow_log.h"

#include <fmt/format.h>

namespace vedette {

void SlowLog::add(WallTime when, int64_t us, std::span<const std::string_view> argv, std::string peer, std::string_view client_name,
                  size_t length_max) {
  constexpr size_t kArgumentsMax = 32, kArgumentBytesMax = 128;
  SlowLogEntry entry{next_id_++, when.seconds(), us, {}, std::move(peer), std::string(client_name)};
  for (size_t i = 0; i < argv.size(); i++) {
    if (argv.size() > kArgumentsMax && i == kArgumentsMax - 1) {
      entry.argv.push_back(fmt::format("... ({} more arguments)", argv.size() - kArgumentsMax + 1));
      break;
    }
    if (argv[i].size() > kArgumentBytesMax)
      entry.argv.push_back(fmt::format("{}... ({} more bytes)", argv[i].substr(0, kArgumentBytesMax), argv[i].size() - kArgumentBytesMax));
    else entry.argv.emplace_back(argv[i]);
  }
  entries_.push_front(std::move(entry));
  trim(length_max);
}

}  // namespace vedette
