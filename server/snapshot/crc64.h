// CRC-64 with the polynomial of D. Jones, in the bit order and form that RDB files use: reflected, starting
// at 0, nothing inverted. Its check value, that of "123456789", is e9c6d914c4b8d9ca.
//
// Where the processor multiplies without carries, 64 bytes are folded at a time (V. Gopal et al., "Fast CRC
// Computation for Generic Polynomials Using PCLMULQDQ Instruction", 2009); elsewhere 16 bytes are looked up
// in 16 tables.
#pragma once

#include <cstdint>
#include <string_view>

namespace vedette {

/// The checksum of what gave `crc` (0: nothing) with `bytes` after it.
uint64_t crc64(uint64_t crc, std::string_view bytes);

namespace crc64_detail {
uint64_t by_tables(uint64_t crc, const char* bytes, size_t size);
}  // namespace crc64_detail
}  // namespace vedette
