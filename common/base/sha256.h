// SHA-256 (FIPS 180-4) of secrets: passwords are kept and compared as digests only, so that neither memory nor the time a
// comparison takes tells them. The computation is libmd's.
#pragma once

#include <string>
#include <string_view>

namespace vedette {

/// The digest as 64 lower-case hexadecimal digits.
std::string sha256_hex(std::string_view bytes);

/// Compares in a time that depends on the lengths alone.
bool equals_in_constant_time(std::string_view a, std::string_view b);

}  // namespace vedette
