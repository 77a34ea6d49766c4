// The constants of both ways are computed by the compiler from the polynomial.
//
// In reflected order bit i of a 64-bit word stands for x^(63-i), and the product of two such words, as a
// 128-bit word, for their product times x. So to move a 128-bit word forward by d bits, its first half is
// multiplied by x^(d+63) and its second by x^(d-1), both modulo the polynomial.
#include "server/snapshot/crc64.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace vedette {
namespace {

constexpr uint64_t kPolynomial = 0x95ac9329ac4bc9b5;  // ad93d23594c935a9 reflected

constexpr uint64_t times_x(uint64_t value) { return value >> 1 ^ (value & 1 ? kPolynomial : 0); }

using Tables = std::array<std::array<uint64_t, 256>, 16>;

// tables[k][b]: what the byte b does to the checksum when k bytes come after it.
constexpr Tables make_tables() {
  Tables tables{};
  for (unsigned byte = 0; byte < 256; byte++) {
    uint64_t value = byte;
    for (int bit = 0; bit < 8; bit++) value = times_x(value);
    tables[0][byte] = value;
  }
  for (size_t k = 1; k < 16; k++)
    for (size_t byte = 0; byte < 256; byte++) {
      const uint64_t before = tables[k - 1][byte];
      tables[k][byte] = before >> 8 ^ tables[0][before & 0xff];
    }
  return tables;
}
constexpr Tables kTables = make_tables();

uint64_t load(const char* bytes) {
  uint64_t word;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

uint64_t look_up(uint64_t word, size_t after) {
  uint64_t result = 0;
  for (size_t i = 0; i < 8; i++) result ^= kTables[after + 7 - i][word >> (8 * i) & 0xff];
  return result;
}

#if defined(__x86_64__)

constexpr uint64_t power_of_x(int exponent) {
  uint64_t value = uint64_t(1) << 63;
  for (int i = 0; i < exponent; i++) value = times_x(value);
  return value;
}

__attribute__((target("pclmul,sse4.1"))) inline __m128i forward(__m128i word, __m128i factors) {
  return _mm_xor_si128(_mm_clmulepi64_si128(word, factors, 0x00), _mm_clmulepi64_si128(word, factors, 0x11));
}

template <int kBits>
__attribute__((target("pclmul,sse4.1"))) inline __m128i factors() {
  constexpr uint64_t kFirst = power_of_x(kBits + 63), kSecond = power_of_x(kBits - 1);
  return _mm_set_epi64x(int64_t(kSecond), int64_t(kFirst));
}

__attribute__((target("pclmul,sse4.1"))) inline __m128i load_wide(const char* bytes) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
}

// Four words of 16 bytes move forward side by side, then into one another; the tables do the last of them.
__attribute__((target("pclmul,sse4.1"))) uint64_t by_folding(uint64_t crc, const char* bytes, size_t size) {
  const __m128i by_four = factors<512>(), by_one = factors<128>();
  __m128i a = _mm_xor_si128(load_wide(bytes), _mm_set_epi64x(0, int64_t(crc)));
  __m128i b = load_wide(bytes + 16), c = load_wide(bytes + 32), d = load_wide(bytes + 48);
  bytes += 64, size -= 64;
  for (; size >= 64; bytes += 64, size -= 64) {
    a = _mm_xor_si128(forward(a, by_four), load_wide(bytes));
    b = _mm_xor_si128(forward(b, by_four), load_wide(bytes + 16));
    c = _mm_xor_si128(forward(c, by_four), load_wide(bytes + 32));
    d = _mm_xor_si128(forward(d, by_four), load_wide(bytes + 48));
  }
  b = _mm_xor_si128(forward(a, by_one), b);
  c = _mm_xor_si128(forward(b, by_one), c);
  d = _mm_xor_si128(forward(c, by_one), d);
  for (; size >= 16; bytes += 16, size -= 16) d = _mm_xor_si128(forward(d, by_one), load_wide(bytes));
  char last[16];
  _mm_storeu_si128(reinterpret_cast<__m128i*>(last), d);
  return crc64_detail::by_tables(crc64_detail::by_tables(0, last, sizeof last), bytes, size);
}

bool can_fold() { return __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1"); }

#endif

}  // namespace

uint64_t crc64_detail::by_tables(uint64_t crc, const char* bytes, size_t size) {
  for (; size >= 16; bytes += 16, size -= 16) crc = look_up(load(bytes) ^ crc, 8) ^ look_up(load(bytes + 8), 0);
  for (; size > 0; bytes++, size--) crc = crc >> 8 ^ kTables[0][(crc ^ uint8_t(*bytes)) & 0xff];
  return crc;
}

uint64_t crc64(uint64_t crc, std::string_view bytes) {
#if defined(__x86_64__)
  if (bytes.size() >= 128 && can_fold()) return by_folding(crc, bytes.data(), bytes.size());
#endif
  return crc64_detail::by_tables(crc, bytes.data(), bytes.size());
}

}  // namespace vedette
