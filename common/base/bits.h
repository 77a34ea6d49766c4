// Wide arithmetic that the language lacks.
#pragma once

#include <cstdint>

namespace vedette {

__extension__ typedef unsigned __int128 Uint128;

/// The upper 64 bits of a * b: maps a uniform `a` to [0, b) keeping its order (D. Lemire's "fast range").
inline uint64_t high_product(uint64_t a, uint64_t b) { return uint64_t((Uint128(a) * b) >> 64); }

}  // namespace vedette
