// First messages of every length, whole and cut into records and pieces.
#include "common/net/tls_hello_limit.h"

#include <doctest/doctest.h>

#include <string>

using namespace vedette;

namespace {

constexpr char kChangeCipherSpec = 20, kHandshake = 22, kEnciphered = 23;
constexpr char kClientHello = 1, kClientKeyExchange = 16;

std::string record(char type, const std::string& content) {
  return std::string{type, 3, 1, char(content.size() >> 8), char(content.size() & 0xff)} + content;
}

// A message that announces `announced` bytes, and has `bytes` of them.
std::string message(char type, size_t announced, size_t bytes) {
  return std::string{type, char(announced >> 16), char(announced >> 8 & 0xff), char(announced & 0xff)} + std::string(bytes, 'x');
}

bool takes(const std::string& bytes, size_t piece, bool is_tls13 = false) {
  TlsHelloLimit limit;
  for (size_t at = 0; at < bytes.size(); at += piece)
    if (!limit.take(std::string_view(bytes).substr(at, piece), is_tls13)) return false;
  return true;
}

}  // namespace

TEST_CASE("a first message may be as long as the limit, whatever the pieces it comes in") {
  constexpr size_t kMax = TlsHelloLimit::kBytesMax;
  for (const size_t piece : {1, 3, 7, 100000}) {
    CHECK(takes(record(kHandshake, message(kClientHello, 300, 300)), piece));
    CHECK(takes(record(kHandshake, message(kClientHello, kMax, 1000)), piece));
    CHECK_FALSE(takes(record(kHandshake, message(kClientHello, kMax + 1, 0)), piece));
    CHECK_FALSE(takes(record(kHandshake, message(kClientHello, 0xffffff, 1000)), piece));
  }
}

TEST_CASE("a header that is cut into records is seen all the same") {
  const std::string whole = message(kClientHello, 131396, 10);
  std::string bytes;
  for (const char byte : whole) bytes += record(kHandshake, std::string(1, byte)) + record(kHandshake, "");
  for (const size_t piece : {1, 5, 100000}) CHECK_FALSE(takes(bytes, piece));
}

TEST_CASE("the second first message is looked at as the first one is") {
  const std::string first = record(kHandshake, message(kClientHello, 200, 200)), ccs = record(kChangeCipherSpec, "\x01");
  const std::string second = record(kHandshake, message(kClientHello, 131396, 200));
  CHECK_FALSE(takes(first + second, 11, true));
  CHECK_FALSE(takes(first + ccs + second, 11, true));
  CHECK_FALSE(takes(ccs + second, 11, false));
}

TEST_CASE("what is no first message, or is enciphered, is no concern of it") {
  const std::string first = record(kHandshake, message(kClientHello, 200, 200)), ccs = record(kChangeCipherSpec, "\x01");
  const std::string long_one = record(kHandshake, message(kClientHello, 131396, 200));
  CHECK(takes(first + record(kHandshake, message(kClientKeyExchange, 70, 70)) + long_one, 11));
  CHECK(takes(first + ccs + long_one, 11, false));
  CHECK(takes(first + record(kEnciphered, "secret") + long_one, 11, true));
  CHECK(takes("GET / HTTP/1.1\r\n\r\n" + long_one, 11));
}
