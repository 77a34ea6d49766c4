// Commands that wait for what others bring: BLPOP and its kin.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/store/entry.h"

namespace vedette {

/// What a client is told when its time is over.
enum class TimeoutReply : uint8_t { kNullArray, kNull };

/// What a command waits for.
struct BlockOn {
  std::vector<std::string_view> keys;  ///< of the session's database; one of them is enough
  ValueType type = ValueType::kList;   ///< that a key must have to be worth another look
  int64_t timeout_ms = 0;              ///< 0: for ever
  TimeoutReply on_timeout = TimeoutReply::kNullArray;
  bool wakes_on_removal = false;          ///< a key that goes, or is replaced by another type, is worth a look too
  std::vector<std::string> retry_argv{};  ///< the words to be run again, if not those of the call (XREAD's "$" made an id)
};

}  // namespace vedette
