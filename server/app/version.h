// Vedette's own version. What clients are told for compatibility is kCompatibleVersion (server_state.h).
#pragma once

#include <string_view>

namespace vedette {

inline constexpr std::string_view kVersion = VEDETTE_VERSION;

}  // namespace vedette
