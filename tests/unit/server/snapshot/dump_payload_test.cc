// Payloads of DUMP: what a Redis makes, and damage.
#include "server/snapshot/dump_payload.h"

#include <doctest/doctest.h>

#include "tests/unit/server/snapshot/rdb_bytes.h"

namespace vedette {
namespace {

using namespace rdb_bytes;
using namespace std::string_literals;

std::string restored(std::string_view payload) {
  if (!is_dump_payload(payload)) return "no payload";
  auto entry = parse_dump_payload(payload, "key", 42);
  if (!entry) return entry.error().text();
  const EntryOwner owner(*entry);
  IntegerText text;
  return fmt::format("{}={} at {}", owner->key(), string_bytes(*owner, text), owner->expiry_ms());
}

}  // namespace

TEST_CASE("a payload is what a Redis 7.0 makes of the value") {
  CHECK(make_dump_payload(*string_entry("k", "10")) ==
        "\x00\xc0\n\n\x00n\x9fWE\x0e\xae"
        "c\xbb"s);
}

TEST_CASE("a payload is made a value again") {
  for (const std::string& value : {""s, "10"s, "hello"s, std::string(100'000, 'x'), "12345678901234567890"s})
    CHECK(restored(make_dump_payload(*string_entry("other", value))) == "key=" + value + " at 42");
}

TEST_CASE("a damaged or foreign payload is refused") {
  const std::string good = make_dump_payload(*string_entry("k", "some value, some value, some value"));
  for (size_t size = 0; size < good.size(); size++) CHECK(restored(good.substr(0, size)) == "no payload");
  for (size_t at = 0; at < good.size(); at++) {
    std::string bad = good;
    bad[at] ^= 4;
    CHECK(restored(bad) == "no payload");
  }
  std::string newer = good.substr(0, good.size() - 10) + "\x0d\x00"s;
  const uint64_t crc = crc64(0, newer);
  newer.append(reinterpret_cast<const char*>(&crc), sizeof crc);
  CHECK(restored(newer) == "no payload");
}

TEST_CASE("a payload with a good checksum and bad content is refused") {
  const std::pair<std::string, std::string> cases[] = {{""s, "it is empty"},
                                                       {"\x00"s, "it ends too early"},
                                                       {"\x00\x05"
                                                        "abc"s,
                                                        "it ends too early"},
                                                       {"\x00\x01"
                                                        "ab"s,
                                                        "bytes follow its value"},
                                                       {"\x12\x01\x02\x03"
                                                        "abc"s,
                                                        "List listpack integrity check failed"},
                                                       {"\x04\x00"s, "its value has no elements"},
                                                       {"\x09\x02\x00\xff"s, "Zipmap integrity check failed"},
                                                       {"\x63\x00"s, "values of type 99 cannot be loaded"},
                                                       {"\xff"s, "values of type 255 cannot be loaded"}};
  for (const auto& [content, reason] : cases) {
    std::string payload = content + "\x0a\x00"s;
    const uint64_t crc = crc64(0, payload);
    payload.append(reinterpret_cast<const char*>(&crc), sizeof crc);
    CHECK(is_dump_payload(payload));
    CHECK(restored(payload) == reason);
  }
}

}  // namespace vedette
