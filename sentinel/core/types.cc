// Names of the words.
#include "sentinel/core/types.h"

namespace vedette::sentinel {

std::string_view wire_name(Kind kind) {
  switch (kind) {
    case Kind::kPrimary: return "master";
    case Kind::kReplica: return "slave";
    case Kind::kSentinel: break;
  }
  return "sentinel";
}

}  // namespace vedette::sentinel
