// Vedette's own version.
#pragma once

#include <string_view>

namespace vedette::sentinel {

inline constexpr std::string_view kVersion = VEDETTE_VERSION;

}  // namespace vedette::sentinel
