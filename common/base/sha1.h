// SHA-1 (FIPS 180-4). For names of scripts and digests of datasets that other servers compute alike; not for security.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace vedette {

using Sha1Digest = std::array<uint8_t, 20>;

Sha1Digest sha1(std::string_view bytes);
/// 40 lower-case hexadecimal digits.
std::string to_hex(const Sha1Digest& digest);

}  // namespace vedette
