// The version of the protocol and commands that clients and tools are told: whose commands and replies these are, as they
// compare versions. Vedette's own is told beside it.
#pragma once

#include <string_view>

namespace vedette {

inline constexpr std::string_view kCompatibleVersion = "7.2.4";

}  // namespace vedette
